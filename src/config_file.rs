//! Finding, reading and replacing the file.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::text::ConfigText;

/// The file that GitLab Runner itself would read: `$CONFIG_FILE`, then
/// `/etc/gitlab-runner/config.toml` for root, else `~/.gitlab-runner/config.toml`.
///
/// # Errors
///
/// [`Error::Usage`] when a user other than root has no home.
pub fn default_path() -> Result<PathBuf, Error> {
    let filled = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = filled("CONFIG_FILE") {
        return Ok(path.into());
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
    /// The file behind symlinks.
    target: PathBuf,
    mode: u32,
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
        let target = fs::canonicalize(path).map_err(unreadable)?;
        let bytes = read_regular(&target).map_err(unreadable)?;
        let mode = fs::metadata(&target).map_err(unreadable)?.mode() & 0o7777;
        Ok(Self { path: path.to_owned(), target, mode, text: ConfigText::new(label, bytes) })
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

    /// Replaces the file in one step: a new file beside it, as private from its first byte, synced
    /// and renamed over it, and the directory synced. The old file is compared with what was read
    /// just before. With a suffix the old content is kept under the name with that suffix.
    ///
    /// # Errors
    ///
    /// [`Error::ChangedMeanwhile`] and [`Error::NotWritable`]: the file is as it was.
    pub fn replace(&self, bytes: &[u8], backup: Option<&str>) -> Result<(), Error> {
        let failed = |step| move |cause| self.not_writable(step, cause);
        let changed = || Error::ChangedMeanwhile { path: self.text.label().to_owned() };
        let metadata = fs::metadata(&self.target).map_err(failed("looking at the file"))?;
        let new = self.beside(bytes, &metadata)?;
        if let Some(suffix) = backup {
            let mut name = OsString::from(&self.target);
            name.push(suffix);
            let old = self.beside(self.text.bytes(), &metadata)?;
            old.persist(&name)
                .map_err(|error| self.not_writable("keeping the backup", error.error))?;
        }
        let now = read_regular(&self.target).map_err(failed("reading the file again"))?;
        if now != self.text.bytes() {
            return Err(changed());
        }
        new.persist(&self.target)
            .map_err(|error| self.not_writable("renaming the new file", error.error))?;
        let directory = File::open(self.directory()).and_then(|directory| directory.sync_all());
        // The new file is in place; a directory that can't be synced can't take it back.
        drop(directory);
        Ok(())
    }

    fn directory(&self) -> &Path {
        self.target.parent().unwrap_or(Path::new("/"))
    }

    fn not_writable(&self, step: &'static str, cause: io::Error) -> Error {
        Error::NotWritable { path: self.text.label().to_owned(), step, cause }
    }

    /// A new file in the same directory with the same mode and owner, written and synced.
    fn beside(
        &self,
        bytes: &[u8],
        metadata: &fs::Metadata,
    ) -> Result<tempfile::NamedTempFile, Error> {
        let failed = |step| move |cause| self.not_writable(step, cause);
        let mut prefix = OsString::from(".");
        prefix.push(self.target.file_name().unwrap_or_default());
        prefix.push(".");
        let mut file = tempfile::Builder::new()
            .prefix(&prefix)
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(self.directory())
            .map_err(failed("making a new file beside it"))?;
        let own = file.as_file().metadata().map_err(failed("looking at the new file"))?;
        if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
            fchown(file.as_file(), Some(metadata.uid()), Some(metadata.gid()))
                .map_err(failed("giving the new file the old one's owner"))?;
        }
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(metadata.mode() & 0o7777))
            .map_err(failed("giving the new file the old one's mode"))?;
        file.write_all(bytes).map_err(failed("writing the new file"))?;
        file.as_file().sync_all().map_err(failed("syncing the new file"))?;
        Ok(file)
    }
}

/// Reads a regular file; a FIFO, a device or a directory would block or never end.
pub(crate) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut file = OpenOptions::new().read(true).open(path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a backup suffix names a file in the same directory.
#[must_use]
pub fn is_suffix(suffix: &str) -> bool {
    !suffix.is_empty()
        && !suffix.as_bytes().iter().any(|&byte| byte == b'/' || byte == 0)
        && suffix.len() < 100
}
