//! What is kept while a file is written in place, so that a crash can't lose the old content.
//!
//! Two private files, the old content and the new, beside the config or, where that folder can't be
//! written, in the state directory: `/var/lib/runner-auth` for root, else
//! `$XDG_STATE_HOME/runner-auth` or `~/.local/state/runner-auth`.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::exchange::sync_folder;
use super::in_place::{filled_up, restore};
use super::private_file::remove;
use crate::config_file::{open_itself, read_regular, read_whole};
use crate::error::Error;

/// The two files.
pub(super) struct Recovery {
    old: PathBuf,
    new: PathBuf,
    /// Whether they go on drop.
    temporary: bool,
}

impl Recovery {
    /// Writes and syncs both, the old content first.
    pub fn keep(target: &Path, old: &[u8], new: &[u8]) -> io::Result<Self> {
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for mut place in places(target) {
            match place.write(old, new) {
                Ok(()) => {
                    place.temporary = true;
                    return Ok(place);
                }
                Err(cause) => failure = cause,
            }
        }
        Err(failure)
    }

    pub fn old(&self) -> &Path {
        &self.old
    }

    /// Leaves both for the next run.
    pub fn leave(mut self) {
        self.temporary = false;
    }

    /// Removes both, the new content first: it is what says that a write had begun.
    fn remove(&self) {
        // What can't be removed now the next run removes.
        drop(remove(&self.new));
        drop(remove(&self.old));
    }

    fn write(&self, old: &[u8], new: &[u8]) -> io::Result<()> {
        if let Some(folder) = self.old.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        for (path, bytes) in [(&self.old, old), (&self.new, new)] {
            let written = private(path).and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            });
            if let Err(cause) = written {
                self.remove();
                return Err(cause);
            }
        }
        let synced = sync_folder(&self.old);
        if synced.is_err() {
            self.remove();
        }
        synced
    }

    /// Ends what a crash has left: nothing is to be done where the file is the old or the new one;
    /// a mixture of the two becomes the old one again, and the sentence that says so comes back.
    ///
    /// # Errors
    ///
    /// [`Error::UnfinishedWrite`] when somebody else has changed the file since.
    pub fn finish(label: &str, target: &Path) -> Result<Option<String>, Error> {
        let unreadable = |cause| Error::Unreadable { path: label.to_owned(), cause };
        let owner = fs::metadata(target).map_err(unreadable)?.uid();
        for place in places(target) {
            let unknown =
                |cause| Error::Unreadable { path: place.old.display().to_string(), cause };
            let old = left(&place.old, owner).map_err(unknown)?;
            let new = left(&place.new, owner).map_err(unknown)?;
            let (old, new) = match (old, new) {
                (Some(old), Some(new)) => (old, new),
                (None, None) => continue,
                // It ended before anything was written, or when all was done.
                _ => {
                    place.remove();
                    continue;
                }
            };
            let now = read_regular(target).map_err(unreadable)?;
            if now == *old || now == *new || now == filled_up(&new, old.len()) {
                place.remove();
                continue;
            }
            let failed = |cause| Error::HalfWritten {
                path: label.to_owned(),
                copy: place.old.display().to_string(),
                cause,
            };
            if !is_mixture(&now, &old, &new) {
                return Err(Error::UnfinishedWrite {
                    path: label.to_owned(),
                    copy: place.old.display().to_string(),
                });
            }
            open_itself(target, File::options().write(true))
                .and_then(|file| restore(&file, &old, &now))
                .map_err(failed)?;
            place.remove();
            return Ok(Some(format!(
                "an earlier write of {label} was cut off in the middle: the content from before it \
                 was put back first"
            )));
        }
        Ok(None)
    }
}

/// What a write in place has left under this name. In a folder where others can make files it could
/// be one of theirs: only what the owner of the config, root or this user has made counts.
fn left(path: &Path, owner: u32) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let trusted = |found: &Metadata| {
        let users = [owner, 0, rustix::process::geteuid().as_raw()];
        found.is_file() && found.nlink() == 1 && users.contains(&found.uid())
    };
    match open_itself(path, File::options().read(true)) {
        Ok(mut file) if trusted(&file.metadata()?) => {
            read_whole(&mut file).map(|bytes| Some(Zeroizing::new(bytes)))
        }
        // What is there but can't be read may be the only whole content.
        Err(cause) if path.symlink_metadata().is_ok_and(|found| trusted(&found)) => Err(cause),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Whether a text consists of pieces of the old and the new one, each in its place.
fn is_mixture(now: &[u8], old: &[u8], new: &[u8]) -> bool {
    let new = filled_up(new, old.len());
    now.len() <= new.len()
        && now
            .iter()
            .enumerate()
            .all(|(at, byte)| old.get(at) == Some(byte) || new.get(at) == Some(byte))
}

/// A new file that only its owner can read; one that is there is replaced.
fn private(path: &Path) -> io::Result<File> {
    let new = || OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match new() {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
            remove(path)?;
            new()
        }
        other => other,
    }
}

/// Beside the file, and in the state directory.
fn places(target: &Path) -> Vec<Recovery> {
    let folder = target.parent().unwrap_or(Path::new("/"));
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".runner-auth");
    let mut places = vec![Recovery::named(&folder.join(name))];
    if let Some(state) = state_folder() {
        // The whole path in one name: slashes and the sign that stands for them are escaped.
        let path = target.to_string_lossy().replace('%', "%25").replace('/', "%2F");
        places.push(Recovery::named(&state.join(path)));
    }
    places
}

impl Recovery {
    fn named(stem: &Path) -> Self {
        Self {
            old: super::private_file::with_suffix(stem, ".old"),
            new: super::private_file::with_suffix(stem, ".new"),
            temporary: false,
        }
    }
}

impl Drop for Recovery {
    fn drop(&mut self) {
        if self.temporary {
            self.remove();
        }
    }
}

fn state_folder() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some("/var/lib/runner-auth".into());
    }
    let filled = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let state = filled("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| Some(Path::new(&filled("HOME")?).join(".local/state")))?;
    Some(state.join("runner-auth"))
}
