//! A document as one version of GitLab Runner has read it, with its keys by path: worked out once, and
//! asked for as many images as there are. A verdict then costs what the image's path is long and not
//! what the document is.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::image::{candidates, image_path};
use super::{Answer, Loser, Loss, Match, Resolution, Verdict, near_miss};
use crate::auth::document::{AuthDocument, DocumentError, Entry, Field, Helper, Reading, Stored};
use crate::auth::key::Key;
use crate::auth::registry::key_path_in;
use crate::auth::runner_version::RunnerVersion;

pub(crate) struct Lookup<'r> {
    reading: &'r Reading<'r>,
    version: RunnerVersion,
    /// The keys of each path in sorted order, at least one, each with what the runner has under it.
    keys: BTreeMap<String, Vec<Match>>,
    /// The paths with a key under which nothing stands.
    empty: HashSet<String>,
    /// Keys that stand there again, or that a helper answers for, by path, each with its number in the
    /// order of the document.
    hidden: HashMap<String, Vec<(usize, Loser)>>,
    /// The helpers that are named for a key.
    helpers: Vec<String>,
    /// How many keys may still be looked at for near misses.
    near: Cell<usize>,
    /// The `credsStore` that may answer where no key fits.
    store: Option<&'r str>,
}

impl<'r> Lookup<'r> {
    /// Prepares a document that has been read by the same version.
    pub fn new(reading: &'r Reading<'r>, version: RunnerVersion) -> Self {
        let mut lookup = Self {
            reading,
            version,
            keys: BTreeMap::new(),
            empty: HashSet::new(),
            hidden: HashMap::new(),
            helpers: Vec::new(),
            near: Cell::new(MOST_NEAR),
            store: None,
        };
        if let Reading::Read(document) = reading {
            let store = document.helpers().iter().rfind(|helper| helper.key.is_none());
            lookup.store = store.map(Helper::shown_name).filter(|name| !name.is_empty());
            let mut seen = HashSet::new();
            let named = document.helpers().iter().filter(|helper| helper.key.is_some());
            let named = named.map(Helper::shown_name).filter(|name| seen.insert(*name));
            lookup.helpers = named.take(MOST).map(str::to_owned).collect();
            for (key, answer) in lookup.answers(document) {
                let path = key_path_in(key.as_str(), version);
                let found = Match { key: key.clone(), path: path.clone(), answer };
                if found.answer == Answer::Empty {
                    lookup.empty.insert(path.clone());
                }
                lookup.keys.entry(path).or_default().push(found);
            }
        }
        lookup
    }

    /// What the runner has under each key, in sorted order; what is hidden by it is noted.
    fn answers<'d>(&mut self, document: &'d AuthDocument<'_>) -> BTreeMap<&'d Key, Answer> {
        let mut answers = BTreeMap::new();
        let mut number = 0;
        let mut hide = |key: &Key, reason: Loss| {
            let path = key_path_in(key.as_str(), self.version);
            let loser = Loser { key: key.clone(), path: path.clone(), reason };
            self.hidden.entry(path).or_default().push((number, loser));
            number += 1;
        };
        for entry in document.entries() {
            if answers.insert(&entry.key, answer(entry, self.version)).is_some() {
                hide(&entry.key, Loss::Repeated);
            }
        }
        for helper in document.helpers() {
            let Some(key) = &helper.key else { continue };
            match answers.insert(key, Answer::Helper(helper.shown_name().to_owned())) {
                None => {}
                Some(Answer::Helper(_)) => hide(key, Loss::Repeated),
                Some(_) => hide(key, Loss::Helper),
            }
        }
        answers
    }

