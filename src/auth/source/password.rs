//! A password from standard input, a file or a variable.

use std::path::PathBuf;

use super::{from_file, from_stdin, not_utf8};
use crate::error::Error;
use crate::secret::Secret;

/// Where a password comes from.
///
/// ```
/// use runner_auth::Secret;
/// use runner_auth::source::PasswordSource;
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let given = PasswordSource::Given(Secret::from("s3cret"));
/// assert_eq!(given.read()?.expose(), "s3cret");
/// assert!(PasswordSource::Variable("NOT_SET_ANYWHERE".to_owned()).read().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// Standard input, to its end.
    Stdin,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A program that has it already.
    Given(Secret),
}

impl PasswordSource {
    /// Reads the password and cuts one final line end.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`], [`Error::InvalidPassword`] and [`Error::InvalidSource`]; none repeats what was read.
    pub fn read(&self) -> Result<Secret, Error> {
        let text = match self {
            Self::Given(password) => password.clone(),
            Self::Stdin => from_stdin("the password")?,
            Self::File(path) => from_file(path)?,
            Self::Variable(name) => match std::env::var(name) {
                Ok(value) => Secret::new(value),
                Err(std::env::VarError::NotPresent) => {
                    return Err(Error::InvalidPassword(
                        "the variable of --password-env is not set: export it first",
                    ));
                }
                Err(std::env::VarError::NotUnicode(_)) => return Err(not_utf8("the password")),
            },
        };
        let text = text.expose();
        if text.starts_with('\u{feff}') {
            return Err(Error::InvalidPassword(
                "the password begins with a byte order mark, which an editor has put there: save it \
                 without one",
            ));
        }
        let cut = text.strip_suffix('\n').map_or(text, |cut| cut.strip_suffix('\r').unwrap_or(cut));
        Ok(Secret::new(cut.to_owned()))
    }
}
