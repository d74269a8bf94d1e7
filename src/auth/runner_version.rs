//! Versions of GitLab Runner, as far as they read an auth document differently.

use std::fmt;

use crate::error::Error;

/// A version of GitLab Runner: major, minor and, where it is told, the patch level. Without one it is the
/// whole of the minor version that is meant.
///
/// ```
/// use runner_auth::RunnerVersion;
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let version = RunnerVersion::parse("v17.4.2")?;
/// assert_eq!(version.to_string(), "17.4.2");
/// assert!(version > RunnerVersion::parse("17.4")?);
/// assert!(version < RunnerVersion::LATEST);
/// assert!(RunnerVersion::parse("latest").is_err());
/// # Ok(())
/// # }
/// ```
///
/// ```
/// use runner_auth::RunnerVersion;
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// // Since when a version does what its method asks.
/// let since: [(fn(RunnerVersion) -> bool, &str); 11] = [
///     (RunnerVersion::lowers_keys, "13.4"),
///     (RunnerVersion::knows_secrets, "13.4"),
///     (RunnerVersion::refuses_helper_names, "13.5"),
///     (RunnerVersion::reads_plain_fields, "13.9"),
///     (RunnerVersion::reads_file_variables, "15.9"),
///     (RunnerVersion::needs_a_user, "15.10"),
///     (RunnerVersion::knows_service_account_secrets, "16.9"),
///     (RunnerVersion::matches_paths, "17.5"),
///     (RunnerVersion::sorts_keys, "18.3"),
///     (RunnerVersion::warns_in_the_job_log, "18.11"),
///     (RunnerVersion::may_refuse_helpers, "19.4"),
/// ];
/// for (does, version) in since {
///     assert!(does(RunnerVersion::parse(version)?) && !does(RunnerVersion::parse("12.9")?));
/// }
/// // Two versions in between are an exception.
/// assert!(!RunnerVersion::parse("17.5")?.reads_http_keys());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunnerVersion {
    major: u16,
    minor: u16,
    patch: Option<u16>,
}

impl RunnerVersion {
    /// The newest version whose rules this crate knows.
    pub const LATEST: Self = Self::new(19, 3);

    /// The versions before 19.4 that may refuse helpers, for people.
    pub(crate) const CORRECTED: &'static str = "19.3.2, 19.2.4 and 19.1.3";

