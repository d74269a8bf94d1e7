//! Text that must not be shown, and what looks as if it must not.
//!
//! This room knows no config and no registry: only texts, and the names that people give them.

mod look;
mod token;

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use zeroize::Zeroizing;

pub(crate) use look::{
    SHORTEST, is_word, is_wordy, looks_generated, looks_like_secret, may_be_secret, names_a_secret,
};
pub(crate) use token::{is_random, tokens_in};

/// What stands for a secret where no number tells it from others.
pub(crate) const HIDDEN: &str = "<hidden>";

/// A password, a token or anything else that must not reach a terminal, a log or a crash report.
///
/// There is no `Display`, `Debug` prints a fixed word, and the memory is wiped on drop.
///
/// ```
/// use runner_auth::Secret;
///
/// let secret = Secret::new("Harbor12345".to_owned());
/// assert_eq!(format!("{secret:?}"), "Secret(hidden)");
/// assert_eq!(secret.expose(), "Harbor12345");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over `text`; the caller keeps no copy.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Every call is a place where a secret can leak: keep them few.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text, which still wipes itself.
    pub(crate) fn into_inner(self) -> Zeroizing<String> {
        self.0
    }

    /// The text in some bytes, without a copy of them; what is no UTF-8 comes back.
    pub(crate) fn from_utf8(mut bytes: Zeroizing<Vec<u8>>) -> Result<Self, Zeroizing<Vec<u8>>> {
        let text = String::from_utf8(std::mem::take(&mut *bytes));
        text.map(Self::new).map_err(|error| Zeroizing::new(error.into_bytes()))
    }

    /// Texts one after the other, in memory of the right size from the start: a text that grows
    /// leaves copies behind that nobody wipes.
    pub(crate) fn concat(parts: &[&str]) -> Self {
        Self::new(parts.concat())
    }

    /// Secrets with a text between each two of them, made in the same way.
    pub(crate) fn join(parts: &[Self], between: &str) -> Self {
        let parts: Vec<_> = parts.iter().map(Self::expose).collect();
        Self::new(parts.join(between))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// A text with something else in place of the secrets that stand at some places, which are in its order. Of two
/// that share letters none is left in pieces.
pub(crate) fn covered<S: Borrow<Secret>>(
    text: &str,
    secrets: impl IntoIterator<Item = (Range<usize>, S)>,
    cover: impl Fn(&Secret) -> String,
) -> Cow<'_, str> {
    let (mut shown, mut at) = (String::new(), 0);
    for (span, secret) in secrets {
        if span.end > at {
            shown.push_str(&text[at..span.start.max(at)]);
            shown.push_str(&cover(secret.borrow()));
            at = span.end;
        }
    }
    if at == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[at..]);
    Cow::Owned(shown)
}
