//! What one runner would use for an image, and where in the config that comes from.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::sync::Arc;

use crate::auth::document::{AuthDocument, Reading};
use crate::auth::runner_version::RunnerVersion;
use crate::error::Error;
use crate::resolver::{Lookup, Resolution, Verdict};
use crate::runner::allowed_helpers;
use crate::runner::allowed_images::restricted;
use crate::runner::auth_entry::{AuthEntry, Filled};
use crate::runner::environment::Environment;
use crate::runner::executor::Pull;
use crate::runner::named_images::named_images;
use crate::runner::pod_pull_secrets::PodPullSecrets;
use crate::runner::{Config, Runner};
use crate::toml::text::Place;

/// What a runner would use for an image.
///
/// ```
/// use runner_auth::{Config, ConfigText, Explanation, Limits, Pull, RunnerVersion};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let text = ConfigText::new("config.toml", b"[[runners]]\n  executor = 'docker'\n".to_vec());
/// let config = Config::parse(&text)?;
/// let runner = &config.runners()[0];
/// let explanation = Explanation::new(&config, runner, "r.io/app:1", RunnerVersion::LATEST)?;
/// assert!(!explanation.has_credential());
/// assert_eq!((explanation.pull, explanation.entry), (Pull::Runner, None));
/// assert_eq!(explanation.resolution.candidates, ["r.io/app", "r.io"]);
/// let limits: &Limits = &explanation.limits;
/// assert!(!limits.allows_helpers && limits.restricted_by.is_empty());
/// // Of several images at once the document is read once.
/// let images = ["r.io/app:1", "alpine"];
/// let all = Explanation::of_images(&config, runner, &images, RunnerVersion::LATEST)?;
/// assert_eq!(all[0], explanation);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// How the runner comes by its images; one that pulls none uses no credential.
    pub pull: Pull,
    /// Where the auth entry stands that counts, the last one.
    pub entry: Option<Place>,
    /// Where the entries stand that it hides.
    pub hidden: Arc<[Place]>,
    /// Whether the entry holds a variable (`$NAME`) that neither the runner sets nor GitLab: it
    /// becomes nothing, unless a job sets it. Its name may be a part of a password.
    pub unset: bool,
    /// Whether it holds a variable that GitLab sets for each job, such as `$CI_REGISTRY`: what comes
    /// of it can't be told here.
    pub open: bool,
    /// What else the config says of the runner's pulls.
    pub limits: Limits,
    /// What the auth document holds for the image; an empty document without an entry.
    pub resolution: Resolution,
    /// Where the key stands that wins, or what is wrong with the document.
    pub place: Option<Place>,
}

/// What a runner's config says of its pulls beside the auth entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Where it says that no pod gets the pull Secret that is made of the entry.
    pub unattached: Option<Place>,
    /// Whether pods get other pull Secrets as well, which the config names.
    pub beside_pull_secrets: bool,
    /// The keys with patterns for the images that a job may name, `allowed_images` and
    /// `allowed_services`, where they hold some.
    pub restricted_by: Vec<&'static str>,
    /// Whether it has `allowed_docker_credential_helpers`, without which the newest versions may run no
    /// helper.
    pub allows_helpers: bool,
}

impl Limits {
    fn of(config: &Config<'_>, runner: &Runner<'_>, version: RunnerVersion) -> Self {
        let secrets = PodPullSecrets::of(config, runner);
        let unattached = secrets.service_account.filter(|_| secrets.leave_out_the_entry(version));
        let place = |value| config.text().place(config.syntax().node(value).span().start);
        Self {
            unattached: unattached.map(place),
            beside_pull_secrets: secrets.named.is_some() && unattached.is_none(),
            restricted_by: restricted(config, runner),
            allows_helpers: allowed_helpers::are_named(config, runner),
        }
    }
}