    /// What the runner uses for an image.
    pub fn decision(&self, image: &str) -> Decision<'_> {
        self.decide(&candidates(&image_path(image, self.version)))
    }

    /// The verdict for an image with all that can be said about it.
    pub fn resolve(&self, image: &str) -> Resolution {
        let image_path = image_path(image, self.version);
        let candidates = candidates(&image_path);
        let verdict = self.verdict(&candidates);
        let (losers, more_losers) = self.losers(&candidates);
        let mut resolution = Resolution {
            losers,
            more_losers,
            image_path,
            candidates,
            verdict,
            near_misses: Vec::new(),
            helpers: self.helpers.clone(),
            store: self.store.map(str::to_owned),
        };
        let Reading::Read(document) = self.reading else { return resolution };
        if matches!(resolution.verdict, Verdict::NoMatch | Verdict::Store(_)) {
            let outside: Vec<_> =
                document.unwrapped_credentials().map(|found| found.entry.key).collect();
            resolution.near_misses = near_miss::find(
                &resolution.image_path,
                &resolution.candidates,
                self.keys.values().flatten().map(|found| &found.key).take(self.near.get()),
                outside.iter(),
                self.version,
            );
            self.near.set(self.near.get().saturating_sub(document.entries().len()));
        }
        resolution
    }

    /// The keys that fit, path by path from the longest candidate to the shortest.
    fn fitting<'s, 'c>(
        &'s self,
        candidates: &'c [String],
    ) -> impl Iterator<Item = &'s [Match]> + use<'s, 'c, 'r> {
        candidates.iter().filter_map(|path| self.keys.get(path).map(Vec::as_slice))
    }

    fn decide(&self, candidates: &[String]) -> Decision<'_> {
        match self.reading {
            Reading::Dropped(error, _) => return Decision::Dropped(error),
            Reading::Cancelled(helper, _) => return Decision::Cancelled(helper),
            Reading::Empty | Reading::Read(_) => {}
        }
        match self.fitting(candidates).next() {
            Some(several @ [_, _, ..]) if !self.version.sorts_keys() => Decision::AtRandom(several),
            Some([first, ..]) => Decision::Match(first),
            _ => self.store.map_or(Decision::NoMatch, Decision::Store),
        }
    }

    fn verdict(&self, candidates: &[String]) -> Verdict {
        match self.decide(candidates) {
            Decision::Match(found) => Verdict::Match(found.clone()),
            Decision::AtRandom(several) => Verdict::AtRandom {
                keys: several.iter().take(MOST).cloned().collect(),
                more: several.len().saturating_sub(MOST),
                one_is_empty: several.first().is_some_and(|one| self.empty.contains(&one.path)),
            },
            Decision::NoMatch => Verdict::NoMatch,
            Decision::Store(name) => Verdict::Store(name.to_owned()),
            Decision::Dropped(DocumentError { offset, problem }) => {
                Verdict::Dropped { offset: *offset, problem: problem.clone() }
            }
            Decision::Cancelled(helper) => {
                Verdict::Cancelled { helper: helper.shown_name().to_owned() }
            }
        }
    }

    /// The keys that fit and don't win, a few, and how many more there are.
    fn losers(&self, candidates: &[String]) -> (Vec<Loser>, usize) {
        let hidden: Vec<_> = candidates.iter().filter_map(|path| self.hidden.get(path)).collect();
        let mut number: usize = hidden.iter().map(|losers| losers.len()).sum();
        let mut hidden: Vec<_> =
            hidden.into_iter().flat_map(|losers| losers.iter().take(MOST)).collect();
        hidden.sort_by_key(|(number, _)| *number);
        let hidden = hidden.into_iter().map(|(_, loser)| loser.clone());
        let mut fitting = self.fitting(candidates);
        // Of several of which one is taken at random none has lost.
        let longest = fitting.next().filter(|_| self.version.sorts_keys()).unwrap_or_default();
        let fitting: Vec<_> = fitting.collect();
        let later = longest.iter().skip(1).map(|found| (found, Loss::SortsLater));
        let shorter = fitting.iter().copied().flatten().map(|found| (found, Loss::Shorter));
        number += longest.len().saturating_sub(1);
        number += fitting.iter().map(|several| several.len()).sum::<usize>();
        let losers: Vec<_> = hidden.chain(later.chain(shorter).map(loser)).take(MOST).collect();
        let more = number - losers.len();
        (losers, more)
    }
}

/// How many keys are told of where a document has any number of them.
const MOST: usize = 100;

/// How many keys are looked at for near misses, for all images that a document is asked for.
const MOST_NEAR: usize = 1 << 20;

/// A verdict that borrows what it is about: of several keys there may be as many as the document has.
pub(crate) enum Decision<'l> {
    Match(&'l Match),
    AtRandom(&'l [Match]),
    NoMatch,
    Store(&'l str),
    Dropped(&'l DocumentError),
    Cancelled(&'l Helper),
}

fn answer(entry: &Entry, version: RunnerVersion) -> Answer {
    let filled = |field: &Option<Field>| {
        field.as_ref().is_some_and(|field| !field.value.expose().is_empty())
    };
    match entry.stored() {
        Stored::Credential(_) if !filled(&entry.auth) && !version.reads_plain_fields() => {
            Answer::Empty
        }
        Stored::Unknown => Answer::Variable,
        Stored::Credential(_) => Answer::User(entry.username().unwrap_or_default()),
        _ if filled(&entry.identity_token) || filled(&entry.registry_token) => Answer::Token,
        // An empty user, which old versions take.
        _ if filled(&entry.auth) => Answer::User(String::new()),
        _ => Answer::Empty,
    }
}

fn loser((lost, reason): (&Match, Loss)) -> Loser {
    Loser { key: lost.key.clone(), path: lost.path.clone(), reason }
}
