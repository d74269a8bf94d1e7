//! The keys of `auths`: which images they serve, and which of two wins.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::placeholder::is_placeholder;
use super::subject::Examined;
use super::{Code, Finding};
use crate::auth::expansion::holds_predefined;
use crate::auth::key::Key;
use crate::auth::registry::{
    DOCKER_HUB, DOCKER_HUB_KEY, Registry, key_path, path_of, why_it_never_matches,
};
use crate::runner::executor::Pull;
use crate::toml::edit::Edit;

pub(super) fn check(examined: &Examined<'_>, findings: &mut Vec<Finding>) {
    let subject = examined.subject;
    let remedy = subject.remedy;
    let kubelet = subject.config.runners()[subject.number].executor().pull() == Pull::Kubelet;
    let document = &examined.document;
    let entries = document
        .effective()
        .into_iter()
        .map(|entry| (&entry.key, document.key_place(entry), entry.typed_user()));
    let helpers = document
        .effective_helpers()
        .into_iter()
        .filter_map(|helper| Some((helper.key.as_ref()?, document.helper_key_place(helper), None)));
    for (key, piece, user) in entries.chain(helpers) {
        let written = document.text().get(piece.clone()).unwrap_or_default();
        // What GitLab sets for each job may make a registry of it; what nobody sets is told already.
        let text = key.as_str();
        let filled = examined.exact && written.contains('$');
        if filled || holds_predefined(text) || is_placeholder(text) {
            continue;
        }
        // The kubelet has rules of its own for which key fits, and none for one with blanks.
        let matching = !kubelet || text.contains(char::is_whitespace);
        if let Some(reason) = why_it_never_matches(text).filter(|_| matching) {
            let finding = examined.finding(
                Code::NeverMatches,
                piece.clone(),
                format!("no image ever matches '{}': {reason}", key.shown()),
                "store the credential under HOST[:PORT] or HOST[:PORT]/PATH; Docker Hub is \
                 https://index.docker.io/v1/",
            );
            let hub = Registry::named(DOCKER_HUB).is_dead_hub_key(text);
            let command = if hub {
                remedy.set(&Key::from(DOCKER_HUB), user.as_deref())
            } else {
                remedy.remove(&[key])
            };
            let right = if hub { DOCKER_HUB_KEY } else { text.trim() };
            let edits = rename(examined, piece, right);
            findings.push(finding.mended_by(command).fixed_by(edits));
            continue;
        }
        let path = key_path(text);
        if let Some((host, rest)) = path.split_once('/') {
            let api = rest == "v1" || rest == "v2";
            // The kubelet cuts such an ending.
            if api && kubelet {
                continue;
            }
            let api = if api {
                format!("; with https:// before it, it would serve all of {}", key.shown_path(host))
            } else {
                String::new()
            };
            findings.push(examined.finding(
                Code::PathKey,
                piece,
                format!(
                    "'{}' serves only images below {}, and needs GitLab Runner 17.5: older ones \
                     take it for the whole host{api}",
                    key.shown(),
                    key.shown_path(&path)
                ),
                "fine where all runners are that new",
            ));
        }
    }
    same_registry(examined, findings);
}

/// Another key for a credential, where none has its path already.
fn rename(examined: &Examined<'_>, piece: Range<usize>, key: &str) -> Option<Vec<Edit>> {
    let document = &examined.document;
    let helpers = document.helpers().iter().filter_map(|helper| helper.key_text());
    let mut keys = document.entries().iter().map(|entry| entry.key.as_str()).chain(helpers);
    let path = key_path(key);
    if why_it_never_matches(key).is_some() || keys.any(|other| path_of(other) == path) {
        return None;
    }
    let text = serde_json::to_string(key).ok()?;
    examined.edits(&[Edit::new(piece, text)])
}

/// Two keys for one path: only one of them gets as far as the pull, or the kubelet's pull Secret.
fn same_registry(examined: &Examined<'_>, findings: &mut Vec<Finding>) {
    let document = &examined.document;
    let remedy = examined.subject.remedy;
    let mut paths: BTreeMap<String, Vec<&Key>> = BTreeMap::new();
    let last: HashMap<_, _> =
        document.effective().into_iter().map(|entry| (&entry.key, entry)).collect();
    let helpers = document.helpers().iter().filter_map(|helper| helper.key.as_ref());
    for key in document.entries().iter().map(|entry| &entry.key).chain(helpers) {
        paths.entry(key_path(key.as_str())).or_default().push(key);
    }
    for entry in document.entries() {
        let same = &paths[&*path_of(entry.key.as_str())];
        let Some(winner) = same.iter().min() else { continue };
        let place = document.key_place(entry);
        let hidden = last
            .get(&entry.key)
            .is_some_and(|last| (last.auths, last.member) != (entry.auths, entry.member));
        let message = if hidden {
            format!("'{}' is there again, and GitLab Runner takes the last one", entry.key.shown())
        } else if **winner == entry.key {
            continue;
        } else {
            format!(
                "'{}' is the same registry as '{}' on line {}, which sorts first and wins; \
                 before GitLab Runner 18.3 one of the two wins at random",
                entry.key.shown(),
                winner.shown(),
                examined.line(winner.as_str())
            )
        };
        let finding = examined.finding(Code::SameRegistry, place, message, "keep one of the two");
        let kept = last.get(winner);
        let user = kept.and_then(|kept| kept.typed_user());
        // Where both hold the same it does not matter which one goes.
        let credential = entry.credential();
        let same = credential.is_some() && kept.is_some_and(|kept| kept.credential() == credential);
        let edits = same.then(|| examined.edits(&document.without(entry))).flatten();
        findings.push(finding.mended_by(remedy.renew(winner, user.as_deref())).fixed_by(edits));
    }
}
