//! What a request comes to for one credential.

/// What happens to a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It was not there.
    Added,
    /// It was there with another user or password, or in a form that some versions ignore.
    Updated,
    /// It is there as wanted.
    Unchanged,
    /// It is taken out.
    Removed,
}

/// One credential of a runner and what happens to it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CredentialChange {
    /// The key in the auth document.
    pub registry: String,
    /// What happens.
    pub action: Action,
    /// The user, when it can be told.
    pub username: Option<String>,
}
