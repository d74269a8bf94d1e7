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
mod lookup;
mod near_miss;
pub mod rendering;
pub mod shell;

use crate::auth::document::Reading;
use crate::auth::key::Key;
use crate::auth::runner_version::RunnerVersion;

pub(crate) use lookup::{Decision, Lookup};
pub use near_miss::{Miss, NearMiss};

/// What a document holds for an image.
///
/// ```
/// use runner_auth::{
///     Answer, Loser, Loss, Match, Miss, NearMiss, Resolution, RunnerVersion, Verdict, resolve,
/// };
///
/// let document = r#"{"auths": {"r.io": {"auth": "Y2k6czNjcmV0"}, "r.io/ns": {"auth": "YTpi"}}}"#;
/// let resolution: Resolution = resolve(document, "r.io/ns/app", RunnerVersion::LATEST);
/// assert!(resolution.has_credential());
/// let Verdict::Match(Match { key, answer, .. }) = &resolution.verdict else { panic!("no match") };
/// assert_eq!((key.as_str(), answer), ("r.io/ns", &Answer::User("a".into())));
/// let loser: &Loser = &resolution.losers[0];
/// assert_eq!((loser.key.as_str(), loser.reason), ("r.io", Loss::Shorter));
///
/// let missed = resolve(document, "r.io:5000/app", RunnerVersion::LATEST);
/// let near: &NearMiss = &missed.near_misses[0];
/// assert_eq!((near.key.as_str(), near.reason), ("r.io", Miss::Port));
/// println!("{}", near.reason.reason());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The path of the image.
    pub image_path: String,
    /// The paths under which a credential is looked for, the longest first.
    pub candidates: Vec<String>,
    /// What the runner uses.
    pub verdict: Verdict,
    /// Keys that fit the image as well but don't win, a hundred at most.
    pub losers: Vec<Loser>,
    /// How many more there are.
    pub more_losers: usize,
    /// Without a match, the keys that come closest.
    pub near_misses: Vec<NearMiss>,
    /// The helpers that the runner runs whatever the image, a hundred at most: when one of them fails,
    /// the whole document is dropped.
    pub helpers: Vec<String>,
    /// The `credsStore`, which can answer for any registry.
    pub store: Option<String>,
}

/// What the runner uses for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This credential.
    Match(Match),
    /// One of several, at random (before 18.3).
    AtRandom {
        /// A hundred of them at most.
        keys: Vec<Match>,
        /// How many more there are.
        more: usize,
        /// Whether nothing stands under one of them.
        one_is_empty: bool,
    },
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
    /// The key.
    pub key: Key,
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
    pub key: Key,
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
    Lookup::new(&Reading::of(document, &[], version), version).resolve(image)
}

impl Resolution {
    /// Whether the runner sends a credential: one that is not empty, or a helper's.
    #[must_use]
    pub fn has_credential(&self) -> bool {
        match &self.verdict {
            Verdict::Match(found) => found.answer != Answer::Empty,
            Verdict::AtRandom { one_is_empty, .. } => !one_is_empty,
            Verdict::Store(_) => true,
            _ => false,
        }
    }
}
