//! What is kept while a file is written in place, so that a crash can't lose the old content.
//!
//! One file in the state directory (`/var/lib/runner-auth` for root, else
//! `$XDG_STATE_HOME/runner-auth` or `~/.local/state/runner-auth`), where nobody else can put
//! anything: the old content, and behind it in comments which file it is of and the new content. It
//! can be copied over the config as it is.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::fs::{FileType, OFlags};
use zeroize::Zeroizing;

use super::folder::Folder;
use super::lease::{Lease, Leased};
use super::overwrite::{filled_up, restore};
use super::snapshot::Snapshot;
use super::target::Target;
use crate::config_file::{HALF_WRITTEN, read_whole};
use crate::error::Error;

/// What the comments begin with.
const MARK: &str = "\n# runner-auth was writing into inode ";

/// What a disk writes whole.
const SECTOR: usize = 512;

/// The state directory, as far as it is there.
pub(super) struct State {
    path: PathBuf,
    folder: io::Result<Rc<Folder>>,
    /// What is still to be made in it, the innermost first.
    missing: Vec<OsString>,
}

impl State {
    /// Opens the state directory, or the folder that it would be made in.
    pub fn find() -> Self {
        let Some(path) = state_folder() else {
            let folder = Err(io::Error::other("there is no home to keep it in"));
            return Self { path: PathBuf::new(), folder, missing: Vec::new() };
        };
        let (mut found, mut missing) = (path.as_path(), Vec::new());
        loop {
            match (Folder::open(found), found.parent(), found.file_name()) {
                (Err(cause), Some(parent), Some(name))
                    if cause.kind() == io::ErrorKind::NotFound =>
                {
                    missing.push(name.to_owned());
                    found = parent;
                }
                (folder, _, _) => return Self { folder: folder.map(Rc::new), missing, path },
            }
        }
    }

    /// Makes what is missing.
    fn make(&mut self) -> io::Result<&Rc<Folder>> {
        while let (Ok(folder), Some(name)) = (&self.folder, self.missing.last()) {
            self.folder = Ok(Rc::new(folder.make(name)?));
            self.missing.pop();
        }
        self.folder()
    }

    /// The directory, if nobody else can put anything into it.
    fn folder(&self) -> io::Result<&Rc<Folder>> {
        let folder = self.folder.as_ref().map_err(|cause| io::Error::from(cause.kind()))?;
        if !self.missing.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        if folder.is_shared()? {
            return Err(io::Error::other(format!(
                "others can write to {}, or own it",
                self.path.display()
            )));
        }
        Ok(folder)
    }
}

/// What is kept; it is removed on drop.
pub(super) struct Recovery {
    folder: Rc<Folder>,
    name: OsString,
    path: PathBuf,
    temporary: bool,
}

impl Recovery {
    /// Writes and syncs it.
    pub fn keep(
        state: &mut State,
        target: &Target,
        base: &Snapshot,
        new: &[u8],
    ) -> io::Result<Self> {
        let (name, path) = (name(target), state.path.join(name(target)));
        let folder = Rc::clone(state.make()?);
        let mut file = folder.create(&name).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => {
                io::Error::other(format!("{} is in the way", path.display()))
            }
            _ => cause,
        })?;
        let kept = Self { folder, name, path, temporary: true };
        file.write_all(&Record::compose(base, new))?;
        file.sync_all()?;
        kept.folder.sync()?;
        Ok(kept)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it for the next run.
    pub fn leave(mut self) {
        self.temporary = false;
    }
}

impl Drop for Recovery {
    fn drop(&mut self) {
        if self.temporary {
            // What can't be removed now the next run removes.
            drop(self.folder.remove(&self.name));
        }
    }
}

/// Ends what a crash has left: nothing is to be done where the file is the old or the new one; a
/// mixture of the two, in the same file, becomes the old one again. A sentence for the person comes
/// back.
///
/// # Errors
///
/// [`Error::UnfinishedWrite`] when somebody else has changed the file since, or is about to.
pub(super) fn finish(state: &State, target: &Target) -> Result<Option<String>, Error> {
    let name = name(target);
    let copy = state.path.join(&name).display().to_string();
    let unreadable = |cause| Error::Unreadable { path: copy.clone(), cause };
    let Ok(opened) = &state.folder else { return Ok(None) };
    let Ok(about) = opened.stat(&name) else { return Ok(None) };
    let left_alone = || Ok(Some(format!("{copy} is left alone: another user could have made it")));
    let (Ok(folder), FileType::RegularFile) =
        (state.folder(), FileType::from_raw_mode(about.st_mode))
    else {
        return left_alone();
    };
    let mut file = folder.open_file(&name, OFlags::RDONLY).map_err(unreadable)?;
    if !is_own(&file.metadata().map_err(unreadable)?) {
        return left_alone();
    }
    let bytes = Zeroizing::new(read_whole(&mut file, u64::MAX).map_err(unreadable)?);
    let Some(record) = Record::parse(&bytes) else {
        // Without its end it was cut off itself, before anything was written into the config.
        drop(folder.remove(&name));
        return Ok(None);
    };
    let unfinished = Error::UnfinishedWrite { path: target.label.clone(), copy: copy.clone() };
    let now = record.settled(target)?;
    let note = match record.compare(&now) {
        Compared::Whole => None,
        Compared::Mixture if record.restore(target, &now, &copy)? => Some(format!(
            "an earlier write of {} was cut off in the middle: the content from before it was put \
             back first",
            target.label
        )),
        Compared::Mixture | Compared::Foreign => return Err(unfinished),
    };
    // What can't be removed now the next run removes.
    drop(folder.remove(&name));
    Ok(note)
}

