//! Executors, and which of them pull images.

use std::fmt;

use crate::runner::near_name::near_name;
use crate::secret::{HIDDEN, is_word};

/// What runs the jobs of a runner (`executor` in `config.toml`).
///
/// ```
/// use runner_auth::{Executor, Pull};
///
/// assert_eq!(Executor::new("docker+machine").pull(), Pull::Runner);
/// assert_eq!(Executor::new("kubernetes").pull(), Pull::Kubelet);
/// assert_eq!(Executor::new("shell").name(), "shell");
/// // What is no word in that place may be a secret.
/// assert_eq!(Executor::new("s3cret/+word").shown(), "<hidden>");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executor(String);

/// How an executor comes by its images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull {
    /// The runner pulls them itself, with the credentials it resolved.
    Runner,
    /// The runner writes every credential into a pull Secret, and the kubelet does the matching.
    Kubelet,
    /// A driver of somebody's own decides (the executor `custom`); it gets the variables of the job
    /// with `CUSTOM_ENV_` before their names.
    Driver,
    /// It pulls none.
    None,
    /// Not known to this crate.
    Unknown,
}

/// Those that some GitLab Runner from 12.9 to 19.3 knows (`executors/`), in their only letter case.
const KNOWN: [(&str, Pull); 13] = [
    ("docker", Pull::Runner),
    ("docker+machine", Pull::Runner),
    ("docker-autoscaler", Pull::Runner),
    ("docker-windows", Pull::Runner),
    ("docker-ssh", Pull::Runner),
    ("docker-ssh+machine", Pull::Runner),
    ("kubernetes", Pull::Kubelet),
    ("shell", Pull::None),
    ("ssh", Pull::None),
    ("virtualbox", Pull::None),
    ("parallels", Pull::None),
    ("instance", Pull::None),
    ("custom", Pull::Driver),
];

impl Executor {
    /// Takes the name as `config.toml` spells it.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The name as it may be shown: another value in its place could be a secret.
    #[must_use]
    pub fn shown(&self) -> &str {
        let is_known = self.pull() != Pull::Unknown;
        if is_known || is_word(self.0.trim()) { &self.0 } else { HIDDEN }
    }

    /// The table of its own that holds `pull_policy`, for an executor that pulls images.
    pub(crate) fn table(&self) -> Option<&'static str> {
        match self.pull() {
            Pull::Runner => Some("docker"),
            Pull::Kubelet => Some("kubernetes"),
            Pull::Driver | Pull::None | Pull::Unknown => None,
        }
    }

    /// How it comes by its images.
    #[must_use]
    pub fn pull(&self) -> Pull {
        let known = KNOWN.iter().find(|(name, _)| *name == self.0);
        known.map_or(Pull::Unknown, |(_, pull)| *pull)
    }

    /// What is wrong with one that GitLab Runner doesn't know; `None` for none at all, as a template has.
    pub(crate) fn why_unknown(&self) -> Option<String> {
        let is_unknown = self.pull() == Pull::Unknown && !self.0.is_empty();
        is_unknown.then(|| {
            format!("GitLab Runner knows no executor '{self}', and takes no jobs for this runner")
        })
    }

    /// The known one that an unknown one was meant to be.
    pub(crate) fn nearest(&self) -> Option<&'static str> {
        near_name(&self.0, &KNOWN.map(|(name, _)| name))
    }
}

impl fmt::Display for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}
