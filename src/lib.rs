//! Credentials for private registries in GitLab Runner's `config.toml`.
//!
//! The way through the crate is the way of one change: a [`ConfigText`] is parsed into a
//! [`Config`], a [`Selector`] picks runners, a [`Plan`] holds the proved edits, [`diff`] shows them
//! without secrets, and [`safe_write`] writes the result. Nothing is ever serialised
//! again: bytes outside the edits stay as they are.
//!
//! ```
//! use runner_auth::{Config, ConfigText, Credential, Plan, Registry, Request, Secret};
//!
//! # fn main() -> Result<(), runner_auth::Error> {
//! let text = ConfigText::new("config.toml", b"[[runners]]\n  name = 'docker' # ours\n".to_vec());
//! let config = Config::parse(&text)?;
//! let login = Credential::new("ci", Secret::new("s3cret".into()))?;
//! let logins = vec![(Registry::parse("registry.example.com")?, login)];
//! let request = Request::Set { logins, replace: false, pull_policies: Vec::new() };
//! let plan = Plan::make(&config, &[0], &request)?;
//! assert_eq!(
//!     String::from_utf8_lossy(&plan.apply(&config)),
//!     "[[runners]]\n  name = 'docker' # ours\n  environment = ['DOCKER_AUTH_CONFIG={\"auths\": \
//!      {\"registry.example.com\": {\"auth\": \"Y2k6czNjcmV0\"}}}']\n"
//! );
//! # Ok(())
//! # }
//! ```
//!
//! Limits: Unix only; a file of at most 4 GiB. The last section of `docs/safety.md` says what a write
//! can't rule out.

// Tests may end by panicking.
#![cfg_attr(test, allow(clippy::panic, clippy::unwrap_used, clippy::expect_used))]

mod auth;
mod cli;
mod config_file;
mod count;
mod doctor;
mod error;
mod escaped_json;
mod exit_status;
mod plan;
#[cfg(test)]
mod property;
mod redaction;
#[cfg(feature = "verify")]
pub mod registry_client;
mod resolver;
mod runner;
mod secret;
mod toml;
#[cfg(feature = "verify")]
pub mod verification;
mod yaml;

pub use auth::credential::{Credential, Tokens};
pub use auth::credential_change::{Action, CredentialChange};
pub use auth::key::Key;
pub use auth::registry::{Registry, key_path, key_path_in, why_it_never_matches};
pub use auth::runner_version::RunnerVersion;
pub use auth::source;
pub use cli::run;
pub use config_file::{ConfigFile, default_path, safe_write};
pub use doctor::{Circumstances, Code, Diagnosis, Finding, Level};
pub use error::{Candidate, Error};
pub use exit_status::ExitStatus;
pub use plan::{Plan, Removal, Request, RunnerPlan};
pub use redaction::Redaction;
pub use redaction::diff;
pub use redaction::excerpt::{Excerpt, Excerpts};
pub use resolver::explanation::{Explanation, Limits};
pub use resolver::image::image_path;
pub use resolver::listing;
pub use resolver::{Answer, Loser, Loss, Match, Miss, NearMiss, Resolution, Verdict, resolve};
pub use runner::executor::{Executor, Pull};
pub use runner::pull_policy::PullPolicy;
pub use runner::refusal::Refusal;
pub use runner::selection::{Matches, Selector};
pub use runner::{Config, Runner};
pub use secret::Secret;
pub use toml::edit::Edit;
pub use toml::text::{ConfigText, Place};
pub use yaml::config_in_yaml;

/// Ends the process where the two ways of reading a config don't agree, in a fuzz target.
#[cfg(fuzzing)]
pub fn compare_readings(config: &ConfigText) {
    toml::syntax::compare_readings(config.as_str());
}
