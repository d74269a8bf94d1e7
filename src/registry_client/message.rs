//! What of a registry's words may be repeated.
//!
//! A registry has been told the credential, and can say it back in any spelling: no search finds them
//! all. So nothing is repeated but codes and sentences that are known, letter by letter as they stand
//! in [`sentences`](super::sentences), and the names of what was asked for. The rest is for
//! a person who wants to see secrets.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::reference::ImageReference;
use super::sentences::{code, sentence};
use crate::secret::{HIDDEN, Secret};

/// The most that is kept of what may not be repeated, in characters.
const LONGEST: usize = 200;

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
    /// The first error, as a code and a text of which one may be empty.
    fn first(self) -> Detail {
        if let Some(first) = self.errors.into_iter().next() {
            return first;
        }
        let text = self.details.or(self.error_description).or(self.message);
        match (text, self.error) {
            (Some(message), _) => Detail { code: String::new(), message },
            (None, error) => Detail { code: String::new(), message: error.unwrap_or_default() },
        }
    }
}

/// What a registry says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// What of it may be repeated.
    pub shown: Option<String>,
    /// All of it, where that is more.
    pub words: Option<Secret>,
}

impl Said {
    /// The first error of an answer to a question about a repository or an image.
    pub fn in_answer(body: &[u8], asked: &Asked) -> Self {
        let found = match serde_json::from_slice::<Complaint>(body) {
            Ok(complaint) => Some(complaint.first()),
            Err(_) => plain(body).map(|message| Detail { code: String::new(), message }),
        };
        found.map_or_else(Self::default, |found| Self::of(&found, asked))
    }

    fn of(found: &Detail, asked: &Asked) -> Self {
        let parts = [found.code.trim(), found.message.trim()];
        let [said_code, said] = parts;
        let names: Vec<_> = asked.0.iter().map(String::as_str).collect();
        let mut whole = true;
        let mut shown = Vec::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            // Some say a code in the place of a sentence.
            let known = match sentence(part, &names).filter(|_| part == said) {
                None => code(part).map(|code| (code.to_owned(), true)),
                sentence => sentence,
            };
            let (text, all) = known.unwrap_or_else(|| (HIDDEN.to_owned(), false));
            whole &= all;
            shown.push(text);
        }
        shown.dedup();
        let words = (!whole).then(|| {
            let both = said_code.is_empty() || said.is_empty();
            let between = if both { "" } else { ": " };
            shortened(&Zeroizing::new([said_code, between, said].concat()))
        });
        Self { shown: (!shown.is_empty()).then(|| shown.join(": ")), words }
    }
}

fn shortened(text: &str) -> Secret {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Secret::concat(&[&text[..end], "…"]),
        None => Secret::from(text),
    }
}

/// The first line of a text that is neither a page nor broken JSON.
fn plain(body: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(body).ok()?.trim().lines().next()?;
    let text = !line.starts_with(['<', '{', '[']) && !line.contains(char::is_control);
    text.then(|| line.to_owned())
}

/// The names that a registry may say back: those of what it was asked for.
#[derive(Default)]
pub(super) struct Asked(Vec<String>);

impl Asked {
    pub fn image(image: &ImageReference) -> Self {
        let (repository, version) = (image.repository(), image.version());
        let separator = if version.contains(':') { '@' } else { ':' };
        let mut names = vec![format!("{repository}{separator}{version}")];
        names.extend(repository.split_once('/').map(|(project, _)| project.to_owned()));
        names.extend([repository.to_owned(), version.to_owned()]);
        Self(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> (Option<String>, Option<String>) {
        let image = ImageReference::parse("r.io/library/app:1.2").expect("an image");
        let Said { shown, words } = Said::in_answer(body.as_bytes(), &Asked::image(&image));
        (shown, words.map(|words| words.expose().to_owned()))
    }

    #[test]
    fn known_errors_are_repeated() {
        for (body, expected) in [
            (
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}"#,
                Some("unauthorized: authentication required"),
            ),
            (r#"{"errors":[{"code":"DENIED"}]}"#, Some("denied")),
            (r#"{"errors":[{"code":"DENIED","message":"denied"}]}"#, Some("denied")),
            (
                r#"{"details":"incorrect username or password"}"#,
                Some("incorrect username or password"),
            ),
            (
                r#"{"error":"invalid_grant","error_description":"token expired"}"#,
                Some("token expired"),
            ),
            (r#"{"error":"invalid_grant"}"#, Some("invalid_grant")),
            (
                r#"{"errors":[{"code":"NOT_FOUND","message":"project library not found"}]}"#,
                Some("not_found: project library not found"),
            ),
            ("access forbidden\nmore", Some("access forbidden")),
            ("<html><body>403</body></html>", None),
            ("{}", None),
            (r#"{"errors":"x"}"#, None),
            ("", None),
            ("\u{1b}[31mred", None),
        ] {
            assert_eq!(said(body), (expected.map(str::to_owned), None), "{body}");
        }
    }

    #[test]
    fn what_else_a_registry_says_is_kept_for_who_wants_to_see_it() {
        for (body, shown, words) in [
            ("Bearer t0ken", "<hidden>", "Bearer t0ken"),
            (
                r#"{"errors":[{"code":"DENIED","message":"no s3cret"}]}"#,
                "denied: <hidden>",
                "DENIED: no s3cret",
            ),
            (
                r#"{"errors":[{"code":"s3cret","message":"denied"}]}"#,
                "<hidden>: denied",
                "s3cret: denied",
            ),
            (r#"{"errors":[{"code":"s3cret"}]}"#, "<hidden>", "s3cret"),
            (r#"{"message":"a\u001b[31m\nb"}"#, "<hidden>", "a\u{1b}[31m\nb"),
        ] {
            assert_eq!(said(body), (Some(shown.to_owned()), Some(words.to_owned())), "{body}");
        }
        let long = said(&"x".repeat(5000)).1.map(|words| words.chars().count());
        assert_eq!(long, Some(LONGEST + 1));
    }
}
