//! What would make GitLab Runner ignore or misread a credential.
//!
//! Each check says where, what happens and what to do, and where one command mends it, that
//! command. The rules are those of [`crate::resolver`] and of GitLab Runner's own reading of the
//! file; nothing is asked but what [`Circumstances`] says.

mod beside;
mod broken_toml;
mod cause;
mod code;
mod credential;
mod credential_helper;
mod document;
mod duplicate_key;
mod entry;
mod executor;
mod expiry;
mod file;
mod fix;
mod key;
mod known_key;
mod member;
mod misplaced;
mod misspelled;
mod placeholder;
mod pull_policy;
mod pull_secrets;
mod remedy;
mod subject;

use std::ops::Range;
use std::time::SystemTime;

use crate::error::Error;
use crate::runner::Config;
use crate::runner::environment::Environment;
use crate::runner::known_keys::{self, Keys};
use crate::toml::edit::Edit;
use crate::toml::text::{ConfigText, Place};
pub(crate) use beside::{beside, permissions};
pub use code::Code;
pub(crate) use fix::mend;
pub(crate) use placeholder::is_unfilled;
use remedy::Remedies;
use subject::Subject;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A credential is useless, or the file unreadable.
    Error,
    /// It will surprise somebody.
    Warning,
    /// It is worth knowing.
    Info,
}

/// Something that was found.
///
/// ```
/// use std::time::SystemTime;
/// use runner_auth::{Circumstances, Code, ConfigText, Diagnosis, Level};
///
/// // A line end in a password has one remedy, which `doctor --fix` would apply.
/// let entry = "environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \"Y2k6cHcK\"}}}']";
/// let text = ConfigText::new("config.toml", format!("[[runners]]\n  {entry}\n").into_bytes());
/// let circumstances = Circumstances {
///     path: None,
///     mode: None,
///     has_helper: &|_| false,
///     now: SystemTime::now(),
/// };
/// let diagnosis = Diagnosis::new(&text, &circumstances);
/// let finding = &diagnosis.findings[0];
/// assert_eq!((finding.code, finding.level()), (Code::NewlineInPassword, Level::Error));
/// assert!(finding.is_fixable());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// The runner's number in the file; `None` for the file as a whole.
    pub runner: Option<usize>,
    /// Where it starts.
    pub place: Place,
    /// The bytes it is about; empty when they can't be shown.
    pub span: Range<usize>,
    /// What is so, and what happens.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// Shell commands of which each mends it; `USERNAME` stands for what only a person knows. None
    /// where no command can, or where something else has to be mended first.
    pub commands: Vec<String>,
    /// The edits of the file that mend it, where there is one right way to; else none.
    pub(crate) edits: Vec<Edit>,
}

/// What is known besides the text.
pub struct Circumstances<'c> {
    /// The file's path, for the commands that mend it; `None` when there is no file.
    pub path: Option<&'c str>,
    /// The file's mode, as `chmod` takes it.
    pub mode: Option<u32>,
    /// Whether `docker-credential-NAME` is there.
    pub has_helper: &'c dyn Fn(&str) -> bool,
    /// When it is, for passwords that end.
    pub now: SystemTime,
}

/// What was found in a config.
///
/// ```
/// use std::time::SystemTime;
/// use runner_auth::{Circumstances, Code, ConfigText, Diagnosis, Finding, Level};
///
/// let entry = "environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \"x\"}}}']";
/// let text = ConfigText::new("config.toml", format!("[[runners]]\n  {entry}\n").into_bytes());
/// let circumstances = Circumstances {
///     path: Some("config.toml"),
///     mode: Some(0o600),
///     has_helper: &|_| true,
///     now: SystemTime::now(),
/// };
/// let diagnosis = Diagnosis::new(&text, &circumstances);
/// let finding: &Finding = &diagnosis.findings[0];
/// assert_eq!((finding.code, finding.level()), (Code::UndecodableAuth, Level::Error));
/// assert_eq!((finding.runner, finding.place.line), (Some(0), 2));
/// // No one knows what the password was, so that nothing can mend it by itself.
/// assert!(!finding.is_fixable());
/// ```
#[derive(Debug)]
pub struct Diagnosis<'t> {
    /// The config; `None` when GitLab Runner could not load it either.
    pub config: Option<Config<'t>>,
    /// The findings: errors first, then warnings, then notes, each kind in the order of the file.
    pub findings: Vec<Finding>,
}

