//! `set` and `remove`: plan, show, ask, write, report.

use serde::Serialize;

use super::args::{Format, Global, Remove, Set, Writing};
use super::guide::{Guide, Picked};
use super::input::Input;
use super::output::{Output, to_stdout};
use super::report::{RunnerLabel, title};
use crate::auth::outcome::{Action, Outcome};
use crate::auth::registry::Registry;
use crate::cli::terminal::Terminal;
use crate::config_file;
use crate::config_file::safe_write::{self, Options, Patch};
use crate::error::Error;
use crate::plan::{Plan, Request, RunnerPlan};
use crate::redaction::Redaction;
use crate::redaction::diff::{self, Line};
use crate::runner::pull_policy::PullPolicy;
use crate::runner::selection::{Matches, Selector};
use crate::runner::{Config, Runner};
use crate::toml::printable::printable;
use crate::toml::text::ConfigText;

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
    let pull_policies = set.pull_policies.clone();
    let (replace, mut picked) = (set.replace, None);
    let request = if let Some((helper, registry)) = set.source.delegation()? {
        Request::Delegate { helper, registry, replace, pull_policies }
    } else {
        let logins = if !set.stores_credentials() {
            Vec::new()
        } else if let Some(guide) = Guide::open(global, set, output) {
            let answers = guide.ask(global, set, &selector)?;
            picked = answers.picked;
            vec![answers.login]
        } else {
            set.source.logins()?
        };
        Request::Set { logins, replace, pull_policies }
    };
    let Some(Picked { input, runners }) = picked else {
        return change(global, "set", &selector, &request, &set.writing, output);
    };
    // Their numbers count in the text in which they were shown.
    let (runners, writing) = (Runners::Picked(runners), &set.writing);
    let change = Change { global, command: "set", runners, request: &request, writing, output };
    let told = change.tell(input.text())?;
    change.propose(&input, told)
}

pub(super) fn remove(global: &Global, remove: &Remove, output: &Output) -> Result<u8, Error> {
    check_writing(&remove.writing)?;
    let selector = remove.selection.selector()?;
    let request = if remove.everything {
        Request::RemoveEntry
    } else {
        Request::Remove(remove.registries.iter().map(|typed| Registry::named(typed)).collect())
    };
    change(global, "remove", &selector, &request, &remove.writing, output)
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
    output: &Output,
) -> Result<u8, Error> {
    let runners = Runners::Selected(selector);
    let change = Change { global, command, runners, request, writing, output };
    if writing.yes && !change.is_dry() && !global.is_filter() {
        return change.write_at_once();
    }
    let (input, told) = Input::read_settled(global, |input| change.tell(input.text()))?;
    change.propose(&input, told)
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    NothingToDo,
    DryRun,
    /// A person said no.
    Declined,
    /// The patched config went to standard output.
    Filtered,
    /// Written, after a person had seen the diff.
    Confirmed,
    /// Written without a question.
    Written,
}

/// The runners that a change is for.
enum Runners<'c> {
    Selected(&'c Selector),
    /// Their numbers in the text that a person has picked them from.
    Picked(Vec<usize>),
}

/// A request on its way into a file.
struct Change<'c> {
    global: &'c Global,
    command: &'static str,
    runners: Runners<'c>,
    request: &'c Request,
    writing: &'c Writing,
    output: &'c Output,
}

/// What is told about a planned change.
struct Told {
    /// The patched text, when it differs.
    bytes: Option<Vec<u8>>,
    report: Report,
    lines: Vec<Line>,
    summary: String,
    /// What the file is called.
    label: String,
    /// Whether a credential comes into the file, and not only out of it.
    stores: bool,
}

