//! What each runner can pull from.

use serde::Serialize;

use crate::auth::document::AuthDocument;
use crate::auth::registry::shown;
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
    let entries = environment.auth_entries();
    let Some(entry) = entries.last() else {
        return Ok(Ok(Vec::new()));
    };
    // As the runner reads it: expanded first.
    let text = environment.expanded(entry).text;
    if text.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let document = match AuthDocument::parse_literal(&text) {
        Ok(document) => document,
        Err(error) => return Ok(Err(format!("its auth document {}", error.problem))),
    };
    if let Some(entry) = document.undecodable() {
        return Ok(Err(format!(
            "its auth document has an auth for {} that can't be decoded",
            shown(&entry.key)
        )));
    }
    let mut listed: Vec<_> = document
        .entries()
        .iter()
        .map(|entry| Listed {
            registry: shown(&entry.key).into_owned(),
            username: entry.username(),
            helper: None,
        })
        .collect();
    listed.extend(document.helpers().iter().map(|helper| Listed {
        registry: helper.key.as_deref().map_or("*".into(), shown).into_owned(),
        username: None,
        helper: Some(helper.name.clone()),
    }));
    Ok(Ok(listed))
}
