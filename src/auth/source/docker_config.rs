//! What `docker login`, `podman login` and `skopeo login` left.
//!
//! Sources: docker/cli `cli/config/config.go` and `cli/config/configfile/file.go`, and
//! containers-auth.json(5) for podman and skopeo. Both name helpers in `credHelpers`; Docker also
//! names a store for every registry in `credsStore`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Login;
use super::logins::Logins;
use super::text::SourceText;
use crate::auth::document::{AuthDocument, Entry, Helper};
use crate::auth::key::few;
use crate::auth::registry::Registry;
use crate::auth::source::credential_helper::CredentialHelper;
use crate::error::Error;

/// What Docker keeps beside Docker Hub's credential after a login in the browser: tokens for its
/// own use, under keys that GitLab Runner would take for Docker Hub.
const HUB_SESSION: &[&str] =
    &["https://index.docker.io/v1/access-token", "https://index.docker.io/v1/refresh-token"];

/// Reads the credentials that a login left in a file, or in a helper that the file names; without a
/// path the file that Docker or Podman would read. With `wanted` only those registries are taken,
/// and only their helpers asked.
///
/// # Errors
///
/// [`Error::Unreadable`]; [`Error::InvalidSource`] when the file is broken; [`Error::NoCredential`] when
/// it has none, or none for a wanted registry; [`Error::HelperFailed`].
pub fn docker_config(
    path: Option<&Path>,
    wanted: &[Registry],
    timeout: Duration,
) -> Result<Vec<Login>, Error> {
    let found = match path {
        Some(path) => path.to_owned(),
        None => find()?,
    };
    let source = SourceText::read(&found)?.with_auths();
    let document = source.parse()?;
    let file = LoginFile { source: &source, document: &document, wanted, timeout };
    let mut logins = file.stored()?;
    for helper in document.helpers() {
        file.ask(helper, &mut logins).map_err(|error| helper.as_shown(error))?;
    }
    let mut missing = wanted.iter().filter(|registry| logins.credential(registry).is_none());
    if let Some(registry) = missing.next() {
        return Err(file.not_there(registry));
    }
    let logins = logins.into_vec();
    if logins.is_empty() {
        return Err(Error::NoCredential(format!(
            "{} holds no credential: log in first, or name another file with --from-docker-config \
             PATH",
            source.label()
        )));
    }
    Ok(logins)
}

/// The registries, with users as far as they are known, for which `docker login` or `podman login`
/// left something in the file that [`docker_config`] reads without a path. None where there is no
/// such file, or a broken one; no helper is asked.
#[must_use]
pub fn logged_in() -> Vec<(Registry, Option<String>)> {
    let read = || -> Result<_, Error> {
        let source = SourceText::read(&find()?)?.with_auths();
        let document = source.parse()?;
        let stored = stored(&document).map(|entry| (entry.key.as_str(), entry.username()));
        let helped =
            document.helpers().iter().filter_map(|helper| Some((helper.key_text()?, None)));
        let all = stored.chain(helped);
        Ok(all.filter_map(|(key, user)| Some((Registry::parse(key).ok()?, user))).collect())
    };
    read().unwrap_or_default()
}

/// The first file that is there, of those that Docker and then Podman read. A pipe in a place that nobody
/// has named would be waited for.
fn find() -> Result<PathBuf, Error> {
    let places = places(|name| std::env::var_os(name), rustix::process::getuid().as_raw());
    places.iter().find(|place| place.is_file()).cloned().ok_or_else(|| {
        let names: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
        Error::NoCredential(format!(
            "there is no file left by a login ({}): log in first, or name one with \
             --from-docker-config PATH",
            names.join(", ")
        ))
    })
}

/// Where a login of this user leaves its file.
fn places(variable: impl Fn(&str) -> Option<OsString>, user: u32) -> Vec<PathBuf> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let folder =
        |name: &str, rest: &str| variable(name).map(|folder| Path::new(&folder).join(rest));
    // Root often has no XDG_RUNTIME_DIR.
    let runtime = || PathBuf::from(format!("/run/containers/{user}/auth.json"));
    let places = [
        folder("DOCKER_CONFIG", "config.json"),
        folder("HOME", ".docker/config.json"),
        folder("HOME", ".dockercfg"),
        variable("REGISTRY_AUTH_FILE").map(PathBuf::from),
        folder("XDG_RUNTIME_DIR", "containers/auth.json").or_else(|| Some(runtime())),
        folder("XDG_CONFIG_HOME", "containers/auth.json")
            .or_else(|| folder("HOME", ".config/containers/auth.json")),
    ];
    places.into_iter().flatten().collect()
}

/// The entries of a file that are for pulling.
fn stored<'d>(document: &'d AuthDocument<'_>) -> impl Iterator<Item = &'d Entry> {
    document.entries().iter().filter(|entry| !HUB_SESSION.contains(&entry.key.as_str()))
}

