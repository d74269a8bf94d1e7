//! The credential helpers that a document names.

use super::document::Examined;
use super::{Code, Finding};
use crate::auth::document::Helper;
use crate::auth::registry::shown;

pub(super) fn check(examined: &Examined<'_>, findings: &mut Vec<Finding>) {
    let document = &examined.document;
    let remedy = examined.subject.remedy;
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
            findings.push(finding.mended_by(command));
            continue;
        }
        if !(examined.subject.circumstances.has_helper)(name) {
            findings.push(examined.finding(
                Code::HelperNotFound,
                place.clone(),
                format!(
                    "docker-credential-{name} is not in this PATH: when the runner doesn't find it \
                     in its own either, it drops the whole document"
                ),
                "install it where the runner finds it",
            ));
        }
        overrides(examined, helper, findings);
    }
}

/// Keys of `auths` that a helper answers for.
fn overrides(examined: &Examined<'_>, helper: &Helper, findings: &mut Vec<Finding>) {
    let document = &examined.document;
    let name = &helper.name;
    let mut entries = document.effective().into_iter();
    let (piece, message, command) = match &helper.key {
        Some(key) => {
            let Some(entry) = entries.find(|entry| entry.key == *key) else { return };
            (
                document.key_place(entry),
                format!(
                    "docker-credential-{name} answers for {} in place of this credential",
                    shown(key)
                ),
                examined.subject.remedy.renew(key, entry.username().as_deref()),
            )
        }
        None if entries.next().is_some() => (
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