/// Whether nobody but this user can have made or changed a file.
fn is_own(found: &Metadata) -> bool {
    found.uid() == rustix::process::geteuid().as_raw()
        && found.nlink() == 1
        && found.mode() & 0o022 == 0
}

/// What a recovery file holds.
struct Record<'b> {
    old: &'b [u8],
    /// The new content, with line ends up to the length of the old.
    filled: Zeroizing<Vec<u8>>,
    new_length: usize,
    inode: u64,
}

/// What a config is beside a record of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    /// The old content or the new.
    Whole,
    /// What a write that was cut off has left.
    Mixture,
    /// Somebody else's.
    Foreign,
}

impl<'b> Record<'b> {
    fn compose(base: &Snapshot, new: &[u8]) -> Zeroizing<Vec<u8>> {
        let old = base.text().bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(old.len() + new.len() * 4 / 3 + 200));
        bytes.extend_from_slice(old);
        let inode = base.identity().inode();
        bytes.extend_from_slice(format!("{MARK}{inode}: ").as_bytes());
        bytes.extend_from_slice(Zeroizing::new(STANDARD.encode(new)).as_bytes());
        bytes.push(b'\n');
        bytes
    }

    /// None when its end is missing.
    fn parse(bytes: &'b [u8]) -> Option<Self> {
        let end = bytes.strip_suffix(b"\n")?;
        let at = (0..end.len()).rev().find(|&at| end[at..].starts_with(MARK.as_bytes()))?;
        let comment = str::from_utf8(&end[at + MARK.len()..]).ok()?;
        let (inode, new) = comment.split_once(": ")?;
        let new = Zeroizing::new(STANDARD.decode(new).ok()?);
        let filled = Zeroizing::new(filled_up(&new, at));
        let inode = inode.parse().ok()?;
        Some(Self { old: &bytes[..at], filled, new_length: new.len(), inode })
    }

    /// The config as it is now. Another writer who may be at it is let finish.
    fn settled(&self, target: &Target) -> Result<Snapshot, Error> {
        let start = Instant::now();
        loop {
            let now = target.read()?;
            let foreign = self.compare(&now) == Compared::Foreign;
            if !foreign || !now.is_fresh() || start.elapsed() > HALF_WRITTEN {
                return Ok(now);
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// A file that is shorter than the old content is no work of ours, which never cuts before the
    /// new content is there: somebody has emptied it and writes.
    fn compare(&self, now: &Snapshot) -> Compared {
        let (inode, now) = (now.identity().inode(), now.text().bytes());
        let is_new = now.len() >= self.new_length && self.filled.starts_with(now);
        if now == self.old || is_new {
            return Compared::Whole;
        }
        let possible = (self.old.len()..=self.filled.len()).contains(&now.len());
        let sectors = now.chunks(SECTOR).enumerate().all(|(number, sector)| {
            let is_of =
                |text: &[u8]| text.get(number * SECTOR..).is_some_and(|t| t.starts_with(sector));
            is_of(self.old) || is_of(&self.filled)
        });
        if inode == self.inode && possible && sectors {
            Compared::Mixture
        } else {
            Compared::Foreign
        }
    }

    /// Puts the old content back, if nobody has the file open for writing.
    fn restore(&self, target: &Target, now: &Snapshot, copy: &str) -> Result<bool, Error> {
        if matches!(Lease::take(now.file()), Leased::Writing) {
            return Ok(false);
        }
        let restored = || {
            let mut file = target.open(OFlags::RDWR)?;
            if !now.is_of(&file.metadata()?)
                || read_whole(&mut file, u64::MAX)? != now.text().bytes()
            {
                return Ok(false);
            }
            restore(&file, self.old).map(|()| true)
        };
        restored().map_err(|cause| Error::HalfWritten {
            path: target.label.clone(),
            copy: copy.to_owned(),
            cause,
        })
    }
}

/// The whole path in one name: slashes and the sign that stands for them are escaped.
fn name(target: &Target) -> OsString {
    target.path.to_string_lossy().replace('%', "%25").replace('/', "%2F").into()
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
