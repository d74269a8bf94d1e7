//! What the reports of several commands have in common.

use serde::Serialize;

use crate::error::Error;
use crate::redaction::Redaction;
use crate::runner::{Config, Runner, label};
use crate::toml::text::ConfigText;

/// The version of the shape of the JSON reports.
const SCHEMA: u8 = 1;

/// The JSON report of a command: what every report begins with, then what is its own.
#[derive(Serialize)]
pub(super) struct Report<R> {
    schema: u8,
    command: &'static str,
    #[serde(flatten)]
    pub body: R,
}

impl<R: Serialize> Report<R> {
    pub fn new(command: &'static str, body: R) -> Self {
        Self { schema: SCHEMA, command, body }
    }
}

/// What is told of the runners of a config.
#[derive(Serialize)]
pub(super) struct RunnersBody<R> {
    config: String,
    runners: Vec<R>,
    warnings: Vec<String>,
}

impl<R: Serialize> RunnersBody<R> {
    pub fn new(config: &ConfigText, runners: Vec<R>) -> Self {
        Self { config: config.label().to_owned(), runners, warnings: Vec::new() }
    }
}

/// The JSON report of a command that failed.
#[derive(Serialize)]
pub(super) struct ErrorReport {
    schema: u8,
    error: ErrorLabel,
}

impl ErrorReport {
    pub fn new(error: &Error) -> Self {
        Self { schema: SCHEMA, error: ErrorLabel::new(error) }
    }
}

/// An error as every JSON report names it.
#[derive(Serialize)]
pub(super) struct ErrorLabel {
    pub code: &'static str,
    pub message: String,
}

impl ErrorLabel {
    pub fn new(error: &Error) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

/// A runner as every JSON report names it.
#[derive(Serialize)]
pub(super) struct RunnerLabel {
    pub name: String,
    pub short_token: String,
    pub executor: String,
}

impl RunnerLabel {
    pub fn new(runner: &Runner<'_>, redaction: &Redaction<'_>) -> Self {
        Self {
            name: redaction.name(runner),
            short_token: runner.short_token().to_owned(),
            executor: runner.executor().shown().to_owned(),
        }
    }
}

/// A runner as a heading: name, token, executor, on one line.
pub(super) fn heading(runner: &Runner<'_>, redaction: &Redaction<'_>) -> String {
    label::heading(&redaction.name(runner), runner)
}

/// A redaction that knows every secret of a config.
pub(super) fn redaction<'c>(config: &'c Config<'c>, show_secrets: bool) -> Redaction<'c> {
    let mut redaction = Redaction::new(show_secrets);
    redaction.learn_config(config);
    redaction
}
