//! Credentials as they are gathered: one for each registry, in the order in which they came.

use std::collections::HashMap;

use super::Login;
use crate::auth::credential::Credential;
use crate::auth::registry::Registry;

#[derive(Default)]
pub(super) struct Logins {
    all: Vec<Login>,
    /// Where the login of each path stands.
    places: HashMap<String, usize>,
}

impl Logins {
    /// The credential of a registry.
    pub fn credential(&self, registry: &Registry) -> Option<&Credential> {
        self.places.get(registry.path()).map(|&place| &self.all[place].1)
    }

    /// Adds a login, in the place of one for the same registry.
    pub fn put(&mut self, login: Login) {
        if let Some(&place) = self.places.get(login.0.path()) {
            self.all[place] = login;
        } else {
            self.places.insert(login.0.path().to_owned(), self.all.len());
            self.all.push(login);
        }
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Login> {
        self.all
    }
}
