//! What the reports of several commands have in common.

use serde::Serialize;

use crate::redaction::Redaction;
use crate::runner::{Config, Runner};
use crate::toml::printable::one_line;

/// A runner as every JSON report names it.
#[derive(Serialize)]
pub(super) struct RunnerLabel {
    pub name: String,
    pub short_token: String,
    pub executor: String,
}

impl RunnerLabel {
    pub fn new(runner: &Runner<'_>, redaction: &Redaction) -> Self {
        Self {
            name: redaction.clean(runner.name()),
            short_token: runner.short_token().to_owned(),
            executor: runner.executor().name().to_owned(),
        }
    }
}

/// A runner as a heading: name, token, executor, on one line.
pub(super) fn heading(runner: &Runner<'_>, redaction: &Redaction) -> String {
    match runner.executor().name() {
        "" => title(runner, redaction),
        executor => one_line(&format!("{}, {executor}", title(runner, redaction))),
    }
}

/// A runner's name and token, on one line.
pub(super) fn title(runner: &Runner<'_>, redaction: &Redaction) -> String {
    let name = redaction.clean(runner.name());
    let name = if name.is_empty() { "(no name)" } else { &name };
    let token = if runner.short_token().is_empty() { "no token" } else { runner.short_token() };
    one_line(&format!("{name} ({token})"))
}

/// A redaction that knows every secret of a config.
pub(super) fn redaction(config: &Config<'_>, show_secrets: bool) -> Redaction {
    let mut redaction = Redaction::new(show_secrets);
    redaction.learn_config(config);
    redaction
}

/// `1 error`, `2 errors`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