impl Explanation {
    /// Explains what a runner would use for an image.
    ///
    /// # Errors
    ///
    /// Those of a broken `environment`. A broken auth document is an answer, not an error.
    pub fn new(
        config: &Config<'_>,
        runner: &Runner<'_>,
        image: &str,
        version: RunnerVersion,
    ) -> Result<Self, Error> {
        Ok(Self::of_images(config, runner, &[image], version)?.swap_remove(0))
    }

    /// The same for several images, in their order. The document is read once for all of them.
    ///
    /// # Errors
    ///
    /// Those of [`Explanation::new`].
    pub fn of_images(
        config: &Config<'_>,
        runner: &Runner<'_>,
        images: &[&str],
        version: RunnerVersion,
    ) -> Result<Vec<Self>, Error> {
        let environment = Environment::of(config, runner)?;
        let entries = environment.as_ref().and_then(Environment::auth);
        let text = config.text();
        let place = |entry: &AuthEntry<'_>| text.place(entry.place(0..0).start);
        let filled = environment.as_ref().zip(entries.as_ref()).map(|(environment, entries)| {
            let filled = entries.counts.fill(environment);
            (environment, &entries.counts, filled)
        });
        let reading = match &filled {
            Some((_, _, filled)) => filled.read(version),
            None => Reading::Empty,
        };
        // Only a verdict about a key needs it.
        let written = LazyCell::new(|| {
            let (environment, entry, _) = filled.as_ref()?;
            let Reading::Read(document) = &reading else { return None };
            entry.as_written(environment, document)
        });
        let literal = match (&filled, &reading) {
            (Some((_, _, filled)), Reading::Read(document)) if filled.as_written => Some(document),
            _ => None,
        };
        let written = || literal.or_else(|| written.as_ref());
        let lookup = Lookup::new(&reading, version);
        let hidden: Arc<[Place]> =
            entries.iter().flat_map(|entries| &entries.hidden).map(place).collect();
        let open = filled.as_ref().is_some_and(|(_, _, filled)| filled.is_open());
        let limits = Limits::of(config, runner, version);
        let named = LazyCell::new(|| -> HashSet<_> {
            named_images(config, runner).into_iter().map(|named| named.image).collect()
        });
        let explain = |image: &&str| {
            let resolution = lookup.resolve(image);
            let offset = filled.as_ref().and_then(|(_, entry, filled)| {
                Some((entry, offset(&resolution.verdict, entry, filled, written)?))
            });
            let mut limits = limits.clone();
            if !limits.restricted_by.is_empty() && named.contains(*image) {
                // What the config names itself is always allowed.
                limits.restricted_by.clear();
            }
            Self {
                pull: runner.executor().pull(),
                entry: entries.as_ref().map(|entries| place(&entries.counts)),
                hidden: Arc::clone(&hidden),
                unset: filled.as_ref().is_some_and(|(_, _, filled)| filled.unset),
                open,
                limits,
                resolution,
                place: offset
                    .map(|(entry, offset)| text.place(entry.place(offset..offset + 1).start)),
            }
        };
        Ok(images.iter().map(explain).collect())
    }

    /// Whether the runner would send a credential for the image.
    #[must_use]
    pub fn has_credential(&self) -> bool {
        self.pull != Pull::None
            && self.limits.unattached.is_none()
            && self.resolution.has_credential()
    }
}

/// The byte of the document, as it stands in the file, that the verdict is about.
fn offset<'w>(
    verdict: &Verdict,
    entry: &AuthEntry<'_>,
    filled: &Filled,
    written: impl FnOnce() -> Option<&'w AuthDocument<'w>>,
) -> Option<usize> {
    let key = match verdict {
        Verdict::Dropped { offset, .. } => {
            let end = entry.document().len().saturating_sub(1);
            return filled.as_written.then_some(*offset.min(&end));
        }
        Verdict::Match(found) => &found.key,
        Verdict::AtRandom { keys, .. } => &keys.first()?.key,
        Verdict::NoMatch | Verdict::Store(_) | Verdict::Cancelled { .. } => return None,
    };
    written()?.place_of(key.as_str()).map(|place| place.start)
}
