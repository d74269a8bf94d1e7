//! What can go wrong, the sentence that says so, and the exit status that goes with it.

use std::fmt;
use std::io;

use crate::exit_status::ExitStatus;
use crate::toml::printable::one_line;
use crate::toml::text::Place;

/// Every failure of this crate.
///
/// The sentence ([`fmt::Display`]) names the file, the place and the runner and says what to do
/// next. It never holds a secret: for broken TOML and JSON it gives line and column, not the text.
/// Names and paths in it are as they are; who shows it on a terminal escapes what that would act on.
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
        /// The runners that are there, one line each.
        candidates: Vec<String>,
    },
    /// Several runners match where one was meant (status 4).
    RunnerAmbiguous {
        /// The config's path.
        path: String,
        /// What was looked for; empty when there was no selector.
        wanted: String,
        /// The runners that match, one line each.
        candidates: Vec<String>,
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

impl Error {
    /// The sentence, and the lines below it, as they may go to a terminal: nothing in a name or a path
    /// moves its cursor or passes for a line of its own.
    pub(crate) fn printable(&self) -> String {
        let mut lines = vec![Sentence(self).to_string()];
        lines.extend(self.below());
        lines.iter().map(|line| one_line(line)).collect::<Vec<_>>().join("\n")
    }

    /// The lines below the sentence: the runners that are there, as many as a screen shows.
    fn below(&self) -> Vec<String> {
        const SHOWN: usize = 20;
        let (Self::RunnerNotFound { candidates, .. } | Self::RunnerAmbiguous { candidates, .. }) =
            self
        else {
            return Vec::new();
        };
        let shown = candidates.iter().take(SHOWN);
        let mut lines: Vec<_> = shown.map(|candidate| format!("  {candidate}")).collect();
        if let more @ 1.. = candidates.len().saturating_sub(SHOWN) {
            lines.push(format!("  and {more} more: runner-auth list shows them all"));
        }
        lines
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sentence(self).fmt(f)?;
        self.below().iter().try_for_each(|line| write!(f, "\n{line}"))
    }
}

/// An error without the lines below it.
struct Sentence<'e>(&'e Error);

