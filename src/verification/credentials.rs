//! The credentials of a runner, as GitLab Runner itself would gather them.
//!
//! Source: GitLab Runner 19.3, `helpers/docker/auth/auth.go` (`ResolveConfigForImage`) on top of
//! docker/cli's `GetAllCredentials`: what the `credsStore` lists counts before `auths`, and a member of
//! `credHelpers` before both.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::auth::credential::Credential;
use crate::auth::document::{AuthDocument, Helper, Reading, Stored};
use crate::auth::key::Key;
use crate::auth::registry::{key_path, why_it_never_matches};
use crate::auth::runner_version::RunnerVersion;
use crate::auth::source::credential_helper::CredentialHelper;
use crate::error::Error;
use crate::registry_client::{Failure, Obstacle};
use crate::resolver::{Lookup, Verdict};
use crate::runner::auth_entry::Filled;
use crate::runner::environment::Environment;
use crate::runner::{Config, Runner};

/// A credential with its key, or why there is none.
pub(super) struct FoundCredential {
    pub key: Key,
    pub username: Option<String>,
    pub helper: Option<String>,
    pub credential: Result<Credential, Failure>,
}

/// All credentials of a runner.
pub(super) struct RunnerCredentials<'r> {
    /// The document that counts, with its keys by path.
    lookup: Lookup<'r>,
    pub credentials: Vec<FoundCredential>,
    /// Why the runner makes nothing of the document.
    pub problem: Option<String>,
    /// Whether the runner then asks no other source either.
    pub cancelled: bool,
    pub notes: Vec<String>,
}

/// The auth document of a runner that counts, as the runner gets it.
pub(super) fn document(config: &Config<'_>, runner: &Runner<'_>) -> Result<Option<Filled>, Error> {
    let environment = Environment::of(config, runner)?;
    let entries = environment.as_ref().and_then(Environment::auth);
    let both = environment.as_ref().zip(entries);
    Ok(both.map(|(environment, entries)| entries.counts.fill(environment)))
}

impl<'r> RunnerCredentials<'r> {
    /// Gathers those of a document that the latest version has read.
    pub fn of(reading: &'r Reading<'r>, helpers: &mut HelperCache) -> Self {
        let mut found = Self {
            lookup: Lookup::new(reading, RunnerVersion::LATEST),
            credentials: Vec::new(),
            problem: None,
            cancelled: false,
            notes: Vec::new(),
        };
        match reading {
            Reading::Empty => {}
            Reading::Dropped(error, _) => {
                found.problem = Some(format!("its auth document {}", error.problem));
            }
            Reading::Cancelled(helper, _) => {
                found.problem = Some(format!("its auth document {}", helper.why_it_cancels()));
                found.cancelled = true;
            }
            Reading::Read(document) => found.gather(document, helpers),
        }
        found
    }

    fn gather(&mut self, document: &AuthDocument<'_>, helpers: &mut HelperCache) {
        let named = document.effective_helpers();
        // The keys that a helper answers for.
        let mut helped: HashSet<Key> = HashSet::new();
        for helper in &named {
            if let Some(key) = &helper.key {
                helped.insert(key.clone());
                self.credentials.push(helpers.get(helper, key));
            }
        }
        if let Some(store) = named.iter().find(|helper| helper.key.is_none()) {
            match helpers.list(store) {
                Ok(keys) => {
                    for key in keys {
                        let key = Key::from(&*key);
                        if helped.insert(key.clone()) {
                            self.credentials.push(helpers.get(store, &key));
                        }
                    }
                }
                Err(failure) => self.credentials.push(FoundCredential {
                    key: Key::from("*"),
                    username: None,
                    helper: Some(store.shown_name().to_owned()),
                    credential: Err(failure),
                }),
            }
        }
        let mut stored = Vec::new();
        for entry in document.effective() {
            if helped.contains(&entry.key) {
                continue;
            }
            match (entry.credential(), entry.stored()) {
                (Some(credential), _) => stored.push(FoundCredential {
                    key: entry.key.clone(),
                    username: entry.username().filter(|user| !user.is_empty()),
                    helper: None,
                    credential: Ok(credential),
                }),
                (None, Stored::Empty) => self.notes.push(format!(
                    "{} has an empty credential, with which nobody was asked",
                    entry.key.shown()
                )),
                (None, _) => self.notes.push(format!(
                    "the credential for {} holds a variable that only a job has, and was not asked with",
                    entry.key.shown()
                )),
            }
        }
        let known = self.credentials.iter().chain(&stored).filter(|found| found.credential.is_ok());
        for key in known.map(|found| &found.key) {
            if let Some(problem) = why_it_never_matches(key.as_str()) {
                let key = key.shown();
                self.notes
                    .push(format!("GitLab Runner never uses the credential for {key}: {problem}"));
            }
        }
        if self.credentials.iter().any(|found| found.credential.is_err()) {
            let note =
                "where a helper fails for GitLab Runner as well, it drops the whole auth document";
            self.notes.push(note.to_owned());
        }
        stored.append(&mut self.credentials);
        self.credentials = stored;
    }

