//! What can go wrong, the sentence that says so, and the exit status that goes with it.
//!
//! It knows places in a text, and nothing of what was being done there: who fails says that in plain words.

mod candidate;
mod sentence;

use std::io;

use crate::exit_status::ExitStatus;
use crate::toml::text::Place;

pub use candidate::Candidate;
pub(crate) use candidate::name_and_token;
pub(crate) use sentence::{STANDARD_INPUT, reason};

/// Every failure of this crate.
///
/// The sentence ([`Display`](std::fmt::Display)) names the file, the place and the runner and says what to do
/// next. It never holds a secret: for broken TOML and JSON it gives line and column, not the text.
/// Names and paths in it are as they are; who shows it on a terminal escapes what that would act on.
///
/// ```
/// use runner_auth::{ExitStatus, Registry};
///
/// let error = Registry::parse("two words").expect_err("that is none");
/// assert_eq!((error.code(), error.exit_status()), ("invalid-registry", ExitStatus::BadInput));
/// assert!(error.to_string().starts_with("the registry holds characters"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The arguments do not fit together (status 2).
    Usage(String),
    /// Something would be written, but there is neither a person to ask nor `--yes` (status 2).
    ConsentNeeded,
    /// A person left a question without an answer; nothing was done (status 1).
    GivenUp,
    /// There is no config where GitLab Runner itself would look (status 3).
    ConfigNotFound {
        /// Where it would look.
        path: String,
        /// Whether the folder of root's config is there, and this is not root.
        elsewhere: bool,
    },
    /// A config or a credential source can't be read (status 3).
    Unreadable {
        /// What was to be read.
        path: String,
        /// Why it can't be.
        cause: io::Error,
    },
    /// The config is not TOML, or not TOML that GitLab Runner accepts (status 3).
    InvalidToml {
        /// The config's path.
        path: String,
        /// Where.
        place: Place,
        /// What is wrong there and, when the cause is clear, what to do.
        problem: String,
    },
    /// A YAML file that should hold the config is no YAML, or holds none that can be patched
    /// (status 3).
    InvalidYaml {
        /// The file's path.
        path: String,
        /// Where, if it is about a place.
        place: Option<Place>,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Two keys that differ only in letter case: GitLab Runner takes one of them at random
    /// (status 3).
    KeyTwice {
        /// The config's path.
        path: String,
        /// The key, as its first occurrence spells it.
        key: String,
        /// Where the first stands.
        first: Place,
        /// Where the second stands.
        second: Place,
    },
    /// A runner's `environment` is not an array of strings: GitLab Runner refuses the whole file
    /// (status 3).
    InvalidEnvironment {
        /// The config's path.
        path: String,
        /// Where.
        place: Place,
        /// The runner's name.
        runner: String,
    },
    /// The auth document of a runner can't be used or patched (status 3).
    InvalidAuthDocument {
        /// The config's path.
        path: String,
        /// Where.
        place: Place,
        /// The runner's name.
        runner: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A credential helper would answer for the registry in place of the new credential
    /// (status 3).
    HelperAnswers {
        /// The config's path.
        path: String,
        /// Where the helper is named.
        place: Place,
        /// The runner's name.
        runner: String,
        /// The registry.
        registry: String,
        /// The helper, without `docker-credential-`.
        helper: String,
    },
    /// A runner can't have the pull policies that were asked for (status 3).
    PullPolicyRefused {
        /// The config's path.
        path: String,
        /// Where the reason stands.
        place: Place,
        /// The runner's name.
        runner: String,
        /// Why not, and what to do.
        problem: String,
    },
    /// What names a registry names none (status 3).
    InvalidRegistry {
        /// What is wrong with it.
        problem: String,
    },
    /// A user that no registry can know (status 3).
    InvalidUsername(&'static str),
    /// A password or a token that no registry takes, or none where one should be (status 3).
    InvalidPassword(&'static str),
    /// A credential helper's name is empty or holds a `/` or a blank (status 3).
    InvalidHelperName,
    /// A file, a variable or standard input is not what is looked for (status 3).
    InvalidSource {
        /// What it is called.
        source: String,
        /// The line and the column, each from 1, where they can be told.
        place: Option<(usize, usize)>,
        /// What is wrong there; never the text that stands there.
        problem: String,
    },
    /// A source has no credential, or not the one that is wanted (status 3).
    NoCredential(String),
    /// A runner has no auth document that could be rendered (status 3).
    NothingToRender {
        /// The config's path.
        path: String,
        /// The runner's name.
        runner: String,
    },
    /// The terminal went away, or can't hide what is typed (status 2).
    TerminalLost(&'static str),
    /// A credential helper is not there, fails, hangs or answers with something else than a
    /// credential (status 6).
    HelperFailed {
        /// The helper, without `docker-credential-`.
        helper: String,
        /// What happened and what to do; never what the helper said.
        problem: String,
    },
    /// A registry does not accept a credential that was to be stored (status 1).
    CredentialRefused(String),
    /// A registry could not be asked about a credential that was to be stored (status 6).
    RegistryUnreachable(String),
    /// No runner matches, or the file has none (status 4).
    RunnerNotFound {
        /// The config's path.
        path: String,
        /// What was looked for.
        wanted: String,
        /// What may have been meant.
        near: Option<String>,
        /// The runners that are there.
        candidates: Vec<Candidate>,
    },
    /// Several runners match where one was meant (status 4).
    RunnerAmbiguous {
        /// The config's path.
        path: String,
        /// What was looked for; empty when there was no selector.
        wanted: String,
        /// The runners that match.
        candidates: Vec<Candidate>,
    },
    /// The patched text could not be proved to differ only as intended (status 5).
    NotProved {
        /// The config's path.
        path: String,
        /// What differs.
        difference: String,
    },
    /// The file could not be written; it is as it was (status 5).
    NotWritable {
        /// The config's path.
        path: String,
        /// What was being done.
        step: &'static str,
        /// Why it failed.
        cause: io::Error,
        /// What to do, where that can be told.
        advice: Option<&'static str>,
    },
    /// A folder or a file that is no config, such as a manual page, could not be made (status 5).
    NotCreated {
        /// Its path.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// Standard output takes nothing: a report, or the config of a filter, is lost (status 5).
    OutputLost(io::Error),
    /// Another process holds the lock for too long (status 5).
    Locked {
        /// The config's path.
        path: String,
        /// How many seconds it was waited for.
        seconds: u64,
        /// Which process that is, where the system says so.
        holder: Option<String>,
    },
    /// The owner, the mode or an extended attribute can't be kept (status 5).
    AttributesLost {
        /// The config's path.
        path: String,
        /// What can't be kept.
        what: String,
        /// Why.
        cause: io::Error,
    },
    /// The file comes from a Kubernetes volume (status 5).
    KubernetesVolume {
        /// The config's path.
        path: String,
    },
    /// A write in place failed, and so did putting the old content back (status 5).
    HalfWritten {
        /// The config's path.
        path: String,
        /// Where the old content is.
        copy: String,
        /// Why it failed.
        cause: io::Error,
    },
    /// A write in place was cut off, and somebody else has changed the file since (status 5).
    UnfinishedWrite {
        /// The config's path.
        path: String,
        /// Where the content from before that write is.
        copy: String,
    },
    /// A signal came before anything was written (status 5, if the signal doesn't end the process).
    Interrupted {
        /// The config's path.
        path: String,
        /// The signal's number.
        signal: i32,
    },
    /// The file changed after it was read; it is as the other writer left it (status 5).
    ChangedMeanwhile {
        /// The config's path.
        path: String,
    },
}

impl Error {
    /// The exit status of a process that ends with this error.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Self::GivenUp | Self::CredentialRefused(_) => ExitStatus::No,
            Self::Usage(_) | Self::ConsentNeeded | Self::TerminalLost(_) => ExitStatus::Usage,
            Self::ConfigNotFound { .. }
            | Self::Unreadable { .. }
            | Self::InvalidToml { .. }
            | Self::InvalidYaml { .. }
            | Self::KeyTwice { .. }
            | Self::InvalidEnvironment { .. }
            | Self::InvalidAuthDocument { .. }
            | Self::HelperAnswers { .. }
            | Self::PullPolicyRefused { .. }
            | Self::InvalidRegistry { .. }
            | Self::InvalidUsername(_)
            | Self::InvalidPassword(_)
            | Self::InvalidHelperName
            | Self::InvalidSource { .. }
            | Self::NoCredential(_)
            | Self::NothingToRender { .. } => ExitStatus::BadInput,
            Self::RunnerNotFound { .. } | Self::RunnerAmbiguous { .. } => ExitStatus::Selection,
            Self::NotProved { .. }
            | Self::NotWritable { .. }
            | Self::NotCreated { .. }
            | Self::OutputLost(_)
            | Self::Locked { .. }
            | Self::AttributesLost { .. }
            | Self::KubernetesVolume { .. }
            | Self::HalfWritten { .. }
            | Self::UnfinishedWrite { .. }
            | Self::Interrupted { .. }
            | Self::ChangedMeanwhile { .. } => ExitStatus::NotWritten,
            Self::HelperFailed { .. } | Self::RegistryUnreachable(_) => ExitStatus::Unreachable,
        }
    }

    /// Whether the config's content is to blame, which somebody may be writing just now.
    pub(crate) fn is_about_content(&self) -> bool {
        matches!(self.exit_status(), ExitStatus::BadInput | ExitStatus::Selection)
    }

    /// The name of this error in the JSON report; it stays the same across versions.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::ConsentNeeded => "consent-needed",
            Self::GivenUp => "given-up",
            Self::ConfigNotFound { .. } => "config-not-found",
            Self::Unreadable { .. } => "unreadable",
            Self::InvalidToml { .. } => "invalid-toml",
            Self::InvalidYaml { .. } => "invalid-yaml",
            Self::KeyTwice { .. } => "key-twice",
            Self::InvalidEnvironment { .. } => "invalid-environment",
            Self::InvalidAuthDocument { .. } => "invalid-auth-document",
            Self::HelperAnswers { .. } => "helper-answers",
            Self::PullPolicyRefused { .. } => "pull-policy-refused",
            Self::InvalidRegistry { .. } => "invalid-registry",
            Self::InvalidUsername(_) => "invalid-username",
            Self::InvalidPassword(_) => "invalid-password",
            Self::InvalidHelperName => "invalid-helper-name",
            Self::InvalidSource { .. } => "invalid-source",
            Self::NoCredential(_) => "no-credential",
            Self::NothingToRender { .. } => "nothing-to-render",
            Self::TerminalLost(_) => "terminal-lost",
            Self::HelperFailed { .. } => "helper-failed",
            Self::CredentialRefused(_) => "credential-refused",
            Self::RegistryUnreachable(_) => "registry-unreachable",
            Self::RunnerNotFound { .. } => "runner-not-found",
            Self::RunnerAmbiguous { .. } => "runner-ambiguous",
            Self::NotProved { .. } => "not-proved",
            Self::NotWritable { .. } => "not-writable",
            Self::NotCreated { .. } => "not-created",
            Self::OutputLost(_) => "output-lost",
            Self::Locked { .. } => "locked",
            Self::AttributesLost { .. } => "attributes-lost",
            Self::KubernetesVolume { .. } => "kubernetes-volume",
            Self::HalfWritten { .. } => "half-written",
            Self::UnfinishedWrite { .. } => "unfinished-write",
            Self::Interrupted { .. } => "interrupted",
            Self::ChangedMeanwhile { .. } => "changed-meanwhile",
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { cause, .. }
            | Self::NotWritable { cause, .. }
            | Self::NotCreated { cause, .. }
            | Self::OutputLost(cause)
            | Self::AttributesLost { cause, .. }
            | Self::HalfWritten { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
