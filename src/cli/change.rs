//! The way of a change into a file: plan, show, ask, write, report.

use std::time::Duration;

use super::args::{Format, Global, Writing};
use super::guide::{Guide, Questionnaire};
use super::input::Input;
use super::oddities::odd;
use super::output::{Output, filtered};
use super::preview::{Body, Ending, Preview, Told, warnings};
use super::report::{Report, redaction};
use crate::cli::terminal::Terminal;
use crate::config_file::safe_write::{self, Options, Patch};
use crate::doctor::{self, Finding};
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::plan::{Mended, Plan, Request};
use crate::redaction::diff;
use crate::runner::Config;
use crate::runner::selection::{Matches, Selector};
use crate::toml::printable::one_line;
use crate::toml::text::ConfigText;

pub(super) fn check_writing(global: &Global, writing: &Writing) -> Result<(), Error> {
    if global.is_filter() && (writing.backup.is_some() || writing.settle > 0) {
        return Err(Error::Usage(
            "a filter writes no file: --backup and --settle need one as --config".into(),
        ));
    }
    match &writing.backup {
        Some(suffix) if !safe_write::is_suffix(suffix) => Err(Error::Usage(
            "--backup takes a suffix such as .bak, without a slash: the copy stays beside the file"
                .into(),
        )),
        _ => Ok(()),
    }
}

pub(super) fn change(
    global: &Global,
    command: &'static str,
    selector: &Selector,
    request: &Request,
    writing: &Writing,
    output: &Output,
) -> Result<ExitStatus, Error> {
    let runners = Runners::Selected(selector);
    let intent = Intent::Request(request);
    Change { global, command, runners, intent, writing, output }.run()
}

/// Mends what `mend` mends, in the same way.
pub(super) fn mend(
    global: &Global,
    mend: &dyn Fn(&Config<'_>) -> Result<Mended, Error>,
    writing: &Writing,
    output: &Output,
) -> Result<ExitStatus, Error> {
    let (command, runners, intent) = ("doctor", Runners::Picked(Vec::new()), Intent::Mended(mend));
    Change { global, command, runners, intent, writing, output }.run()
}

/// Asks a person what is open, shows what would change, and writes it when they agree. Who goes back
/// is asked again.
pub(super) fn converse(
    global: &Global,
    command: &'static str,
    conversation: &mut impl Questionnaire,
    writing: &Writing,
    output: &Output,
) -> Result<ExitStatus, Error> {
    loop {
        let request = conversation.ask()?;
        conversation.check(&request, output)?;
        let Guide { input, runners, .. } = conversation.guide();
        // Their numbers count in the text in which they were shown.
        let runners = Runners::Picked(runners.clone());
        let intent = Intent::Request(&request);
        let change = Change { global, command, runners, intent, writing, output };
        let told = change.tell(input.text())?;
        if let Some(status) = change.propose(input, told, true)? {
            return Ok(status);
        }
    }
}

/// The runners that a change is for.
enum Runners<'c> {
    Selected(&'c Selector),
    /// Their numbers in the text that a person has picked them from.
    Picked(Vec<usize>),
}

/// What is to become of the config.
#[derive(Clone, Copy)]
enum Intent<'c> {
    Request(&'c Request),
    /// What this makes of it.
    Mended(&'c dyn Fn(&Config<'_>) -> Result<Mended, Error>),
}

/// What is wanted, on its way into a file.
struct Change<'c> {
    global: &'c Global,
    command: &'static str,
    runners: Runners<'c>,
    intent: Intent<'c>,
    writing: &'c Writing,
    output: &'c Output,
}

