//! `pull_policy`: whether a runner pulls an image that it may already have.
//!
//! GitLab Runner reads a string, and an array of strings from 13.8 on (`[runners.docker]`) and 13.11
//! on (`[runners.kubernetes]`): it tries one after the other until one gives the image, and the same
//! one twice is one more try. `allowed_pull_policies` (from 15.1, for kubernetes from 15.2) says
//! which ones count: up to 17.11 a job fails with any other, from 18.0 on the others are left out
//! and it fails when none is left (`common/config.go`, `helpers/pull_policies`).

use std::fmt;

use serde::Serialize;

use crate::toml::syntax::{Decoded, Meaning, NodeId, NodeKind, Syntax};

/// The key in `[runners.docker]` and `[runners.kubernetes]`.
pub(crate) const KEY: &str = "pull_policy";

/// When an image is pulled.
///
/// ```
/// use runner_auth::PullPolicy;
///
/// assert_eq!(PullPolicy::ALL.map(PullPolicy::name), ["always", "if-not-present", "never"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PullPolicy {
    /// For each job.
    Always,
    /// When the host has no image of that name.
    IfNotPresent,
    /// Never: only what is there is used.
    Never,
}

impl PullPolicy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Always, Self::IfNotPresent, Self::Never];

    /// Takes the name as `config.toml` spells it; `None` when it is none.
    ///
    /// ```
    /// use runner_auth::PullPolicy;
    ///
    /// assert_eq!(PullPolicy::parse("if-not-present"), Some(PullPolicy::IfNotPresent));
    /// assert_eq!(PullPolicy::parse("Always"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }

    /// The name in `config.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::IfNotPresent => "if-not-present",
            Self::Never => "never",
        }
    }
}

impl fmt::Display for PullPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Policies as a sentence names them.
pub(crate) fn listed(policies: &[PullPolicy]) -> String {
    policies.iter().map(|policy| policy.name()).collect::<Vec<_>>().join(", ")
}

/// What a value with these policies means.
pub(crate) fn meaning(policies: &[PullPolicy], array: bool) -> Meaning<'static> {
    let mut each = policies.iter().map(|policy| Meaning::String(Decoded::new(policy.name())));
    match each.next() {
        Some(one) if !array && policies.len() == 1 => one,
        first => Meaning::Array(first.into_iter().chain(each).collect()),
    }
}

/// The strings of a value that is one or an array of them.
pub(crate) fn values(syntax: &Syntax<'_>, value: NodeId) -> Vec<NodeId> {
    match syntax.node(value).kind {
        NodeKind::Array => syntax.children(value).collect(),
        _ => vec![value],
    }
}

/// Whether a value is a string that names this policy.
pub(crate) fn names(syntax: &Syntax<'_>, value: NodeId, policy: PullPolicy) -> bool {
    syntax.is_string(value) && syntax.string(value) == policy.name()
}
