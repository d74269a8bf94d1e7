//! The runners that an error lists.

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

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "(no name)" } else { &self.name };
        let token = if self.short_token.is_empty() { "no token" } else { &self.short_token };
        write!(f, "{name} ({token})")?;
        if !self.executor.is_empty() {
            write!(f, ", {}", self.executor)?;
        }
        self.id.map_or(Ok(()), |id| write!(f, ", id {id}"))
    }
}
