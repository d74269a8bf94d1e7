//! `doctor`: what would make GitLab Runner ignore or misread a credential.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::args::{Doctor, Format, Global};
use super::fix;
use super::input::Input;
use super::output::Output;
use super::report::{ErrorLabel, Report, RunnerLabel, redaction};
use super::review::{self, Remark};
use super::unreadable::refuse_document;
use crate::auth::source::credential_helper;
use crate::count::counted;
use crate::doctor::{Circumstances, Code, Diagnosis, Finding, Level};
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::redaction::Redaction;
use crate::redaction::excerpt::Excerpts;
use crate::runner::Config;
use crate::runner::selection::{Matches, Selector};
use crate::toml::printable::one_line;

#[derive(Serialize)]
struct Files {
    files: Vec<FileReport>,
}

#[derive(Serialize)]
struct FileReport {
    config: String,
    findings: Vec<FindingReport>,
    runners: Vec<RunnerReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorLabel>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct RunnerReport {
    #[serde(flatten)]
    label: RunnerLabel,
    findings: Vec<FindingReport>,
}

#[derive(Serialize)]
struct FindingReport {
    level: Level,
    code: Code,
    message: String,
    advice: String,
    line: usize,
    column: usize,
    commands: Vec<String>,
    /// Whether `--fix` mends it.
    fixable: bool,
}

pub(super) fn doctor(
    global: &Global,
    doctor: &Doctor,
    output: &Output,
) -> Result<ExitStatus, Error> {
    let selector = doctor.selection.selector()?;
    if doctor.fix {
        return fix::fix(global, doctor, &selector, output);
    }
    fix::check_alone(&doctor.writing)?;
    look(global, doctor, &selector, output)
}

/// Looks at each file, and tells what is found.
pub(super) fn look(
    global: &Global,
    doctor: &Doctor,
    selector: &Selector,
    output: &Output,
) -> Result<ExitStatus, Error> {
    let paths = if doctor.files.is_empty() { vec![global.path()?] } else { doctor.files.clone() };
    if paths.iter().filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(Error::Usage("standard input can be read once: name - once".into()));
    }
    for file in &doctor.files {
        refuse_document("FILE", &file.to_string_lossy())?;
    }
    let mut status = ExitStatus::Done;
    let mut reports = Vec::new();
    for path in &paths {
        match examine(path, selector, global, output) {
            Ok((report, found)) => {
                status = status.max(ExitStatus::no_if(found));
                reports.extend(report);
            }
            // One file alone fails like any other command; of several the others are still told.
            Err(error) if doctor.files.len() < 2 && !output.format.is_review() => {
                return Err(error);
            }
            Err(error) => {
                status = status.max(error.exit_status());
                if output.format == Format::Text {
                    output.error(&error);
                }
                reports.push(FileReport::unread(path, &error));
            }
        }
    }
    if output.format.is_review() {
        let remarks: Vec<_> = reports.iter().flat_map(FileReport::remarks).collect();
        output.json(&match output.format {
            Format::Sarif => review::sarif(&remarks),
            _ => review::code_climate(&remarks),
        });
    } else if output.format == Format::Json {
        let command = "doctor";
        if doctor.files.len() > 1 {
            output.json(&Report::new(command, Files { files: reports }));
        } else if let Some(file) = reports.pop() {
            output.json(&Report::new(command, file));
        }
    }
    Ok(status)
}

/// Examines one file, and tells a person about it or reports it. The flag says whether there is an
/// error in it.
fn examine(
    path: &Path,
    selector: &Selector,
    global: &Global,
    output: &Output,
) -> Result<(Option<FileReport>, bool), Error> {
    let input = Input::open(global, path)?;
    let text = input.text();
    let circumstances = Circumstances {
        path: input.file().map(|_| text.label()),
        mode: input.file().map(crate::config_file::ConfigFile::mode),
        has_helper: &has_helper,
        now: SystemTime::now(),
    };
    let Diagnosis { config, mut findings } = Diagnosis::new(text, &circumstances);
    let mut redactor = Redaction::new(global.show_secrets);
    let mut selected = Vec::new();
    if let Some(config) = &config {
        selected = selector.select(config, Matches::Any)?;
        findings.retain(|finding| {
            finding.runner.is_none_or(|runner| selected.binary_search(&runner).is_ok())
        });
        if !findings.is_empty() {
            redactor = redaction(config, global.show_secrets);
        }
    }
    let found = has_error(&findings);
    if output.format == Format::Text {
        let telling = Telling { config: config.as_ref(), redaction: &redactor, output };
        output.print(&telling.text(text.label(), &findings));
        return Ok((None, found));
    }
    let runners = config.iter().flat_map(|config| {
        selected.iter().map(|&number| RunnerReport {
            label: RunnerLabel::new(&config.runners()[number], &redactor),
            findings: Vec::new(),
        })
    });
    let mut report = FileReport {
        config: text.label().to_owned(),
        findings: Vec::new(),
        runners: runners.collect(),
        error: None,
        warnings: Vec::new(),
    };
    for finding in &findings {
        let runner = finding.runner.and_then(|number| selected.binary_search(&number).ok());
        let findings = match runner {
            Some(place) => &mut report.runners[place].findings,
            None => &mut report.findings,
        };
        findings.push(FindingReport::new(finding));
    }
    Ok((Some(report), found))
}

/// Whether a credential helper is in this `PATH`.
pub(super) fn has_helper(name: &str) -> bool {
    credential_helper::find(name).is_some()
}

fn has_error(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level() == Level::Error)
}

