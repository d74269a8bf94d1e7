//! Arguments that clap refuses, in words for what people mean by them.

use std::error::Error;
use std::num::ParseIntError;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, CommandFactory as _};

use super::args::Arguments;
use crate::runner::pull_policy::PullPolicy;

/// What people type for an option with a password as its value.
const PASSWORD_OPTIONS: [&str; 5] = ["--password", "--passwd", "--pass", "--pw", "-p"];

/// What people type for a command that is called otherwise.
const COMMANDS: [(&str, &str); 11] = [
    ("add", "set"),
    ("login", "set"),
    ("update", "set"),
    ("delete", "remove"),
    ("logout", "remove"),
    ("rm", "remove"),
    ("check", "doctor"),
    ("lint", "doctor"),
    ("show", "list"),
    ("ls", "list"),
    ("version", "--version"),
];

/// What people type for an option that is called otherwise.
const OTHER_NAMES: [(&str, &str); 9] = [
    ("--runner", "--name"),
    ("--runners", "--name"),
    ("--host", "--registry"),
    ("--server", "--registry"),
    ("--url", "--registry"),
    ("--file", "--config"),
    ("-f", "--config"),
    ("--helper", "--credential-helper"),
    ("--stdin", "--password-stdin"),
];

/// What stands behind which options of commands that take nothing else.
const OPTIONS: [(&str, &str); 5] = [
    ("set", "-r REGISTRY, -u USER and -n RUNNER, and asks for the password"),
    ("remove", "-r REGISTRY and -n RUNNER"),
    ("render", "-r REGISTRY and -u USER, or -n RUNNER"),
    ("list", "-n RUNNER"),
    ("verify", "-n RUNNER and --image IMAGE"),
];

/// What is meant by arguments that don't fit, where that can be told, and what to type. It never
/// repeats what could be a secret.
pub(super) fn advice(error: &clap::Error, words: &[String]) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    };
    let found = text(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(found?, words),
        ErrorKind::InvalidSubcommand => {
            let typed = text(ContextKind::InvalidSubcommand)?;
            let (_, meant) = COMMANDS.iter().find(|(other, _)| *other == typed.as_str())?;
            Some(format!("there is no command {typed}: runner-auth {meant} does that"))
        }
        // Where only some words are values, they are listed.
        ErrorKind::InvalidValue if !is_listed(error) => {
            without_value(found?, text(ContextKind::InvalidValue)?)
        }
        ErrorKind::ValueValidation if found?.starts_with("--id ") => Some(
            "--id takes the runner's number in GitLab, such as 42; its token goes with --token"
                .to_owned(),
        ),
        ErrorKind::ValueValidation if is_no_number(error) => {
            let option = found?.split(' ').next()?;
            Some(format!("{option} takes a whole number"))
        }
        _ => None,
    }
}

/// Whether a value should have been a number.
fn is_no_number(error: &clap::Error) -> bool {
    error.source().is_some_and(<dyn Error>::is::<ParseIntError>)
}

/// Whether the error names the words that are values.
fn is_listed(error: &clap::Error) -> bool {
    matches!(error.get(ContextKind::ValidValue),
        Some(ContextValue::Strings(words)) if !words.is_empty())
}

/// An option behind which there is no value.
fn without_value(option: &str, value: &str) -> Option<String> {
    let option = option.split(' ').next().filter(|option| option.starts_with("--"))?;
    value.is_empty().then(|| {
        format!(
            "{option} needs a value, and a word that begins with - is the next option: such a value \
             is written {option}=VALUE"
        )
    })
}

/// Whether something stands behind an option that there is not, or in its word.
fn has_value(option: &str, words: &[String]) -> bool {
    words.iter().enumerate().any(|(number, word)| match word.strip_prefix(option) {
        Some("") => words.get(number + 1).is_some_and(|next| !next.starts_with('-')),
        Some(rest) => rest.len() > 1 && (rest.starts_with('=') || !option.starts_with("--")),
        None => false,
    })
}

/// The option that is meant by one that its command doesn't have.
fn other_name(name: &str, words: &[String]) -> Option<String> {
    let all = Arguments::command();
    let command = words.iter().skip(1).find_map(|word| all.find_subcommand(word))?;
    if command.get_name() == "explain" && name == "--image" {
        return Some(
            "explain takes images without an option: runner-auth explain IMAGE".to_owned(),
        );
    }
    let (_, meant) = OTHER_NAMES.iter().find(|(other, _)| *other == name)?;
    let mut known = all.get_arguments().chain(command.get_arguments()).filter_map(Arg::get_long);
    let is_there = known.any(|long| meant.strip_prefix("--") == Some(long));
    is_there.then(|| format!("{} has no option {name}: {meant} does that", command.get_name()))
}

/// A word that is no argument here.
fn unknown(found: &str, words: &[String]) -> Option<String> {
    let name = found.split('=').next().unwrap_or_default();
    if PASSWORD_OPTIONS.contains(&name) {
        let mut advice = "no option takes a password, since the list of processes would show it: \
                          use --password-stdin, --password-file PATH or --password-env VAR, or \
                          leave it out to be asked"
            .to_owned();
        if has_value(name, words) {
            advice.push_str("; what was typed is now in the shell's history: change that password");
        }
        return Some(advice);
    }
    if found == "--json" {
        return Some("to have the answer in JSON, write --format json".to_owned());
    }
    if found.starts_with('-') {
        return other_name(name, words);
    }
    let before = words.iter().take_while(|word| *word != found);
    let option = before.filter(|word| word.starts_with('-')).last();
    if PullPolicy::parse(found).is_some() && option.is_some_and(|option| option.contains("policy"))
    {
        return Some(
            "each --pull-policy takes one policy, or several with commas between them: \
             --pull-policy always,if-not-present"
                .to_owned(),
        );
    }
    let ends = [".toml", ".yaml", ".yml"].iter().any(|end| found.ends_with(end));
    if ends || Path::new(found).is_file() {
        return Some("to read another config, name it with --config: -c PATH".to_owned());
    }
    let (command, options) = OPTIONS.iter().find(|(command, _)| {
        let mut ahead = words.iter().skip(1).take_while(|word| *word != found);
        ahead.any(|word| word == command)
    })?;
    Some(format!(
        "{command} takes each word behind an option, such as {options}; a value with blanks needs quotes"
    ))
}
