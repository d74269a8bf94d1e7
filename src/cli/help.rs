//! The help of each command: the arguments, with examples and what the exit status means.

use clap::{Command, CommandFactory as _};

use super::args::Arguments;
use crate::exit_status::ExitStatus;

/// What somebody wants, and the command for it.
pub(super) type Example = (&'static str, &'static str);

/// The arguments with the examples at the end of each command's help.
pub(super) fn command() -> Command {
    let names: Vec<_> =
        Arguments::command().get_subcommands().map(|each| each.get_name().to_owned()).collect();
    let mut command = Arguments::command().after_help(format!(
        "{}\n\n{}",
        section("Examples", &listed(examples(""))),
        section("Exit status", &statuses())
    ));
    for name in names {
        command = command.mut_subcommand(&name, |each| {
            let also = each.get_after_help().map(|text| format!("{text}\n\n")).unwrap_or_default();
            each.after_help(format!("{also}{}", section("Examples", &listed(examples(&name)))))
        });
    }
    command
}

/// One to three examples of a command; the empty name is for `runner-auth` itself.
pub(super) fn examples(command: &str) -> &'static [Example] {
    match command {
        "set" => &[
            (
                "Be asked for the runner, the registry, the user and the password",
                "sudo runner-auth set",
            ),
            (
                "Take the password from a file",
                "sudo runner-auth set -n docker-1 -r registry.example.com:5000 -u robot --password-file robot.txt",
            ),
            (
                "Take over what docker login left, and only see what would change",
                "runner-auth set -n docker-1 --from-docker-config -r registry.example.com --dry-run",
            ),
        ],
        "list" => &[("Show the runners of the config", "sudo runner-auth list")],
        "explain" => &[(
            "Say which credential each runner would use for an image",
            "sudo runner-auth explain registry.example.com:5000/team/app:1.2",
        )],
        "doctor" => &[
            ("Look at the config that GitLab Runner reads", "sudo runner-auth doctor"),
            (
                "Look at files before they are rolled out",
                "runner-auth doctor configs/a.toml configs/b.toml",
            ),
        ],
        #[cfg(feature = "verify")]
        "verify" => &[
            ("Ask whether the credentials of all runners are accepted", "sudo runner-auth verify"),
            (
                "Ask whether a runner can pull an image, and those that the config names",
                "sudo runner-auth verify -n docker-1 --image registry.example.com/team/app:1.2 --images",
            ),
        ],
        "remove" => &[
            (
                "Remove the credential for a registry",
                "sudo runner-auth remove -n docker-1 -r registry.example.com",
            ),
            (
                "Remove the whole entry, a broken one too",
                "sudo runner-auth remove -n docker-1 --everything",
            ),
        ],
        "render" => &[
            (
                "Print what a runner uses as Docker's config.json",
                "sudo runner-auth render -n docker-1",
            ),
            (
                "Print a credential as a variable for .gitlab-ci.yml",
                "runner-auth render -r registry.example.com -u robot --password-file robot.txt --as gitlab-ci",
            ),
        ],
        "completions" => &[
            ("For bash, in ~/.bashrc", "source <(runner-auth completions bash)"),
            ("For zsh, in ~/.zshrc after compinit", "source <(runner-auth completions zsh)"),
            (
                "For fish, once",
                "runner-auth completions fish > ~/.config/fish/completions/runner-auth.fish",
            ),
        ],
        "man" => &[
            ("Read the page of a command", "runner-auth man set | man -l -"),
            ("Install all pages", "sudo runner-auth man --into /usr/local/share/man/man1"),
        ],
        _ => &[
            ("Give a runner a credential, and be asked for all of it", "sudo runner-auth set"),
            (
                "Ask why a job can't pull its image",
                "sudo runner-auth explain registry.example.com:5000/team/app:1.2",
            ),
            ("Look for mistakes in the config", "sudo runner-auth doctor"),
        ],
    }
}

fn listed(examples: &[Example]) -> String {
    let lines: Vec<_> =
        examples.iter().map(|(what, command)| format!("  {what}:\n    {command}")).collect();
    lines.join("\n")
}

fn statuses() -> String {
    let lines =
        ExitStatus::ALL.map(|status| format!("  {}  {}", status.number(), status.meaning()));
    lines.join("\n")
}

/// A heading as clap writes its own; clap takes the style out where there are no colours.
fn section(heading: &str, text: &str) -> String {
    let style = clap::builder::Styles::styled();
    let style = style.get_header();
    format!("{style}{heading}:{style:#}\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_that_are_accepted() {
        let all = command();
        for each in all.get_subcommands() {
            let name = each.get_name();
            let found = examples(name);
            assert!((1..=3).contains(&found.len()), "{name}");
            for (what, line) in found {
                // What the shell takes away: `sudo`, `source <(…)` and redirections.
                let start = line.find("runner-auth").expect("the command");
                let end = line.find(" > ").or_else(|| line.find(" | ")).unwrap_or(line.len());
                let words = line[start..end].trim_end_matches(')').split(' ');
                let parsed = command().try_get_matches_from(words);
                let parsed = parsed.unwrap_or_else(|error| panic!("{what}: {line}\n{error}"));
                assert_eq!(parsed.subcommand_name(), Some(name), "{line}");
            }
        }
    }

    #[test]
    fn no_command_but_those_of_the_program_has_the_examples_of_all() {
        for each in command().get_subcommands() {
            assert_ne!(examples(each.get_name()), examples(""), "{}", each.get_name());
        }
    }
}
