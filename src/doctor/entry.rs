//! Auth entries that come to nothing, and who can read the others.

use std::cell::LazyCell;
use std::collections::HashSet;

use super::remedy::Remedies;
use super::subject::Subject;
use super::{Code, Finding};
use crate::auth::document::{AuthDocument, Entry};
use crate::auth::key::few;
use crate::auth::registry::key_path;
use crate::runner::Config;
use crate::runner::auth_entry::{AuthEntries, VARIABLE};
use crate::runner::environment::Environment;
use crate::runner::executor::Pull;

/// Checks whether anybody uses a runner's auth entry.
pub(super) fn check(
    config: &Config<'_>,
    number: usize,
    environment: &Environment<'_, '_>,
    remedies: &Remedies<'_>,
    findings: &mut Vec<Finding>,
) {
    let text = config.text();
    let runner = &config.runners()[number];
    if let Some(AuthEntries { counts: entry, .. }) = environment.auth() {
        let executor = runner.executor();
        let (code, message, advice, remedy) = match executor.pull() {
            Pull::None => (
                Code::ExecutorIgnoresIt,
                format!(
                    "the executor {executor} pulls no images, so the runner itself has no use for \
                     this entry"
                ),
                "keep it if the jobs read it themselves, else take it out",
                remedies.of(number).remove_entry(),
            ),
            Pull::Driver => (
                Code::DriverDecides,
                "with the executor custom its driver decides: it gets this entry as \
                 CUSTOM_ENV_DOCKER_AUTH_CONFIG"
                    .to_owned(),
                "check whether the driver reads it",
                None,
            ),
            Pull::Runner | Pull::Kubelet | Pull::Unknown => return,
        };
        let span = environment.span(entry.number);
        let finding = Finding::new(text, code, span, message, advice).of_runner(number);
        findings.push(finding.mended_by(remedy));
    }
}

/// Entries that the last one hides, whatever is in it. Where that can be read, storing one of its
/// credentials anew leaves one entry.
pub(super) fn shadowed(
    subject: &Subject<'_>,
    document: Option<&AuthDocument<'_>>,
    findings: &mut Vec<Finding>,
) {
    if subject.hidden.is_empty() {
        return;
    }
    let text = subject.config.text();
    let line = text.place(subject.environment.span(subject.entry.number).start).line;
    let set = |entry: &Entry| subject.remedy.set(&entry.key, Some(&entry.typed_user()?));
    let mended = LazyCell::new(|| {
        let effective = document.map(AuthDocument::effective).unwrap_or_default();
        effective.into_iter().find_map(set)
    });
    let counts: HashSet<String> = document.iter().flat_map(|document| paths(document)).collect();
    for hidden in &subject.hidden {
        let held =
            AuthDocument::parse(hidden.document(), |name| subject.environment.variable(name));
        let held = held.ok();
        let lost = held.iter().flat_map(AuthDocument::entries);
        let lost: Vec<_> =
            lost.filter(|entry| !counts.contains(&key_path(entry.key.as_str()))).collect();
        let mut message = format!(
            "GitLab Runner takes the last auth entry, the one on line {line}, and not this one"
        );
        let mut advice = "take out the one that is not meant; runner-auth set leaves one";
        if !lost.is_empty() {
            let keys = few(lost.iter().map(|entry| &entry.key));
            message.push_str(&format!(": {keys} {} in the last one", is_missing(lost.len())));
            advice = "store what is missing there with runner-auth set, which leaves one entry, or \
                      take this one out";
        }
        let span = subject.environment.span(hidden.number);
        let command = lost.into_iter().find_map(set).or_else(|| mended.clone());
        findings
            .push(subject.finding(Code::ShadowedEntry, span, message, advice).mended_by(command));
    }
}

fn is_missing(keys: usize) -> &'static str {
    if keys == 1 { "is missing" } else { "are missing" }
}

/// The paths for which a document has an answer.
fn paths(document: &AuthDocument<'_>) -> impl Iterator<Item = String> {
    let keys = document.entries().iter().map(|entry| &entry.key);
    let helped = document.helpers().iter().filter_map(|helper| helper.key.as_ref());
    keys.chain(helped).map(|key| key_path(key.as_str()))
}

/// Says once a file who can read the credentials.
pub(super) fn visible_to_jobs(config: &Config<'_>, findings: &mut Vec<Finding>) {
    for runner in config.runners() {
        let Ok(Some(environment)) = Environment::of(config, runner) else { continue };
        let Some(entries) = environment.auth() else { continue };
        let entries = entries.hidden.iter().chain([&entries.counts]);
        let mut stored = entries.filter(|entry| holds_something(entry.document()));
        let Some(entry) = stored.next() else { continue };
        findings.push(Finding::new(
            config.text(),
            Code::VisibleToJobs,
            environment.span(entry.number),
            "every job on a runner can print its auth entry, and the job log does not mask it",
            "use accounts that can only pull; from Docker CLI 28.3 on, a docker login in a job loses \
             to this entry: a job that pushes there must unset DOCKER_AUTH_CONFIG first, or the entry \
             must have a key that Docker doesn't look for (set --runner-only)",
        ));
        return;
    }
}

/// Whether there can be a credential in a document, or in what is none but was meant to be.
fn holds_something(document: &str) -> bool {
    let text = document.trim();
    let nothing =
        text.is_empty() || text.trim_start_matches('$').trim_matches(['{', '}']) == VARIABLE;
    let empty = AuthDocument::parse_literal(text)
        .is_ok_and(|document| document.root_members().is_empty() || document.is_empty());
    !nothing && !empty
}
