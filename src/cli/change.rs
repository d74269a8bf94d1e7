//! `set` and `remove`: plan, show, ask, write, report.

use std::io::{self, Write as _};

use serde::Serialize;

use super::args::{Format, Global, Remove, Set, Writing};
use super::input::Input;
use super::output::{Output, printable};
use crate::config_file;
use crate::diff::{self, Line};
use crate::error::Error;
use crate::outcome::{Action, Outcome};
use crate::plan::{Plan, Request, RunnerPlan};
use crate::redaction::Redaction;
use crate::registry::Registry;
use crate::runner::{Config, Runner};
use crate::selection::{Matches, Selector};
use crate::terminal::Terminal;

pub(super) fn set(global: &Global, set: &Set, output: &Output) -> Result<u8, Error> {
    if set.source.reads_stdin() && global.is_filter() {
        return Err(Error::Usage(
            "standard input can't be the config and a credential at once: give one of them as a \
             file"
                .into(),
        ));
    }
    check_writing(&set.writing)?;
    let selector = set.selection.selector()?;
    let mut redaction = Redaction::new(global.show_secrets);
    let request = if let Some((helper, registry)) = set.source.delegation()? {
        Request::Delegate { helper, registry, replace: set.replace }
    } else {
        let logins = set.source.logins()?;
        for (_, login) in &logins {
            redaction.learn_credential(login);
        }
        Request::Set { logins, replace: set.replace }
    };
    change(global, "set", &selector, &request, &set.writing, redaction, output)
}

pub(super) fn remove(global: &Global, remove: &Remove, output: &Output) -> Result<u8, Error> {
    check_writing(&remove.writing)?;
    let selector = remove.selection.selector()?;
    let request = if remove.everything {
        Request::RemoveEntry
    } else {
        Request::Remove(remove.registries.iter().map(|typed| Registry::named(typed)).collect())
    };
    let redaction = Redaction::new(global.show_secrets);
    change(global, "remove", &selector, &request, &remove.writing, redaction, output)
}

fn check_writing(writing: &Writing) -> Result<(), Error> {
    match &writing.backup {
        Some(suffix) if !config_file::is_suffix(suffix) => Err(Error::Usage(
            "--backup takes a suffix such as .bak, without a slash: the copy stays beside the file"
                .into(),
        )),
        _ => Ok(()),
    }
}

