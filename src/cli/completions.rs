//! `completions`: what a shell loads to complete a command line, and the answers that it asks for then.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Command;
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Bash, EnvCompleter, Fish, Shells, Zsh};

use super::args::{Completions, Shell};
use super::help;
use super::output::to_stdout;
use crate::config_file::{self, ConfigFile};
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::resolver::listing;
use crate::resolver::shell::quote;
use crate::runner::Config;

const NAME: &str = "runner-auth";

/// The variable by which a shell asks what comes next on its command line.
const VARIABLE: &str = "RUNNER_AUTH_COMPLETE";

/// The file of a completion is a function to zsh, which runs it at the first Tab: it must answer that one, too.
const ZSH_FIRST_TAB: &str = "
if [ \"${funcstack[1]}\" = \"_runner-auth\" ]; then
    _clap_dynamic_completer_runner_auth \"$@\"
fi
";

/// Prints what the shell loads.
pub(super) fn completions(completions: &Completions) -> Result<ExitStatus, Error> {
    let mut script = Vec::new();
    let shell: &dyn EnvCompleter = match completions.shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    shell.write_registration(VARIABLE, NAME, NAME, NAME, &mut script).map_err(Error::OutputLost)?;
    if completions.shell == Shell::Zsh {
        script.extend_from_slice(ZSH_FIRST_TAB.as_bytes());
    }
    to_stdout(&script)?;
    Ok(ExitStatus::Done)
}

/// Answers a shell that asks what comes next, in place of any command.
pub(super) fn answer() -> Option<ExitCode> {
    let shell = std::env::var_os(VARIABLE)?;
    let words: Vec<OsString> = std::env::args_os().collect();
    // What bash is given goes to the command line as it is.
    let quoted = shell == "bash";
    let path = config(&words);
    let asked = CompleteEnv::with_factory(|| command(path.as_deref(), quoted))
        .var(VARIABLE)
        .shells(Shells(&[&Bash, &Fish, &Zsh]))
        .try_complete(words.clone(), None);
    match asked {
        Ok(true) => Some(ExitCode::SUCCESS),
        // An empty variable asks for nothing.
        Ok(false) => None,
        Err(_) => Some(ExitStatus::Usage.into()),
    }
}

/// The config that the words of a command line name, or the one that would be read without them.
fn config(words: &[OsString]) -> Option<PathBuf> {
    let mut words = words.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        let named = match word {
            "-c" | "--config" => words.next(),
            _ => word
                .strip_prefix("--config=")
                .or_else(|| word.strip_prefix("-c").filter(|_| !word.starts_with("--"))),
        };
        match named {
            // Standard input is not there to be read while somebody types.
            Some("-") => return None,
            Some(path) => return Some(path.into()),
            None => {}
        }
    }
    config_file::default_path().ok()
}

/// The arguments, with the values that the config knows.
fn command(path: Option<&Path>, quoted: bool) -> Command {
    let known = |values: fn(&Config<'_>) -> Vec<String>| {
        let path = path.map(Path::to_owned);
        ArgValueCompleter::new(move |typed: &OsStr| {
            let values = path.as_deref().and_then(|path| read(path, values)).unwrap_or_default();
            candidates(values, typed, quoted)
        })
    };
    let mut command = help::command();
    let names: Vec<_> = command.get_subcommands().map(|each| each.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, |each| {
            each.mut_args(|argument| match argument.get_long() {
                Some("name") => argument.add(known(runner_names)),
                Some("registry") => argument.add(known(registries)),
                _ => argument,
            })
        });
    }
    command
}

/// Nothing where the config can't be read: a Tab is no place for an error.
fn read(path: &Path, values: fn(&Config<'_>) -> Vec<String>) -> Option<Vec<String>> {
    let file = ConfigFile::read(path, ConfigFile::LARGEST).ok()?;
    let config = Config::parse(file.text()).ok()?;
    Some(values(&config))
}

fn runner_names(config: &Config<'_>) -> Vec<String> {
    config.runners().iter().map(|runner| runner.name().to_owned()).collect()
}

fn registries(config: &Config<'_>) -> Vec<String> {
    let listed = config
        .runners()
        .iter()
        .filter_map(|runner| listing::credentials(config, runner).ok()?.ok());
    listed.flatten().map(|listed| listed.registry).filter(|registry| registry != "*").collect()
}

/// Those that go on from what is typed. The config may be a stranger's: what could do something on a command
/// line is quoted or left out.
fn candidates(mut values: Vec<String>, typed: &OsStr, quoted: bool) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let typed = typed.trim_start_matches(['\'', '"']);
    values.sort();
    values.dedup();
    values.retain(|value| {
        !value.is_empty() && value.starts_with(typed) && !value.contains(char::is_control)
    });
    let shown = |value: String| {
        CompletionCandidate::new(if quoted { quote(&value).into_owned() } else { value })
    };
    values.into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(values: &[&str], typed: &str, quoted: bool) -> Vec<String> {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        let found = candidates(values, OsStr::new(typed), quoted);
        found.iter().map(|each| each.get_value().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_name_can_do_nothing_on_a_command_line_of_bash() {
        let values = ["$(touch x)", "two words", "a\nb", "plain", "plain", ""];
        assert_eq!(shown(&values, "", true), ["'$(touch x)'", "plain", "'two words'"]);
        assert_eq!(shown(&values, "tw", false), ["two words"]);
        assert_eq!(shown(&values, "'tw", true), ["'two words'"]);
    }

    #[test]
    fn the_config_is_the_one_on_the_command_line() {
        let path = |words: &[&str]| config(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(path(&["runner-auth", "list", "-c", "a.toml"]), Some("a.toml".into()));
        assert_eq!(path(&["runner-auth", "--config=a.toml", "list"]), Some("a.toml".into()));
        assert_eq!(path(&["runner-auth", "list", "-ca.toml"]), Some("a.toml".into()));
        assert_eq!(path(&["runner-auth", "set", "-c", "-"]), None);
    }
}
