//! The file that holds a config: found, read, and written so that nothing is lost.
//!
//! This room knows files, locks and signals. What stands in the file is bytes to it.

pub(crate) mod interruption;
pub mod safe_write;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::OFlags;

use crate::error::Error;
use crate::toml::text::ConfigText;

/// A file that was written this short ago may be half written.
const FRESH: Duration = Duration::from_millis(500);

/// How long such a file is read again.
const HALF_WRITTEN: Duration = Duration::from_millis(200);

/// The file that GitLab Runner itself would read: `$CONFIG_FILE`, then
/// `/etc/gitlab-runner/config.toml` for root, else `~/.gitlab-runner/config.toml`.
///
/// # Errors
///
/// [`Error::Usage`] when a user other than root has no home.
pub fn default_path() -> Result<PathBuf, Error> {
    let filled = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = filled("CONFIG_FILE") {
        // To GitLab Runner this is a file, and not standard input.
        return Ok(if path == "-" { "./-".into() } else { path.into() });
    }
    if rustix::process::geteuid().is_root() {
        return Ok("/etc/gitlab-runner/config.toml".into());
    }
    match filled("HOME") {
        Some(home) => Ok(Path::new(&home).join(".gitlab-runner/config.toml")),
        None => Err(Error::Usage("there is no home to look in: name a file with --config".into())),
    }
}

/// A config file as it was read.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    mode: u32,
    modified: Option<SystemTime>,
    text: ConfigText,
}

impl ConfigFile {
    /// Reads a file, following symlinks.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] when it is missing, forbidden or no regular file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let label = path.display().to_string();
        let unreadable = |cause| Error::Unreadable { path: label.clone(), cause };
        let bytes = read_regular(path).map_err(unreadable)?;
        let metadata = fs::metadata(path).map_err(unreadable)?;
        let (mode, modified) = (metadata.mode() & 0o7777, metadata.modified().ok());
        Ok(Self { path: path.to_owned(), mode, modified, text: ConfigText::new(label, bytes) })
    }

    /// Whether the file was written a moment ago, so that its writer may not be done.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        is_fresh(self.modified)
    }

    /// What was read.
    #[must_use]
    pub fn text(&self) -> &ConfigText {
        &self.text
    }

    /// The mode when it was read, as `chmod` takes it.
    #[must_use]
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// The path as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes something of what was read. When that fails and the file was written a moment ago, it is
/// read again for a while: GitLab Runner empties the file before it writes it.
pub(crate) fn settle<S, R>(
    first: S,
    mut again: impl FnMut() -> Result<S, Error>,
    fresh: impl Fn(&S) -> bool,
    mut make: impl FnMut(&S) -> Result<R, Error>,
) -> Result<(S, R), Error> {
    let start = Instant::now();
    let mut found = first;
    loop {
        let error = match make(&found) {
            Ok(result) => return Ok((found, result)),
            Err(error) => error,
        };
        let broken = matches!(error.exit_status(), 3 | 4);
        if !broken || !fresh(&found) || start.elapsed() > HALF_WRITTEN {
            return Err(error);
        }
        sleep(Duration::from_millis(5));
        found = again()?;
    }
}

/// Whether this is a moment ago. A clock that was put back makes nothing fresh.
pub(crate) fn is_fresh(modified: Option<SystemTime>) -> bool {
    let age = modified.and_then(|at| SystemTime::now().duration_since(at).ok());
    age.is_some_and(|age| age < FRESH)
}

/// Reads a regular file; a FIFO, a device or a directory would block or never end.
pub(crate) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    read_whole(&mut open_regular(path)?)
}

/// Reads an open file from where it stands to its end, if it is no larger than a config may be.
pub(crate) fn read_whole(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let length = u32::try_from(length).map_err(|_| io::Error::other("it is larger than 4 GiB"))?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(length).unwrap_or(0) + 1)?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a regular file without waiting for the other end of anything else.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    open(path, File::options().read(true), OFlags::NONBLOCK)
}

/// The same for a path that must not be a link, in the way that `options` say.
pub(crate) fn open_itself(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    open(path, options, OFlags::NONBLOCK | OFlags::NOFOLLOW)
}

fn open(path: &Path, options: &mut OpenOptions, flags: OFlags) -> io::Result<File> {
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

/// Whether a backup suffix names a file in the same directory.
#[must_use]
pub fn is_suffix(suffix: &str) -> bool {
    !suffix.is_empty()
        && !suffix.as_bytes().iter().any(|&byte| byte == b'/' || byte == 0)
        && suffix.len() < 100
}
