//! Arguments that clap refuses, in words for what people mean by them.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::runner::pull_policy::PullPolicy;

/// What people type for an option with a password as its value.
const PASSWORD_OPTIONS: [&str; 5] = ["--password", "--passwd", "--pass", "--pw", "-p"];

/// What is meant by arguments that don't fit, where that can be told, and what to type. It never
/// repeats what could be a secret.
pub(super) fn advice(error: &clap::Error, words: &[String]) -> Option<String> {
    let ErrorKind::UnknownArgument = error.kind() else { return None };
    let Some(ContextValue::String(found)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = found.split('=').next().unwrap_or_default();
    if PASSWORD_OPTIONS.contains(&name) {
        return Some(
            "no option takes a password, since the list of processes would show it: use \
             --password-stdin, --password-file PATH or --password-env VAR, or leave it out to be \
             asked"
                .to_owned(),
        );
    }
    if found.starts_with('-') {
        return None;
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
    None
}
