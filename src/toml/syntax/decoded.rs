//! A decoded string that may be a secret.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use zeroize::Zeroize as _;

use crate::secret::Secret;

/// The text that a string stands for: a piece of the file where it stands there as it is, else a
/// copy, which is wiped on drop. `Debug` doesn't show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Decoded<'t>(Cow<'t, str>);

impl<'t> Decoded<'t> {
    pub fn new(text: impl Into<Cow<'t, str>>) -> Self {
        Self(text.into())
    }

    /// The text, for whoever keeps it.
    pub fn into_secret(mut self) -> Secret {
        Secret::new(std::mem::take(&mut self.0).into_owned())
    }
}

impl Drop for Decoded<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}

impl Deref for Decoded<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Decoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoded(hidden)")
    }
}
