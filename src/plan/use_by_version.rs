//! Whether each version of GitLab Runner uses the credentials that come in: what `set` says with
//! status 0.
//!
//! The resolver is asked for an image of each registry, as each version reads the new document.

use super::RunnerContext;
use crate::auth::credential::Credential;
use crate::auth::document::{AuthDocument, DocumentError};
use crate::auth::expansion::expand;
use crate::auth::registry::{Registry, shown, why_it_never_matches};
use crate::auth::runner_version::{RunnerVersion, named};
use crate::error::Error;
use crate::resolver::{Answer, Match, Verdict, resolve};
use crate::runner::environment::Environment;

/// What a version does with a registry in place of using its new credential.
#[derive(PartialEq, Eq)]
enum Instead {
    Drops(String),
    GivesUp,
    /// Takes one of several keys at random.
    Random(Vec<String>),
    Other(String),
    Nothing,
}

impl RunnerContext<'_, '_> {
    /// The warnings that name the versions which would use something else than what was asked for.
    /// Where every version would, that is an error.
    pub(super) fn check_use(
        &self,
        document: &str,
        logins: &[(Registry, Credential)],
    ) -> Result<Vec<String>, Error> {
        let text = expand(document, |name| self.variable(name)).text;
        let mut warnings = Vec::new();
        for (registry, login) in logins {
            let found: Vec<_> = RunnerVersion::SPANS
                .iter()
                .map(|(version, _)| instead(&text, registry, login, *version))
                .collect();
            if found.iter().all(Option::is_some) {
                return Err(self.never_used(registry));
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
                    self.runner.title(),
                    reason.words(registry)
                ));
            }
        }
        Ok(warnings)
    }

    fn never_used(&self, registry: &Registry) -> Error {
        let why = why_it_never_matches(registry.key())
            .unwrap_or("every version of GitLab Runner uses something else for it");
        let problem = format!(
            "would hold {} and no image would get it: {why}; name the registry as it stands in the \
             image",
            shown(registry.key())
        );
        let entries = self.environment.and_then(Environment::auth);
        match entries {
            Some(entries) => self.invalid(&entries.counts, DocumentError { offset: 0, problem }),
            None => Error::InvalidAuthDocument {
                path: self.config.text().label().to_owned(),
                place: self.config.text().place(self.runner.place().offset),
                runner: self.runner.title(),
                problem,
            },
        }
    }
}

/// What a version does in place of using a credential; `None` when it uses it.
fn instead(
    text: &str,
    registry: &Registry,
    login: &Credential,
    version: RunnerVersion,
) -> Option<Instead> {
    // An image that no other key can be for.
    let mut name = "image".to_owned();
    while text.contains(&name) {
        name.push('x');
    }
    let image = format!("{}/{name}", registry.path());
    let document = AuthDocument::parse_literal(text).ok();
    let holds = |found: &Match| {
        let entries = document.iter().flat_map(AuthDocument::effective);
        !matches!(found.answer, Answer::Helper(_) | Answer::Empty)
            && entries.into_iter().any(|entry| entry.key == found.key && entry.holds(login))
    };
    let key = |found: &Match| shown(&found.key).into_owned();
    match resolve(text, &image, version).verdict {
        Verdict::Match(found) if holds(&found) => None,
        Verdict::AtRandom(found) if found.iter().all(holds) => None,
        Verdict::Match(found) => Some(Instead::Other(key(&found))),
        Verdict::AtRandom(found) => Some(Instead::Random(found.iter().map(key).collect())),
        Verdict::NoMatch | Verdict::Store(_) => Some(Instead::Nothing),
        Verdict::Dropped { problem, .. } => Some(Instead::Drops(problem)),
        Verdict::Cancelled { .. } => Some(Instead::GivesUp),
    }
}

impl Instead {
    fn words(&self, registry: &Registry) -> String {
        let registry = shown(registry.key());
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
                "takes one of {} at random for {registry}: to it they are the same registry",
                keys.join(", ")
            ),
            Self::Other(key) => format!("uses {key} for {registry}"),
            Self::Nothing => format!("finds nothing for {registry}"),
        }
    }
}