impl Change<'_> {
    fn write_at_once(&self) -> Result<u8, Error> {
        let outcome = safe_write::rewrite(&self.global.path()?, self.options(), |text| {
            let mut told = self.tell(text)?;
            Ok(Patch { bytes: told.bytes.take(), report: told })
        })?;
        let ending = if outcome.written { Ending::Written } else { Ending::NothingToDo };
        Ok(self.finish(outcome.report, ending, &outcome.notes))
    }

    /// Shows a planned change, and writes it when a person agrees.
    fn propose(&self, input: &Input, told: Told) -> Result<u8, Error> {
        let filter = self.global.is_filter();
        let Some(bytes) = &told.bytes else {
            if filter && !self.is_dry() {
                to_stdout(input.text().bytes())?;
            }
            return Ok(self.finish(told, Ending::NothingToDo, &[]));
        };
        if self.is_dry() {
            return Ok(self.finish(told, Ending::DryRun, &[]));
        }
        // A filter writes to standard output only: there is nothing to confirm.
        if filter {
            to_stdout(bytes)?;
            return Ok(self.finish(told, Ending::Filtered, &[]));
        }
        if !self.ask(input.text(), &told)? {
            return Ok(self.finish(told, Ending::Declined, &[]));
        }
        let shown = input.text().bytes();
        let outcome = safe_write::rewrite(&self.global.path()?, self.options(), |text| {
            if text.bytes() == shown {
                return Ok(Patch { bytes: Some(bytes.clone()), report: () });
            }
            // What a person has confirmed is not what would be written now.
            Err(Error::ChangedMeanwhile { path: text.label().to_owned() })
        })?;
        Ok(self.finish(told, Ending::Confirmed, &outcome.notes))
    }

    fn is_dry(&self) -> bool {
        self.writing.dry_run || self.writing.check
    }

    fn options(&self) -> Options<'_> {
        let Writing { backup, force_attributes, .. } = self.writing;
        Options { backup: backup.as_deref(), force_attributes: *force_attributes }
    }

    /// Plans the change of a text.
    fn tell(&self, text: &ConfigText) -> Result<Told, Error> {
        let config = Config::parse(text)?;
        let selected = match &self.runners {
            Runners::Selected(selector) => selector.select(&config, Matches::One)?,
            Runners::Picked(numbers) => numbers.clone(),
        };
        let plan = Plan::make(&config, &selected, self.request)?;
        let mut redaction = Redaction::new(self.global.show_secrets);
        if let Request::Set { logins, .. } = self.request {
            for (_, login) in logins {
                redaction.learn_credential(login);
            }
        }
        let Writing { yes, dry_run, check, context, .. } = *self.writing;
        let unseen = self.output.quiet && (yes || dry_run || check);
        let lines = if plan.changes() && !unseen {
            redaction.learn_config(&config);
            diff::diff(&config, &plan, &redaction, context.into())
        } else {
            Vec::new()
        };
        let preview = Preview { config: &config, plan: &plan, redaction: &redaction };
        Ok(Told {
            report: preview.report(self.command, &lines),
            lines,
            summary: preview.summary(),
            label: printable(text.label()),
            stores: matches!(self.request, Request::Set { .. }) && preview.stores(),
            bytes: plan.changes().then(|| plan.apply(&config)),
        })
    }

    /// Shows the diff and asks.
    fn ask(&self, text: &ConfigText, told: &Told) -> Result<bool, Error> {
        let output = self.output;
        let Some(mut terminal) = Terminal::open() else {
            if output.format == Format::Text && !output.quiet {
                output.print(&output.diff(&told.lines, false));
            }
            return Err(Error::ConsentNeeded);
        };
        terminal.show(&output.diff(&told.lines, true));
        terminal.show(&told.summary);
        Ok(terminal.confirm(&format!("Write {}?", printable(text.label()))))
    }

    /// Reports what came of it and says how the process ends.
    fn finish(&self, mut told: Told, ending: Ending, notes: &[String]) -> u8 {
        let output = self.output;
        told.report.warnings.extend(notes.iter().cloned());
        if output.format == Format::Json {
            told.report.written =
                matches!(ending, Ending::Confirmed | Ending::Written | Ending::Filtered);
            output.json(&told.report);
        } else if !output.quiet {
            output.print(&told.text(ending, output));
        }
        match ending {
            Ending::Declined => 1,
            Ending::DryRun if self.writing.check => 1,
            _ => 0,
        }
    }
}

impl Told {
    fn text(&self, ending: Ending, output: &Output) -> String {
        let label = &self.label;
        if ending == Ending::Declined {
            return format!("Nothing was written: {label} is as it was.\n");
        }
        // A person who was asked has seen the diff.
        let seen = ending == Ending::Confirmed;
        let mut out = if seen { String::new() } else { output.diff(&self.lines, false) };
        out.push_str(&self.summary);
        for warning in &self.report.warnings {
            out.push_str(&format!("warning: {}\n", printable(warning)));
        }
        match ending {
            Ending::NothingToDo => {
                out.push_str(&format!("Nothing to do: {label} is as wanted.\n"));
            }
            Ending::DryRun => {
                out.push_str(&format!("Nothing was written: this was a dry run of {label}.\n"));
            }
            Ending::Filtered => out.push_str("The patched config is on standard output.\n"),
            Ending::Confirmed | Ending::Written | Ending::Declined => {
                out.push_str(&format!(
                    "Wrote {label}. New jobs use it within seconds, without a restart of the \
                     runner.\n"
                ));
                if self.stores {
                    out.push_str(
                        "Every job on that runner can read it: use an account that can only pull.\n",
                    );
                }
            }
        }
        out
    }
}

/// What is said about a plan.
struct Preview<'p, 't> {
    config: &'p Config<'t>,
    plan: &'p Plan,
    redaction: &'p Redaction,
}

#[derive(Serialize)]
struct Report {
    schema: u8,
    command: &'static str,
    config: String,
    changed: bool,
    written: bool,
    runners: Vec<RunnerReport>,
    diff: String,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct RunnerReport {
    #[serde(flatten)]
    label: RunnerLabel,
    changed: bool,
    credentials: Vec<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_policy: Option<Vec<PullPolicy>>,
}

impl Preview<'_, '_> {
    fn runner(&self, plan: &RunnerPlan) -> &Runner<'_> {
        &self.config.runners()[plan.runner]
    }

    fn report(&self, command: &'static str, lines: &[Line]) -> Report {
        let runners = self.plan.runners().iter().map(|plan| RunnerReport {
            label: RunnerLabel::new(self.runner(plan)),
            changed: plan.changed,
            credentials: plan.outcomes.clone(),
            pull_policy: plan.pull_policies.clone(),
        });
        Report {
            schema: 1,
            command,
            config: self.config.text().label().to_owned(),
            changed: self.plan.changes(),
            written: false,
            runners: runners.collect(),
            diff: diff::to_text(lines),
            warnings: self.warnings(),
        }
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
            let line = format!("{}: {}", title(runner), parts.join("; "));
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
