//! Two files swap their names in one step, so that what was displaced can still be looked at.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::private_file::{PrivateFile, remove};
use super::snapshot::Snapshot;
use crate::error::Error;

/// What stands after the new file has taken the config's name. The old file is removed on drop.
pub(super) struct Exchanged {
    /// The name that the old file has now; `None` where the file system can't swap and the old file
    /// has no name any more.
    displaced: Option<PathBuf>,
}

/// Gives a new file the config's name. `before_rename` is called where the file system can't swap,
/// before the old file loses its name.
pub(super) fn swap(
    new: PrivateFile,
    target: &Path,
    before_rename: impl FnOnce() -> io::Result<()>,
) -> Result<Exchanged, (io::Error, PrivateFile)> {
    let displaced = match swap_names(new.path(), target) {
        Ok(()) => Some(new.path().to_owned()),
        Err(cause) if cannot_swap(&cause) => {
            let renamed = before_rename().and_then(|()| std::fs::rename(new.path(), target));
            if let Err(cause) = renamed {
                return Err((cause, new));
            }
            None
        }
        Err(cause) => return Err((cause, new)),
    };
    new.forget();
    Ok(Exchanged { displaced })
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn swap_names(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn swap_names(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn is(cause: &io::Error, errors: &[Errno]) -> bool {
    errors.iter().any(|error| cause.raw_os_error() == Some(error.raw_os_error()))
}

fn cannot_swap(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::Unsupported
        || is(cause, &[Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP])
}

/// Whether a rename failed because the file is a mount point.
pub(super) fn is_mounted_over(cause: &io::Error) -> bool {
    is(cause, &[Errno::BUSY, Errno::XDEV])
}

/// Makes the names last through a power loss.
pub(super) fn sync_folder(target: &Path) -> io::Result<()> {
    File::open(target.parent().unwrap_or(Path::new("/")))?.sync_all()
}

impl Exchanged {
    /// What the old name led to at the moment of the swap, as it is now.
    pub fn displaced(&self, label: &str, base: &Snapshot) -> Result<Snapshot, Error> {
        match &self.displaced {
            Some(path) => Snapshot::of_path(label, path),
            None => base.again(label),
        }
    }

    /// Gives the old file its name back, if it still has one.
    pub fn undo(&mut self, target: &Path) -> bool {
        // The new file is then what is removed on drop.
        self.displaced.as_ref().is_some_and(|displaced| swap_names(displaced, target).is_ok())
    }

    /// Removes the old file, or gives it the backup's name. What is left comes back: a backup then
    /// has a name that no other run takes for its own.
    pub fn let_go(&mut self, backup: Option<&Path>) -> Result<(), (io::Error, PathBuf)> {
        let Some(displaced) = self.displaced.take() else { return Ok(()) };
        let Some(backup) = backup else {
            return remove(&displaced).map_err(|cause| (cause, displaced));
        };
        std::fs::rename(&displaced, backup).map_err(|cause| {
            let name = displaced.as_os_str().as_encoded_bytes();
            let random = name.rsplit(|&byte| byte == b'-').next().unwrap_or_default();
            let mut other = OsString::from(backup);
            other.push("-");
            other.push(OsStr::from_bytes(random));
            match std::fs::rename(&displaced, &other) {
                Ok(()) => (cause, other.into()),
                Err(_) => (cause, displaced),
            }
        })
    }
}

impl Drop for Exchanged {
    fn drop(&mut self) {
        if let Some(displaced) = &self.displaced {
            // What can't be removed now the next run removes.
            drop(remove(displaced));
        }
    }
}
