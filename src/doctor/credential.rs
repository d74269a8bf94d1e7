//! What a credential of the document holds.

use std::ops::Range;

use super::placeholder::{is_placeholder, is_unfilled};
use super::subject::Examined;
use super::{Code, Finding, expiry};
use crate::auth::credential::{Credential, without_stray_line_end};
use crate::auth::document::{Entry, Field, Stored};
use crate::auth::key::Key;
use crate::auth::registry::{Registry, key_path};
use crate::secret::Secret;
use crate::toml::edit::Edit;

pub(super) fn check(examined: &Examined<'_>, findings: &mut Vec<Finding>) {
    let credentials: Vec<_> = examined
        .document
        .effective()
        .into_iter()
        .map(|entry| Checked { examined, entry, stored: entry.stored() })
        .collect();
    undecodable(examined, &credentials, findings);
    for checked in &credentials {
        checked.placeholder(findings);
        checked.line_end(findings);
        checked.plain_fields(findings);
        checked.empty(findings);
        checked.expired(findings);
    }
}

/// How a finding calls a credential.
pub(super) fn called(key: &Key) -> String {
    if key.as_str().trim().is_empty() {
        "a key without a name".to_owned()
    } else {
        key.shown().into_owned()
    }
}

fn undecodable(
    examined: &Examined<'_>,
    credentials: &[Checked<'_, '_>],
    findings: &mut Vec<Finding>,
) {
    let remedy = examined.subject.remedy;
    let broken: Vec<&Entry> = credentials
        .iter()
        .filter(|checked| *checked.stored == Stored::Undecodable)
        .map(|checked| checked.entry)
        .collect();
    let keys: Vec<&Key> = broken.iter().map(|entry| &entry.key).collect();
    for entry in &broken {
        let auth = entry.auth.as_ref();
        if auth.is_some_and(|auth| is_placeholder(auth.value.expose())) {
            continue;
        }
        let finding = examined.finding(
            Code::UndecodableAuth,
            field_piece(examined, entry, auth),
            format!(
                "the auth of {} is not padded base64 of user:password, and GitLab Runner drops the \
                 whole document for it",
                called(&entry.key)
            ),
            "store that credential again, or remove it",
        );
        let anew = (broken.len() == 1).then(|| remedy.set(&entry.key, None)).flatten();
        let repaired = auth.and_then(|auth| {
            let credential = repaired(auth.value.expose())?;
            value_edit(examined, entry, auth, &credential.encode())
        });
        let finding = finding.mended_by(anew).mended_by(remedy.remove(&keys));
        findings.push(finding.fixed_by(repaired));
    }
}

/// The credential that a broken `auth` was meant to be, where there is no doubt.
fn repaired(auth: &str) -> Option<Credential> {
    let clean = |credential: &Credential| {
        let texts = [credential.username(), credential.password().expose()];
        texts.iter().all(|text| !text.is_empty() && !text.contains('\u{fffd}'))
            && !credential.username().contains(char::is_control)
    };
    // A prompt's sign may be copied along, the padding lost.
    let letters: String = auth
        .trim_end_matches(['#', '%', '\\', ' '])
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| match letter {
            '-' => '+',
            '_' => '/',
            letter => letter,
        })
        .collect();
    let bare = letters.trim_end_matches('=');
    let padded = Secret::new(format!("{bare}{}", "=".repeat((4 - bare.len() % 4) % 4)));
    let decoded = Credential::decode(padded.expose()).filter(clean);
    decoded.or_else(|| {
        // Not encoded at all.
        let (user, password) = auth.split_once(':')?;
        Credential::new(user, Secret::new(password.to_owned())).ok().filter(clean)
    })
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

/// Another value for a member of a credential; `None` where variables bring the old one in.
fn value_edit(
    examined: &Examined<'_>,
    entry: &Entry,
    field: &Field,
    value: &Secret,
) -> Option<Vec<Edit>> {
    let piece = field_piece(examined, entry, Some(field));
    let written = examined.subject.entry.document().get(piece.clone())?;
    if !examined.exact || written.contains('$') {
        return None;
    }
    let text = serde_json::to_string(value.expose()).ok()?;
    examined.edits(&[Edit::new(piece, text)])
}

