//! Versions of GitLab Runner, as far as they read an auth document differently.

use std::fmt;

use crate::error::Error;

/// A version of GitLab Runner: major and minor.
///
/// ```
/// use runner_auth::RunnerVersion;
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let version = RunnerVersion::parse("v17.4.2")?;
/// assert_eq!(version.to_string(), "17.4");
/// assert!(version < RunnerVersion::LATEST);
/// assert!(RunnerVersion::parse("latest").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunnerVersion {
    major: u16,
    minor: u16,
}

impl RunnerVersion {
    /// The newest version whose rules this crate knows.
    pub const LATEST: Self = Self::new(19, 3);

    const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Reads `X.Y`, with or without a `v` before and a patch level behind.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when it is anything else, or before 12.9. A version after
    /// [`RunnerVersion::LATEST`] is taken for that one.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let mut number = || parts.next().and_then(|part| part.parse().ok());
        match (number(), number()) {
            (Some(major), Some(minor)) if Self { major, minor } >= Self::new(12, 9) => {
                Ok(Self { major, minor })
            }
            _ => Err(Error::Usage(
                "--runner-version takes a version of GitLab Runner from 12.9 on, such as 17.4"
                    .into(),
            )),
        }
    }

    /// Whether it is this version or a later one.
    pub(crate) fn is_since(self, major: u16, minor: u16) -> bool {
        self >= Self::new(major, minor)
    }

    /// Whether the host of a key counts in any letter case (13.4, `helpers/docker/auth`).
    #[must_use]
    pub fn lowers_keys(self) -> bool {
        self >= Self::new(13, 4)
    }

    /// Whether a helper's name that is empty or holds a `/` cancels every source (13.5).
    #[must_use]
    pub fn refuses_helper_names(self) -> bool {
        self >= Self::new(13, 5)
    }

    /// Whether `username` and `password` are read where there is no `auth` (13.9, with docker/cli
    /// 20.10).
    #[must_use]
    pub fn reads_plain_fields(self) -> bool {
        self >= Self::new(13, 9)
    }

    /// Whether an `auth` with an empty user drops the document (15.10, with docker/cli 23).
    #[must_use]
    pub fn needs_a_user(self) -> bool {
        self >= Self::new(15, 10)
    }

    /// Whether a credential can be for a part of a registry, and an image's host counts in any
    /// letter case (17.5).
    #[must_use]
    pub fn matches_paths(self) -> bool {
        self >= Self::new(17, 5)
    }

    /// Whether `http://` is cut from a key: always, but for 17.5 to 18.0.
    #[must_use]
    pub fn reads_http_keys(self) -> bool {
        !self.matches_paths() || self >= Self::new(18, 1)
    }

    /// Whether of two keys with one path the first in sorted order wins (18.3); at random before.
    #[must_use]
    pub fn sorts_keys(self) -> bool {
        self >= Self::new(18, 3)
    }

    /// Whether the job log says why a document is dropped (18.11).
    #[must_use]
    pub fn warns_in_the_job_log(self) -> bool {
        self >= Self::new(18, 11)
    }
}

impl Default for RunnerVersion {
    fn default() -> Self {
        Self::LATEST
    }
}

impl fmt::Display for RunnerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
