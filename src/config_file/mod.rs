//! The file that holds a config: found, read, and written so that nothing is lost.
//!
//! This room knows files, locks and signals. What stands in the file is bytes to it.

pub(crate) mod interruption;
pub mod safe_write;
mod way;

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::OFlags;

use crate::error::Error;
use crate::toml::text::ConfigText;
pub(crate) use way::open_source;

/// A file that was written this short ago may be half written.
const FRESH: Duration = Duration::from_millis(500);

/// How long such a file is read again.
pub(crate) const HALF_WRITTEN: Duration = Duration::from_millis(200);

/// The config of a GitLab Runner that runs as root.
pub(crate) const ROOT_CONFIG: &str = "/etc/gitlab-runner/config.toml";

/// The file that GitLab Runner itself would read: `$CONFIG_FILE`, then
/// `/etc/gitlab-runner/config.toml` for root, else `~/.gitlab-runner/config.toml`.
///
/// # Errors
///
/// [`Error::Usage`] when a user other than root has no home.
///
/// ```no_run
/// # fn main() -> Result<(), runner_auth::Error> {
/// let path = runner_auth::default_path()?;
/// assert!(path.is_absolute() || std::env::var_os("CONFIG_FILE").is_some());
/// # Ok(())
/// # }
/// ```
pub fn default_path() -> Result<PathBuf, Error> {
    let filled = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = filled("CONFIG_FILE") {
        // To GitLab Runner this is a file, and not standard input.
        return Ok(if path == "-" { "./-".into() } else { path.into() });
    }
    if rustix::process::geteuid().is_root() {
        return Ok(ROOT_CONFIG.into());
    }
    match filled("HOME") {
        Some(home) => Ok(Path::new(&home).join(".gitlab-runner/config.toml")),
        None => Err(Error::Usage(
            "there is no home directory to look in: name a file with --config".into(),
        )),
    }
}

/// A config file as it was read.
///
/// ```no_run
/// use runner_auth::{Config, ConfigFile, default_path};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// // Where GitLab Runner itself would look.
/// let file = ConfigFile::read(&default_path()?, ConfigFile::LARGEST)?;
/// println!("{} (mode {:o})", file.path().display(), file.mode());
/// if !file.is_fresh() && !file.is_foreign() {
///     let config = Config::parse(file.text())?;
///     println!("{} runners", config.runners().len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    mode: u32,
    owner: u32,
    modified: Option<SystemTime>,
    text: ConfigText,
}

impl ConfigFile {
    /// The most bytes that a config has unless it is said otherwise.
    pub const LARGEST: u64 = 64 << 20;

    /// Reads a file of at most so many bytes, following symlinks.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] when it is missing, forbidden, too large or no regular file.
    pub fn read(path: &Path, largest: u64) -> Result<Self, Error> {
        let label = path.display().to_string();
        let unreadable = |cause| Error::Unreadable { path: label.clone(), cause };
        let (mut file, found) = open_at_once(path).and_then(regular).map_err(unreadable)?;
        let bytes = read_config(&mut file, found.len(), largest).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let (mode, modified) = (metadata.mode() & 0o7777, metadata.modified().ok());
        let (owner, text) = (metadata.uid(), ConfigText::new(label, bytes));
        Ok(Self { path: path.to_owned(), mode, owner, modified, text })
    }

    /// Whether the file was written a moment ago, so that its writer may not be done.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        is_fresh(self.modified)
    }

    /// The same file with the part of its text that is the config.
    #[must_use]
    pub(crate) fn with_text(self, text: ConfigText) -> Self {
        Self { text, ..self }
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

    /// Whether it belongs to somebody else than root and this user: what it names is not run then.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        is_foreign(self.owner)
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
        let broken = error.is_about_content();
        if !broken || !fresh(&found) || start.elapsed() > HALF_WRITTEN {
            return Err(error);
        }
        sleep(Duration::from_millis(5));
        found = again()?;
    }
}

/// Whether this is neither root nor this user.
pub(crate) fn is_foreign(owner: u32) -> bool {
    ![0, rustix::process::geteuid().as_raw()].contains(&owner)
}

/// Whether this is a moment ago. A clock that was put back makes nothing fresh.
pub(crate) fn is_fresh(modified: Option<SystemTime>) -> bool {
    let age = modified.and_then(|at| SystemTime::now().duration_since(at).ok());
    age.is_some_and(|age| age < FRESH)
}

/// Reads a regular file; a FIFO, a device or a directory would block or never end.
pub(crate) fn read_regular(file: File) -> io::Result<Vec<u8>> {
    let (mut file, found) = regular(file)?;
    read_config(&mut file, found.len(), ConfigFile::LARGEST)
}

/// Reads a config of a known length from where it stands to its end. One that is too large is not read
/// at all.
pub(crate) fn read_config(file: &mut File, length: u64, largest: u64) -> io::Result<Vec<u8>> {
    check_size(length, largest)?;
    read_at_least(file, length, largest)
}

/// Reads to the end, if that is not too far.
pub(crate) fn read_whole(input: &mut impl io::Read, largest: u64) -> io::Result<Vec<u8>> {
    read_at_least(input, 0, largest)
}

/// Reads to the end, with room for what is known to come: making more of it means another copy to wipe.
fn read_at_least(input: &mut impl io::Read, length: u64, largest: u64) -> io::Result<Vec<u8>> {
    // One byte more shows that this was the end.
    let room = usize::try_from(length).map_or(0, |length| length.saturating_add(1));
    let mut bytes = Vec::with_capacity(room);
    input.take(largest.saturating_add(1)).read_to_end(&mut bytes)?;
    check_size(bytes.len() as u64, largest)?;
    Ok(bytes)
}

/// Whether a config may have so many bytes.
fn check_size(length: u64, largest: u64) -> io::Result<()> {
    const MIB: u64 = 1 << 20;
    if length <= largest {
        return Ok(());
    }
    let (length, largest) = (length.div_ceil(MIB), largest / MIB);
    Err(io::Error::other(format!(
        "it has {length} MiB, and a config has {largest} MiB at most: look whether it is the right \
         file, or lift that with --max-size {length}"
    )))
}

/// Opens a file without waiting for the other end of a pipe.
pub(crate) fn open_at_once(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path)
}

/// What is said of what is no regular file.
fn not_regular(is_folder: bool) -> io::Error {
    io::Error::other(if is_folder {
        "it is a folder and not a regular file: name the file in it"
    } else {
        "it is not a regular file"
    })
}

/// A regular file, with what it was found to be; an error for anything else.
fn regular(file: File) -> io::Result<(File, Metadata)> {
    let found = file.metadata()?;
    if found.is_file() { Ok((file, found)) } else { Err(not_regular(found.is_dir())) }
}
