//! What each runner can pull from.
//!
//! ```
//! use runner_auth::listing::{Listed, credentials};
//! use runner_auth::{Config, ConfigText};
//!
//! # fn main() -> Result<(), runner_auth::Error> {
//! let entry = "environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \"Y2k6czNjcmV0\"}}}']";
//! let text = ConfigText::new("config.toml", format!("[[runners]]\n  {entry}\n").into_bytes());
//! let config = Config::parse(&text)?;
//! let listed: Vec<Listed> = credentials(&config, &config.runners()[0])?.expect("it can be read");
//! assert_eq!((listed[0].registry.as_str(), listed[0].username.as_deref()), ("r.io", Some("ci")));
//! # Ok(())
//! # }
//! ```

use serde::Serialize;

use crate::auth::document::Reading;
use crate::auth::key::Key;
use crate::auth::runner_version::RunnerVersion;
use crate::error::Error;
use crate::runner::environment::Environment;
use crate::runner::{Config, Runner};

/// A registry that a runner has a credential for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The key in the auth document.
    pub registry: String,
    /// The user, when it can be told.
    pub username: Option<String>,
    /// The credential helper that answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helper: Option<String>,
}

/// The credentials of a runner, or the sentence that says why it has none.
///
/// # Errors
///
/// Those of a broken `environment`. A broken auth document is an answer, not an error.
pub fn credentials(
    config: &Config<'_>,
    runner: &Runner<'_>,
) -> Result<Result<Vec<Listed>, String>, Error> {
    let Some(environment) = Environment::of(config, runner)? else {
        return Ok(Ok(Vec::new()));
    };
    let Some(entries) = environment.auth() else {
        return Ok(Ok(Vec::new()));
    };
    let filled = entries.counts.fill(&environment);
    let document = match filled.read(RunnerVersion::LATEST) {
        Reading::Empty => return Ok(Ok(Vec::new())),
        Reading::Dropped(error, _) => {
            return Ok(Err(format!("its auth document {}", error.problem)));
        }
        Reading::Cancelled(helper, _) => {
            return Ok(Err(format!("its auth document {}", helper.why_it_cancels())));
        }
        Reading::Read(document) => document,
    };
    let listed = document.effective().into_iter().map(|entry| Listed {
        registry: entry.key.shown().into_owned(),
        username: entry.username(),
        helper: None,
    });
    let helpers = document.effective_helpers().into_iter().map(|helper| Listed {
        registry: helper.key.as_ref().map_or("*".into(), Key::shown).into_owned(),
        username: None,
        helper: Some(helper.shown_name().to_owned()),
    });
    Ok(Ok(listed.chain(helpers).collect()))
}
