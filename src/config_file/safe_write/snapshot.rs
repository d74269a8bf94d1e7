//! A config as it was read at one moment, with the open file.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{OFlags, Stat};

use super::folder::Folder;
use super::target::Target;
use crate::config_file::{is_fresh, read_config};
use crate::error::Error;
use crate::toml::text::ConfigText;

/// What was read, and from which file.
pub(super) struct Snapshot {
    text: ConfigText,
    file: File,
    metadata: Metadata,
    largest: u64,
    /// When.
    read: SystemTime,
}

/// How far apart two times are in the coarsest file systems.
const COARSEST: Duration = Duration::from_secs(2);

/// Which file it is, and in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    pub fn new(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    // The types of these fields differ from system to system.
    #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, clippy::cast_possible_wrap)]
    pub fn of(file: &Stat) -> Self {
        Self {
            device: file.st_dev as u64,
            inode: file.st_ino as u64,
            size: file.st_size as u64,
            modified: (file.st_mtime as i64, file.st_mtime_nsec as i64),
            changed: (file.st_ctime as i64, file.st_ctime_nsec as i64),
        }
    }

    /// Whether it is the file that was read, and not written since: a rename changes no other time.
    pub fn is_written_as(&self, read: &Snapshot) -> bool {
        *self == Self { changed: self.changed, ..read.identity() }
    }

    pub fn inode(&self) -> u64 {
        self.inode
    }

    /// Whether it is this file, in whatever state.
    pub fn is_file(&self, file: &Stat) -> bool {
        let file = Self::of(file);
        (self.device, self.inode) == (file.device, file.inode)
    }
}

impl Snapshot {
    /// Reads the file that has a name beside the config, or the config's own.
    pub fn of_name(target: &Target, name: &OsStr) -> Result<Self, Error> {
        let unreadable = |cause| Error::Unreadable { path: target.label.clone(), cause };
        let read = SystemTime::now();
        let (file, found) =
            target.folder.open_and_look(name, OFlags::RDONLY).map_err(unreadable)?;
        Self::of_file(&target.label, file, found, read, target.largest).map_err(unreadable)
    }

    /// Reads a file that is open and of which nothing has been read.
    pub fn of_open(target: &Target, file: File) -> Result<Self, Error> {
        let unreadable = |cause| Error::Unreadable { path: target.label.clone(), cause };
        let (read, found) = (SystemTime::now(), file.metadata().map_err(unreadable)?);
        Self::of_file(&target.label, file, found, read, target.largest).map_err(unreadable)
    }

    /// `read` is before the look at the file, so that nothing seems older than it was.
    fn of_file(
        label: &str,
        mut file: File,
        metadata: Metadata,
        read: SystemTime,
        largest: u64,
    ) -> io::Result<Self> {
        let text = ConfigText::new(label, read_config(&mut file, metadata.len(), largest)?);
        Ok(Self { text, file, metadata, largest, read })
    }

    /// Reads the same file again.
    pub fn again(&self, label: &str) -> Result<Self, Error> {
        let again = || {
            let mut file = self.file.try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            let (read, found) = (SystemTime::now(), file.metadata()?);
            Self::of_file(label, file, found, read, self.largest)
        };
        again().map_err(|cause| Error::Unreadable { path: label.to_owned(), cause })
    }

    pub fn text(&self) -> &ConfigText {
        &self.text
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    pub fn owner(&self) -> u32 {
        self.metadata.uid()
    }

    pub fn mode(&self) -> u32 {
        self.metadata.mode() & 0o7777
    }

    pub fn modified(&self) -> (i64, i64) {
        (self.metadata.mtime(), self.metadata.mtime_nsec())
    }

    pub fn identity(&self) -> Identity {
        Identity::new(&self.metadata)
    }

    /// Whether it is the same file with the same bytes.
    pub fn is_same(&self, other: &Self) -> bool {
        self.is_of(&other.metadata) && self.text.bytes() == other.text.bytes()
    }

    /// Whether it was read from the file with this metadata.
    pub fn is_of(&self, file: &Metadata) -> bool {
        (self.metadata.dev(), self.metadata.ino()) == (file.dev(), file.ino())
    }

    /// Whether a file is still this one and nobody can have written it since it was read, by its times:
    /// they tell when the last ones were long enough ago for the next to be others. Anybody can set the
    /// time of a write back, but not that of a change.
    pub fn is_untouched(&self, file: &Metadata) -> bool {
        let long_ago =
            |at: SystemTime| self.read.duration_since(at).is_ok_and(|age| age > COARSEST);
        self.metadata.modified().is_ok_and(long_ago)
            && changed(&self.metadata).is_some_and(long_ago)
            && Identity::new(file) == self.identity()
    }

    /// Whether it was written a moment ago.
    pub fn is_fresh(&self) -> bool {
        is_fresh(self.metadata.modified().ok())
    }

    /// Whether the file has other names too.
    pub fn has_several_names(&self) -> bool {
        self.metadata.nlink() > 1
    }

    /// Whether the file is mounted by itself and not with its folder.
    pub fn is_mounted(&self, folder: &Folder) -> io::Result<bool> {
        is_mounted(&self.file, folder)
    }
}

/// When a file was last changed, its times and its names included.
fn changed(metadata: &Metadata) -> Option<SystemTime> {
    let seconds = metadata.ctime().try_into().ok()?;
    UNIX_EPOCH.checked_add(Duration::new(seconds, metadata.ctime_nsec().try_into().ok()?))
}

/// Whether a file lies on another mount than its folder. Two devices don't say so where there are
/// mounts to ask for: an overlay shows the device of the layer for a file, its own for a folder.
fn is_mounted(file: &File, folder: &Folder) -> io::Result<bool> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{AtFlags, StatxFlags, statx};
        let of_file = statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID);
        let of_folder = statx(folder.passage(), "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID);
        if let (Ok(file), Ok(folder)) = (of_file, of_folder)
            && file.stx_mask & folder.stx_mask & StatxFlags::MNT_ID.bits() != 0
        {
            return Ok(file.stx_mnt_id != folder.stx_mnt_id);
        }
    }
    // The type of a device differs from system to system.
    #[allow(clippy::unnecessary_cast)]
    let device = folder.about()?.st_dev as u64;
    Ok(file.metadata()?.dev() != device)
}
