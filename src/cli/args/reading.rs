//! Reads a command line, of which only the command that it calls is set up.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::{Args as _, FromArgMatches as _};

#[cfg(feature = "verify")]
use super::Verify;
use super::{
    Arguments, Command, Completions, Doctor, Explain, Global, List, ManPages, Remove, Render, Set,
};

impl Arguments {
    /// Reads the words of a command line. Only the command that they call is set up, since all of them
    /// together cost more than a small config does.
    ///
    /// # Errors
    ///
    /// Those of `all`, which knows what else could be meant and has the help.
    pub fn read(
        words: &[OsString],
        all: impl FnOnce() -> clap::Command,
    ) -> Result<Self, clap::Error> {
        let mut ahead = words.iter().skip(1).filter_map(|word| word.to_str());
        let called = ahead.find_map(Command::alone);
        let root = clap::Command::new(env!("CARGO_PKG_NAME")).disable_help_subcommand(true);
        let alone = called.map(|called| Global::augment_args(root).subcommand(called));
        let read = |command: clap::Command| {
            // Nobody needs its memory before the process ends.
            let mut command = ManuallyDrop::new(command);
            Self::from_arg_matches_mut(&mut command.try_get_matches_from_mut(words)?)
        };
        // The first word that is called like a command may be the value of an option.
        alone.and_then(|alone| read(alone).ok()).map_or_else(|| read(all()), Ok)
    }
}

/// What gives a command its arguments.
type Augment = fn(clap::Command) -> clap::Command;

impl Command {
    /// The command with this name and its arguments, without the words for its help.
    fn alone(name: &str) -> Option<clap::Command> {
        let commands: &[(&str, Augment)] = &[
            ("set", Set::augment_args),
            ("list", List::augment_args),
            ("explain", Explain::augment_args),
            ("doctor", Doctor::augment_args),
            #[cfg(feature = "verify")]
            ("verify", Verify::augment_args),
            ("remove", Remove::augment_args),
            ("render", Render::augment_args),
            ("completions", Completions::augment_args),
            ("man", ManPages::augment_args),
        ];
        let (name, arguments) = commands.iter().find(|(known, _)| *known == name)?;
        Some(arguments(clap::Command::new(*name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser as _};
    use proptest::prelude::*;

    #[test]
    fn a_command_alone_has_the_arguments_that_it_has_beside_the_others() {
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name();
            let alone = Command::alone(name).unwrap_or_else(|| panic!("{name}"));
            let listed = |command: &clap::Command| {
                let arguments: Vec<_> =
                    command.get_arguments().map(|it| format!("{it:?}")).collect();
                let groups: Vec<_> = command.get_groups().map(|it| format!("{it:?}")).collect();
                (arguments, groups)
            };
            assert_eq!(listed(&alone), listed(command), "{name}");
        }
        assert!(Command::alone("help").is_none());
    }

    #[test]
    fn a_value_that_is_called_like_a_command_calls_none() {
        let read = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(OsString::from).collect();
            Arguments::read(&words, Arguments::command)
        };
        let read_list = read(&["runner-auth", "-c", "set", "list", "-n", "set"]).unwrap();
        assert!(matches!(read_list.command, Command::List(_)));
        assert_eq!(read_list.global.config, Some("set".into()));
        // All commands are asked what else could be meant.
        let refused = read(&["runner-auth", "list", "--everything"]).unwrap_err().to_string();
        let all =
            Arguments::command().try_get_matches_from(["runner-auth", "list", "--everything"]);
        assert_eq!(refused, all.unwrap_err().to_string());
    }

    const WORDS: &[&str] = &[
        "set",
        "list",
        "explain",
        "doctor",
        "remove",
        "render",
        "completions",
        "man",
        "help",
        "bash",
        "--",
        "-",
        "-c",
        "-cset",
        "--config",
        "--config=list",
        "--format",
        "json",
        "-q",
        "-n",
        "a",
        "--all",
        "-t",
        "--id",
        "7",
        "-r",
        "r.io",
        "-u",
        "--password-stdin",
        "--password-env",
        "--from-docker-config",
        "--dry-run",
        "-y",
        "--backup",
        "--fix",
        "--only",
        "--everything",
        "--context",
        "3",
        "--help",
        "-h",
        "--version",
        "-V",
        "-qV",
        "--as",
        "env",
        "--into",
        "--pull-policy",
        "always,never",
        "--max-size",
        "4",
        "--runner-version",
        "17.4",
        "--delegate",
        "--credential-helper",
    ];

    proptest! {
        #![proptest_config(crate::property::cases(256))]

        #[test]
        fn one_command_reads_what_all_of_them_read(
            words in prop::collection::vec(prop::sample::select(WORDS), 0..8),
        ) {
            let words: Vec<_> =
                std::iter::once("runner-auth").chain(words).map(OsString::from).collect();
            let told = |read: Result<Arguments, clap::Error>| match read {
                Ok(arguments) => format!("{arguments:?}"),
                Err(error) => error.to_string(),
            };
            let alone = Arguments::read(&words, Arguments::command);
            prop_assert_eq!(told(alone), told(Arguments::try_parse_from(&words)), "{:?}", words);
        }
    }
}
