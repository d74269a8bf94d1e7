//! Members whose names are nearly those that docker/cli reads.

use super::subject::Examined;
use super::{Code, Finding};
use crate::toml::edit::Edit;
use crate::toml::letter_case::same_key;

/// The members of the root that count here, and how else people call them.
const KNOWN: &[(&str, Value, &[&str])] = &[
    (
        "auths",
        Value::Object,
        &["auth", "authentication", "authentications", "credentials", "logins"],
    ),
    ("credHelpers", Value::Object, &["credentialhelper", "credentialhelpers", "helpers"]),
    ("credsStore", Value::String, &["credentialstore", "credentialsstore", "store"]),
];

/// How many letters may differ.
const MOST: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Object,
    String,
}

/// Looks at the members of the root; whether one was meant to be another.
pub(super) fn check(examined: &Examined<'_>, findings: &mut Vec<Finding>) -> bool {
    let document = &examined.document;
    let text = document.text();
    let before = findings.len();
    for member in document.root_members() {
        let value = match text[member.value.clone()].chars().next() {
            Some('{') => Value::Object,
            Some('"') => Value::String,
            _ => continue,
        };
        let name = member.name(text);
        let Some(meant) = meant(name, value) else { continue };
        let taken = document.root_members().iter().any(|other| same_key(other.name(text), meant));
        // A helper that nobody asked so far may be none that is there: then it costs the document.
        let helpers = meant != "auths";
        let finding = examined.finding(
            Code::MisspelledMember,
            member.key.clone(),
            format!("GitLab Runner knows no '{name}' here: '{meant}' is meant"),
            if taken {
                format!("move what is in it into '{meant}'")
            } else if helpers {
                format!("take it out, or call it '{meant}' if the helper is wanted and there")
            } else {
                format!("call it '{meant}'")
            },
        );
        let edit = Edit::new(member.key.clone(), format!("\"{meant}\""));
        let edits = if taken || helpers { None } else { examined.edits(&[edit]) };
        findings.push(finding.fixed_by(edits));
    }
    findings.len() > before
}

fn meant(member: &str, value: Value) -> Option<&'static str> {
    // A registry is no misspelled member.
    if member.contains(['.', ':', '/']) || KNOWN.iter().any(|(name, ..)| same_key(name, member)) {
        return None;
    }
    let letters: String =
        member.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let near = |name: &str| strsim::osa_distance(&letters, &name.to_lowercase()) <= MOST;
    let fits = |(name, kind, others): &&(&str, Value, &[&str])| {
        *kind == value && (others.contains(&letters.as_str()) || near(name))
    };
    KNOWN.iter().find(fits).map(|(name, ..)| *name)
}
