//! What GitLab Runner makes of an auth document as a whole.

use super::{AuthDocument, DocumentError, Entry, Helper, Stored};
use crate::auth::credential::Credential;
use crate::auth::expansion::Value;
use crate::auth::key::Key;
use crate::auth::registry::is_plain_host;
use crate::auth::runner_version::RunnerVersion;
use crate::auth::source::credential_helper::PREFIX;
use crate::error::Error;
use crate::secret::{HIDDEN, looks_generated};
use crate::toml::letter_case::same_key;

/// A document, once its variables are filled in.
pub(crate) enum Reading<'t> {
    /// Nothing stands there but blanks: docker/cli takes the end of the text for an empty document
    /// (`LoadFromReader` in `cli/config/configfile/file.go`).
    Empty,
    /// The runner drops it and goes on to its other sources. The document is there when it is only
    /// an `auth` in it that can't be decoded, or a helper that can't be run.
    Dropped(DocumentError, Option<AuthDocument<'t>>),
    /// A helper's name is empty or holds a `/`: the runner gives up on every source.
    Cancelled(Helper, AuthDocument<'t>),
    /// It is read.
    Read(AuthDocument<'t>),
}

impl<'t> Reading<'t> {
    /// Reads a document as this version of GitLab Runner does; these values were filled into it.
    pub fn of(text: &'t str, values: &'t [Value], version: RunnerVersion) -> Self {
        if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
            return Self::Empty;
        }
        let document = match AuthDocument::parse_filled(text, values, version) {
            Ok(document) => document,
            Err(error) => return Self::Dropped(error, None),
        };
        if let Some(entry) = document.undecodable(version) {
            let offset = document.key_place(entry).start;
            let error = DocumentError::new(offset, undecodable(entry));
            return Self::Dropped(error, Some(document));
        }
        match document.unusable().cloned() {
            Some(helper) if version.refuses_helper_names() => Self::Cancelled(helper, document),
            Some(helper) => {
                let offset = document.helper_place(&helper).start;
                let problem = "names a credential helper that no program can be";
                Self::Dropped(DocumentError::new(offset, problem), Some(document))
            }
            None => Self::Read(document),
        }
    }
}

impl AuthDocument<'_> {
    /// The first credential that counts and has an `auth` for which the whole document is dropped.
    pub fn undecodable(&self, version: RunnerVersion) -> Option<&Entry> {
        self.effective().into_iter().find(|entry| {
            *entry.stored() == Stored::Undecodable
                && (version.needs_a_user() || !decodes_without_a_user(entry))
        })
    }

    /// Whether no version can differ about a document that the newest one reads: there are only
    /// credentials, each with nothing but an `auth`, and only for hosts as images name them.
    pub fn is_plain(&self) -> bool {
        let auth_alone = |entry: &Entry| {
            let members = entry.object.as_ref().map_or(&[][..], |object| &object.members);
            matches!(members, [only] if same_key(only.name(self.text), "auth"))
        };
        self.root.members.len() == 1
            && self.has_auths()
            && self
                .entries
                .iter()
                .all(|entry| auth_alone(entry) && is_plain_host(entry.key.as_str()))
    }

    /// The first helper that counts and has a name which no program can have: the runner gives up on
    /// every source, or (before 13.5) finds no such program and drops the document.
    fn unusable(&self) -> Option<&Helper> {
        self.effective_helpers().into_iter().find(|helper| helper.is_unusable())
    }
}

/// Why the document is dropped for a credential.
pub(crate) fn undecodable(entry: &Entry) -> String {
    format!("has an auth for {} that is not padded base64 of user:password", entry.key.shown())
}

/// Whether an `auth` decodes but for its empty user.
fn decodes_without_a_user(entry: &Entry) -> bool {
    entry.auth.as_ref().is_some_and(|auth| Credential::decode_any(auth.value.expose()).is_some())
}

impl Helper {
    /// The name as it may be shown: what is no name could be a credential in the wrong place.
    pub fn shown_name(&self) -> &str {
        if let Some(written) = &self.written {
            return written;
        }
        let letter = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_./".contains(&byte)
        };
        let plain = self.name.len() <= 64 && self.name.bytes().all(letter);
        if plain && !looks_generated(&self.name) { &self.name } else { HIDDEN }
    }

    /// An error of this helper that names it as it may be shown.
    pub fn as_shown(&self, error: Error) -> Error {
        let shown = self.shown_name();
        match error {
            Error::HelperFailed { problem, .. } => Error::HelperFailed {
                problem: problem
                    .replace(&format!("{PREFIX}{}", self.name), &format!("{PREFIX}{shown}")),
                helper: shown.to_owned(),
            },
            error => error,
        }
    }

    /// The key as GitLab Runner takes it.
    pub fn key_text(&self) -> Option<&str> {
        self.key.as_ref().map(Key::as_str)
    }

    /// Whether no program can have the name. An empty `credsStore` is skipped.
    fn is_unusable(&self) -> bool {
        self.name.contains('/') || (self.name.is_empty() && self.key.is_some())
    }

    /// Why the runner gives up on every source.
    pub fn why_it_cancels(&self) -> String {
        let key = self.key.as_ref().map_or("credsStore".into(), Key::shown);
        if self.name.is_empty() {
            format!(
                "names a credential helper without a name for {key}, and GitLab Runner then asks no \
                 source at all"
            )
        } else {
            format!(
                "names a credential helper with a / for {key}, and GitLab Runner then asks no source \
                 at all"
            )
        }
    }

    /// Whether it is a `credsStore` without a name, which older Docker clients leave behind: the
    /// runner skips it.
    pub fn is_no_store(&self) -> bool {
        self.key.is_none() && self.name.is_empty()
    }
}
