//! `verify` and `set --verify`: what the registries say to the credentials.

mod before_writing;
mod table;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

pub(super) use before_writing::before_writing;

use super::args::{Format, Global, Network, Verify};
use super::image;
use super::input::Input;
use super::output::Output;
use super::report::{Report, RunnerLabel, RunnersBody, redaction};
use crate::config_file::ConfigFile;
use crate::count::counted;
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::redaction::Redaction;
use crate::registry_client::{
    Authorities, CERTIFICATES, Failure, ImageReference, Obstacle, Proxies, RefusalReason,
    RegistryAnswer, RegistryHost, RegistryRefusal, Settings,
};
use crate::resolver::image::NoImage;
use crate::runner::Config;
use crate::runner::selection::Matches;
use crate::secret::Secret;
use crate::verification::{AskedImages, Question, Questions, Verification};

#[derive(Serialize)]
struct RunnerReport {
    #[serde(flatten)]
    label: RunnerLabel,
    credentials: Vec<QuestionReport>,
    images: Vec<QuestionReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct QuestionReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    registry: Option<String>,
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    helper: Option<String>,
    #[serde(flatten)]
    answer: AnswerReport,
}

/// An answer, for a program and for a person.
#[derive(Serialize, Default, Clone, PartialEq, Eq)]
struct AnswerReport {
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(untagged)]
enum Reason {
    Refused(RefusalReason),
    Unreachable(Obstacle),
}

pub(super) fn verify(
    global: &Global,
    verify: &Verify,
    output: &Output,
) -> Result<ExitStatus, Error> {
    let timeout = Duration::from_secs(verify.timeout);
    let settings = verify.network.settings(timeout)?;
    let images: Vec<_> = verify.images.iter().map(|image| image.trim().to_owned()).collect();
    images.iter().try_for_each(|image| check_image(image))?;
    let selector = verify.selection.selector()?;
    let (input, selected) = Input::read_settled(global, |input| {
        let config = Config::parse(input.text())?;
        selector.select(&config, Matches::Any)
    })?;
    let mut config = Config::parse(input.text())?;
    let asked = AskedImages { given: images, named_in_config: verify.named_images };
    let mut questions = Questions::new(asked, timeout);
    if input.file().is_some_and(ConfigFile::is_foreign) {
        questions = questions.without_helpers();
    }
    for number in selected {
        questions.add(&config, number)?;
    }
    questions.helped().for_each(|credential| config.learn(credential));
    let redaction = redaction(&config, global.show_secrets);
    let progress = Progress::begin(output, questions.len());
    let verification = questions.ask(&settings, |done| progress.show(done));
    progress.end();
    let telling = Telling {
        config: &config,
        verification: &verification,
        redaction: &redaction,
        show_words: output.show_secrets,
    };
    if output.format == Format::Json {
        output.json(&telling.report());
    } else if !output.quiet {
        output.print(&telling.text());
    }
    Ok(telling.status())
}

/// Refuses what is no image to Docker, or to a person.
fn check_image(image: &str) -> Result<(), Error> {
    match NoImage::of(image) {
        Some(problem) => Err(Error::Usage(image::sentence(problem))),
        None => ImageReference::parse(image).map(drop),
    }
}

impl Network {
    fn settings(&self, timeout: Duration) -> Result<Settings, Error> {
        let hosts = self.insecure_registries.iter().map(|typed| RegistryHost::parse(typed));
        Ok(Settings {
            timeout,
            insecure: hosts.collect::<Result<_, _>>()?,
            authorities: Authorities::read(&self.ca_files)?,
            certificates: PathBuf::from(CERTIFICATES),
            proxies: Proxies::from_environment(|name| std::env::var(name).ok()),
        })
    }
}

/// A line on the terminal while registries are waited for.
struct Progress {
    total: usize,
    shown: bool,
}

impl Progress {
    fn begin(output: &Output, total: usize) -> Self {
        let text = output.format == Format::Text && !output.quiet;
        let progress = Self { total, shown: text && total > 0 && io::stderr().is_terminal() };
        progress.show(0);
        progress
    }

    fn show(&self, done: usize) {
        if self.shown {
            let registries = counted(self.total, "registry");
            Output::progress(&format!("\rAsking {registries}, {done} answered"));
        }
    }

    fn end(&self) {
        if self.shown {
            // Takes the line away again, on any terminal.
            Output::progress(&format!("\r{:60}\r", ""));
        }
    }
}

/// An answer; with the registry's own words where a person asked for secrets.
fn told(answer: &RegistryAnswer, show_words: bool) -> AnswerReport {
    let words = |words: &Option<Secret>| {
        words.as_ref().filter(|_| show_words).map(|words| words.expose().to_owned())
    };
    match answer {
        RegistryAnswer::Accepted { note } => {
            AnswerReport { result: "accepted", advice: note.clone(), ..AnswerReport::default() }
        }
        RegistryAnswer::Anonymous => {
            AnswerReport { result: "anonymous", ..AnswerReport::default() }
        }
        RegistryAnswer::Refused(RegistryRefusal { reason, message, words: own, advice }) => {
            AnswerReport {
                result: "refused",
                reason: Some(Reason::Refused(*reason)),
                message: words(own).or_else(|| message.clone()),
                advice: advice.clone(),
            }
        }
        RegistryAnswer::Unreachable(Failure { obstacle, message, words: own }) => AnswerReport {
            result: "unreachable",
            reason: Some(Reason::Unreachable(*obstacle)),
            message: Some(match words(own) {
                Some(places) => format!("{message} ({places})"),
                None => message.clone(),
            }),
            advice: None,
        },
    }
}

struct Telling<'t> {
    config: &'t Config<'t>,
    verification: &'t Verification,
    redaction: &'t Redaction<'t>,
    show_words: bool,
}

impl Telling<'_> {
    /// A refusal counts before what could not be asked.
    fn status(&self) -> ExitStatus {
        let answers =
            || self.verification.questions().map(|(_, asked)| self.verification.answer(asked));
        let broken = self.verification.runners.iter().any(|runner| runner.problem.is_some());
        if broken || answers().any(|answer| matches!(answer, RegistryAnswer::Refused(_))) {
            ExitStatus::No
        } else if answers().any(|answer| matches!(answer, RegistryAnswer::Unreachable(_))) {
            ExitStatus::Unreachable
        } else {
            ExitStatus::Done
        }
    }

    fn report(&self) -> Report<RunnersBody<RunnerReport>> {
        let question = |question: &Question| QuestionReport {
            image: question.image.clone(),
            registry: question.registry.clone(),
            username: question.username.clone(),
            helper: question.helper.clone(),
            answer: told(&self.verification.answer(question), self.show_words),
        };
        let runners = self.verification.runners.iter().map(|found| RunnerReport {
            label: RunnerLabel::new(&self.config.runners()[found.runner], self.redaction),
            credentials: found.credentials.iter().map(question).collect(),
            images: found.images.iter().map(question).collect(),
            problem: found.problem.clone(),
            notes: found.notes.clone(),
        });
        Report::new("verify", RunnersBody::new(self.config.text(), runners.collect()))
    }
}
