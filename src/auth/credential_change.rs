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
///
/// ```
/// use runner_auth::{
///     Action, Config, ConfigText, Credential, CredentialChange, Plan, Registry, Request, Secret,
/// };
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let text = ConfigText::new("config.toml", b"[[runners]]\n  executor = 'docker'\n".to_vec());
/// let config = Config::parse(&text)?;
/// let logins = vec![(Registry::parse("r.io")?, Credential::new("ci", Secret::from("s3cret"))?)];
/// let request = Request::Set { logins, replace: false, pull_policies: Vec::new() };
/// let plan = Plan::make(&config, &[0], &request)?;
/// let CredentialChange { registry, action, username } = &plan.runners()[0].changes[0];
/// assert_eq!((registry.as_str(), *action, username.as_deref()), ("r.io", Action::Added, Some("ci")));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CredentialChange {
    /// The key in the auth document.
    pub registry: String,
    /// What happens.
    pub action: Action,
    /// The user, when it can be told.
    pub username: Option<String>,
}
