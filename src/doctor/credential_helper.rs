//! The credential helpers that a document names.

use std::collections::HashMap;

use super::subject::{Examined, Subject};
use super::{Code, Finding};
use crate::auth::document::{Entry, Helper, Stored};
use crate::auth::key::Key;
use crate::auth::runner_version::RunnerVersion;
use crate::auth::source::credential_helper::{PREFIX, bare_name};
use crate::runner::allowed_helpers;
use crate::runner::executor::Pull;
use crate::toml::edit::Edit;

/// What the variables begin with that helpers for clouds read.
const CLOUDS: &[&str] = &["AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "ACR_"];

pub(super) fn check(examined: &Examined<'_>, findings: &mut Vec<Finding>) {
    let document = &examined.document;
    environment(examined, findings);
    may_be_refused(examined, findings);
    let remedy = examined.subject.remedy;
    let entries: HashMap<_, _> =
        document.effective().into_iter().map(|entry| (&entry.key, entry)).collect();
    for helper in document.last_helpers() {
        let place = document.helper_place(helper);
        let name = &helper.name;
        if name.is_empty() && helper.key.is_none() {
            // GitLab Runner asks no store without a name.
            findings.push(examined.finding(
                Code::EmptyStore,
                place,
                "this credsStore has no name: GitLab Runner skips it",
                "take it out",
            ));
            continue;
        }
        if name.is_empty() || name.contains('/') {
            let finding = examined.finding(
                Code::BadHelperName,
                place,
                "a credential helper's name can't be empty or hold a /: GitLab Runner (from 13.5 \
                 on) then asks no source at all, and every pull fails, of public images too",
                "name the helper without a path: NAME stands for docker-credential-NAME in the \
                 runner's PATH",
            );
            let command = match &helper.key {
                Some(key) => remedy.remove(&[key]),
                None if document.entries().is_empty() => remedy.remove_entry(),
                None => None,
            };
            let base = name.rsplit('/').next().unwrap_or_default();
            let edits = rename(examined, helper, bare_name(base));
            findings.push(finding.mended_by(command).fixed_by(edits));
            continue;
        }
        if let Some(base) = name.strip_prefix(PREFIX) {
            let finding = examined.finding(
                Code::BadHelperName,
                place.clone(),
                format!(
                    "GitLab Runner puts {PREFIX} before this name, finds no such program, and drops \
                     the whole document"
                ),
                if helper.shown_name() == name {
                    format!("name it {base}")
                } else {
                    format!("leave {PREFIX} out")
                },
            );
            findings.push(finding.fixed_by(rename(examined, helper, base)));
            continue;
        }
        if !(examined.subject.circumstances.has_helper)(name) {
            findings.push(examined.finding(
                Code::HelperNotFound,
                place.clone(),
                format!(
                    "docker-credential-{} is not in this PATH: when the runner doesn't find it in \
                     its own either, it drops the whole document",
                    helper.shown_name()
                ),
                "install it where the runner finds it",
            ));
        }
        overrides(examined, helper, &entries, findings);
    }
}

/// Another name for a helper.
fn rename(examined: &Examined<'_>, helper: &Helper, name: &str) -> Option<Vec<Edit>> {
    let word = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || !name.chars().all(word) {
        return None;
    }
    let place = examined.document.helper_place(helper);
    examined.edits(&[Edit::new(place, format!("\"{name}\""))])
}

/// Variables beside a helper that it does not see.
fn environment(examined: &Examined<'_>, findings: &mut Vec<Finding>) {
    let subject = examined.subject;
    let helpers = examined.document.last_helpers();
    let Some(helper) = helpers.into_iter().find(|helper| !helper.name.is_empty()) else { return };
    let name = helper.shown_name();
    let is_cloud = |entry: &str| {
        let variable = entry.split('=').next().unwrap_or_default();
        CLOUDS.iter().any(|cloud| variable.starts_with(cloud)).then(|| variable.to_owned())
    };
    let mut values = subject.environment.values().enumerate();
    if let Some((entry, variable)) =
        values.find_map(|(entry, value)| is_cloud(&value).map(|variable| (entry, variable)))
    {
        findings.push(subject.finding(
            Code::HelperEnvironment,
            subject.environment.span(entry),
            format!(
                "{PREFIX}{name} sees the environment of the runner's own process, not {variable} and \
                 its like from here; every job sees these"
            ),
            "set them for the runner's service (systemctl edit gitlab-runner, or the container's \
             environment), or give the machine a role",
        ));
    }
}

/// Helpers that the newest versions may not run: one finding for the document.
fn may_be_refused(examined: &Examined<'_>, findings: &mut Vec<Finding>) {
    let document = &examined.document;
    let helpers = document.last_helpers();
    let runs = |helper: &&&Helper| !helper.name.is_empty() && !helper.name.contains('/');
    let Some(helper) = helpers.iter().find(runs) else { return };
    let Subject { config, number, .. } = *examined.subject;
    let runner = &config.runners()[number];
    if runner.executor().pull() == Pull::None || allowed_helpers::are_named(config, runner) {
        return;
    }
    findings.push(examined.finding(
        Code::HelperMayBeRefused,
        document.helper_place(helper),
        format!(
            "GitLab Runner from 19.4 on (and {}) may not run {PREFIX}{} for a document in its config",
            RunnerVersion::CORRECTED,
            helper.shown_name()
        ),
        format!(
            "try one job on such a version; where it is refused, permit it with {}, or store the \
             credential",
            allowed_helpers::KEY
        ),
    ));
}

/// Keys of `auths` that a helper answers for.
fn overrides(
    examined: &Examined<'_>,
    helper: &Helper,
    entries: &HashMap<&Key, &Entry>,
    findings: &mut Vec<Finding>,
) {
    let document = &examined.document;
    let name = helper.shown_name();
    let (piece, message, command) = match &helper.key {
        Some(key) => {
            let Some(entry) = entries.get(key) else { return };
            (
                document.key_place(entry),
                format!(
                    "docker-credential-{name} answers for {} in place of this credential",
                    key.shown()
                ),
                examined.subject.remedy.renew(key, entry.typed_user().as_deref()),
            )
        }
        // What docker login leaves for a store is empty.
        None if entries.values().any(|entry| *entry.stored() != Stored::Empty) => (
            document.helper_place(helper),
            format!(
                "docker-credential-{name} is asked first, and answers in place of the keys of auths \
                 that it knows"
            ),
            None,
        ),
        None => return,
    };
    let finding = examined.finding(
        Code::HelperOverrides,
        piece,
        message,
        "keep the helper or the credential",
    );
    findings.push(finding.mended_by(command));
}
