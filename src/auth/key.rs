//! The keys of `auths` and `credHelpers`: what GitLab Runner takes one for, and what people see of it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::auth::registry;
use crate::secret::HIDDEN;

/// A key of `auths` or `credHelpers`.
///
/// GitLab Runner fills variables into it, whose values may be secrets: such a key is shown as it was
/// written. Two keys are the same when GitLab Runner takes them for the same.
///
/// ```
/// use runner_auth::Key;
///
/// let key = Key::from("https://ci:s3cret@r.io/v1/");
/// assert_eq!(key.as_str(), "https://ci:s3cret@r.io/v1/");
/// assert_eq!(key.shown(), "https://<hidden>@r.io/v1/");
/// assert_eq!(key.shown_path("r.io"), "<hidden>");
/// ```
#[derive(Clone)]
pub struct Key {
    text: String,
    /// With the names of variables in the place of values that could be secrets, where it holds such.
    written: Option<String>,
}

impl Key {
    pub(crate) fn new(text: String, written: Option<String>) -> Self {
        Self { text, written }
    }

    /// The key as GitLab Runner takes it, which is not for people.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The key as it may be shown.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        registry::shown(self.written.as_deref().unwrap_or(&self.text))
    }

    /// Whether a person who copies what is shown names this key.
    pub(crate) fn is_shown_whole(&self) -> bool {
        self.shown() == self.text
    }

    /// The host, where a variable brings in that of a key which is shown otherwise.
    #[cfg(feature = "verify")]
    pub(crate) fn hidden_host(&self) -> Option<String> {
        let path = registry::key_path(&self.text);
        let host = path.split([':', '/']).next().unwrap_or_default();
        let shown = self.shown().to_lowercase();
        (self.written.is_some() && host.len() >= SHORTEST && !shown.contains(host))
            .then(|| host.to_owned())
    }

    /// A path that was made of the key as it may be shown.
    #[must_use]
    pub fn shown_path<'p>(&self, path: &'p str) -> Cow<'p, str> {
        match self.written {
            Some(_) => Cow::Borrowed(HIDDEN),
            None => registry::shown_path(&self.text, path),
        }
    }
}

/// Keys as a sentence names them: a few, and how many more there are.
pub(crate) fn few<'k>(keys: impl IntoIterator<Item = &'k Key>) -> String {
    let mut keys = keys.into_iter();
    let mut named: Vec<_> = keys.by_ref().take(FEW).map(Key::shown).collect();
    match keys.count() {
        0 => {}
        more => named.push(format!("and {more} more").into()),
    }
    named.join(", ")
}

/// How many keys a sentence names.
const FEW: usize = 5;

/// A shorter host would take letters out of any word.
#[cfg(feature = "verify")]
const SHORTEST: usize = 4;

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned(), None)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.shown())
    }
}
