//! Where credentials come from: a password from standard input, a file or a variable, or a whole
//! auth document.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::auth_document::{AuthDocument, Stored};
use crate::config_file::read_regular;
use crate::credential::Credential;
use crate::error::Error;
use crate::registry::Registry;
use crate::secret::Secret;

/// Where a password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// Standard input, to its end.
    Stdin,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl PasswordSource {
    /// Reads the password and cuts one final line end.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] and [`Error::InvalidSource`]; neither repeats what was read.
    pub fn read(&self) -> Result<Secret, Error> {
        let text = match self {
            Self::Stdin => from_stdin("the password")?,
            Self::File(path) => from_file(path)?,
            Self::Variable(name) => match std::env::var(name) {
                Ok(value) => Secret::new(value),
                Err(std::env::VarError::NotPresent) => {
                    return Err(Error::InvalidSource(
                        "the variable of --password-env is not set: export it first".into(),
                    ));
                }
                Err(std::env::VarError::NotUnicode(_)) => return Err(not_utf8("the password")),
            },
        };
        let text = text.expose();
        let cut = text.strip_suffix('\n').map_or(text, |cut| cut.strip_suffix('\r').unwrap_or(cut));
        Ok(Secret::new(cut.to_owned()))
    }
}

/// Reads a whole auth document and takes its credentials; `-` is standard input.
///
/// # Errors
///
/// [`Error::InvalidSource`] with line and column, never with the text.
pub fn auth_document(path: &Path) -> Result<Vec<(Registry, Credential)>, Error> {
    let stdin = path.as_os_str() == "-";
    let text = if stdin { from_stdin("the auth document")? } else { from_file(path)? };
    let text = text.expose();
    let name = if stdin { "standard input".to_owned() } else { path.display().to_string() };
    let place = |offset: usize| {
        let before = &text[..offset.min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        format!("{name}:{line}:{column}")
    };
    if text.trim().is_empty() {
        return Err(Error::InvalidSource(format!("{name} is empty and no auth document")));
    }
    let document = AuthDocument::parse(text, |_| None).map_err(|error| {
        Error::InvalidSource(format!(
            "{}: the auth document {}",
            place(error.offset),
            error.problem
        ))
    })?;
    if let Some(helper) = document.helpers().first() {
        let place = place(document.helper_place(helper).start);
        return Err(Error::InvalidSource(format!(
            "{place}: the auth document names the credential helper '{}', which --auth-config does \
             not ask: take credHelpers and credsStore out of it",
            helper.name
        )));
    }
    if document.entries().is_empty() {
        return Err(Error::InvalidSource(format!(
            "{name}: the auth document holds no credential: it should be \
             {{\"auths\": {{\"HOST\": {{\"auth\": …}}}}}}"
        )));
    }
    let mut logins: Vec<(Registry, Credential)> = Vec::new();
    for entry in document.entries() {
        let place = place(document.key_place(entry).start);
        let refuse = |problem: &str| Err(Error::InvalidSource(format!("{place}: {problem}")));
        let registry = Registry::parse(&entry.key)?;
        let filled = |field: &Option<crate::auth_document::Field>| {
            field.as_ref().is_some_and(|field| !field.value.is_empty())
        };
        if filled(&entry.identity_token) || filled(&entry.registry_token) {
            return refuse("this credential is a token without a password, which is not supported");
        }
        let Stored::Credential(credential) = entry.stored() else {
            return refuse("the auth of this registry is not padded base64 of user:password");
        };
        // The same rules as for a password that a person gives.
        let credential = Credential::new(credential.username(), credential.password().clone())?;
        if logins.iter().any(|(other, _)| other.path() == registry.path()) {
            return refuse("this registry stands in the auth document twice: keep one of the two");
        }
        logins.push((registry, credential));
    }
    Ok(logins)
}

fn from_stdin(what: &str) -> Result<Secret, Error> {
    let mut bytes = Zeroizing::new(Vec::new());
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|cause| Error::Unreadable { path: "standard input".into(), cause })?;
    text(&mut bytes, what)
}

/// Reads a secret from a file.
///
/// # Errors
///
/// [`Error::Unreadable`] and [`Error::InvalidSource`].
pub fn from_file(path: &Path) -> Result<Secret, Error> {
    let label = path.display().to_string();
    let bytes =
        read_regular(path).map_err(|cause| Error::Unreadable { path: label.clone(), cause })?;
    text(&mut Zeroizing::new(bytes), &label)
}

fn text(bytes: &mut Zeroizing<Vec<u8>>, what: &str) -> Result<Secret, Error> {
    String::from_utf8(std::mem::take(&mut **bytes)).map(Secret::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        not_utf8(what)
    })
}

fn not_utf8(what: &str) -> Error {
    Error::InvalidSource(format!("{what} is not UTF-8"))
}