/// One credential under examination.
struct Checked<'c, 'd> {
    examined: &'c Examined<'d>,
    entry: &'c Entry,
    stored: &'c Stored,
}

impl Checked<'_, '_> {
    fn credential(&self) -> Option<&Credential> {
        match self.stored {
            Stored::Credential(credential) => Some(credential),
            _ => None,
        }
    }

    /// The member that holds the credential: a filled `auth`, else the password.
    fn field(&self) -> Option<&Field> {
        let auth = self.entry.auth.as_ref().filter(|auth| !auth.value.expose().is_empty());
        auth.or(self.entry.password.as_ref()).or(self.entry.username.as_ref())
    }

    fn has_token(&self) -> bool {
        filled(self.entry.identity_token.as_ref()) || filled(self.entry.registry_token.as_ref())
    }

    fn finding(&self, code: Code, field: Option<&Field>, message: &str, advice: &str) -> Finding {
        let piece = field_piece(self.examined, self.entry, field);
        let message = message.replace("{}", &called(&self.entry.key));
        self.examined.finding(code, piece, message, advice)
    }

    fn placeholder(&self, findings: &mut Vec<Finding>) {
        let remedy = self.examined.subject.remedy;
        let key = &self.entry.key;
        let auth = self.entry.auth.as_ref().is_some_and(|auth| is_placeholder(auth.value.expose()));
        if is_placeholder(key.as_str()) {
            findings.push(self.finding(
                Code::Placeholder,
                None,
                "nobody has filled in the registry here: this key is a template's",
                "write the registry's name, HOST[:PORT], in its place",
            ));
            return;
        }
        let (code, message) = if auth {
            (
                Code::Placeholder,
                "nobody has filled in the auth of {}, and GitLab Runner drops the whole document for \
                 it",
            )
        } else if self.credential().is_some_and(is_unfilled) {
            (
                Code::LikelyPlaceholder,
                "the user or the password of {} looks like a template's that nobody has filled in",
            )
        } else {
            return;
        };
        let finding = self.finding(code, self.field(), message, "store the credential");
        findings.push(finding.mended_by(remedy.set(key, None)));
    }

    fn line_end(&self, findings: &mut Vec<Finding>) {
        let Some(credential) = self.credential() else { return };
        let Some(password) = without_stray_line_end(credential.password().expose()) else { return };
        let finding = self.finding(
            Code::NewlineInPassword,
            self.field(),
            "the password of {} ends with a line end, as echo without -n makes it: the registry \
             refuses it",
            "store the credential again",
        );
        let user = credential.username();
        let right = Credential::new(user, Secret::new(password.to_owned())).ok();
        let edits = right
            .zip(self.entry.auth.as_ref())
            .and_then(|(right, auth)| value_edit(self.examined, self.entry, auth, &right.encode()));
        let command =
            self.examined.subject.remedy.set(&self.entry.key, self.entry.typed_user().as_deref());
        findings.push(finding.mended_by(command).fixed_by(edits));
    }

    fn plain_fields(&self, findings: &mut Vec<Finding>) {
        let Entry { key, auth, username, password, .. } = self.entry;
        if filled(auth.as_ref()) || !(filled(username.as_ref()) || filled(password.as_ref())) {
            return;
        }
        let finding = self.finding(
            Code::PlainFields,
            username.as_ref().or(password.as_ref()),
            "{} has username and password in place of auth: GitLab Runner up to 13.8 ignores them, \
             and a $ in them is taken for a variable",
            "store the credential as auth, as runner-auth set does",
        );
        let command = self.examined.subject.remedy.set(key, self.entry.typed_user().as_deref());
        findings.push(finding.mended_by(command).fixed_by(self.as_auth()));
    }