/// One file that is read.
struct LoginFile<'r, 't> {
    source: &'r SourceText,
    document: &'r AuthDocument<'t>,
    wanted: &'r [Registry],
    timeout: Duration,
}

impl LoginFile<'_, '_> {
    fn wants(&self, registry: &Registry) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|wanted| same(wanted, registry))
    }

    /// The credentials that stand in the file. An entry without any is what Docker leaves there
    /// when a store keeps the credential.
    fn stored(&self) -> Result<Logins, Error> {
        let mut logins = Logins::default();
        for entry in stored(self.document) {
            let registry = match self.source.registry(self.document, entry) {
                Ok(registry) if self.wants(&registry) => registry,
                Err(error) if self.wanted.is_empty() => return Err(error),
                _ => continue,
            };
            if let Some(credential) = self.source.credential(self.document, entry)? {
                self.source.add(self.document, entry, (registry, credential), &mut logins)?;
            }
        }
        Ok(logins)
    }

    /// Asks a helper; what it says counts before what stands in the file.
    fn ask(&self, named: &Helper, logins: &mut Logins) -> Result<(), Error> {
        let place = self.document.helper_place(named).start;
        if named.name.is_empty() && named.key.is_none() {
            return Ok(());
        }
        let helper = || {
            if self.source.is_foreign() {
                // It would give this user's keys, for registries that the other one picks.
                return Err(self.source.refuse(
                    place,
                    "this is another user's file, and the helper that it names would be run with your \
                     rights: as that user, run render --from-docker-config, and hand what it prints to \
                     set --auth-config -",
                ));
            }
            CredentialHelper::new(&named.name, self.timeout).map_err(|error| match error {
                error @ Error::InvalidHelperName => self.source.refuse(place, &error.to_string()),
                Error::HelperFailed { helper, problem } => {
                    let problem = format!("(named in {}) {problem}", self.source.label());
                    Error::HelperFailed { helper, problem }
                }
                error => error,
            })
        };
        if let Some(key) = named.key_text() {
            match Registry::parse(key) {
                Ok(registry) if self.wants(&registry) => {
                    logins.put((registry, helper()?.get(key)?));
                }
                Err(_) if self.wanted.is_empty() => {
                    return Err(self.source.refuse(place, "this helper's key is not a registry"));
                }
                _ => {}
            }
            return Ok(());
        }
        let helper = helper()?;
        let listed = match helper.list() {
            // Docker never asks for the list to pull, and some helpers have none.
            Err(_) if !self.wanted.is_empty() => Vec::new(),
            listed => listed?,
        };
        // A helper for one registry counts first.
        let own = |registry: &Registry| {
            let mut keys = self.document.helpers().iter().filter_map(|other| other.key_text());
            keys.any(|key| registry.is(key))
        };
        for key in listed {
            if HUB_SESSION.contains(&key.as_str()) {
                continue;
            }
            // A store may keep more than registries.
            let Ok(registry) = Registry::parse(&key) else { continue };
            if self.wants(&registry) && !own(&registry) {
                logins.put((registry, helper.get(&key)?));
            }
        }
        for registry in self.wanted {
            if !own(registry)
                && logins.credential(registry).is_none()
                && let Some(credential) = helper.get_if_known(registry.key())?
            {
                logins.put((registry.clone(), credential));
            }
        }
        Ok(())
    }

    fn not_there(&self, registry: &Registry) -> Error {
        let label = self.source.label();
        let keys = stored(self.document).map(|entry| &entry.key);
        let helpers = self.document.helpers().iter();
        let keys = few(keys.chain(helpers.filter_map(|helper| helper.key.as_ref())));
        let there = if keys.is_empty() { String::new() } else { format!("; it has {keys}") };
        Error::NoCredential(format!(
            "{label} has no credential for {}{there}: log in to it first",
            registry.path()
        ))
    }
}

fn same(one: &Registry, other: &Registry) -> bool {
    one.path() == other.path()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_a_login() {
        let root = places(|name| (name == "HOME").then(|| "/root".into()), 0);
        let expected = [
            "/root/.docker/config.json",
            "/root/.dockercfg",
            "/run/containers/0/auth.json",
            "/root/.config/containers/auth.json",
        ];
        assert_eq!(root, expected.map(PathBuf::from));
        let named = |name: &str| (name != "HOME").then(|| format!("/{name}").into());
        let expected = [
            "/DOCKER_CONFIG/config.json",
            "/REGISTRY_AUTH_FILE",
            "/XDG_RUNTIME_DIR/containers/auth.json",
            "/XDG_CONFIG_HOME/containers/auth.json",
        ];
        assert_eq!(places(named, 0), expected.map(PathBuf::from));
    }
}
