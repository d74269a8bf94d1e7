//! The auth document of an entry: whether it is read, and what is in it.

use std::ops::Range;

use zeroize::Zeroizing;

use super::remedy::{Remedies, Remedy};
use super::{Circumstances, Code, Finding, credential_helper, key};
use crate::auth::document::{
    AuthDocument, DocumentError, Entry, Field, Reading, Stored, StringKind,
};
use crate::auth::expansion::expand;
use crate::auth::registry::shown;
use crate::auth::runner_version::RunnerVersion;
use crate::runner::Config;
use crate::runner::auth_entry::{AuthEntries, AuthEntry};
use crate::runner::environment::Environment;
use crate::runner::pull_policy::{self, PullPolicy, names};
use crate::runner::table::keys_of;
use crate::toml::letter_case::same_key;
use crate::toml::syntax::NodeId;

/// The auth entry of a runner that counts.
pub(super) struct Subject<'e> {
    pub config: &'e Config<'e>,
    pub number: usize,
    environment: &'e Environment<'e, 'e>,
    entries: Vec<AuthEntry>,
    entry: AuthEntry,
    pub circumstances: &'e Circumstances<'e>,
    pub remedy: Remedy<'e>,
}

impl<'e> Subject<'e> {
    pub fn of(
        config: &'e Config<'e>,
        number: usize,
        environment: &'e Environment<'e, 'e>,
        circumstances: &'e Circumstances<'e>,
        remedies: &'e Remedies<'e>,
    ) -> Option<Self> {
        let AuthEntries { counts: entry, hidden: entries } = environment.auth()?;
        let remedy = remedies.of(number);
        Some(Self { config, number, environment, entries, entry, circumstances, remedy })
    }

    fn finding(
        &self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding::new(self.config.text(), code, span, message, advice).of_runner(self.number)
    }
}

/// A document with the way back to the file.
pub(super) struct Examined<'d> {
    pub subject: &'d Subject<'d>,
    pub document: AuthDocument<'d>,
    /// Whether the document stands in the file as it is; else it comes out of other variables, and
    /// only the entry can be pointed at.
    exact: bool,
}

impl Examined<'_> {
    pub fn span(&self, piece: Range<usize>) -> Range<usize> {
        if self.exact {
            self.subject.entry.place(piece)
        } else {
            self.subject.environment.span(self.subject.entry.number)
        }
    }

    pub fn finding(
        &self,
        code: Code,
        piece: Range<usize>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        self.subject.finding(code, self.span(piece), message, advice)
    }

    /// The line of a key.
    pub fn line(&self, key: &str) -> usize {
        let piece = self.document.place_of(key).unwrap_or(0..0);
        self.subject.config.text().place(self.span(piece).start).line
    }
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let raw = Zeroizing::new(subject.entry.document().to_owned());
    let filled = subject.entry.fill(subject.environment);
    expansion_of_all(subject, &raw, findings);
    let expanded = match filled.read(RunnerVersion::LATEST) {
        Reading::Empty => {
            shadowed(subject, None, findings);
            return;
        }
        Reading::Dropped(error, None) => {
            shadowed(subject, None, findings);
            let lookup = |name: &str| subject.environment.variable(name);
            if let Ok(document) = AuthDocument::parse(&raw, lookup) {
                // A $ in it has swallowed a quote or a brace.
                expansion(&Examined { subject, document, exact: true }, &raw, findings);
            }
            findings.push(invalid(subject, &error, filled.as_written));
            return;
        }
        Reading::Dropped(_, Some(document))
        | Reading::Cancelled(_, document)
        | Reading::Read(document) => document,
    };
    let examined = match subject.entry.as_written(subject.environment, &expanded) {
        Some(document) => Examined { subject, document, exact: true },
        None => Examined { subject, document: expanded, exact: false },
    };
    shadowed(subject, Some(&examined.document), findings);
    if !examined.document.has_auths() && examined.document.helpers().is_empty() {
        findings.push(missing_auths(&examined));
        return;
    }
    undecodable(&examined, findings);
    expansion(&examined, &raw, findings);
    for entry in examined.document.effective() {
        credential(&examined, entry, findings);
    }
    key::check(&examined, findings);
    credential_helper::check(&examined, findings);
    other_members(&examined, findings);
    cached_images(&examined, findings);
}

