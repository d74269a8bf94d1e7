//! The runners that an error lists.

use std::collections::HashMap;
use std::fmt;

/// A runner that may be meant, with what tells it from others.
///
/// ```
/// use runner_auth::Candidate;
///
/// let runner = Candidate {
///     name: "devops".to_owned(),
///     short_token: "4qCqD8pEo".to_owned(),
///     executor: "docker".to_owned(),
///     id: Some(7),
/// };
/// assert_eq!(runner.to_string(), "devops (4qCqD8pEo), docker, id 7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name as it may be shown; empty when there is none.
    pub name: String,
    /// What GitLab's pages show of its token; empty when there is none.
    pub short_token: String,
    /// Its executor as it may be shown; empty when there is none.
    pub executor: String,
    /// GitLab's number for it.
    pub id: Option<i64>,
}

/// What a person can do where several runners match and one is meant: the options by which one of them
/// differs from all others. An executor picks a runner only where each has another one.
pub(super) fn way_out(candidates: &[Candidate]) -> String {
    let alone = |value: fn(&Candidate) -> String| {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for runner in candidates {
            *counts.entry(value(runner)).or_default() += 1;
        }
        counts.iter().filter(|(value, count)| !value.is_empty() && **count == 1).count()
    };
    let mut options = Vec::new();
    options.extend((alone(|runner| runner.name.clone()) > 0).then_some("--name"));
    options.extend((alone(|runner| runner.short_token.clone()) > 0).then_some("--token"));
    let id = |runner: &Candidate| runner.id.map_or(String::new(), |id| id.to_string());
    options.extend((alone(id) > 0).then_some("--id"));
    if options.is_empty() && alone(|runner| runner.executor.clone()) == candidates.len() {
        options.push("--executor");
    }
    let Some((last, before)) = options.split_last() else {
        return "no name, token or id tells them apart: give each a name of its own in the file, or \
                use --all for all of them"
            .to_owned();
    };
    let before = if before.is_empty() { String::new() } else { before.join(", ") + " or " };
    format!("pick one with {before}{last}, or use --all for all of them")
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name_and_token(&self.name, &self.short_token))?;
        if !self.executor.is_empty() {
            write!(f, ", {}", self.executor)?;
        }
        self.id.map_or(Ok(()), |id| write!(f, ", id {id}"))
    }
}

/// A runner's name and short token.
pub(crate) fn name_and_token(name: &str, short_token: &str) -> String {
    let name = if name.is_empty() { "(no name)" } else { name };
    let token = if short_token.is_empty() { "no token" } else { short_token };
    [name, " (", token, ")"].concat()
}
