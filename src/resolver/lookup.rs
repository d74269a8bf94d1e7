//! A document as one version of GitLab Runner has read it, with its keys by path: worked out once, and
//! asked for as many images as there are. A verdict then costs what the image's path is long and not
//! what the document is.

use std::collections::BTreeMap;

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
    /// Keys that stand there again, or that a helper answers for, in the order of the document.
    hidden: Vec<Loser>,
    /// The `credsStore` that may answer where no key fits.
    store: Option<&'r str>,
}

impl<'r> Lookup<'r> {
    /// Prepares a document that has been read by the same version.
    pub fn new(reading: &'r Reading<'r>, version: RunnerVersion) -> Self {
        let mut lookup =
            Self { reading, version, keys: BTreeMap::new(), hidden: Vec::new(), store: None };
        if let Reading::Read(document) = reading {
            let store = document.helpers().iter().rfind(|helper| helper.key.is_none());
            lookup.store = store.map(Helper::shown_name).filter(|name| !name.is_empty());
            for (key, answer) in lookup.answers(document) {
                let path = key_path_in(key.as_str(), version);
                let found = Match { key: key.clone(), path: path.clone(), answer };
                lookup.keys.entry(path).or_default().push(found);
            }
        }
        lookup
    }

    /// What the runner has under each key, in sorted order; what is hidden by it is noted.
    fn answers<'d>(&mut self, document: &'d AuthDocument<'_>) -> BTreeMap<&'d Key, Answer> {
        let mut answers = BTreeMap::new();
        let mut hide = |key: &Key, reason: Loss| {
            let path = key_path_in(key.as_str(), self.version);
            self.hidden.push(Loser { key: key.clone(), path, reason });
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
    pub fn verdict(&self, image: &str) -> Verdict {
        self.decide(&candidates(&image_path(image, self.version)))
    }

    /// The verdict for an image with all that can be said about it.
    pub fn resolve(&self, image: &str) -> Resolution {
        let image_path = image_path(image, self.version);
        let candidates = candidates(&image_path);
        let verdict = self.decide(&candidates);
        let mut resolution = Resolution {
            losers: self.losers(&candidates),
            image_path,
            candidates,
            verdict,
            near_misses: Vec::new(),
            helpers: Vec::new(),
            store: self.store.map(str::to_owned),
        };
        let Reading::Read(document) = self.reading else { return resolution };
        let named = document.helpers().iter().filter(|helper| helper.key.is_some());
        resolution.helpers = named.map(|helper| helper.shown_name().to_owned()).collect();
        if matches!(resolution.verdict, Verdict::NoMatch | Verdict::Store(_)) {
            let outside: Vec<_> =
                document.unwrapped_credentials().map(|found| found.entry.key).collect();
            resolution.near_misses = near_miss::find(
                &resolution.image_path,
                self.keys.values().flatten().map(|found| &found.key),
                outside.iter(),
                self.version,
            );
        }
        resolution
    }

    /// The keys that fit, path by path from the longest candidate to the shortest.
    fn fitting<'s>(&'s self, candidates: &'s [String]) -> impl Iterator<Item = &'s [Match]> {
        candidates.iter().filter_map(|path| self.keys.get(path).map(Vec::as_slice))
    }

    fn decide(&self, candidates: &[String]) -> Verdict {
        match self.reading {
            Reading::Dropped(DocumentError { offset, problem }, _) => {
                return Verdict::Dropped { offset: *offset, problem: problem.clone() };
            }
            Reading::Cancelled(helper, _) => {
                return Verdict::Cancelled { helper: helper.shown_name().to_owned() };
            }
            Reading::Empty | Reading::Read(_) => {}
        }
        match self.fitting(candidates).next() {
            Some(several @ [_, _, ..]) if !self.version.sorts_keys() => {
                Verdict::AtRandom(several.to_vec())
            }
            Some([first, ..]) => Verdict::Match(first.clone()),
            _ => self.store.map_or(Verdict::NoMatch, |name| Verdict::Store(name.to_owned())),
        }
    }

    fn losers(&self, candidates: &[String]) -> Vec<Loser> {
        let hidden = self.hidden.iter().filter(|loser| candidates.contains(&loser.path)).cloned();
        let mut fitting = self.fitting(candidates);
        // Of several of which one is taken at random none has lost.
        let longest = fitting.next().filter(|_| self.version.sorts_keys()).unwrap_or_default();
        let later = longest.iter().skip(1).map(|found| (found, Loss::SortsLater));
        let shorter = fitting.flatten().map(|found| (found, Loss::Shorter));
        hidden.chain(later.chain(shorter).map(loser)).collect()
    }
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
