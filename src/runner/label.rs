//! How a runner is called. The names in it are as they stand in the file: what goes to a terminal is
//! escaped where it is printed.

use super::{Config, Runner};
use crate::error::{self, Candidate};

/// A runner's name and short token. The name is given, since it may have been cleaned of secrets.
pub(crate) fn name_and_token(name: &str, runner: &Runner<'_>) -> String {
    error::name_and_token(name, runner.short_token())
}

/// A runner's name, or [`name_and_token`] where it has none.
pub(crate) fn called(name: String, runner: &Runner<'_>) -> String {
    if name.is_empty() { name_and_token("", runner) } else { name }
}

/// [`name_and_token`] with the executor.
pub(crate) fn heading(name: &str, runner: &Runner<'_>) -> String {
    Candidate { id: None, ..of(name, runner) }.to_string()
}

/// [`heading`] with GitLab's number for it, to choose by.
pub(crate) fn candidate(config: &Config<'_>, runner: &Runner<'_>) -> Candidate {
    of(&config.shown_name(runner), runner)
}

fn of(name: &str, runner: &Runner<'_>) -> Candidate {
    Candidate {
        name: name.to_owned(),
        short_token: runner.short_token().to_owned(),
        executor: runner.executor().shown().to_owned(),
        id: runner.id().filter(|&id| id != 0),
    }
}
