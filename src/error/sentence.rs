//! The sentence that says what has gone wrong and what to do next.

use std::fmt;
use std::io;

use super::Error;
use super::candidate::way_out;
use crate::toml::printable::one_line;

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

/// What a config is called that comes from there.
pub(crate) const STANDARD_INPUT: &str = "standard input";

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
                 GitLab Runner refuses the whole file: write it as environment = ['NAME=value'] \
                 (doctor --fix may do that)"
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
                if candidates.is_empty() && path == STANDARD_INPUT {
                    return write!(
                        f,
                        "{path} has no [[runners]] entry: check where it comes from; a shell empties a \
                         file that both < and > name"
                    );
                }
                if candidates.is_empty() {
                    return write!(
                        f,
                        "{path} has no [[runners]] entry: register a runner first, name another file \
                         with --config, or see doctor if there should be one"
                    );
                }
                write!(f, "{path}: no runner has {wanted}")?;
                if let Some(near) = near {
                    write!(f, " (did you mean '{near}'?)")?;
                }
                f.write_str("; the file has:")
            }
            Error::RunnerAmbiguous { path, wanted, candidates } => {
                let way_out = way_out(candidates);
                if wanted.is_empty() {
                    write!(f, "{path} has several runners: {way_out}:")
                } else {
                    write!(f, "{path}: several runners have {wanted}: {way_out}:")
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
            Error::NotCreated { path, cause } => {
                write!(f, "{path} can't be written: {}", reason(cause))?;
                let forbidden = cause.kind() == io::ErrorKind::PermissionDenied;
                f.write_str(if forbidden { "; try it with sudo" } else { "" })
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

/// What the operating system says, in lower case and without its number.
pub(crate) fn reason(cause: &io::Error) -> String {
    let text = cause.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
