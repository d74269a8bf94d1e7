//! What in a config makes some versions of GitLab Runner refuse the whole file.
//!
//! Source: BurntSushi/toml `lex.go` and `parse.go`; GitLab Runner's `go.mod` says which release has
//! which version of it.

use std::fmt;

use crate::auth::runner_version::RunnerVersion;
use crate::error::Error;
use crate::runner::Config;
use crate::toml::syntax::{BYTE_ORDER_MARK, KEY_TWICE, NOT_UTF8, TABLE_TWICE, Versions};
use crate::toml::text::Place;

/// Something in a config that some versions of GitLab Runner read, and for which others refuse the
/// whole file.
///
/// ```
/// use runner_auth::{Config, ConfigText, RunnerVersion};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let text = ConfigText::new("config.toml", b"listen.address = ':9252'\n".to_vec());
/// let config = Config::parse(&text)?;
/// let refusals = config.refusals();
/// assert_eq!(
///     refusals[0].to_string(),
///     "a key with dots on line 1, for which GitLab Runner up to 15.8 refuses the whole file"
/// );
/// assert_eq!((refusals[0].what(), refusals[0].place().line), ("a key with dots", 1));
/// assert_eq!(refusals[0].versions(), "up to 15.8");
/// assert!(refusals[0].is_by(RunnerVersion::parse("14.7")?));
/// assert!(!refusals[0].is_by(RunnerVersion::LATEST));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    place: Place,
    what: &'static str,
    by: Versions,
}

impl Refusal {
    /// Where it stands for the first time.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// What it is, as a noun.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// The versions that refuse it, as words behind "GitLab Runner": `up to 15.8`.
    #[must_use]
    pub fn versions(&self) -> String {
        self.by.runners()
    }

    /// Whether it is about the bytes and not about the TOML: a byte order mark, or no UTF-8.
    pub(crate) fn is_of_encoding(&self) -> bool {
        [BYTE_ORDER_MARK.what, NOT_UTF8.what].contains(&self.what)
    }

    /// Whether it is about a key or a table that is defined twice.
    pub(crate) fn is_of_two_definitions(&self) -> bool {
        [KEY_TWICE, TABLE_TWICE].contains(&self.what)
    }

    /// Whether a version refuses it.
    #[must_use]
    pub fn is_by(&self, version: RunnerVersion) -> bool {
        self.by.holds(library_of(version))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} on line {}, for which GitLab Runner {} refuses the whole file",
            self.what,
            self.place.line,
            self.versions()
        )
    }
}

/// The TOML library of a version.
fn library_of(version: RunnerVersion) -> Versions {
    let since = [(18, 9, Versions::V1_6), (17, 6, Versions::V1_4), (15, 9, Versions::V1_2)];
    let found = since.into_iter().find(|(major, minor, _)| version.is_since(*major, *minor));
    found.map_or(Versions::V0_3, |(_, _, library)| library)
}

impl Config<'_> {
    /// What in this config some versions refuse, each kind once. Every other version reads the file.
    ///
    /// ```
    /// use runner_auth::{Config, ConfigText};
    ///
    /// # fn main() -> Result<(), runner_auth::Error> {
    /// let text = ConfigText::new("config.toml", b"listen.address = ':9252'\n".to_vec());
    /// assert_eq!(Config::parse(&text)?.refusals().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        let refusals = self.syntax().refusals().iter();
        refusals
            .map(|refusal| Refusal {
                place: self.text().place(refusal.offset),
                what: refusal.what,
                by: refusal.by,
            })
            .collect()
    }

    /// Checks that a version reads the file.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidToml`] when it refuses the whole file.
    pub(crate) fn check_read_by(&self, version: RunnerVersion) -> Result<(), Error> {
        match self.refusals().into_iter().find(|refusal| refusal.is_by(version)) {
            None => Ok(()),
            Some(Refusal { place, what, .. }) => Err(Error::InvalidToml {
                path: self.text().label().to_owned(),
                place,
                problem: format!(
                    "here is {what}, and GitLab Runner {version} refuses the whole file: \
                     --runner-version names another"
                ),
            }),
        }
    }
}
