//! Two files swap their names in one step, so that what was displaced can still be looked at.

use std::ffi::{OsStr, OsString};
use std::io;
use std::rc::Rc;

use rustix::io::Errno;

use super::folder::Folder;
use super::private_file::PrivateFile;
use super::snapshot::{Identity, Snapshot};
use super::target::Target;
use crate::error::Error;

/// How many older backups are counted.
const MOST_BACKUPS: usize = 10_000;

/// What stands after the new file has taken the config's name. The old file is removed on drop.
pub(super) struct Exchanged {
    folder: Rc<Folder>,
    /// The name that the old file has now; `None` where the file system can't swap and the old file
    /// has no name any more.
    displaced: Option<OsString>,
    /// The new file.
    ours: Identity,
}

/// Gives a new file the config's name. `before_rename` is called where the file system can't swap,
/// before the old file loses its name.
pub(super) fn swap(
    mut new: PrivateFile,
    target: &Target,
    before_rename: impl FnOnce() -> io::Result<()>,
) -> Result<Exchanged, (io::Error, PrivateFile)> {
    let before = match new.identity() {
        Ok(before) => before,
        Err(cause) => return Err((cause, new)),
    };
    let folder = Rc::clone(&target.folder);
    let displaced = match folder.exchange(new.name(), &target.name) {
        Ok(()) => Some(new.name().to_owned()),
        Err(cause) if cannot_swap(&cause) => {
            let renamed = before_rename().and_then(|()| folder.rename(new.name(), &target.name));
            if let Err(cause) = renamed {
                return Err((cause, new));
            }
            None
        }
        Err(cause) => return Err((cause, new)),
    };
    new.forget();
    // A rename counts as a change.
    let ours = new.identity().unwrap_or(before);
    Ok(Exchanged { folder, displaced, ours })
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

impl Exchanged {
    /// The new file, as it was right after the swap.
    pub fn ours(&self) -> Identity {
        self.ours
    }

    /// The state of the old file now.
    pub fn identity(&self, base: &Snapshot) -> Option<Identity> {
        match &self.displaced {
            Some(name) => self.folder.stat(name).ok().map(|old| Identity::of(&old)),
            None => base.file().metadata().ok().map(|old| Identity::new(&old)),
        }
    }

    /// What the config's name led to at the moment of the swap, as it is now.
    pub fn displaced(&self, target: &Target, base: &Snapshot) -> Result<Snapshot, Error> {
        match &self.displaced {
            Some(name) => Snapshot::of_name(target, name),
            None => base.again(&target.label),
        }
    }

    /// Gives the displaced file its name back, if it still has one. Whoever has renamed another file
    /// over the new one meanwhile is later than both: that file keeps the name.
    pub fn put_back(&mut self, target: &Target) -> bool {
        let Some(name) = &self.displaced else { return false };
        let mut seen: Vec<Identity> = vec![self.ours];
        let mut back = false;
        // What is held last is removed on drop: the new file, or what is older than the named one.
        while let Ok(held) = self.folder.stat(name)
            && !seen.iter().any(|seen| seen.is_file(&held))
            && self.folder.exchange(name, &target.name).is_ok()
        {
            seen.push(Identity::of(&held));
            back = true;
        }
        back
    }

    /// Removes the old file, or keeps it as the backup, whose name comes back.
    pub fn let_go(
        &mut self,
        target: &Target,
        backup: Option<&str>,
    ) -> Result<Option<OsString>, (io::Error, OsString)> {
        let Some(displaced) = self.displaced.take() else { return Ok(None) };
        let kept = match backup {
            None => self.folder.remove(&displaced).map(|()| None),
            Some(suffix) => {
                with_new_name(target, suffix, |name| self.folder.rename_to_new(&displaced, name))
                    .map(|(name, ())| Some(name))
            }
        };
        kept.map_err(|cause| (cause, displaced))
    }
}

/// The longest name that a backup may get.
pub(super) fn longest_name(target: &Target, suffix: &str) -> OsString {
    target.with_suffix(&format!("{suffix}.{}", MOST_BACKUPS - 1))
}

/// Calls `take` with the names of a backup until one is free.
pub(super) fn with_new_name<T>(
    target: &Target,
    suffix: &str,
    mut take: impl FnMut(&OsStr) -> io::Result<T>,
) -> io::Result<(OsString, T)> {
    for number in 0..MOST_BACKUPS {
        let count = if number == 0 { String::new() } else { format!(".{number}") };
        let name = target.with_suffix(&format!("{suffix}{count}"));
        match take(&name) {
            Ok(taken) => return Ok((name, taken)),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(cause),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

impl Drop for Exchanged {
    fn drop(&mut self) {
        if let Some(displaced) = &self.displaced {
            // What can't be removed now the next run removes.
            drop(self.folder.remove(displaced));
        }
    }
}