impl<'t> Diagnosis<'t> {
    /// Examines a config. A text that is no config is a finding, not an error.
    #[must_use]
    pub fn new(text: &'t ConfigText, circumstances: &Circumstances<'_>) -> Self {
        let mut findings = Vec::new();
        let mut path = circumstances.path;
        let config = match Config::parse_all(text) {
            Ok((config, twice)) => {
                // With `runners` in two spellings no command takes the file.
                path = path.filter(|_| twice.is_none());
                Some(config)
            }
            Err(error) => {
                findings.push(broken_toml::finding(text, &error));
                None
            }
        };
        let runners = config.as_ref().map(Config::runners);
        let holds_tokens = runners
            .is_none_or(|runners| runners.iter().any(|runner| !runner.short_token().is_empty()));
        file::check(text, circumstances, holds_tokens, &mut findings);
        if let Some(config) = &config {
            if config.runners().is_empty() {
                findings.push(file::no_runners(text));
            }
            let Keys { flaws, odd_blocks } = known_keys::check(config);
            known_key::check(config, flaws, &mut findings);
            let remedies = Remedies::new(config, path);
            file::refusals(config, &mut findings);
            duplicate_key::check(config, &odd_blocks, &mut findings);
            misplaced::check(config, &odd_blocks, &mut findings);
            for number in 0..config.runners().len() {
                runner(config, number, circumstances, &remedies, &mut findings);
            }
            entry::visible_to_jobs(config, &mut findings);
        }
        // Told as an error already.
        let broken = findings.iter().filter(|finding| finding.code == Code::InvalidToml);
        let broken: Vec<_> = broken.map(|finding| finding.place).collect();
        findings.retain(|finding| {
            finding.code != Code::SomeVersionsRefuse || !broken.contains(&finding.place)
        });
        // What every file gets comes last: the reader looks for the cause.
        let common = |finding: &Finding| finding.code == Code::VisibleToJobs;
        findings
            .sort_by_key(|finding| (finding.level(), common(finding), finding.place, finding.code));
        Self { config, findings }
    }
}

/// Examines one runner.
fn runner(
    config: &Config<'_>,
    number: usize,
    circumstances: &Circumstances<'_>,
    remedies: &Remedies<'_>,
    findings: &mut Vec<Finding>,
) {
    executor::check(config, number, findings);
    let runner = &config.runners()[number];
    let environment = match Environment::of(config, runner) {
        Ok(Some(environment)) => environment,
        // Two spellings of the key are told by `duplicate_key`.
        Ok(None) | Err(Error::KeyTwice { .. }) => return,
        Err(error) => {
            let mut finding = broken_toml::finding(config.text(), &error);
            finding.runner = Some(number);
            findings.push(finding);
            return;
        }
    };
    misspelled::check(config, number, &environment, remedies.path, findings);
    entry::check(config, number, &environment, remedies, findings);
    let subject = Subject::of(config, number, &environment, circumstances, remedies);
    if let Some(subject) = subject {
        document::check(&subject, findings);
    }
}

impl Finding {
    /// How bad it is.
    #[must_use]
    pub fn level(&self) -> Level {
        self.code.level()
    }

    /// A finding about some bytes of a config.
    fn new(
        text: &ConfigText,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            code,
            runner: None,
            place: text.place(span.start),
            span,
            message: message.into(),
            advice: advice.into(),
            commands: Vec::new(),
            edits: Vec::new(),
        }
    }

    fn of_runner(mut self, number: usize) -> Self {
        self.runner = Some(number);
        self
    }

    /// The same as one sentence, for a command that has something else to say first.
    pub(crate) fn sentence(&self) -> String {
        let Self { code, place, message, advice, commands, .. } = self;
        let line = if code.is_of_file() { String::new() } else { format!("line {}: ", place.line) };
        let command = commands.first().map_or(String::new(), |command| format!(" ({command})"));
        format!("{line}{code}: {message}; {advice}{command}")
    }

    /// Whether `doctor --fix` can mend it: there is one right way to.
    #[must_use]
    pub fn is_fixable(&self) -> bool {
        !self.edits.is_empty()
    }

    fn fixed_by(mut self, edits: Option<Vec<Edit>>) -> Self {
        self.edits = edits.unwrap_or_default();
        self
    }

    fn mended_by(mut self, commands: impl IntoIterator<Item = String>) -> Self {
        self.commands.extend(commands);
        self
    }
}
