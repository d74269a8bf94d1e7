//! What a registry is asked with: credentials, the auth document that holds them, and the sources
//! that they come from.
//!
//! This room knows Docker's formats and the way GitLab Runner reads them. It does not know what a
//! config or a runner is.

pub mod credential;
pub(crate) mod credential_change;
pub(crate) mod document;
pub mod expansion;
pub(crate) mod image_name;
pub(crate) mod key;
pub mod registry;
pub(crate) mod runner_version;
pub mod source;