impl FileReport {
    fn unread(path: &Path, error: &Error) -> Self {
        Self {
            config: path.display().to_string(),
            findings: Vec::new(),
            runners: Vec::new(),
            error: Some(ErrorLabel::new(error)),
            warnings: Vec::new(),
        }
    }
}

impl FileReport {
    /// What is found, in the order of the file.
    fn remarks(&self) -> Vec<Remark<'_>> {
        let path = &self.config;
        let unread = self.error.iter().map(|error| Remark {
            path,
            code: error.code,
            level: Level::Error,
            message: error.message.clone(),
            line: 1,
            column: 1,
        });
        let of_runners = self.runners.iter().flat_map(|runner| {
            let name = &runner.label.name;
            let title = if name.is_empty() { &runner.label.short_token } else { name };
            runner.findings.iter().map(move |finding| (Some(title), finding))
        });
        let findings = self.findings.iter().map(|finding| (None, finding)).chain(of_runners);
        let found = findings.map(|(runner, finding)| Remark {
            path,
            code: finding.code.name(),
            level: finding.level,
            message: finding.remark(runner.map(String::as_str)),
            line: finding.line,
            column: finding.column,
        });
        let mut remarks: Vec<_> = unread.chain(found).collect();
        remarks.sort_by_key(|remark| (remark.line, remark.column, remark.level));
        remarks
    }
}

impl FindingReport {
    /// The message with its runner and the advice.
    fn remark(&self, runner: Option<&str>) -> String {
        let runner = runner.map_or(String::new(), |name| format!(" (runner {name})"));
        format!("{}{runner}: {}", self.message, self.advice)
    }

    fn new(finding: &Finding) -> Self {
        Self {
            level: finding.level(),
            code: finding.code,
            message: finding.message.clone(),
            advice: finding.advice.clone(),
            line: finding.place.line,
            column: finding.place.column,
            commands: finding.commands.clone(),
            fixable: finding.is_fixable(),
        }
    }
}

/// How many findings of one code a person is told.
const MOST: usize = 20;

/// Findings on their way to a person.
struct Telling<'f, 't> {
    config: Option<&'f Config<'t>>,
    redaction: &'f Redaction<'f>,
    output: &'f Output,
}

impl Telling<'_, '_> {
    fn text(&self, label: &str, findings: &[Finding]) -> String {
        let label = one_line(label);
        let mut out = String::new();
        let mut excerpts = self.config.map(|config| Excerpts::new(config, self.redaction));
        let mut told: BTreeMap<Code, usize> = BTreeMap::new();
        for finding in findings {
            if self.output.quiet && finding.level() != Level::Error {
                continue;
            }
            let number = told.entry(finding.code).or_default();
            *number += 1;
            if *number <= MOST {
                out.push_str(&self.finding(&label, finding, excerpts.as_mut()));
            }
        }
        for (code, number) in told.into_iter().filter(|(_, number)| *number > MOST) {
            let more = number - MOST;
            out.push_str(&format!("{label}: {more} more {code}; --format json has them all\n"));
        }
        if self.output.quiet {
            return out;
        }
        let number = |level: Level| findings.iter().filter(|f| f.level() == level).count();
        let (errors, warnings, infos) =
            (number(Level::Error), number(Level::Warning), number(Level::Info));
        let runners = self.config.map_or(0, |config| config.runners().len());
        let verdict = if errors + warnings == 0 { "fine, " } else { "" };
        let mut parts = Vec::new();
        if errors + warnings == 0 {
            parts.push(counted(runners, "runner"));
        } else {
            parts.push(counted(errors, "error"));
            parts.push(counted(warnings, "warning"));
        }
        if infos > 0 {
            parts.push(counted(infos, "note"));
        }
        out.push_str(&format!("{label}: {verdict}{}\n", parts.join(", ")));
        let fixable = findings.iter().filter(|finding| finding.is_fixable()).count();
        if fixable > 0 {
            out.push_str(&format!("  --fix takes care of {fixable} of them\n"));
        }
        out
    }

    fn finding(
        &self,
        label: &str,
        finding: &Finding,
        excerpts: Option<&mut Excerpts<'_, '_>>,
    ) -> String {
        let (style, name) = match finding.level() {
            Level::Error => (AnsiColor::Red.on_default().bold(), "error"),
            Level::Warning => (AnsiColor::Yellow.on_default().bold(), "warning"),
            Level::Info => (AnsiColor::Cyan.on_default().bold(), "info"),
        };
        let style = if self.output.colors() { style } else { Style::new() };
        let runner = finding.runner.zip(self.config).map_or(String::new(), |(number, config)| {
            let title = self.redaction.title(&config.runners()[number]);
            format!(" (runner {title})")
        });
        let message = format!("{}{runner}", finding.message);
        let message = one_line(&message);
        let mut out = format!(
            "{label}:{}: {style}{name}{style:#}[{}]: {message}\n",
            finding.place, finding.code
        );
        if let Some(excerpts) = excerpts.filter(|_| !finding.span.is_empty()) {
            let excerpt = excerpts.cut(&finding.span);
            let line = finding.place.line.to_string();
            let blank = " ".repeat(line.len());
            let mark = "^".repeat(excerpt.length);
            let indent = " ".repeat(excerpt.start);
            out.push_str(&format!(
                "  {line} | {}\n  {blank} | {indent}{style}{mark}{style:#}\n",
                excerpt.line
            ));
        }
        out.push_str(&format!("  {}\n", one_line(&finding.advice)));
        if finding.is_fixable() {
            out.push_str("  --fix takes care of it\n");
        }
        // A command with a sign that can't be shown would not be the one that is copied.
        for command in finding.commands.iter().filter(|command| one_line(command) == **command) {
            out.push_str(&format!("  $ {command}\n"));
        }
        out
    }
}
