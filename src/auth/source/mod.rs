//! Where credentials come from: a password, a whole auth document, what `docker login` or
//! `podman login` left, a credential helper.
//!
//! ```
//! use std::time::Duration;
//! use runner_auth::source;
//!
//! # fn main() -> Result<(), runner_auth::Error> {
//! let folder = std::env::temp_dir();
//! let file = folder.join(format!("runner-auth-{}", std::process::id()));
//! std::fs::write(&file, r#"{"auths": {"r.io": {"auth": "Y2k6czNjcmV0"}}}"#).expect("a file");
//!
//! // A document from a file, or one that is there already.
//! let logins: Vec<source::Login> = source::auth_document(&file)?;
//! assert_eq!((logins[0].0.path(), logins[0].1.username()), ("r.io", "ci"));
//! let text = source::from_file(&file)?;
//! assert_eq!(source::auth_document_in("the document", &text)?, logins);
//!
//! // The same file as what `docker login` left, with ten seconds for each helper that it names.
//! let all = source::docker_config(Some(&file), &[], Duration::from_secs(10))?;
//! assert_eq!(all, logins);
//! std::fs::remove_file(&file).expect("it goes");
//!
//! // Where this user is logged in.
//! for (registry, username) in source::logged_in() {
//!     println!("{registry}: {}", username.unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```

mod auth_document;
pub mod credential_helper;
mod docker_config;
mod kubernetes_secret;
mod logins;
mod password;
mod stream;
mod text;

use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::auth::credential::Credential;
use crate::auth::registry::Registry;
use crate::config_file::{open_source, read_regular};
use crate::error::Error;
use crate::secret::Secret;

pub use auth_document::{auth_document, auth_document_in};
pub use docker_config::{docker_config, logged_in};
pub use password::PasswordSource;

/// A registry with the credential for it.
pub type Login = (Registry, Credential);

/// What comes out of a pipe may have no end. More bytes are no credential.
const LONGEST: usize = 64 << 20;

/// How long it is waited for somebody who opens a named pipe to write. A shell's `<(command)` is open
/// from the start.
const NOBODY: Duration = Duration::from_secs(10);

fn from_stdin(what: &str) -> Result<Secret, Error> {
    let mut bytes = stream::read(io::stdin().lock(), None)
        .map_err(|cause| Error::Unreadable { path: "standard input".into(), cause })?;
    text(&mut bytes, what)
}

/// Reads a secret from a file, or from a pipe such as a shell's `<(command)`, for as long as somebody has
/// it open to write; a named pipe that nobody opens is given up after ten seconds.
///
/// # Errors
///
/// [`Error::Unreadable`] and [`Error::InvalidSource`].
pub fn from_file(path: &Path) -> Result<Secret, Error> {
    Ok(owned(path)?.0)
}

/// The same with the owner of the file.
fn owned(path: &Path) -> Result<(Secret, u32), Error> {
    let label = path.display().to_string();
    let (mut bytes, owner) =
        read_file(path).map_err(|cause| Error::Unreadable { path: label.clone(), cause })?;
    Ok((text(&mut bytes, &label)?, owner))
}

fn check_length(length: usize) -> io::Result<()> {
    if length > LONGEST {
        return Err(io::Error::other(format!("it is longer than {} MiB", LONGEST >> 20)));
    }
    Ok(())
}

fn read_file(path: &Path) -> io::Result<(Zeroizing<Vec<u8>>, u32)> {
    let file = open_source(path)?;
    let found = file.metadata()?;
    let bytes = if found.file_type().is_fifo() {
        stream::read(&file, Some(NOBODY))?
    } else {
        read_regular(file).map(Zeroizing::new)?
    };
    Ok((bytes, found.uid()))
}

fn text(bytes: &mut Zeroizing<Vec<u8>>, what: &str) -> Result<Secret, Error> {
    // What PowerShell's > and some editors write.
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::InvalidSource {
            source: what.to_owned(),
            place: None,
            problem: "is UTF-16: save it as UTF-8".to_owned(),
        });
    }
    Secret::from_utf8(std::mem::take(bytes)).map_err(|_| not_utf8(what))
}

fn not_utf8(what: &str) -> Error {
    Error::InvalidSource {
        source: what.to_owned(),
        place: None,
        problem: "is not UTF-8".to_owned(),
    }
}
