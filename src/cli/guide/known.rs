//! Registries and users that are known already.

use crate::auth::credential::check_username;
use crate::auth::registry::Registry;
use crate::auth::source;
use crate::resolver::listing::{self, Listed};
use crate::runner::Config;

/// Registries that many people use, suggested after those that are known from the files.
const COMMON: [&str; 4] = ["docker.io", "ghcr.io", "quay.io", "registry.gitlab.com"];

/// The registries that are known already, with their users.
pub(super) struct KnownRegistries(Vec<(Registry, Option<String>)>);

impl KnownRegistries {
    /// Those of the picked runners, of the others, and those that a login left.
    pub fn of(config: &Config<'_>, picked: &[usize]) -> Self {
        let numbers = 0..config.runners().len();
        let others = numbers.filter(|number| !picked.contains(number));
        let listed = picked.iter().copied().chain(others).flat_map(|number| {
            // A broken document suggests nothing.
            let found = listing::credentials(config, &config.runners()[number]);
            found.ok().and_then(Result::ok).unwrap_or_default()
        });
        let in_file = listed.filter_map(|Listed { registry, username, helper }| {
            Some((Registry::parse(&registry).ok().filter(|_| helper.is_none())?, username))
        });
        Self(in_file.chain(source::logged_in()).collect())
    }

    pub fn suggestions(&self) -> Vec<String> {
        let known = self.0.iter().map(|(registry, _)| registry.path());
        let mut all: Vec<String> = Vec::new();
        for path in known.chain(COMMON) {
            if !all.iter().any(|other| other == path) {
                all.push(path.to_owned());
            }
        }
        all
    }

    /// The user that is known for a registry; one that is no answer could mislead a terminal.
    pub fn username(&self, registry: &Registry) -> Option<&str> {
        let same = self.0.iter().filter(|(known, _)| known.path() == registry.path());
        let mut users = same.filter_map(|(_, username)| username.as_deref());
        users.find(|user| check_username(user).is_ok())
    }
}
