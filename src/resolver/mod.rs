//! Which credential of an auth document GitLab Runner uses for an image, without asking anybody.
//!
//! The rules are those of GitLab Runner 19.3, `helpers/docker/auth/auth.go`, on top of docker/cli's
//! `cli/config/configfile/file.go`; [`RunnerVersion`] says in which versions they differ. Each key
//! of the document becomes a path, the image becomes one as well, and the longest path that the
//! image starts with wins; of two keys with one path the one that sorts first.
//!
//! This room answers from a document, an image and a version. It does not change or print anything.

pub(crate) mod explanation;
pub mod image;
pub mod listing;
mod near_miss;
pub mod rendering;
pub mod shell;

use std::collections::BTreeMap;

use crate::auth::document::{AuthDocument, DocumentError, Entry, Reading, Stored};
use crate::auth::registry::key_path_in;
use crate::auth::runner_version::RunnerVersion;
use crate::resolver::image::{candidates, image_path};

pub use near_miss::{Miss, NearMiss};

/// What a document holds for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The path of the image.
    pub image_path: String,
    /// The paths under which a credential is looked for, the longest first.
    pub candidates: Vec<String>,
    /// What the runner uses.
    pub verdict: Verdict,
    /// Keys that fit the image as well but don't win.
    pub losers: Vec<Loser>,
    /// Without a match, the keys that come closest.
    pub near_misses: Vec<NearMiss>,
    /// The helpers that the runner runs whatever the image: when one of them fails, the whole
    /// document is dropped.
    pub helpers: Vec<String>,
    /// The `credsStore`, which can answer for any registry.
    pub store: Option<String>,
}

/// What the runner uses for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This credential.
    Match(Match),
    /// One of these, at random (before 18.3).
    AtRandom(Vec<Match>),
    /// None of the document's keys fits; another source may have one.
    NoMatch,
    /// No key fits, but the `credsStore` may answer.
    Store(String),
    /// The document is dropped: the other sources are asked.
    Dropped {
        /// The byte of the document at which the runner stops.
        offset: usize,
        /// Why.
        problem: String,
    },
    /// A helper's name is empty or holds a `/`: no source is asked at all.
    Cancelled {
        /// The name.
        helper: String,
    },
}

/// The credential for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The key as it stands in the document.
    pub key: String,
    /// The path of the key.
    pub path: String,
    /// What stands under the key.
    pub answer: Answer,
}

/// What stands under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A user and a password.
    User(String),
    /// Nothing: the registry is asked with an empty credential.
    Empty,
    /// An identity token or a registry token without a user.
    Token,
    /// What a variable holds that GitLab sets for each job.
    Variable,
    /// What `docker-credential-NAME` says.
    Helper(String),
}

/// A key that fits an image but doesn't win.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loser {
    /// The key.
    pub key: String,
    /// Its path.
    pub path: String,
    /// Why it loses.
    pub reason: Loss,
}

/// Why a key that fits loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Another key has a longer path.
    Shorter,
    /// Another key has the same path and sorts before it.
    SortsLater,
    /// The same key stands there again, and the last one counts.
    Repeated,
    /// A helper answers for this key.
    Helper,
}

/// Says what GitLab Runner finds in an auth document for an image.
///
/// `document` is the text after the runner has expanded its variables; an empty one holds nothing.
///
/// ```
/// use runner_auth::RunnerVersion;
/// use runner_auth::{Answer, Verdict, resolve};
///
/// let document = r#"{"auths": {"r.io": {"auth": "Y2k6czNjcmV0"}, "r.io/ns": {}}}"#;
/// let resolution = resolve(document, "r.io/app:1", RunnerVersion::LATEST);
/// assert_eq!(resolution.candidates, ["r.io/app", "r.io"]);
/// let Verdict::Match(found) = resolution.verdict else { panic!("no match") };
/// assert_eq!((found.key.as_str(), found.answer), ("r.io", Answer::User("ci".into())));
///
/// let none = resolve(document, "q.io/app", RunnerVersion::LATEST);
/// assert_eq!(none.verdict, Verdict::NoMatch);
/// ```
#[must_use]
pub fn resolve(document: &str, image: &str, version: RunnerVersion) -> Resolution {
    resolve_reading(&Reading::of(document, version), image, version)
}

