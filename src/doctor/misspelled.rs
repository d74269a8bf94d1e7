//! Entries that were meant to be auth entries, and set no `DOCKER_AUTH_CONFIG`.

use std::ops::Range;

use super::cause::Broken;
use super::{Code, Finding, remedy};
use crate::auth::document::AuthDocument;
use crate::runner::Config;
use crate::runner::auth_entry::{VARIABLE, is_auth_entry, is_like_variable};
use crate::runner::environment::Environment;

/// Checks the names in a runner's `environment`; `path` is the file's, for the commands that mend it.
pub(super) fn check(
    config: &Config<'_>,
    number: usize,
    environment: &Environment<'_, '_>,
    path: Option<&str>,
    findings: &mut Vec<Finding>,
) {
    let text = config.text();
    let beside = environment.auth().is_some();
    let meant: Vec<_> = environment
        .values()
        .enumerate()
        .filter_map(|(entry, value)| Some((entry, Meant::new(&value)?)))
        // Beside the right name a similar one may be another variable, which that one refers to.
        .filter(|(_, meant)| !(beside && meant.similar))
        .collect();
    // Of several, or beside one that counts, a person must say which is meant.
    let alone = meant.len() == 1 && !beside;
    for (entry, meant) in meant {
        let span = environment.span(entry);
        let (code, message, advice) = if meant.named {
            (
                Code::MisspelledVariable,
                format!(
                    "this entry does not set {VARIABLE}: GitLab Runner takes everything before \
                     the first = as the name, with its blanks and in its letter case"
                ),
                format!("write {VARIABLE}= before the JSON, without blanks"),
            )
        } else {
            (
                Code::UnnamedAuthEntry,
                format!(
                    "this is an auth document without {VARIABLE}= before it, so it sets no variable"
                ),
                format!("write {VARIABLE}= before the JSON"),
            )
        };
        let advice = if beside {
            format!(
                "take this entry out, or move what is in it into the one that sets {VARIABLE}: of \
                 two only the last one would count"
            )
        } else {
            advice
        };
        let finding = Finding::new(text, code, span.clone(), message, advice);
        let command = meant
            .written
            .as_deref()
            .filter(|_| alone)
            .zip(path)
            .and_then(|(written, path)| remedy::rename_variable(path, text, span, written));
        let edit = environment.rename(entry, meant.name, &format!("{VARIABLE}="));
        let edits = edit.filter(|_| alone).map(|edit| vec![edit]);
        findings.push(finding.of_runner(number).mended_by(command).fixed_by(edits));
    }
}

/// An entry that was meant to be an auth entry.
pub(super) struct Meant {
    /// Whether something like the variable's name stands there, with an `=` or alone.
    named: bool,
    /// Whether letters of the name are wrong, so that only the document shows what was meant.
    similar: bool,
    /// The name as it is written, where an `=` follows it.
    written: Option<String>,
    /// The bytes in whose place the variable's name with its `=` belongs.
    name: Range<usize>,
}

impl Meant {
    pub fn new(entry: &str) -> Option<Self> {
        if is_auth_entry(entry) {
            return None;
        }
        let name = entry.split('=').next().unwrap_or_default();
        if name.len() < entry.len() && is_like_variable(name) {
            let written = Some(name.to_owned());
            return Some(Self { named: true, similar: false, written, name: 0..name.len() + 1 });
        }
        if is_similar(name) && is_document(entry.get(name.len() + 1..).unwrap_or_default()) {
            let written = Some(name.to_owned());
            return Some(Self { named: true, similar: true, written, name: 0..name.len() + 1 });
        }
        // The = may be forgotten, or a colon in its place; the JSON itself may hold one.
        let name = entry.split(['{', ':', '=']).next().unwrap_or_default();
        if is_like_variable(name) {
            let json = entry.find('{').unwrap_or(entry.len());
            let named = name.len() == entry.len();
            let meant = named || json < entry.len();
            return meant.then_some(Self { named, similar: false, written: None, name: 0..json });
        }
        is_document(entry).then_some(Self {
            named: false,
            similar: false,
            written: None,
            name: 0..0,
        })
    }
}

/// Whether a few letters of a name are wrong. What goes on behind the right name is another variable.
fn is_similar(name: &str) -> bool {
    const MOST: usize = 2;
    let name = name.trim();
    let other = name
        .strip_prefix(VARIABLE)
        .is_some_and(|rest| rest.starts_with(|next: char| next == '_' || next.is_ascii_digit()));
    name.len().abs_diff(VARIABLE.len()) <= MOST
        && !other
        && strsim::osa_distance(&name.to_uppercase(), VARIABLE) <= MOST
}

/// Whether a text holds credentials as an auth document does.
fn is_document(text: &str) -> bool {
    let holds = |text: &str| {
        AuthDocument::parse_literal(text)
            .is_ok_and(|document| document.has_auths() || !document.helpers().is_empty())
    };
    let brace = text.trim_start().starts_with(['{', '\'', '"']);
    brace && (holds(text) || Broken::new(text).is_some_and(|broken| holds(&broken.mended)))
}