    /// The same credential as `auth`.
    fn as_auth(&self) -> Option<Vec<Edit>> {
        let credential = self.credential()?;
        let document = self.examined.subject.entry.document();
        let object = document.get(self.entry.object.as_ref()?.span.clone())?;
        if !self.examined.exact || object.contains('$') || self.has_token() {
            return None;
        }
        let password = Secret::new(credential.password().expose().to_owned());
        let right = Credential::new(credential.username(), password).ok()?;
        let registry = Registry::parse(self.entry.key.as_str()).ok()?;
        let (edits, _) = self.examined.document.set(&[(registry, right)]);
        self.examined.edits(&edits)
    }

    fn empty(&self, findings: &mut Vec<Finding>) {
        let remedy = self.examined.subject.remedy;
        let key = &self.entry.key;
        if self.has_token() {
            return;
        }
        // A store answers for what docker login leaves empty.
        let store = self.examined.document.is_helped(key.as_str());
        if *self.stored == Stored::Empty && !store {
            let finding = self.finding(
                Code::EmptyCredential,
                None,
                "{} has no auth: GitLab Runner asks the registry with an empty credential, and no \
                 other source for it",
                "store a credential, or take it out",
            );
            let commands = [remedy.set(key, None), remedy.remove(&[key])];
            findings.push(finding.mended_by(commands.into_iter().flatten()));
        }
        let Some(credential) = self.credential() else { return };
        if credential.password().expose().is_empty() {
            let finding = self.finding(
                Code::EmptyPassword,
                self.field(),
                "the password of {} is empty: the registry will refuse it",
                "store the credential with its password",
            );
            let user = self.entry.typed_user().filter(|user| !user.is_empty());
            findings.push(finding.mended_by(remedy.set(key, user.as_deref())));
        }
    }

    fn expired(&self, findings: &mut Vec<Finding>) {
        let Some(credential) = self.credential() else { return };
        let path = key_path(self.entry.key.as_str());
        let ecr = expiry::is_ecr(path.split('/').next().unwrap_or_default());
        let end = expiry::end(credential.password().expose());
        let now = self.examined.subject.circumstances.now;
        let message = match end.map(|end| end.duration_since(now)) {
            Some(Err(_)) => "the password of {} has ended: the registry refuses it".to_owned(),
            Some(Ok(left)) if left <= expiry::SOON => {
                format!("the password of {{}} ends within {}", hours(left.as_secs()))
            }
            None if ecr && credential.username() == "AWS" => {
                "the password of {} is one of ECR's, which serve for twelve hours".to_owned()
            }
            _ => return,
        };
        let advice = if ecr {
            "let the helper ecr-login ask for one at each job (runner-auth set --credential-helper \
             ecr-login --delegate), or store a new one by a timer"
        } else {
            "store one that lasts, or store a new one by a timer"
        };
        findings.push(self.finding(Code::ExpiredCredential, self.field(), &message, advice));
    }
}

fn hours(seconds: u64) -> String {
    match seconds.div_ceil(60 * 60) {
        0 | 1 => "an hour".to_owned(),
        hours => format!("{hours} hours"),
    }
}

fn filled(field: Option<&Field>) -> bool {
    field.is_some_and(|field| !field.value.expose().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auth_is_repaired_where_there_is_no_doubt() {
        let found = |auth| {
            let found = repaired(auth)?;
            Some((found.username().to_owned(), found.password().expose().to_owned()))
        };
        for (auth, user, password) in [
            ("Y2k6dG9rZW4tMTIzNA", "ci", "token-1234"),
            ("Y2k6dG9rZW4tMTIzNA==#", "ci", "token-1234"),
            ("Y2k6dG9rZW4tMTIz NA==%", "ci", "token-1234"),
            ("dTo_Pz8_", "u", "????"),
            ("ci:token-1234", "ci", "token-1234"),
        ] {
            assert_eq!(found(auth), Some((user.to_owned(), password.to_owned())), "{auth}");
        }
        for auth in ["", "nonsense", "dTo=", "dXA=", "dTpw/w==", ":x", "ci:"] {
            assert_eq!(found(auth), None, "{auth}");
        }
    }
}