    /// The number of the credential that the runner would use for an image.
    pub fn for_image(&self, image: &str) -> Option<usize> {
        let resolution = self.lookup.resolve(image);
        let number = |key: &Key| self.credentials.iter().position(|found| found.key == *key);
        // The longest path wins, of several keys with one path the one that sorts first. The resolver
        // knows the keys of the document, and the store has told its own.
        let store = resolution.candidates.iter().find_map(|candidate| {
            let fits = |found: &&FoundCredential| {
                found.helper.is_some() && key_path(found.key.as_str()) == *candidate
            };
            let first = self.credentials.iter().filter(fits).map(|found| &found.key).min()?;
            Some((candidate.clone(), first.clone()))
        });
        match (&resolution.verdict, store) {
            (Verdict::Match(found), Some((path, key)))
                if path.len() > found.path.len() || (path == found.path && key < found.key) =>
            {
                number(&key)
            }
            (Verdict::Match(found), _) => number(&found.key),
            (_, Some((_, key))) => number(&key),
            // A store that could not be asked.
            (Verdict::Store(_), None) => number(&Key::from("*")),
            _ => None,
        }
    }
}

/// What helpers have said: each is asked once for each key, for all runners.
pub(super) struct HelperCache {
    timeout: Duration,
    /// Why none is asked.
    refused: Option<Failure>,
    credentials: HashMap<(String, Key), Result<Credential, Failure>>,
    lists: HashMap<String, Result<Vec<String>, Failure>>,
}

impl HelperCache {
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, refused: None, credentials: HashMap::new(), lists: HashMap::new() }
    }

    /// Asks none from now on, since the config that names them is another user's: they would give this
    /// user's keys, for registries that the other one picks.
    pub fn refuse(&mut self) {
        self.refused = Some(Failure::new(
            Obstacle::CredentialHelper,
            "the config is another user's, and the helper that it names would be run with your rights: \
             run verify as that user",
        ));
    }

    fn get(&mut self, helper: &Helper, key: &Key) -> FoundCredential {
        let timeout = self.timeout;
        let refused = self.refused.clone();
        let asked = self.credentials.entry((helper.name.clone(), key.clone()));
        let credential = asked.or_insert_with(|| {
            refused.map_or(Ok(()), Err)?;
            CredentialHelper::new(&helper.name, timeout)
                .and_then(|program| program.get(key.as_str()))
                .map_err(|error| failure(helper, error))
        });
        FoundCredential {
            key: key.clone(),
            username: credential.as_ref().ok().and_then(Credential::named_user),
            helper: Some(helper.shown_name().to_owned()),
            credential: credential.clone(),
        }
    }

    /// The keys that a store knows.
    fn list(&mut self, store: &Helper) -> Result<Vec<String>, Failure> {
        let timeout = self.timeout;
        let refused = self.refused.clone();
        let asked = self.lists.entry(store.name.clone()).or_insert_with(|| {
            refused.map_or(Ok(()), Err)?;
            CredentialHelper::new(&store.name, timeout)
                .and_then(|program| program.list())
                .map_err(|error| failure(store, error))
        });
        asked.clone()
    }

    pub fn credentials(&self) -> impl Iterator<Item = &Credential> {
        self.credentials.values().filter_map(|found| found.as_ref().ok())
    }
}

fn failure(helper: &Helper, error: Error) -> Failure {
    Failure::new(Obstacle::CredentialHelper, helper.as_shown(error).to_string())
}
