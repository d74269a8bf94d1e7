//! Whether each version of GitLab Runner uses what comes in, a credential or a helper: what `set` says
//! with status 0.
//!
//! Each version reads the new document once and looks up an image of each registry in it.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::runner_context::RunnerContext;
use crate::auth::credential::Credential;
use crate::auth::document::{AuthDocument, DocumentError, Entry, Helper, Reading, undecodable};
use crate::auth::expansion::{Expanded, expand};
use crate::auth::key::few;
use crate::auth::registry::{Registry, is_plain_host, shown, why_it_never_matches};
use crate::auth::runner_version::{RunnerVersion, named};
use crate::error::Error;
use crate::resolver::{Answer, Decision, Lookup, Match};
use crate::runner::environment::Environment;

/// A registry with what is to answer for it; one that isn't there stands for every one, as that of a
/// `credsStore`.
pub(super) type Wanted<'w> = (Option<&'w Registry>, Incoming<'w>);

/// What is to answer for a registry.
pub(super) enum Incoming<'w> {
    Login(&'w Credential),
    /// A credential helper, without `docker-credential-`.
    Helper(&'w str),
}

/// What a version does with a registry in place of using what comes in.
#[derive(PartialEq, Eq)]
enum Instead {
    Drops(String),
    GivesUp,
    /// Takes one of several keys at random.
    Random(String),
    Other(String),
    Nothing,
}

impl RunnerContext<'_, '_> {
    /// The warnings that name the versions which would use something else than what was asked for. Where
    /// every version would, or the newest ones make nothing of the document, that is an error.
    pub(super) fn check_use(
        &self,
        document: &str,
        wanted: &[Wanted<'_>],
    ) -> Result<Vec<String>, Error> {
        let Expanded { text, values, .. } = expand(document, |name| self.variable(name));
        let [spans @ .., (newest, _)] = &RunnerVersion::SPANS;
        let read = |version: RunnerVersion| (version, Reading::of(&text, &values, version));
        let newest = read(*newest);
        self.check_newest(&newest.1)?;
        if matches!(&newest.1, Reading::Read(document) if is_settled(document, wanted)) {
            return Ok(Vec::new());
        }
        let mut readings: Vec<_> = spans.iter().map(|(version, _)| read(*version)).collect();
        readings.push(newest);
        let views: Vec<_> =
            readings.iter().map(|(version, reading)| View::new(reading, *version)).collect();
        // An image that no other key can be for.
        let image = named_nowhere(&text);
        let mut warnings = Vec::new();
        for (registry, wanted) in wanted {
            // A host that no key can be for either.
            let host = registry.map_or_else(|| format!("{image}.example"), |it| it.path().into());
            let name = registry.map_or("other registries".into(), |it| shown(it.key()));
            let image = format!("{host}/{image}");
            let found: Vec<_> = views.iter().map(|view| view.instead(&image, wanted)).collect();
            if found.iter().all(Option::is_some) {
                return Err(self.never_used(&name, *registry));
            }
            let mut told: Vec<&Instead> = Vec::new();
            for reason in found.iter().flatten() {
                if told.contains(&reason) {
                    continue;
                }
                told.push(reason);
                let versions = named(found.iter().map(|found| found.as_ref() == Some(reason)));
                warnings.push(format!(
                    "runner '{}': GitLab Runner {versions} {}",
                    self.config.title(self.runner),
                    reason.words(&name)
                ));
            }
        }
        Ok(warnings)
    }

    /// Refuses an `auth` or a helper for which the newest versions would take nothing of the document.
    fn check_newest(&self, newest: &Reading<'_>) -> Result<(), Error> {
        let (key, problem) = match newest {
            Reading::Dropped(_, Some(document)) => {
                let Some(broken) = document.undecodable(RunnerVersion::LATEST) else {
                    return Ok(());
                };
                let problem = format!(
                    "{}, and GitLab Runner drops the whole document for it: set that registry too, \
                     or take it out with remove --registry",
                    undecodable(broken)
                );
                (Some(&broken.key), problem)
            }
            Reading::Cancelled(helper, _) => {
                let problem = format!(
                    "{}: take it out with remove --registry, or drop the document with --replace",
                    helper.why_it_cancels()
                );
                (helper.key.as_ref(), problem)
            }
            _ => return Ok(()),
        };
        Err(self.useless(problem, |old| {
            let helper = || old.helpers().iter().rfind(|old| old.key.as_ref() == key);
            let entry = old.entries().iter().find(|old| Some(&old.key) == key);
            let place = match newest {
                Reading::Cancelled(..) => helper().map(|helper| old.helper_place(helper)),
                _ => entry.map(|entry| old.key_place(entry)),
            };
            place.map_or(0, |place| place.start)
        }))
    }

    fn never_used(&self, name: &str, registry: Option<&Registry>) -> Error {
        let why = registry
            .and_then(|registry| why_it_never_matches(registry.key()))
            .unwrap_or("every version of GitLab Runner uses something else for it");
        let problem = format!(
            "would hold {name} and no image would get it: {why}; name the registry as it stands in \
             the image"
        );
        self.useless(problem, |_| 0)
    }

    /// An error about the new document, at a place of the old one where there is one.
    fn useless(&self, problem: String, place: impl Fn(&AuthDocument<'_>) -> usize) -> Error {
        let entries = self.environment.and_then(Environment::auth);
        match entries {
            Some(entries) => {
                let old = self.parse_text(entries.counts.document());
                let offset = old.as_ref().map_or(0, place);
                self.invalid(&entries.counts, DocumentError { offset, problem })
            }
            None => Error::InvalidAuthDocument {
                path: self.config.text().label().to_owned(),
                place: self.config.text().place(self.runner.place().offset),
                runner: self.config.title(self.runner),
                problem,
            },
        }
    }
}

/// Whether every version uses these credentials, out of a document about which no two differ: it holds
/// no variable, and nothing but an `auth` for each of some plain hosts.
pub(super) fn is_settled(document: &AuthDocument<'_>, wanted: &[Wanted<'_>]) -> bool {
    let is_used = |wanted: &Wanted<'_>| {
        let (Some(registry), Incoming::Login(login)) = wanted else { return false };
        let found = document.at_path(registry.path());
        is_plain_host(registry.path())
            && why_it_never_matches(registry.path()).is_none()
            && !found.is_empty()
            && found.iter().all(|entry| entry.holds(login))
    };
    !document.text().contains('$')
        && document.is_plain()
        && document.undecodable(RunnerVersion::LATEST).is_none()
        && wanted.iter().all(is_used)
}

/// What one version makes of the new document.
struct View<'r> {
    lookup: Lookup<'r>,
    /// The credentials and the helpers that count, by key; that of a `credsStore` is `None`.
    credentials: HashMap<&'r str, &'r Entry>,
    helpers: HashMap<Option<&'r str>, &'r Helper>,
    /// Whether all keys of a path hold the same credential, for those that were asked for: there may be
    /// as many registries with that path as keys.
    alike: RefCell<HashMap<String, bool>>,
}

