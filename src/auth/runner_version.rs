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

    /// The versions between which nothing changes here: of each span the first and the last.
    pub(crate) const SPANS: [(Self, Self); 11] = [
        (Self::new(12, 9), Self::new(13, 3)),
        (Self::new(13, 4), Self::new(13, 4)),
        (Self::new(13, 5), Self::new(13, 8)),
        (Self::new(13, 9), Self::new(15, 9)),
        (Self::new(15, 10), Self::new(16, 2)),
        (Self::new(16, 3), Self::new(17, 4)),
        (Self::new(17, 5), Self::new(17, 10)),
        (Self::new(17, 11), Self::new(18, 0)),
        (Self::new(18, 1), Self::new(18, 2)),
        (Self::new(18, 3), Self::new(19, 1)),
        (Self::new(19, 2), Self::LATEST),
    ];

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

/// Names the spans of [`RunnerVersion::SPANS`] that are chosen, as words behind "GitLab Runner":
/// `up to 17.4`.
pub(crate) fn named(chosen: impl Iterator<Item = bool>) -> String {
    let chosen: Vec<_> = chosen.collect();
    let spans = RunnerVersion::SPANS;
    let mut words = Vec::new();
    let mut next = 0;
    while let Some(first) = (next..spans.len()).find(|&span| chosen.get(span) == Some(&true)) {
        next = (first..spans.len())
            .find(|&span| chosen.get(span) != Some(&true))
            .unwrap_or(spans.len());
        let (from, to) = (spans[first].0, spans[next - 1].1);
        words.push(match (first == 0, next == spans.len()) {
            (true, true) => "in every version".to_owned(),
            (true, false) => format!("up to {to}"),
            (false, true) => format!("from {from} on"),
            (false, false) => format!("from {from} to {to}"),
        });
    }
    words.join(" and ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spans_follow_each_other() {
        for two in RunnerVersion::SPANS.windows(2) {
            let ((first, last), (next, _)) = (two[0], two[1]);
            assert!(first <= last && last < next, "{last} {next}");
            // The last of a major version is its .11, but for 18.11 and what comes after.
            let follows = last.major == next.major && last.minor + 1 == next.minor
                || last.minor == 11 && (last.major + 1, 0) == (next.major, next.minor);
            assert!(follows, "{last} {next}");
        }
    }

    #[test]
    fn spans_are_named() {
        let chosen = |numbers: &[usize]| named((0..11).map(|span| numbers.contains(&span)));
        assert_eq!(chosen(&[0, 1, 2, 3, 4, 5]), "up to 17.4");
        assert_eq!(chosen(&[0, 6, 7, 10]), "up to 13.3 and from 17.5 to 18.0 and from 19.2 on");
    }
}