/// [`resolve`] for a document that has been read by the same version.
pub(crate) fn resolve_reading(
    reading: &Reading<'_>,
    image: &str,
    version: RunnerVersion,
) -> Resolution {
    let image_path = image_path(image, version);
    let candidates = candidates(&image_path);
    let mut resolution = Resolution {
        image_path,
        candidates,
        verdict: Verdict::NoMatch,
        losers: Vec::new(),
        near_misses: Vec::new(),
        helpers: Vec::new(),
        store: None,
    };
    let document = match reading {
        Reading::Empty => return resolution,
        Reading::Dropped(DocumentError { offset, problem }, _) => {
            resolution.verdict = Verdict::Dropped { offset: *offset, problem: problem.clone() };
            return resolution;
        }
        Reading::Cancelled(helper, _) => {
            resolution.verdict = Verdict::Cancelled { helper: helper.shown_name().to_owned() };
            return resolution;
        }
        Reading::Read(document) => document,
    };
    let store = document.helpers().iter().rfind(|helper| helper.key.is_none());
    resolution.store =
        store.map(|store| store.shown_name().to_owned()).filter(|name| !name.is_empty());
    let keys = keys(document, version, &mut resolution);
    resolution.decide(&keys, version);
    if resolution.verdict == Verdict::NoMatch {
        if let Some(store) = &resolution.store {
            resolution.verdict = Verdict::Store(store.clone());
        }
        let outside: Vec<_> = document.unwrapped_credentials().map(|found| found.name).collect();
        resolution.near_misses = near_miss::find(
            &resolution.image_path,
            keys.keys().map(String::as_str),
            outside.iter().map(String::as_str),
            version,
        );
    }
    resolution
}

fn answer(entry: &Entry, version: RunnerVersion) -> Answer {
    let filled = |field: &Option<crate::auth::document::Field>| {
        field.as_ref().is_some_and(|field| !field.value.expose().is_empty())
    };
    match entry.stored() {
        Stored::Credential(_) if !filled(&entry.auth) && !version.reads_plain_fields() => {
            Answer::Empty
        }
        Stored::Unknown => Answer::Variable,
        Stored::Credential(found) => Answer::User(found.username().to_owned()),
        _ if filled(&entry.identity_token) || filled(&entry.registry_token) => Answer::Token,
        // An empty user, which old versions take.
        _ if filled(&entry.auth) => Answer::User(String::new()),
        _ => Answer::Empty,
    }
}

/// The keys in sorted order, each with what the runner has under it.
fn keys(
    document: &AuthDocument<'_>,
    version: RunnerVersion,
    resolution: &mut Resolution,
) -> BTreeMap<String, Answer> {
    let mut keys = BTreeMap::new();
    let mut lose = |key: &str, reason: Loss| {
        let path = key_path_in(key, version);
        if resolution.candidates.contains(&path) {
            resolution.losers.push(Loser { key: key.to_owned(), path, reason });
        }
    };
    for entry in document.entries() {
        if keys.insert(entry.key.clone(), answer(entry, version)).is_some() {
            lose(&entry.key, Loss::Repeated);
        }
    }
    let mut names = Vec::new();
    for helper in document.helpers() {
        let Some(key) = &helper.key else { continue };
        match keys.insert(key.clone(), Answer::Helper(helper.shown_name().to_owned())) {
            None => {}
            Some(Answer::Helper(_)) => lose(key, Loss::Repeated),
            Some(_) => lose(key, Loss::Helper),
        }
        names.push(helper.shown_name().to_owned());
    }
    resolution.helpers = names;
    keys
}

impl Resolution {
    /// Walks the candidates from the longest to the shortest.
    fn decide(&mut self, keys: &BTreeMap<String, Answer>, version: RunnerVersion) {
        let mut won = false;
        for candidate in &self.candidates {
            let mut found: Vec<Match> = keys
                .iter()
                .filter(|(key, _)| key_path_in(key, version) == *candidate)
                .map(|(key, answer)| Match {
                    key: key.clone(),
                    path: candidate.clone(),
                    answer: answer.clone(),
                })
                .collect();
            if !won && !found.is_empty() {
                won = true;
                if found.len() > 1 && !version.sorts_keys() {
                    self.verdict = Verdict::AtRandom(found);
                    continue;
                }
                self.verdict = Verdict::Match(found.remove(0));
                let later = found.into_iter().map(|lost| (lost, Loss::SortsLater));
                self.losers.extend(later.map(Loser::from));
            } else {
                let shorter = found.into_iter().map(|lost| (lost, Loss::Shorter));
                self.losers.extend(shorter.map(Loser::from));
            }
        }
    }

    /// Whether the runner sends a credential: one that is not empty, or a helper's.
    #[must_use]
    pub fn has_credential(&self) -> bool {
        match &self.verdict {
            Verdict::Match(found) => found.answer != Answer::Empty,
            Verdict::AtRandom(found) => found.iter().all(|found| found.answer != Answer::Empty),
            Verdict::Store(_) => true,
            _ => false,
        }
    }
}

impl From<(Match, Loss)> for Loser {
    fn from((lost, reason): (Match, Loss)) -> Self {
        Self { key: lost.key, path: lost.path, reason }
    }
}