impl<'r> View<'r> {
    fn new(reading: &'r Reading<'r>, version: RunnerVersion) -> Self {
        let document = match reading {
            Reading::Read(document) => Some(document),
            _ => None,
        };
        let credentials = document.map(AuthDocument::effective).unwrap_or_default();
        let helpers = document.map(AuthDocument::effective_helpers).unwrap_or_default();
        Self {
            lookup: Lookup::new(reading, version),
            credentials: credentials.into_iter().map(|entry| (entry.key.as_str(), entry)).collect(),
            helpers: helpers.into_iter().map(|helper| (helper.key_text(), helper)).collect(),
            alike: RefCell::default(),
        }
    }

    /// Whether the same stands under each of several keys of one path.
    fn are_alike(&self, several: &[Match]) -> bool {
        let Some(first) = several.first() else { return true };
        let entry = |found: &Match| self.credentials.get(found.key.as_str());
        let name = |found: &Match| {
            let helper = self.helpers.get(&Some(found.key.as_str()));
            helper.map(|helper| helper.name.as_str())
        };
        let of_first = entry(first).and_then(|entry| entry.credential());
        let is_alike = |found: &Match| match &found.answer {
            Answer::Helper(_) => name(found) == name(first),
            answer => {
                let held = of_first.as_ref().zip(entry(found));
                *answer != Answer::Empty && held.is_some_and(|(login, entry)| entry.holds(login))
            }
        };
        let mut known = self.alike.borrow_mut();
        if let Some(&alike) = known.get(&first.path) {
            return alike;
        }
        *known.entry(first.path.clone()).or_insert(several.iter().all(is_alike))
    }

    /// What the version does in place of using what is wanted for an image; `None` when it uses it.
    fn instead(&self, image: &str, wanted: &Incoming<'_>) -> Option<Instead> {
        let holds = |found: &Match| match wanted {
            Incoming::Login(login) => {
                !matches!(found.answer, Answer::Helper(_) | Answer::Empty)
                    && self
                        .credentials
                        .get(found.key.as_str())
                        .is_some_and(|entry| entry.holds(login))
            }
            Incoming::Helper(_) => {
                matches!(found.answer, Answer::Helper(_))
                    && self.asks(Some(found.key.as_str()), wanted)
            }
        };
        match self.lookup.decision(image) {
            Decision::Match(found) if holds(found) => None,
            Decision::AtRandom(found)
                if found.first().is_some_and(holds) && self.are_alike(found) =>
            {
                None
            }
            Decision::Store(_) if self.asks(None, wanted) => None,
            Decision::Match(found) => Some(Instead::Other(found.key.shown().into_owned())),
            Decision::AtRandom(found) => {
                Some(Instead::Random(few(found.iter().map(|found| &found.key))))
            }
            Decision::NoMatch | Decision::Store(_) => Some(Instead::Nothing),
            Decision::Dropped(error) => Some(Instead::Drops(error.problem.clone())),
            Decision::Cancelled(_) => Some(Instead::GivesUp),
        }
    }