    const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor, patch: None }
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

    /// Reads `X.Y` or `X.Y.Z`, with or without a `v` before and more behind (`-rc1`, `~beta`).
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when it is anything else, or before 12.9. A version after
    /// [`RunnerVersion::LATEST`] is taken for that one.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let mut number = || parts.next().and_then(|part| part.parse().ok());
        let (major, minor) = (number(), number());
        let level = parts.next().and_then(|part| {
            part.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
        });
        match (major, minor) {
            (Some(major), Some(minor)) if Self::new(major, minor) >= Self::new(12, 9) => {
                Ok(Self { major, minor, patch: level })
            }
            (Some(major), None) if !text.contains('.') && major > 12 => Err(Error::Usage(format!(
                "a version has two numbers or three: write {major}.0 or another version"
            ))),
            _ => Err(Error::Usage(
                "--runner-version takes a version of GitLab Runner from 12.9 on, such as 17.4"
                    .into(),
            )),
        }
    }

    /// Whether it is later than every version whose rules are known.
    pub(crate) fn is_newer_than_known(self) -> bool {
        self.is_since(Self::LATEST.major, Self::LATEST.minor + 1)
    }

    /// Whether it is this version or a later one.
    pub(crate) fn is_since(self, major: u16, minor: u16) -> bool {
        self >= Self::new(major, minor)
    }

    /// Whether the host of a key counts in any letter case (13.4, `helpers/docker/auth`).
    #[must_use]
    pub fn lowers_keys(self) -> bool {
        self.is_since(13, 4)
    }

    /// Whether a helper's name that is empty or holds a `/` cancels every source (13.5).
    #[must_use]
    pub fn refuses_helper_names(self) -> bool {
        self.is_since(13, 5)
    }

    /// Whether `username` and `password` are read where there is no `auth` (13.9, with docker/cli
    /// 20.10).
    #[must_use]
    pub fn reads_plain_fields(self) -> bool {
        self.is_since(13, 9)
    }

    /// Whether an `auth` with an empty user drops the document (15.10, with docker/cli 23).
    #[must_use]
    pub fn needs_a_user(self) -> bool {
        self.is_since(15, 10)
    }

    /// Whether a credential can be for a part of a registry, and an image's host counts in any
    /// letter case (17.5).
    #[must_use]
    pub fn matches_paths(self) -> bool {
        self.is_since(17, 5)
    }

    /// Whether `http://` is cut from a key: always, but for 17.5 to 18.0.
    #[must_use]
    pub fn reads_http_keys(self) -> bool {
        !self.matches_paths() || self.is_since(18, 1)
    }

    /// Whether of two keys with one path the first in sorted order wins (18.3); at random before.
    #[must_use]
    pub fn sorts_keys(self) -> bool {
        self.is_since(18, 3)
    }

    /// Whether it knows `use_service_account_image_pull_secrets` of the kubernetes executor (16.9).
    #[must_use]
    pub fn knows_service_account_secrets(self) -> bool {
        self.is_since(16, 9)
    }

    /// Whether a variable of the type file gives its content, and not a path (15.9, `common/build.go`,
    /// `GetDockerAuthConfig`).
    #[must_use]
    pub fn reads_file_variables(self) -> bool {
        self.is_since(15, 9)
    }

    /// Whether a job can take variables from a vault with `secrets:` (13.4, `common/build.go`).
    #[must_use]
    pub fn knows_secrets(self) -> bool {
        self.is_since(13, 4)
    }

    /// Whether it may run no credential helper that a config's `DOCKER_AUTH_CONFIG` names, unless
    /// `allowed_docker_credential_helpers` permits it: 19.4, and 19.3.2, 19.2.4 and 19.1.3 where it came
    /// as a correction. Of 19.1 to 19.3 without a patch level it may be so.
    ///
    /// Sources: the merge requests 7320 and 7333 of GitLab Runner ("Gate job-supplied Docker credential
    /// helpers behind an allowlist"), by their titles, and a public thread
    /// (cattle-ops/terraform-aws-gitlab-runner#1394) for the versions. Not verified: the code of those
    /// versions was not to be had, so whether a config's own `environment` counts is not known.
    #[must_use]
    pub fn may_refuse_helpers(self) -> bool {
        // `CORRECTED` says the same.
        let corrected = match (self.major, self.minor) {
            (19, 1) => 3,
            (19, 2) => 4,
            (19, 3) => 2,
            _ => return self.is_since(19, 4),
        };
        self.patch.is_none_or(|patch| patch >= corrected)
    }

    /// Whether the job log says why a document is dropped (18.11).
    #[must_use]
    pub fn warns_in_the_job_log(self) -> bool {
        self.is_since(18, 11)
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
        write!(f, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
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
    fn patch_levels_count_where_a_correction_came_with_one() {
        let version = |text: &str| RunnerVersion::parse(text).unwrap();
        for (text, shown, refuses) in [
            ("12.9", "12.9", false),
            ("v18.11.9", "18.11.9", false),
            ("19.0.7", "19.0.7", false),
            ("19.1", "19.1", true),
            ("19.1.2", "19.1.2", false),
            ("19.1.3", "19.1.3", true),
            ("19.2.3", "19.2.3", false),
            ("19.2.4", "19.2.4", true),
            ("19.3.1", "19.3.1", false),
            ("19.3.2-rc1", "19.3.2", true),
            ("19.3.10", "19.3.10", true),
            ("19.4.0", "19.4.0", true),
            ("20.0", "20.0", true),
        ] {
            assert_eq!(version(text).to_string(), shown);
            assert_eq!(version(text).may_refuse_helpers(), refuses, "{text}");
        }
        assert!(version("19.3.2") < version("19.3.10") && version("19.3.10") < version("19.4"));
        assert!(version("17.5") <= version("17.5.0") && version("17.5.0").matches_paths());
    }

    #[test]
    fn spans_are_named() {
        let chosen = |numbers: &[usize]| named((0..11).map(|span| numbers.contains(&span)));
        assert_eq!(chosen(&[0, 1, 2, 3, 4, 5]), "up to 17.4");
        assert_eq!(chosen(&[0, 6, 7, 10]), "up to 13.3 and from 17.5 to 18.0 and from 19.2 on");
    }
}
