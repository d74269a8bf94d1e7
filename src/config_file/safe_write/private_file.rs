//! A new file beside the config that nobody else can read, and that is gone whatever happens.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, Timespec, Timestamps, futimens};

use super::snapshot::Identity;

/// How often a removal is tried.
const ATTEMPTS: usize = 3;

/// A file that is removed on drop.
pub(super) struct PrivateFile {
    file: File,
    path: PathBuf,
}

impl PrivateFile {
    /// Makes an empty file with mode 0600, whatever the umask.
    pub fn create(target: &Path) -> io::Result<Self> {
        let folder = target.parent().unwrap_or(Path::new("/"));
        let (file, path) = tempfile::Builder::new()
            .prefix(&prefix(target))
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(folder)?
            .into_parts();
        let path = path.keep().map_err(io::Error::from)?;
        Ok(Self { file, path })
    }

    /// Removes what killed processes have left. Only who holds the lock knows that nobody uses it.
    pub fn remove_stale(target: &Path) {
        let prefix = prefix(target);
        let folder = target.parent().unwrap_or(Path::new("/"));
        // Not the standard library's: that one panics when a folder can't be closed.
        let entries =
            File::open(folder).map_err(|_| ()).and_then(|open| Dir::new(open).map_err(drop));
        let Ok(entries) = entries else { return };
        for entry in entries.flatten() {
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            let path = folder.join(name);
            let stale = name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
            if stale && path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
                // The next run tries again.
                drop(fs::remove_file(path));
            }
        }
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn identity(&self) -> io::Result<Identity> {
        Ok(Identity::new(&self.file.metadata()?))
    }

    pub fn fill(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    /// Makes the modification time later than that of the file it replaces: GitLab Runner reads a
    /// file again only then, and clocks and file systems may be coarse.
    pub fn move_mtime_on(&self, old: (i64, i64)) -> io::Result<()> {
        move_mtime_on(&self.file, old)
    }

    /// Gives the file another name for good.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.forget();
        Ok(())
    }

    /// Leaves the name alone: another file has it now, or none.
    pub fn forget(mut self) {
        self.path = PathBuf::new();
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // What can't be removed now the next run removes.
            drop(remove(&self.path));
        }
    }
}

/// Removes a file; a file system that stumbles once is asked again.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let mut result = Ok(());
    for _ in 0..ATTEMPTS {
        result = fs::remove_file(path);
        match &result {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {}
            _ => return Ok(()),
        }
    }
    result
}

pub(super) fn move_mtime_on(file: &File, old: (i64, i64)) -> io::Result<()> {
    // First by little, then by what the coarsest file systems count in.
    for (seconds, nanoseconds) in [(0, 1_000_000), (1, 0), (2, 0)] {
        let metadata = file.metadata()?;
        if (metadata.mtime(), metadata.mtime_nsec()) > old {
            return Ok(());
        }
        let whole = old.1 + nanoseconds;
        let time = Timespec {
            tv_sec: old.0 + seconds + whole / 1_000_000_000,
            tv_nsec: (whole % 1_000_000_000) as _,
        };
        futimens(file, &Timestamps { last_access: time, last_modification: time })?;
    }
    Ok(())
}

/// How the names of such files start.
fn prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".runner-auth.tmp-");
    prefix
}

/// A name beside the file.
pub(super) fn with_suffix(path: &Path, suffix: impl AsRef<OsStr>) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
