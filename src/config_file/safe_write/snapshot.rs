//! A config as it was read at one moment, with the open file.

use std::fs::{File, Metadata};
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use crate::config_file::{is_fresh, open_regular, read_whole};
use crate::error::Error;
use crate::toml::text::ConfigText;

/// What was read, and from which file.
pub(super) struct Snapshot {
    text: ConfigText,
    file: File,
    metadata: Metadata,
    /// Whether the file is mounted by itself and not with its folder.
    mounted: bool,
}

/// Which file it is, and in which state.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Identity {
    pub fn new(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    pub fn is(&self, snapshot: &Snapshot) -> bool {
        *self == Self::new(&snapshot.metadata)
    }
}

impl Snapshot {
    pub fn of_path(label: &str, path: &Path) -> Result<Self, Error> {
        let unreadable = |cause| Error::Unreadable { path: label.to_owned(), cause };
        let file = open_regular(path).map_err(unreadable)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let mounted = is_mounted(&file, folder).map_err(unreadable)?;
        Ok(Self { mounted, ..Self::of_file(label, file).map_err(unreadable)? })
    }

    pub fn of_file(label: &str, mut file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let text = ConfigText::new(label, read_whole(&mut file)?);
        Ok(Self { text, file, metadata, mounted: false })
    }

    /// The same file as it is now, whatever its name.
    pub fn again(&self, label: &str) -> Result<Self, Error> {
        let again = || {
            let mut file = self.file.try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            Self::of_file(label, file)
        };
        again().map_err(|cause| Error::Unreadable { path: label.to_owned(), cause })
    }

    pub fn text(&self) -> &ConfigText {
        &self.text
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    pub fn modified(&self) -> (i64, i64) {
        (self.metadata.mtime(), self.metadata.mtime_nsec())
    }

    /// Whether it is the same file with the same bytes.
    pub fn is_same(&self, other: &Self) -> bool {
        self.is_of(&other.metadata) && self.text.bytes() == other.text.bytes()
    }

    /// Whether it was read from the file with this metadata.
    pub fn is_of(&self, file: &Metadata) -> bool {
        (self.metadata.dev(), self.metadata.ino()) == (file.dev(), file.ino())
    }

    /// Whether it was written a moment ago.
    pub fn is_fresh(&self) -> bool {
        is_fresh(self.metadata.modified().ok())
    }

    /// Whether somebody has just written into this very file, which was there before. After a
    /// rename, which is how this crate and careful editors write, the status of a file changes
    /// later than its content; a file that was made for its content is as old as that.
    pub fn is_being_rewritten(&self) -> bool {
        let changed = (self.metadata.ctime(), self.metadata.ctime_nsec());
        let made = self.metadata.created().ok();
        let age = made.and_then(|made| self.metadata.modified().ok()?.duration_since(made).ok());
        self.is_fresh()
            && changed == self.modified()
            && age.is_none_or(|age| age > Duration::from_millis(2))
    }

    /// Why another file can't take this one's place.
    pub fn forbids_rename(&self) -> Option<&'static str> {
        if self.metadata.nlink() > 1 {
            Some("it has several names (hard links), which must stay one file")
        } else if self.mounted {
            Some("it is mounted by itself")
        } else {
            None
        }
    }
}

/// Whether a file lies on another mount than its folder. Two devices don't say so where there are
/// mounts to ask for: an overlay shows the device of the layer for a file, its own for a folder.
fn is_mounted(file: &File, folder: &Path) -> io::Result<bool> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
        let of_file = statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID);
        let of_folder = statx(CWD, folder, AtFlags::empty(), StatxFlags::MNT_ID);
        if let (Ok(file), Ok(folder)) = (of_file, of_folder)
            && file.stx_mask & folder.stx_mask & StatxFlags::MNT_ID.bits() != 0
        {
            return Ok(file.stx_mnt_id != folder.stx_mnt_id);
        }
    }
    Ok(file.metadata()?.dev() != std::fs::metadata(folder)?.dev())
}
