//! The auth document of an entry: whether it is read, and what is in it.

use zeroize::Zeroizing;

use super::cause::Broken;
use super::entry::shadowed;
use super::pull_policy::cached_images;
use super::subject::{Examined, Subject};
use super::{Code, Finding, credential, credential_helper, key, member, pull_secrets};
use crate::auth::document::{AuthDocument, DocumentError, Entry, Reading, StringKind};
use crate::auth::expansion::expand;
use crate::auth::runner_version::RunnerVersion;
use crate::runner::auth_entry::{Filled, VARIABLE};
use crate::toml::edit::Edit;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let raw = Zeroizing::new(subject.entry.document().to_owned());
    let filled = subject.entry.fill(subject.environment);
    if refers_to_itself(subject, &raw, findings) {
        return;
    }
    expansion_of_all(subject, &raw, &filled, findings);
    let expanded = match filled.read(RunnerVersion::LATEST) {
        Reading::Empty => {
            shadowed(subject, None, findings);
            return;
        }
        Reading::Dropped(error, None) => {
            shadowed(subject, None, findings);
            dropped(subject, &raw, &filled, &error, findings);
            return;
        }
        Reading::Dropped(_, Some(document))
        | Reading::Cancelled(_, document)
        | Reading::Read(document) => document,
    };
    let exact = filled.as_written;
    let written = (!exact).then(|| subject.entry.as_written(subject.environment, &expanded));
    let examined = match written.flatten() {
        Some(document) => Examined { subject, document, exact: true },
        None => Examined { subject, document: expanded, exact },
    };
    shadowed(subject, Some(&examined.document), findings);
    contents(&examined, findings);
    cached_images(subject, findings);
    pull_secrets::check(subject, findings);
}

/// What is in a document that can be read.
fn contents(examined: &Examined<'_>, findings: &mut Vec<Finding>) {
    let misspelled = member::check(examined, findings);
    let document = &examined.document;
    if !document.has_auths() && document.helpers().is_empty() {
        if !misspelled && !document.root_members().is_empty() {
            findings.push(missing_auths(examined));
        }
        return;
    }
    credential::check(examined, findings);
    if examined.exact {
        expansion(examined, examined.subject.entry.document(), findings);
    }
    key::check(examined, findings);
    credential_helper::check(examined, findings);
    other_members(examined, findings);
}

/// A text that is no document.
fn dropped(
    subject: &Subject<'_>,
    raw: &str,
    filled: &Filled,
    error: &DocumentError,
    findings: &mut Vec<Finding>,
) {
    let lookup = |name: &str| subject.environment.variable(name);
    if let Ok(document) = AuthDocument::parse(raw, lookup) {
        // A $ in it has swallowed a quote or a brace.
        expansion(&Examined { subject, document, exact: true }, raw, findings);
    }
    let broken = Broken::new(raw);
    findings.push(invalid(subject, error, filled.as_written, broken.as_ref()));
    // What would still be wrong without those mistakes.
    if let Some(broken) = broken.filter(|broken| broken.error.is_none())
        && let Ok(document) = AuthDocument::parse_literal(&broken.mended)
    {
        contents(&Examined { subject, document, exact: false }, findings);
    }
}

/// An entry that stands for itself: a template that nobody filled in.
fn refers_to_itself(subject: &Subject<'_>, raw: &str, findings: &mut Vec<Finding>) -> bool {
    let itself = [format!("${VARIABLE}"), format!("${{{VARIABLE}}}")];
    if !itself.contains(&raw.trim().to_owned()) {
        return false;
    }
    let finding = subject.finding(
        Code::Expansion,
        subject.environment.span(subject.entry.number),
        format!("{VARIABLE} refers to itself here, so it holds no auth document"),
        "take the entry out: a variable of the project or the job needs none; or write the auth \
         document itself",
    );
    findings.push(finding.mended_by(subject.remedy.remove_entry()));
    true
}

/// A `$` in a text that is no document as it stands.
fn expansion_of_all(
    subject: &Subject<'_>,
    raw: &str,
    filled: &Filled,
    findings: &mut Vec<Finding>,
) {
    if !filled.unset || AuthDocument::parse_literal(raw).is_ok() {
        return;
    }
    findings.push(subject.finding(
        Code::Expansion,
        subject.environment.span(subject.entry.number),
        "a $ in this entry begins the name of a variable that neither this runner nor GitLab sets: \
         it becomes nothing, unless the project or the job sets it",
        "set that variable in the same environment, or write $$ for a $",
    ));
}