fn change(
    global: &Global,
    command: &'static str,
    selector: &Selector,
    request: &Request,
    writing: &Writing,
    mut redaction: Redaction,
    output: &Output,
) -> Result<u8, Error> {
    let target = Input::read(global)?;
    let config = Config::parse(target.text())?;
    let selected = selector.select(&config, Matches::One)?;
    let plan = Plan::make(&config, &selected, request)?;
    let lines =
        if plan.changes() && !(output.quiet && (writing.yes || writing.dry_run || writing.check)) {
            redaction.learn_config(config.syntax());
            diff::diff(&config, &plan, &redaction, writing.context.into())
        } else {
            Vec::new()
        };
    let preview = Preview {
        config: &config,
        plan: &plan,
        redaction: &redaction,
        lines: &lines,
        filter: global.is_filter(),
    };
    let dry = writing.dry_run || writing.check;
    let decision = decide(&target, &plan, writing, dry, &preview, output)?;
    if decision == Decision::Write || (!plan.changes() && !dry) {
        write(&target, &plan, &config, writing)?;
    }
    let written = decision == Decision::Write;
    if output.format == Format::Json {
        output.json(&preview.report(command, written));
    } else if !output.quiet {
        output.print(&preview.text(&decision, output, dry));
    }
    Ok(match decision {
        Decision::Declined => 1,
        Decision::Nothing if writing.check && plan.changes() => 1,
        _ => 0,
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Write,
    /// A person said no.
    Declined,
    /// A dry run, or no change.
    Nothing,
}

fn decide(
    target: &Input,
    plan: &Plan,
    writing: &Writing,
    dry: bool,
    preview: &Preview<'_, '_>,
    output: &Output,
) -> Result<Decision, Error> {
    if dry || !plan.changes() {
        return Ok(Decision::Nothing);
    }
    // A filter writes to standard output only: there is nothing to confirm.
    if writing.yes || matches!(target, Input::Stdin(_)) {
        return Ok(Decision::Write);
    }
    let Some(mut terminal) = Terminal::open() else {
        if output.format == Format::Text && !output.quiet {
            output.print(&output.diff(preview.lines, false));
        }
        return Err(Error::ConsentNeeded);
    };
    terminal.show(&output.diff(preview.lines, true));
    terminal.show(&preview.summary());
    let question = format!("Write {}?", printable(target.text().label()));
    Ok(if terminal.confirm(&question) { Decision::Write } else { Decision::Declined })
}

fn write(target: &Input, plan: &Plan, config: &Config<'_>, writing: &Writing) -> Result<(), Error> {
    match target {
        Input::File(file) if plan.changes() => {
            file.replace(&plan.apply(config), writing.backup.as_deref())
        }
        Input::File(_) => Ok(()),
        Input::Stdin(_) => {
            let mut stdout = io::stdout().lock();
            stdout.write_all(&plan.apply(config)).and_then(|()| stdout.flush()).map_err(|cause| {
                Error::NotWritable { path: "standard output".into(), step: "writing", cause }
            })
        }
    }
}

/// What is said about a change.
struct Preview<'p, 't> {
    config: &'p Config<'t>,
    plan: &'p Plan,
    redaction: &'p Redaction,
    lines: &'p [Line],
    /// The patched config goes to standard output.
    filter: bool,
}

#[derive(Serialize)]
struct Report<'r> {
    schema: u8,
    command: &'static str,
    config: String,
    changed: bool,
    written: bool,
    runners: Vec<RunnerReport<'r>>,
    diff: String,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct RunnerReport<'r> {
    name: String,
    short_token: &'r str,
    executor: &'r str,
    changed: bool,
    credentials: &'r [Outcome],
}

impl Preview<'_, '_> {
    fn runner(&self, plan: &RunnerPlan) -> &Runner<'_> {
        &self.config.runners()[plan.runner]
    }

    fn report(&self, command: &'static str, written: bool) -> Report<'_> {
        let runners = self.plan.runners().iter().map(|plan| {
            let runner = self.runner(plan);
            RunnerReport {
                name: runner.name().to_owned(),
                short_token: runner.short_token(),
                executor: runner.executor().name(),
                changed: plan.changed,
                credentials: &plan.outcomes,
            }
        });
        Report {
            schema: 1,
            command,
            config: self.config.text().label().to_owned(),
            changed: self.plan.changes(),
            written,
            runners: runners.collect(),
            diff: diff::to_text(self.lines),
            warnings: self.warnings(),
        }
    }

    fn text(&self, decision: &Decision, output: &Output, dry: bool) -> String {
        let label = printable(self.config.text().label());
        if *decision == Decision::Declined {
            return format!("Nothing was written: {label} is as it was.\n");
        }
        let asked = *decision == Decision::Write && self.lines.is_empty();
        let mut out = if asked { String::new() } else { output.diff(self.lines, false) };
        out.push_str(&self.summary());
        for warning in self.warnings() {
            out.push_str(&format!("warning: {}\n", printable(&warning)));
        }
        if !self.plan.changes() {
            out.push_str(&format!("Nothing to do: {label} is as wanted.\n"));
        } else if dry {
            out.push_str(&format!("Nothing was written: this was a dry run of {label}.\n"));
        } else if self.filter {
            out.push_str("The patched config is on standard output.\n");
        } else {
            out.push_str(&format!(
                "Wrote {label}. New jobs use it within seconds, without a restart of the runner.\n"
            ));
            if self.stores() {
                out.push_str(
                    "Every job on that runner can read it: use an account that can only pull.\n",
                );
            }
        }
        out
    }

    /// Whether a credential comes into the file, and not only out of it.
    fn stores(&self) -> bool {
        let mut outcomes = self.plan.runners().iter().flat_map(|plan| &plan.outcomes);
        outcomes.any(|outcome| matches!(outcome.action, Action::Added | Action::Updated))
    }

    /// One line per runner.
    fn summary(&self) -> String {
        let mut out = String::new();
        for plan in self.plan.runners() {
            let runner = self.runner(plan);
            let mut parts: Vec<String> = plan.outcomes.iter().map(sentence).collect();
            parts.extend(plan.notes.iter().cloned());
            if parts.is_empty() {
                parts.push("nothing to do".to_owned());
            }
            let line =
                format!("{} ({}): {}", runner.title(), runner.short_token(), parts.join("; "));
            out.push_str(&self.redaction.clean(&line));
            out.push('\n');
        }
        out
    }

    fn warnings(&self) -> Vec<String> {
        let text = self.config.text();
        let mut warnings: Vec<_> =
            self.plan.runners().iter().flat_map(|plan| plan.warnings.iter().cloned()).collect();
        if text.has_byte_order_mark() {
            warnings.push(format!(
                "{} starts with a byte order mark, which GitLab Runner 12.9 and 14.7 refuse",
                text.label()
            ));
        }
        if !text.is_utf8() {
            warnings.push(format!(
                "{} holds bytes that are no UTF-8, which GitLab Runner from 15.9 on refuses",
                text.label()
            ));
        }
        warnings
    }
}

fn sentence(outcome: &Outcome) -> String {
    let Outcome { registry, action, username } = outcome;
    let user = username.as_ref().map_or(String::new(), |user| format!(" for user {user}"));
    match action {
        Action::Added => format!("add {registry}{user}"),
        Action::Updated => format!("update {registry}{user}"),
        Action::Unchanged => format!("{registry} is already there{user}"),
        Action::Removed => format!("remove {registry}{user}"),
    }
}
