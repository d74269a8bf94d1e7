//! `explain`: which credential each runner would use for an image, and why.

mod notes;
mod questions;
mod report;
mod words;

use std::borrow::Cow;

use questions::{Questions, unanswerable};
use report::{ImageReport, tell_json};

use super::args::{Explain, Format, Global};
use super::image;
use super::input::Input;
use super::output::Output;
use super::report::redaction;
use crate::auth::registry::shown_image;
use crate::auth::runner_version::RunnerVersion;
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::redaction::Redaction;
use crate::resolver::Verdict;
use crate::resolver::explanation::Explanation;
use crate::resolver::image::NoImage;
use crate::resolver::shell::{option, yaml_path};
use crate::runner::executor::Pull;
use crate::runner::pod_pull_secrets::SERVICE_ACCOUNT;
use crate::runner::selection::Matches;
use crate::runner::{Config, Runner};
use crate::toml::printable::one_line;
use crate::toml::text::ConfigText;

/// How many keys, helpers or lines of one kind a person is told of.
const MOST: usize = 20;

pub(super) fn explain(
    global: &Global,
    explain: &Explain,
    output: &Output,
) -> Result<ExitStatus, Error> {
    if let Some(problem) = explain.images.iter().find_map(|image| unanswerable(image)) {
        return Err(Error::Usage(image::sentence(problem)));
    }
    let selector = explain.selection.selector()?;
    let input = Input::read(global)?;
    let text = input.text();
    let config = Config::parse(text)?;
    let redaction = redaction(&config, global.show_secrets);
    let version = explain.runner_version;
    config.check_read_by(version)?;
    let selected = selector.select(&config, Matches::Any)?;
    let questions = Questions::of(&config, &selected, &explain.images)?;
    let mut answers = questions.answers(&config, version)?;
    let mut summary = Summary::default();
    let mut reports = Vec::new();
    let mut out = String::new();
    for (name, runners) in questions.all() {
        // Somebody may have put a user and a password before it.
        let label = shown_image(name);
        let hidden = matches!(label, Cow::Owned(_));
        let mut report = ImageReport { image: label.clone().into_owned(), runners: Vec::new() };
        for number in runners {
            let runner = &config.runners()[*number];
            let Some(explanation) = answers.next_of(*number) else { continue };
            let explanation = &explanation;
            let redaction = &redaction;
            let telling = Telling { image: name, runner, explanation, version, redaction, hidden };
            summary.add(&telling, questions.named);
            if output.format == Format::Json {
                report.runners.push(telling.report());
            } else {
                out.push_str(&telling.text(&label, questions.named));
            }
        }
        reports.push(report);
    }
    if output.format == Format::Json {
        let warnings = unknown_rules(version).into_iter().collect();
        tell_json(text.label(), version, reports, warnings, output);
    } else if selected.is_empty() {
        output.print(&format!("{} has no [[runners]] entry.\n", one_line(text.label())));
    } else if !output.quiet {
        out.push_str(&summary.last_words(version));
        if summary.served > 0 && cfg!(feature = "verify") && input.file().is_some() {
            out.push_str(&verify(text, &explain.images));
        }
        output.print(&out);
    }
    // A runner that pulls nothing lacks nothing, unless there is no other.
    let none = !questions.named && summary.served == 0;
    Ok(ExitStatus::no_if(summary.lacking > 0 || none))
}

/// What holds of all answers together.
#[derive(Default)]
struct Summary {
    /// How many runners have a credential for an image.
    served: usize,
    /// How many pull images and have none.
    lacking: usize,
    /// Whether one goes on to other sources.
    goes_on: bool,
}

impl Summary {
    fn add(&mut self, telling: &Telling<'_>, named: bool) {
        self.served += usize::from(telling.explanation.has_credential());
        self.lacking += usize::from(telling.is_lacking(named));
        self.goes_on |= !named && telling.goes_on();
    }

    /// What is said once, below all answers.
    fn last_words(&self, version: RunnerVersion) -> String {
        let mut out = String::new();
        if self.goes_on {
            out.push_str(&notes::standing(version));
        }
        if version == RunnerVersion::LATEST {
            out.push_str(&format!(
                "This is what GitLab Runner {version} does; --runner-version X.Y answers for another.\n"
            ));
        }
        if let Some(warning) = unknown_rules(version) {
            out.push_str(&format!("{warning}\n"));
        }
        out
    }
}

/// That a version may differ from what is known, where nobody could know.
fn unknown_rules(version: RunnerVersion) -> Option<String> {
    let known = RunnerVersion::LATEST;
    version.is_newer_than_known().then(|| {
        format!(
            "The rules are known up to GitLab Runner {known}: what {version} does may differ from \
             this."
        )
    })
}

/// The command that asks the registries what this one can't tell; none about what it refuses.
fn verify(text: &ConfigText, images: &[String]) -> String {
    let asks = images.iter().all(|image| NoImage::of(image).is_none());
    let images: Vec<_> = images.iter().map(|image| option("--image", image)).collect();
    let images = if images.is_empty() { " --images".to_owned() } else { images.concat() };
    let config = option("-c", text.label());
    let command = format!("runner-auth verify{config}{}{images}", yaml_path(text));
    // A command with a sign that can't be shown would not be the one that is copied.
    if asks && one_line(&command) == command {
        format!("Whether the registry accepts it: {command}\n")
    } else {
        String::new()
    }
}

/// An explanation on its way to a person or a program.
struct Telling<'e> {
    image: &'e str,
    runner: &'e Runner<'e>,
    explanation: &'e Explanation,
    version: RunnerVersion,
    redaction: &'e Redaction<'e>,
    /// Whether the image holds what is not shown.
    hidden: bool,
}

impl Telling<'_> {
    /// Why the runner makes nothing of the document.
    fn problem(&self) -> Option<String> {
        if self.explanation.limits.unattached.is_some() && self.explanation.entry.is_some() {
            return Some(format!(
                "{SERVICE_ACCOUNT} keeps the pull Secret that is made of its auth entry from every pod"
            ));
        }
        match &self.explanation.resolution.verdict {
            Verdict::Dropped { problem, .. } => Some(format!("its auth document {problem}")),
            Verdict::Cancelled { helper } => {
                Some(format!("it names the credential helper '{helper}', which can't be a name"))
            }
            _ => None,
        }
    }

    /// Whether the runner pulls images and has no credential for this one. An image on Docker Hub
    /// that only the config names is taken for a public one.
    fn is_lacking(&self, named: bool) -> bool {
        let explanation = self.explanation;
        let public = named
            && explanation.resolution.verdict == Verdict::NoMatch
            && explanation.resolution.image_path.starts_with("docker.io/");
        explanation.pull != Pull::None && !explanation.has_credential() && !public
    }
}