    /// Whether the helper of a key is the one that is wanted.
    fn asks(&self, key: Option<&str>, wanted: &Incoming<'_>) -> bool {
        let helper = self.helpers.get(&key);
        matches!((helper, wanted), (Some(helper), Incoming::Helper(name)) if helper.name == *name)
    }
}

/// A name that no part of a document's keys has.
fn named_nowhere(text: &str) -> String {
    const NAME: &str = "image";
    // As many digits as the largest number of such names in the largest text needs.
    const DIGITS: usize = 10;
    let behind = text.match_indices(NAME).map(|(at, _)| &text.as_bytes()[at + NAME.len()..]);
    let taken: HashSet<&[u8]> = behind
        .flat_map(|rest| (1..=DIGITS.min(rest.len())).map(|length| &rest[..length]))
        .collect();
    let free = (0_u64..).map(|number| number.to_string());
    let free = free.into_iter().find(|number| !taken.contains(number.as_bytes()));
    format!("{NAME}{}", free.unwrap_or_default())
}

impl Instead {
    fn words(&self, registry: &str) -> String {
        match self {
            Self::Drops(problem) => {
                format!(
                    "drops the whole document, which {problem}, and finds nothing for {registry}"
                )
            }
            Self::GivesUp => format!(
                "gives up on every source for the name of a helper, and finds nothing for {registry}"
            ),
            Self::Random(keys) => format!(
                "takes one of {keys} at random for {registry}: to it they are the same registry"
            ),
            Self::Other(key) => format!("uses {key} for {registry}"),
            Self::Nothing => format!("finds nothing for {registry}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: &[&str] = &[
        "r.io",
        "R.io",
        "r.io:5000",
        "r.io:",
        "r.io/group",
        "https://r.io",
        "docker.io",
        "index.docker.io",
        "https://index.docker.io/v1/",
        "registry-1.docker.io",
        "localhost",
        "group",
        "10.0.0.1",
        "-r.io",
        "r.i\\u006f",
        "http:",
        "image",
        "",
    ];

    const WANTED: &str = r#"{"auth": "Y2k6czNjcmV0"}"#;

    const ENTRIES: &[&str] = &[
        r#"{"Auth": "Y2k6czNjcmV0"}"#,
        r#"{"auth": "YTpi"}"#,
        r#"{"auth": "OmI="}"#,
        r#"{"auth": "b2g="}"#,
        r#"{"auth": ""}"#,
        r#"{"auth": null}"#,
        r#"{"auth": "$CI_JOB_TOKEN"}"#,
        r#"{"username": "ci", "password": "s3cret"}"#,
        r#"{"auth": "Y2k6czNjcmV0", "email": 1}"#,
        "{}",
        "null",
    ];

    proptest! {
        #![proptest_config(crate::property::cases(1000))]

        #[test]
        fn every_version_uses_what_is_settled(
            entries in prop::collection::vec(
                (
                    prop::sample::select(KEYS),
                    prop_oneof![3 => Just(WANTED), 1 => prop::sample::select(ENTRIES)],
                ),
                0..4,
            ),
            rest in prop::sample::select(&["", "", ", \"credsStore\": \"\"", ", \"auths\": {}"][..]),
        ) {
            let members: Vec<_> =
                entries.iter().map(|(key, entry)| format!("\"{key}\": {entry}")).collect();
            let text = format!("{{\"auths\": {{{}}}{rest}}}", members.join(", "));
            let Ok(document) = AuthDocument::parse_literal(&text) else { return Ok(()) };
            let login = Credential::decode("Y2k6czNjcmV0").unwrap();
            for registry in KEYS.iter().filter(|key| is_plain_host(key)) {
                let registry = Registry::named(registry);
                let wanted = (Some(&registry), Incoming::Login(&login));
                let image = format!("{}/{}", registry.path(), named_nowhere(&text));
                let uses = |(version, _): &(RunnerVersion, RunnerVersion)| {
                    let reading = Reading::of(&text, &[], *version);
                    View::new(&reading, *version).instead(&image, &wanted.1).is_none()
                };
                if is_settled(&document, std::slice::from_ref(&wanted)) {
                    prop_assert!(RunnerVersion::SPANS.iter().all(uses), "{} of {}", image, text);
                }
            }
        }
    }
}