fn invalid(
    subject: &Subject<'_>,
    error: &DocumentError,
    exact: bool,
    broken: Option<&Broken>,
) -> Finding {
    // The character at which the parser stopped, or the last one.
    let document = subject.entry.document();
    let character = document.char_indices().take_while(|(at, _)| *at <= error.offset).last();
    let span = match character {
        Some((at, letter)) if exact => subject.entry.place(at..at + letter.len_utf8()),
        _ => subject.environment.span(subject.entry.number),
    };
    let filled = if exact { "" } else { ", once its variables ($NAME) are filled in," };
    if document.trim() == "null" {
        let finding = subject.finding(
            Code::InvalidJson,
            span,
            "the auth document is null: GitLab Runner 12.9 and 14.7 panic at each job, newer ones \
             take it for an empty one",
            "take the entry out, or write {} in its place",
        );
        return finding.mended_by(subject.remedy.remove_entry());
    }
    let mut problems: Vec<&str> = match broken {
        Some(broken) => broken.mistakes.iter().map(|mistake| mistake.problem()).collect(),
        None => Vec::new(),
    };
    let last = broken.map_or(Some(error), |broken| broken.error.as_ref());
    problems.extend(last.map(|error| error.problem.as_str()));
    let finding = subject.finding(
        Code::InvalidJson,
        span,
        format!(
            "the auth document{filled} {}: GitLab Runner drops it, and up to 18.10 without a word",
            problems.join("; apart from that, it ")
        ),
        "correct it, or remove the entry and store the credentials again with runner-auth set",
    );
    let mended = broken.filter(|broken| broken.error.is_none());
    let edits = mended.and_then(|broken| subject.rewrite(&broken.mended));
    finding.mended_by(subject.remedy.remove_entry()).fixed_by(edits)
}

fn missing_auths(examined: &Examined<'_>) -> Finding {
    let document = &examined.document;
    let unwrapped: Vec<_> = document.unwrapped_credentials().collect();
    let credential = unwrapped.first();
    let piece = credential.map_or(0..1, |found| found.place.clone());
    let finding = examined.finding(
        Code::MissingAuths,
        piece,
        "the auth document has no \"auths\", so GitLab Runner finds no credential in it",
        "put {\"auths\": …} around the credentials, or store them again",
    );
    let remedy = examined.subject.remedy;
    let anew = credential
        .and_then(|found| remedy.replace(&found.entry.key, found.entry.typed_user().as_deref()));
    let all = !unwrapped.is_empty() && unwrapped.len() == document.root_members().len();
    let span = document.root_span();
    let around = [Edit::insert(span.start, "{\"auths\": "), Edit::insert(span.end, "}")];
    let edits = if all { examined.edits(&around) } else { None };
    finding.mended_by(anew).mended_by(remedy.remove_entry()).fixed_by(edits)
}

fn expansion(examined: &Examined<'_>, raw: &str, findings: &mut Vec<Finding>) {
    let remedy = examined.subject.remedy;
    if !raw.contains('$') {
        return;
    }
    for string in examined.document.strings() {
        let piece = &raw[string.span.clone()];
        let unknown = expand(piece, |name| examined.subject.environment.variable(name)).unknown;
        if unknown.is_empty() {
            continue;
        }
        // They stand in the order of the text.
        let entries = examined.document.entries();
        let before = |entry: &Entry| examined.document.key_place(entry).start <= string.span.start;
        let entry = entries[..entries.partition_point(before)].last().filter(|entry| {
            entry.object.as_ref().is_some_and(|object| {
                object.span.start <= string.span.start && string.span.end <= object.span.end
            })
        });
        let what = match (entry, string.kind) {
            (_, StringKind::Name) => "this name".to_owned(),
            (_, StringKind::Helper) => "this helper's name".to_owned(),
            (Some(entry), _) => format!("a value of {}", credential::called(&entry.key)),
            (None, _) => "this value".to_owned(),
        };
        let finding = examined.finding(
            Code::Expansion,
            string.span,
            format!(
                "a $ in {what} begins the name of a variable that neither this runner nor GitLab \
                 sets: it becomes nothing, unless the project or the job sets it"
            ),
            if string.kind == StringKind::Name {
                "write the name itself: this looks like a template that nobody filled in"
            } else {
                "store the credential as auth, whose base64 holds no $, or write $$ for a $"
            },
        );
        let command = entry.and_then(|entry| remedy.set(&entry.key, entry.typed_user().as_deref()));
        findings.push(finding.mended_by(command));
    }
}

/// Members that the Docker client inside a job refuses.
fn other_members(examined: &Examined<'_>, findings: &mut Vec<Finding>) {
    let Some(piece) = examined.document.first_other_member() else {
        return;
    };
    findings.push(examined.finding(
        Code::OtherMembers,
        piece,
        "the Docker client inside a job reads this variable too from 28.3 on, and refuses all but \
         {\"auths\": {HOST: {\"auth\": …}}}",
        "leave out this member, if jobs call docker pull or docker build themselves",
    ));
}
