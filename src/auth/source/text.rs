//! A text that holds an auth document, and how a place in it is called.

use std::path::Path;

use zeroize::Zeroizing;

use super::logins::Logins;
use super::{Login, from_stdin, owned};
use crate::auth::credential::{Credential, json_in_base64};
use crate::auth::document::{AuthDocument, DocumentError, Entry, Stored};
use crate::auth::registry::Registry;
use crate::config_file::is_foreign;
use crate::error::Error;
use crate::secret::Secret;

/// What a map of registries without `auths` is put into.
const WRAPPING: &str = "{\"auths\": ";

/// A text with the name of where it came from.
pub(super) struct SourceText {
    label: String,
    text: Zeroizing<String>,
    /// How many bytes stand before the text that was read.
    lead: usize,
    /// Whether it is a file of somebody else than root and this user.
    foreign: bool,
}

impl SourceText {
    pub fn new(label: String, text: &str) -> Self {
        // Windows tools write a byte order mark, which no reader of JSON takes.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { label, text: Zeroizing::new(text.to_owned()), lead: 0, foreign: false }
    }

    /// Reads a file; `-` is standard input.
    pub fn read(path: &Path) -> Result<Self, Error> {
        if path.as_os_str() == "-" {
            let text = from_stdin("the auth document")?;
            return Ok(Self::new("standard input".to_owned(), text.expose()));
        }
        let (text, owner) = owned(path)?;
        let found = Self::new(path.display().to_string(), text.expose());
        Ok(Self { foreign: is_foreign(owner), ..found })
    }

    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn label(&self) -> &str {
        &self.label
    }

    /// Puts `auths` around a map of registries, as the old `.dockercfg` holds it; any other text
    /// stays as it is.
    pub fn with_auths(mut self) -> Self {
        let bare = AuthDocument::parse_literal(&self.text)
            .ok()
            .filter(|document| document.unwrapped_credentials().next().is_some())
            .map(|document| document.end());
        if let Some(end) = bare {
            let whole = format!("{WRAPPING}{}}}", &self.text[..end]);
            self.text = Zeroizing::new(whole);
            self.lead = WRAPPING.len();
        }
        self
    }

    /// The document.
    pub fn parse(&self) -> Result<AuthDocument<'_>, Error> {
        if self.text.trim().is_empty() {
            return Err(self.refuse_whole("is empty, and not an auth document"));
        }
        AuthDocument::parse_literal(&self.text).map_err(|DocumentError { offset, problem }| {
            if json_in_base64(&self.text).is_some() {
                return self.refuse_whole(
                    "is base64 of a JSON document, as a Kubernetes Secret holds one: give what \
                     base64 -d makes of it, or the whole Secret (kubectl get secret NAME -o yaml) to \
                     --auth-config",
                );
            }
            self.refuse(offset, &format!("the auth document {problem}"))
        })
    }

    /// An error at a place of the text; it never repeats the text.
    pub fn refuse(&self, offset: usize, problem: &str) -> Error {
        let offset = offset.clamp(self.lead, self.text.len());
        let before = &self.text[self.lead..offset];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        Error::InvalidSource {
            source: self.label.clone(),
            place: Some((line, column)),
            problem: problem.to_owned(),
        }
    }

    /// An error of the whole text.
    pub fn refuse_whole(&self, problem: &str) -> Error {
        let (source, problem) = (self.label.clone(), problem.to_owned());
        Error::InvalidSource { source, place: None, problem }
    }

    /// The registry that a key of `auths` names.
    pub fn registry(&self, document: &AuthDocument<'_>, entry: &Entry) -> Result<Registry, Error> {
        Registry::parse(entry.key.as_str()).map_err(|_| {
            let problem = "this key is not a registry: it should be HOST[:PORT][/PATH]";
            self.refuse(document.key_place(entry).start, problem)
        })
    }

    /// The credential of an entry, by the same rules as one that a person gives; `None` when the
    /// entry holds nothing.
    pub fn credential(
        &self,
        document: &AuthDocument<'_>,
        entry: &Entry,
    ) -> Result<Option<Credential>, Error> {
        let refuse = |problem: &str| {
            let key = entry.key.shown();
            self.refuse(document.key_place(entry).start, &format!("{key}: {problem}"))
        };
        let Some(found) = entry.credential() else {
            return match entry.stored() {
                Stored::Empty => Ok(None),
                _ => Err(refuse("its auth is not padded base64 of user:password")),
            };
        };
        let password = Secret::new(found.password().expose().to_owned());
        Credential::with_tokens(found.username(), password, found.tokens().clone())
            .map(Some)
            .map_err(|error| refuse(&error.to_string()))
    }

    /// Adds a login, unless the same one is there; two different ones for a registry are an error.
    pub fn add(
        &self,
        document: &AuthDocument<'_>,
        entry: &Entry,
        login: Login,
        logins: &mut Logins,
    ) -> Result<(), Error> {
        match logins.credential(&login.0) {
            None => logins.put(login),
            Some(credential) if *credential == login.1 => {}
            Some(_) => {
                let problem = "this registry is here twice, with different credentials: keep one \
                               of the two";
                return Err(self.refuse(document.key_place(entry).start, problem));
            }
        }
        Ok(())
    }
}