/// A `$` in a text that is no document as it stands.
fn expansion_of_all(subject: &Subject<'_>, raw: &str, findings: &mut Vec<Finding>) {
    let document = AuthDocument::parse_literal(raw).is_ok();
    let unknown = expand(raw, |name| subject.environment.variable(name)).unknown;
    if document || unknown.is_empty() {
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

fn invalid(subject: &Subject<'_>, error: &DocumentError, exact: bool) -> Finding {
    // The character at which the parser stopped, or the last one.
    let document = subject.entry.document();
    let character = document.char_indices().take_while(|(at, _)| *at <= error.offset).last();
    let span = match character {
        Some((at, letter)) if exact => subject.entry.place(at..at + letter.len_utf8()),
        _ => subject.environment.span(subject.entry.number),
    };
    let filled = if exact { "" } else { ", once its variables ($NAME) are filled in," };
    let finding = subject.finding(
        Code::InvalidJson,
        span,
        format!(
            "the auth document{filled} {}: GitLab Runner drops it, and up to 18.10 without a word",
            error.problem
        ),
        "mend it, or take the entry out and store the credentials anew with runner-auth set",
    );
    finding.mended_by(subject.remedy.remove_entry())
}

fn missing_auths(examined: &Examined<'_>) -> Finding {
    let document = &examined.document;
    let credential = document.unwrapped_credentials().next();
    let piece = credential.as_ref().map_or(0..1, |found| found.key.clone());
    let finding = examined.finding(
        Code::MissingAuths,
        piece,
        "the auth document has no \"auths\", so GitLab Runner finds no credential in it",
        "put {\"auths\": …} around the credentials, or store them anew",
    );
    let remedy = examined.subject.remedy;
    let anew = credential.and_then(|found| {
        let user = found.credential.as_ref().map(|credential| credential.username().to_owned());
        remedy.replace(&found.name, user.as_deref())
    });
    finding.mended_by(anew).mended_by(remedy.remove_entry())
}

/// Entries that the last one hides, whatever is in it. Where that can be read, storing one of its
/// credentials anew leaves one entry.
fn shadowed(
    subject: &Subject<'_>,
    document: Option<&AuthDocument<'_>>,
    findings: &mut Vec<Finding>,
) {
    if subject.entries.is_empty() {
        return;
    }
    let text = subject.config.text();
    let last = subject.environment.span(subject.entry.number);
    let effective = document.map(AuthDocument::effective).unwrap_or_default();
    let mended = effective.into_iter().find_map(|entry| {
        let user = entry.username()?;
        subject.remedy.set(&entry.key, Some(&user))
    });
    for entry in &subject.entries {
        let finding = subject.finding(
            Code::ShadowedEntry,
            subject.environment.span(entry.number),
            format!(
                "GitLab Runner takes the last auth entry, the one on line {}, and not this one",
                text.place(last.start).line
            ),
            "take out the one that is not meant; runner-auth set leaves one",
        );
        findings.push(finding.mended_by(mended.clone()));
    }
}

fn undecodable(examined: &Examined<'_>, findings: &mut Vec<Finding>) {
    let remedy = examined.subject.remedy;
    let broken: Vec<&Entry> = examined
        .document
        .effective()
        .into_iter()
        .filter(|entry| entry.stored() == Stored::Undecodable)
        .collect();
    let keys: Vec<&str> = broken.iter().map(|entry| entry.key.as_str()).collect();
    for entry in &broken {
        let finding = examined.finding(
            Code::UndecodableAuth,
            field_piece(examined, entry, entry.auth.as_ref()),
            format!(
                "the auth of {} is not padded base64 of user:password, and GitLab Runner drops the \
                 whole document for it",
                shown(&entry.key)
            ),
            "store that credential anew, or take it out",
        );
        let anew = (broken.len() == 1).then(|| remedy.set(&entry.key, None)).flatten();
        findings.push(finding.mended_by(anew).mended_by(remedy.remove(&keys)));
    }
}

/// Where a member of a credential stands.
fn field_piece(examined: &Examined<'_>, entry: &Entry, field: Option<&Field>) -> Range<usize> {
    let member = entry
        .object
        .as_ref()
        .zip(field)
        .and_then(|(object, field)| object.members.get(field.member));
    member.map_or_else(|| examined.document.key_place(entry), |member| member.value.clone())
}

fn expansion(examined: &Examined<'_>, raw: &str, findings: &mut Vec<Finding>) {
    if !examined.exact {
        return;
    }
    let remedy = examined.subject.remedy;
    for string in examined.document.strings() {
        let piece = &raw[string.span.clone()];
        let unknown = expand(piece, |name| examined.subject.environment.variable(name)).unknown;
        if unknown.is_empty() {
            continue;
        }
        let entry = examined.document.entries().iter().find(|entry| {
            entry.object.as_ref().is_some_and(|object| {
                object.span.start <= string.span.start && string.span.end <= object.span.end
            })
        });
        let what = match (entry, string.kind) {
            (_, StringKind::Name) => "this name".to_owned(),
            (_, StringKind::Helper) => "this helper's name".to_owned(),
            (Some(entry), _) => format!("a value of {}", shown(&entry.key)),
            (None, _) => "this value".to_owned(),
        };
        let finding = examined.finding(
            Code::Expansion,
            string.span,
            format!(
                "a $ in {what} begins the name of a variable that neither this runner nor GitLab \
                 sets: it becomes nothing, unless the project or the job sets it"
            ),
            "store the credential as auth, whose base64 holds no $, or write $$ for a $",
        );
        let command = entry.and_then(|entry| {
            let user = entry.username.as_ref().filter(|user| !user.unknown);
            remedy.set(&entry.key, user.map(|user| user.value.as_str()))
        });
        findings.push(finding.mended_by(command));
    }
}

/// What a credential holds.
fn credential(examined: &Examined<'_>, entry: &Entry, findings: &mut Vec<Finding>) {
    let remedy = examined.subject.remedy;
    let filled = |field: &Option<Field>| field.as_ref().is_some_and(|f| !f.value.is_empty());
    let stored = entry.stored();
    if let Stored::Credential(credential) = &stored
        && credential.password().expose().contains(['\n', '\r'])
    {
        let field = entry.auth.as_ref().filter(|auth| !auth.value.is_empty());
        let finding = examined.finding(
            Code::NewlineInPassword,
            field_piece(examined, entry, field.or(entry.password.as_ref())),
            format!(
                "the password of {} holds a line end, as echo without -n makes it: the registry \
                 refuses it",
                shown(&entry.key)
            ),
            "store the credential anew",
        );
        let command = remedy.set(&entry.key, Some(credential.username()));
        findings.push(finding.mended_by(command));
    }
    let token = filled(&entry.identity_token) || filled(&entry.registry_token);
    if !filled(&entry.auth) && (filled(&entry.username) || filled(&entry.password)) {
        let field = entry.username.as_ref().or(entry.password.as_ref());
        let finding = examined.finding(
            Code::PlainFields,
            field_piece(examined, entry, field),
            format!(
                "{} has username and password in place of auth: GitLab Runner up to 13.8 ignores \
                 them, and a $ in them is taken for a variable",
                shown(&entry.key)
            ),
            "store the credential as auth, as runner-auth set does",
        );
        let user = entry.username.as_ref().filter(|user| !user.unknown);
        let command = remedy.set(&entry.key, user.map(|user| user.value.as_str()));
        findings.push(finding.mended_by(command));
    }
    if stored == Stored::Empty && !token {
        let finding = examined.finding(
            Code::EmptyCredential,
            examined.document.key_place(entry),
            format!(
                "{} has no auth: GitLab Runner asks the registry with an empty credential, and no \
                 other source for it",
                shown(&entry.key)
            ),
            "store a credential, or take it out",
        );
        let commands = [remedy.set(&entry.key, None), remedy.remove(&[&entry.key])];
        findings.push(finding.mended_by(commands.into_iter().flatten()));
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

/// A runner that keeps images which were pulled with a credential.
fn cached_images(examined: &Examined<'_>, findings: &mut Vec<Finding>) {
    let subject = examined.subject;
    let config = subject.config;
    let syntax = config.syntax();
    let runner = &config.runners()[subject.number];
    let Some(table) = runner.executor().table() else {
        return;
    };
    for key in keys_of(config, runner, table) {
        let Some(value) = key.value.filter(|_| same_key(&key.key, pull_policy::KEY)) else {
            continue;
        };
        let values = pull_policy::values(syntax, value);
        let is_cached = |value: &&NodeId| names(syntax, **value, PullPolicy::IfNotPresent);
        if let Some(&cached) = values.iter().find(is_cached) {
            findings.push(subject.finding(
                Code::CachedPrivateImages,
                syntax.node(cached).span(),
                "with if-not-present any job on this runner can use a private image that another \
                 job pulled, without a credential of its own",
                "use pull_policy = \"always\" where projects must not see each other's images",
            ));
        }
    }
}

/// Says once a file who can read the credentials.
pub(super) fn visible_to_jobs(config: &Config<'_>, findings: &mut Vec<Finding>) {
    for runner in config.runners() {
        let Ok(Some(environment)) = Environment::of(config, runner) else { continue };
        let Some(entries) = environment.auth() else { continue };
        let entries = entries.hidden.iter().chain([&entries.counts]);
        let mut stored = entries.filter(|entry| !entry.document().trim().is_empty());
        let Some(entry) = stored.next() else { continue };
        findings.push(Finding::new(
            config.text(),
            Code::VisibleToJobs,
            environment.span(entry.number),
            "every job on a runner can print its auth entry, and the job log does not mask it",
            "use accounts that can only pull",
        ));
        return;
    }
}