impl Change<'_> {
    /// Plans, shows, asks where somebody has to be asked, and writes.
    fn run(&self) -> Result<ExitStatus, Error> {
        if self.writing.yes && !self.is_dry() && !self.global.is_filter() {
            return self.write_at_once();
        }
        let (input, told) = Input::read_settled(self.global, |input| self.tell(input.text()))?;
        let status = self.propose(&input, told, false)?;
        Ok(status.unwrap_or(ExitStatus::No))
    }

    fn write_at_once(&self) -> Result<ExitStatus, Error> {
        let path = self.global.path()?;
        let outcome = safe_write::rewrite(&path, self.options(), |text| {
            let config = self.global.config_in(&path, text)?;
            let text = config.as_ref().unwrap_or(text);
            let told = self.tell(text)?;
            // Only now, when the parsed config is gone.
            let bytes = told.changes().then(|| text.patched(&told.edits));
            Ok(Patch { bytes, report: told })
        })?;
        let ending = if outcome.written { Ending::Written } else { Ending::NothingToDo };
        let (mut told, mode) = (outcome.report, outcome.mode);
        if outcome.written {
            self.warn_of_readers(&mut told, &path.display().to_string(), mode);
        }
        Ok(self.finish(told, ending, &outcome.notes))
    }

    /// Shows a planned change, and writes it when a person agrees. `None` when the person goes
    /// back, and there is a question to go back to.
    fn propose(
        &self,
        input: &Input,
        mut told: Told,
        back: bool,
    ) -> Result<Option<ExitStatus>, Error> {
        let filter = self.global.is_filter();
        if !told.changes() {
            if filter && !self.is_dry() {
                filtered(input.text().bytes())?;
            }
            return Ok(Some(self.finish(told, Ending::NothingToDo, &[])));
        }
        if let Some(file) = input.file() {
            self.warn_of_readers(&mut told, file.text().label(), file.mode());
        }
        if self.is_dry() {
            let ending = if self.writing.check { Ending::Check } else { Ending::DryRun };
            return Ok(Some(self.finish(told, ending, &[])));
        }
        // A filter writes to standard output only: there is nothing to confirm.
        if filter {
            filtered(&input.text().patched(&told.edits))?;
            return Ok(Some(self.finish(told, Ending::Filtered, &[])));
        }
        match self.ask(&told)? {
            None if back => return Ok(None),
            None | Some(false) => return Ok(Some(self.finish(told, Ending::Declined, &[]))),
            Some(true) => {}
        }
        let shown = input.text().bytes();
        let outcome = safe_write::rewrite(&self.global.path()?, self.options(), |text| {
            if text.bytes() == shown {
                let bytes = Some(input.text().patched(&told.edits));
                return Ok(Patch { bytes, report: () });
            }
            // What a person has confirmed is not what would be written now.
            Err(Error::ChangedMeanwhile { path: text.label().to_owned() })
        })?;
        Ok(Some(self.finish(told, Ending::Confirmed, &outcome.notes)))
    }

    /// Who changes a credential learns that others can read the file, or change it.
    fn warn_of_readers(&self, told: &mut Told, path: &str, mode: u32) {
        if let Intent::Request(_) = self.intent {
            let finding = doctor::permissions(path, mode);
            told.report.body.warnings.extend(finding.iter().map(Finding::sentence));
        }
    }

    fn is_dry(&self) -> bool {
        self.writing.dry_run || self.writing.check
    }

    fn options(&self) -> Options<'_> {
        let Writing { backup, force_attributes, lock_timeout, settle, .. } = self.writing;
        Options {
            backup: backup.as_deref(),
            force_attributes: *force_attributes,
            lock_timeout: Duration::from_secs(*lock_timeout),
            settle: Duration::from_secs(*settle),
            largest: self.global.largest(),
        }
    }

    /// Plans the change of a config.
    fn tell(&self, text: &ConfigText) -> Result<Told, Error> {
        let mut config = Config::parse(text)?;
        if let Intent::Request(Request::Set { logins, .. }) = self.intent {
            for (_, login) in logins {
                config.learn(login);
            }
        }
        let config = &config;
        let selected = match &self.runners {
            Runners::Selected(selector) => selector.select(config, Matches::One)?,
            Runners::Picked(numbers) => numbers.clone(),
        };
        let plan = match self.intent {
            Intent::Request(request) => Plan::make(config, &selected, request)?,
            Intent::Mended(mend) => Plan::of_mended(config, mend(config)?)?,
        };
        let redaction = redaction(config, self.output.show_secrets);
        let Writing { yes, dry_run, check, context, .. } = *self.writing;
        let unseen = self.output.quiet && (yes || dry_run || check);
        let lines = if plan.changes() && !unseen {
            diff::diff(config, &plan, &redaction, context.into())
        } else {
            Vec::new()
        };
        let dry = dry_run || check;
        let removes = self.command == "remove";
        let preview = Preview { config, plan: &plan, redaction: &redaction, dry, removes };
        let labels = preview.labels();
        let (summary, stores, mut warnings) =
            (preview.summary(&labels), preview.stores(), preview.warnings());
        if let Intent::Request(request) = self.intent {
            warnings.splice(0..0, odd(request));
        }
        let changed = plan.changes();
        let (edits, runners) = plan.into_parts();
        let body = Body::new(config, changed, runners, labels, lines, warnings);
        Ok(Told {
            edits,
            report: Report::new(self.command, body),
            summary,
            label: one_line(text.label()).into_owned(),
            is_whole: text.enclosure().is_none(),
            stores: stores && matches!(self.intent, Intent::Request(Request::Set { .. })),
        })
    }

    /// Shows what would change, and what to know before that, and asks; `None` to go back.
    fn ask(&self, told: &Told) -> Result<Option<bool>, Error> {
        let output = self.output;
        let Some(mut terminal) = Terminal::open() else {
            if output.format == Format::Text && !output.quiet {
                output.print(&output.diff(&told.report.body.diff, false));
            }
            return Err(Error::ConsentNeeded);
        };
        terminal.show(&output.diff(&told.report.body.diff, true));
        terminal.show(&told.what_to_know());
        match terminal
            .in_colors(output.colors_on_terminal())
            .confirm(&format!("Write {}?", told.label))
        {
            // The end of the input is no consent.
            Err(Error::GivenUp) => Ok(Some(false)),
            answer => answer,
        }
    }

    /// Reports what came of it and says how the process ends.
    fn finish(&self, mut told: Told, ending: Ending, notes: &[String]) -> ExitStatus {
        let output = self.output;
        // A person who was asked has seen the rest.
        let unseen = if ending == Ending::Confirmed { String::new() } else { told.what_to_know() };
        let unseen = unseen + &warnings(notes);
        told.report.body.warnings.extend(notes.iter().cloned());
        if output.format == Format::Json {
            told.report.body.written =
                matches!(ending, Ending::Confirmed | Ending::Written | Ending::Filtered);
            output.json(&told.report);
        } else if !output.quiet {
            output.print(&told.text(ending, &unseen, output));
        }
        let status = match ending {
            Ending::Declined | Ending::Check => ExitStatus::No,
            _ => ExitStatus::Done,
        };
        // The status speaks of the file. Where the report was all that was wanted, it stays an error.
        if ending != Ending::DryRun
            && let Some(error) = output.lost()
        {
            let done = match ending {
                Ending::Confirmed | Ending::Written => "was written",
                _ => "is as it was",
            };
            Output::warning_of_output(&format!(
                "{} {done}, but the report is lost: {error}",
                told.label
            ));
        }
        status
    }
}
