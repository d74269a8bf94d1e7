//! What a new document holds, before it is written.

use super::change::{value, wrap};
use super::style::{Style, text_literal};
use crate::auth::credential::Credential;
use crate::auth::registry::Registry;
use crate::secret::Secret;

/// Credentials and helpers, each with its key.
#[derive(Default)]
pub(crate) struct Content {
    /// The members of `auths`.
    pub auths: Vec<(String, Credential)>,
    /// The members of `credHelpers`.
    pub helpers: Vec<(String, String)>,
    /// The `credsStore`.
    pub store: Option<String>,
}

impl Content {
    /// These credentials and nothing else.
    pub fn of_logins(logins: &[(Registry, Credential)]) -> Self {
        let auths = logins.iter().map(|(registry, login)| (registry.key().to_owned(), login));
        let auths = auths.map(|(key, login)| (key, login.clone())).collect();
        Self { auths, ..Self::default() }
    }

    /// One helper: for these registries, or without any for every one.
    pub fn of_helper(name: &str, registries: &[Registry]) -> Self {
        let helpers =
            registries.iter().map(|registry| (registry.key().to_owned(), name.to_owned()));
        let store = registries.is_empty().then(|| name.to_owned());
        Self { helpers: helpers.collect(), store, ..Self::default() }
    }

    /// The document: on one line, or a line for each member when the style has lines.
    pub fn write(&self, style: &Style) -> Secret {
        let unit = style.lines.as_ref().map(|(_, unit)| unit.as_str());
        let indent = |depth: usize| unit.map(|unit| unit.repeat(depth));
        let mut root = Vec::new();
        if !self.auths.is_empty() || (self.helpers.is_empty() && self.store.is_none()) {
            let inner = indent(2);
            let members: Vec<_> = self
                .auths
                .iter()
                .map(|(key, login)| (key.as_str(), value(login, style, inner.as_deref())))
                .collect();
            root.push(("auths", wrap(&members, style, indent(1).as_deref())));
        }
        if !self.helpers.is_empty() {
            let members: Vec<_> =
                self.helpers.iter().map(|(key, name)| (key.as_str(), text_literal(name))).collect();
            root.push(("credHelpers", wrap(&members, style, indent(1).as_deref())));
        }
        root.extend(self.store.iter().map(|name| ("credsStore", text_literal(name))));
        wrap(&root, style, indent(0).as_deref())
    }
}
