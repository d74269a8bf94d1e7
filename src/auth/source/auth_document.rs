//! A whole auth document, or a Kubernetes Secret that holds one.

use std::path::Path;

use super::logins::Logins;
use super::text::SourceText;
use super::{Login, kubernetes_secret};
use crate::error::Error;
use crate::secret::Secret;

/// Reads a whole auth document, or a Kubernetes Secret that holds one, and takes its credentials; `-`
/// is standard input.
///
/// # Errors
///
/// [`Error::Unreadable`], [`Error::NoCredential`], and [`Error::InvalidSource`] with line and column,
/// never with the text.
pub fn auth_document(path: &Path) -> Result<Vec<Login>, Error> {
    credentials(&SourceText::read(path)?)
}

/// The same for a text; `label` is what errors call it.
///
/// # Errors
///
/// The same, but for [`Error::Unreadable`].
pub fn auth_document_in(label: &str, text: &Secret) -> Result<Vec<Login>, Error> {
    credentials(&SourceText::new(label.to_owned(), text.expose()))
}

fn credentials(source: &SourceText) -> Result<Vec<Login>, Error> {
    match kubernetes_secret::document(source)? {
        Some(document) => logins(&document),
        None => logins(source),
    }
}

fn logins(source: &SourceText) -> Result<Vec<Login>, Error> {
    let document = source.parse()?;
    // A store without a name is none: older Docker clients leave one.
    let is_store = |name: &str, key: Option<&str>| key.is_some() || !name.is_empty();
    let mut helpers = document.helpers().iter();
    if let Some(helper) = helpers.find(|helper| is_store(&helper.name, helper.key_text())) {
        let problem = format!(
            "the auth document names the credential helper '{}', which --auth-config does not \
             ask: take credHelpers and credsStore out of it, or read it with --from-docker-config, \
             which does",
            helper.shown_name()
        );
        return Err(source.refuse(document.helper_place(helper).start, &problem));
    }
    if document.entries().is_empty() {
        return Err(Error::NoCredential(format!(
            "{}: the auth document holds no credential: it should be \
             {{\"auths\": {{\"HOST\": {{\"auth\": …}}}}}}",
            source.label()
        )));
    }
    let mut logins = Logins::default();
    for entry in document.entries() {
        let registry = source.registry(&document, entry)?;
        let Some(credential) = source.credential(&document, entry)? else {
            let problem = "this registry has no credential: give it an auth, or take it out";
            return Err(source.refuse(document.key_place(entry).start, problem));
        };
        source.add(&document, entry, (registry, credential), &mut logins)?;
    }
    Ok(logins.into_vec())
}
