//! What a registry says in its own words, and what of it may be repeated.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::credential::Credential;
use crate::secret::{HIDDEN, Secret, looks_generated};

/// The most that is repeated, in characters.
const LONGEST: usize = 200;

/// A secret shorter than this would take letters out of any word.
const SHORTEST: usize = 4;

/// The errors of the distribution specification, and what token servers answer.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Complaint {
    errors: Vec<Detail>,
    details: Option<String>,
    message: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Detail {
    code: String,
    message: String,
}

impl Complaint {
    fn text(self) -> Option<String> {
        let first = self.errors.into_iter().next().map(|Detail { code, message }| {
            let code = code.to_lowercase();
            if code.is_empty() || message.is_empty() {
                code + &message
            } else {
                format!("{code}: {message}")
            }
        });
        first.or(self.details).or(self.error_description).or(self.message).or(self.error)
    }
}

/// The first line of a text that is neither a page nor broken JSON.
fn plain(body: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(body).ok()?.trim().lines().next()?;
    let text = !line.starts_with(['<', '{', '[']) && !line.contains(char::is_control);
    text.then(|| line.to_owned())
}

/// The first error of an answer, without the secrets; `None` where it says nothing
/// that a person could read.
pub(super) fn message(body: &[u8], secrets: &Secrets) -> Option<String> {
    let text = match serde_json::from_slice::<Complaint>(body) {
        Ok(complaint) => complaint.text()?,
        Err(_) => plain(body)?,
    };
    let text = without_generated(&secrets.hide(text.trim()));
    let text = text.trim();
    let mut letters = text.chars();
    let mut short: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    (!short.is_empty()).then_some(short)
}

/// The same text without words that look generated: what was sent may come back in another spelling,
/// or in part.
fn without_generated(text: &str) -> String {
    let ends = |letter: char| letter.is_whitespace() || "()[]{}<>,;'\"".contains(letter);
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(ends) {
        let bare = word.trim_end_matches(ends);
        out.push_str(if looks_generated(bare) { HIDDEN } else { bare });
        out.push_str(&word[bare.len()..]);
    }
    out
}

/// What was sent to a registry or came from its realm: it may send it back.
#[derive(Default)]
pub(super) struct Secrets(Vec<Secret>);

impl Secrets {
    pub fn of(credential: Option<&Credential>) -> Self {
        let mut secrets = Self::default();
        if let Some(credential) = credential {
            secrets.add(credential.password().expose());
            for (_, secret) in credential.members() {
                secrets.add(secret.expose());
            }
        }
        secrets
    }

    /// Remembers a secret, also as it stands in a form.
    pub fn add(&mut self, secret: &str) {
        let encoded = Zeroizing::new(utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string());
        for form in [secret, encoded.as_str()] {
            if form.len() >= SHORTEST && !self.0.iter().any(|known| known.expose() == form) {
                self.0.push(Secret::new(form.to_owned()));
            }
        }
        // A part of one secret must not be hidden before the whole.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    }

    pub fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), "<hidden>");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> Option<String> {
        message(body.as_bytes(), &Secrets::default())
    }

    #[test]
    fn errors_are_found_in_what_registries_answer() {
        for (body, expected) in [
            (
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}"#,
                Some("unauthorized: authentication required"),
            ),
            (r#"{"errors":[{"code":"DENIED"}]}"#, Some("denied")),
            (
                r#"{"details":"incorrect username or password"}"#,
                Some("incorrect username or password"),
            ),
            (
                r#"{"error":"invalid_grant","error_description":"token expired"}"#,
                Some("token expired"),
            ),
            ("access forbidden\nmore", Some("access forbidden")),
            ("<html><body>403</body></html>", None),
            ("{}", None),
            (r#"{"errors":"x"}"#, None),
            ("", None),
            ("\u{1b}[31mred", None),
            (r#"{"message":"a\u001b[31m\nb"}"#, Some("a\u{1b}[31m\nb")),
        ] {
            assert_eq!(said(body).as_deref(), expected, "{body}");
        }
        assert_eq!(said(&"x".repeat(5000)).map(|text| text.chars().count()), Some(LONGEST + 1));
    }

    #[test]
    fn what_was_sent_does_not_come_back_in_another_spelling_or_in_part() {
        for (body, expected) in [
            ("denied: 'Xk7mQz4L' is wrong", "denied: '<hidden>' is wrong"),
            ("no Y2k6WGs3bVF6NEx3OVJ0MlZiOA", "no <hidden>"),
            ("no 586b376d517a344c", "no <hidden>"),
            ("no repository group/sub-group/app2:1.25 in r.io", ""),
            ("see https://docs.docker.com/go/rate-limit/ (5 left, 2026-01-02)", ""),
        ] {
            let expected = if expected.is_empty() { body } else { expected };
            assert_eq!(said(body).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_was_sent_does_not_come_back() {
        let credential = Credential::new("ci", Secret::new("p@ss/word".into())).expect("one");
        let mut secrets = Secrets::of(Some(&credential));
        secrets.add("t0ken-of-the-realm");
        let body = format!(
            r#"{{"message":"p@ss/word {} t0ken-of-the-realm p%40ss%2Fword"}}"#,
            credential.encode().expose()
        );
        let found = message(body.as_bytes(), &secrets);
        assert_eq!(found.as_deref(), Some("<hidden> <hidden> <hidden> <hidden>"));
    }
}