impl fmt::Display for Sentence<'_> {
    // One sentence after the other: cutting it in two would only hide one half.
    #[allow(clippy::too_many_lines)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Error::Usage(problem) | Error::NoCredential(problem) => f.write_str(problem),
            Error::InvalidUsername(problem)
            | Error::InvalidPassword(problem)
            | Error::TerminalLost(problem) => f.write_str(problem),
            Error::InvalidRegistry { problem } => write!(
                f,
                "the registry {problem}: name it as HOST[:PORT][/PATH], such as \
                 registry.example.com:5000"
            ),
            Error::InvalidHelperName => f.write_str(
                "the name of a credential helper can't be empty or hold a / or a blank: NAME \
                 stands for docker-credential-NAME in the PATH",
            ),
            Error::InvalidSource { source, place: None, problem } => {
                write!(f, "{source} {problem}")
            }
            Error::InvalidSource { source, place: Some((line, column)), problem } => {
                write!(f, "{source}:{line}:{column}: {problem}")
            }
            Error::NothingToRender { path, runner } => write!(
                f,
                "{path}: runner '{runner}' has no auth document to render: give it one with set"
            ),
            Error::CredentialRefused(answer) | Error::RegistryUnreachable(answer) => {
                write!(f, "nothing was written: {answer}")
            }
            Error::ConsentNeeded => f.write_str(
                "nobody can be asked on a terminal here: add --yes to write, --dry-run to see the \
                 diff, or --check to learn whether something would change",
            ),
            Error::GivenUp => {
                f.write_str("a question was left without an answer, and nothing was done")
            }
            Error::ConfigNotFound { path, elsewhere } => {
                write!(f, "there is no {path}, where GitLab Runner would look as this user: ")?;
                f.write_str(if *elsewhere {
                    "run the command with sudo for /etc/gitlab-runner/config.toml, or name a file \
                     with --config"
                } else {
                    "name a file with --config"
                })
            }
            Error::Unreadable { path, cause } => {
                write!(f, "{path} can't be read: {}", reason(cause))?;
                let forbidden = cause.kind() == io::ErrorKind::PermissionDenied;
                f.write_str(if forbidden { "; try it with sudo" } else { "" })
            }
            Error::InvalidToml { path, place, problem }
            | Error::InvalidYaml { path, place: Some(place), problem } => {
                write!(f, "{path}:{place}: {problem}")
            }
            Error::InvalidYaml { path, place: None, problem } => write!(f, "{path} {problem}"),
            Error::KeyTwice { path, key, first, second } => write!(
                f,
                "{path}:{second}: '{key}' is spelled differently here than on line {}, and \
                 GitLab Runner takes one of the two at random: merge them into one",
                first.line
            ),
            Error::InvalidEnvironment { path, place, runner } => write!(
                f,
                "{path}:{place}: environment of runner '{runner}' is not an array of strings, and \
                 GitLab Runner refuses the whole file: write it as environment = ['NAME=value']"
            ),
            Error::InvalidAuthDocument { path, place, runner, problem } => {
                write!(f, "{path}:{place}: the auth document of runner '{runner}' {problem}")
            }
            Error::HelperAnswers { path, place, runner, registry, helper } => write!(
                f,
                "{path}:{place}: runner '{runner}' asks the credential helper '{helper}' for \
                 {registry}, which would answer in place of the new credential: take the helper out \
                 with remove --registry, or drop the whole document with --replace"
            ),
            Error::PullPolicyRefused { path, place, runner, problem } => {
                write!(
                    f,
                    "{path}:{place}: pull_policy of runner '{runner}' can't be set: {problem}"
                )
            }
            Error::HelperFailed { helper, problem } => {
                write!(f, "docker-credential-{helper} {problem}")
            }
            Error::RunnerNotFound { path, wanted, near, candidates } => {
                if candidates.is_empty() {
                    return write!(
                        f,
                        "{path} has no [[runners]] entry: register a runner first, or name \
                         another file with --config"
                    );
                }
                write!(f, "{path}: no runner has {wanted}")?;
                if let Some(near) = near {
                    write!(f, " (did you mean '{near}'?)")?;
                }
                f.write_str("; the file has:")
            }
            Error::RunnerAmbiguous { path, wanted, .. } => {
                if wanted.is_empty() {
                    write!(
                        f,
                        "{path} has several runners: select one with --name, --token or --id, or \
                         use --all for all of them:"
                    )
                } else {
                    write!(
                        f,
                        "{path}: several runners have {wanted}: pick one with --token or --id, or \
                         use --all for all of them:"
                    )
                }
            }
            Error::NotProved { path, difference } => write!(
                f,
                "{path} was not written: the patched text could not be proved to differ only as \
                 intended ({difference}); please report this with a config that shows it"
            ),
            Error::NotWritable { path, step, cause, advice } => {
                let cause = reason(cause);
                write!(f, "{path} was not written, it is as it was: {step} failed: {cause}")?;
                advice.map_or(Ok(()), |advice| write!(f, "; {advice}"))
            }
            Error::OutputLost(cause) => {
                write!(f, "can't write to standard output: {}", reason(cause))
            }
            Error::Locked { path, seconds, holder } => {
                let who = holder.as_deref().unwrap_or("another process");
                write!(f, "{path} was not written: {who} has held its lock for {seconds} s: ")?;
                f.write_str(match holder {
                    Some(_) => "wait for it or end it, or wait longer with --lock-timeout",
                    None => "find it with fuser or lsof, or wait longer with --lock-timeout",
                })
            }
            Error::AttributesLost { path, what, cause } => write!(
                f,
                "{path} was not written: the new file could not keep {what}: {}; run the command as \
                 its owner or as root, or give that up with --force-attributes",
                reason(cause)
            ),
            Error::KubernetesVolume { path } => write!(
                f,
                "{path} was not written: it comes from a Kubernetes volume, which is filled again \
                 from its Secret or ConfigMap: change that instead"
            ),
            Error::HalfWritten { path, copy, cause } => write!(
                f,
                "{path} is half written ({}), and its content from before is in {copy}: copy it \
                 back, or run the command again",
                reason(cause)
            ),
            Error::UnfinishedWrite { path, copy } => write!(
                f,
                "{path} was not written: an earlier write of it was cut off, and it has changed \
                 since; its content from before that is in {copy}: copy it back or remove it, then \
                 run the command again"
            ),
            Error::Interrupted { path, .. } => {
                write!(f, "{path} was not written, it is as it was: a signal came before")
            }
            Error::ChangedMeanwhile { path } => write!(
                f,
                "{path} was changed by somebody else meanwhile and is as they left it: run the \
                 command again"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { cause, .. }
            | Self::NotWritable { cause, .. }
            | Self::OutputLost(cause)
            | Self::AttributesLost { cause, .. }
            | Self::HalfWritten { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

/// What the operating system says, in lower case and without its number.
pub(crate) fn reason(cause: &io::Error) -> String {
    let text = cause.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
