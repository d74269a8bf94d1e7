//! A folder that was opened once: its files are named relative to the descriptor, by one name, and
//! no link is followed. Whatever another user puts in the folder's place, it stays this folder.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, renameat, statat,
    unlinkat,
};
use rustix::io::Errno;

use crate::config_file::regular;
use crate::config_file::way::PASSAGE;

/// How often a removal is tried.
const ATTEMPTS: usize = 3;

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    /// What names are looked up in.
    passage: OwnedFd,
    /// The same folder where it may be read: to be listed, locked and synced. Opened when that is asked.
    readable: OnceCell<Option<File>>,
}

impl Folder {
    /// Takes a folder that was opened with [`PASSAGE`].
    pub fn new(passage: OwnedFd) -> Self {
        Self { passage, readable: OnceCell::new() }
    }

    /// Opens a folder by its path, following links.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::new(openat(CWD, path, PASSAGE | OFlags::DIRECTORY, Mode::empty())?))
    }

    /// Opens a folder in this one, and makes it first where it isn't there, for this user alone.
    pub fn make(&self, name: &OsStr) -> io::Result<Self> {
        match mkdirat(&self.passage, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(cause) => return Err(cause.into()),
        }
        let flags = PASSAGE | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        Ok(Self::new(openat(&self.passage, name, flags, Mode::empty())?))
    }

    pub fn passage(&self) -> &OwnedFd {
        &self.passage
    }

    pub fn readable(&self) -> Option<&File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = || openat(&self.passage, ".", flags, Mode::empty()).ok().map(File::from);
        self.readable.get_or_init(open).as_ref()
    }

    pub fn about(&self) -> io::Result<Stat> {
        Ok(fstat(&self.passage)?)
    }

    /// Whether another user than this one, or root, can make names in it.
    pub fn is_shared(&self) -> io::Result<bool> {
        let about = self.about()?;
        let own = about.st_uid == rustix::process::geteuid().as_raw();
        Ok(!own || about.st_mode & 0o022 != 0)
    }

    /// What has a name, which may be a link.
    pub fn stat(&self, name: &OsStr) -> io::Result<Stat> {
        Ok(statat(&self.passage, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Opens a regular file, without waiting for the other end of anything else.
    pub fn open_file(&self, name: &OsStr, access: OFlags) -> io::Result<File> {
        self.open_and_look(name, access).map(|(file, _)| file)
    }

    /// The same, with what it was found to be.
    pub fn open_and_look(&self, name: &OsStr, access: OFlags) -> io::Result<(File, Metadata)> {
        let flags = access | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match openat(&self.passage, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::LOOP) => return Err(io::Error::other("it has become a link")),
            Err(cause) => return Err(cause.into()),
        };
        regular(file)
    }

    /// Makes a file that was not there, with mode 0600 whatever the umask.
    pub fn create(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = openat(&self.passage, name, flags | OFlags::NOFOLLOW, mode)?;
        // Where it can't be set the file is only more private.
        let _ = rustix::fs::fchmod(&file, mode);
        Ok(file.into())
    }

    /// Two files swap their names.
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    pub fn exchange(&self, one: &OsStr, other: &OsStr) -> io::Result<()> {
        self.rename_as(one, other, rustix::fs::RenameFlags::EXCHANGE)
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    pub fn exchange(&self, _: &OsStr, _: &OsStr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives a file a name that nothing has.
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    pub fn rename_to_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        self.rename_as(from, to, rustix::fs::RenameFlags::NOREPLACE)
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    pub fn rename_to_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        rustix::fs::linkat(&self.passage, from, &self.passage, to, AtFlags::empty())?;
        self.remove(from)
    }

    #[cfg(any(target_os = "linux", target_os = "macos"))]
    fn rename_as(
        &self,
        from: &OsStr,
        to: &OsStr,
        flags: rustix::fs::RenameFlags,
    ) -> io::Result<()> {
        Ok(rustix::fs::renameat_with(&self.passage, from, &self.passage, to, flags)?)
    }

    /// Gives a file another name, whatever has that one.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.passage, from, &self.passage, to)?)
    }

    /// Removes a name; a file system that stumbles once is asked again.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        let mut result = Ok(());
        for _ in 0..ATTEMPTS {
            result = match unlinkat(&self.passage, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => return Ok(()),
                Err(cause) => Err(cause.into()),
            };
        }
        result
    }

    /// The names of its regular files that start like this; none where it can't be read.
    pub fn files(&self, prefix: &OsStr) -> Vec<OsString> {
        let Some(Ok(entries)) = self.readable().map(Dir::read_from) else {
            return Vec::new();
        };
        let names = entries.flatten().filter_map(|entry| {
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            let starts = name.as_bytes().starts_with(prefix.as_bytes());
            let file = matches!(entry.file_type(), FileType::RegularFile | FileType::Unknown);
            (starts && file).then(|| name.to_owned())
        });
        names.collect()
    }

    /// Makes the names last through a power loss.
    pub fn sync(&self) -> io::Result<()> {
        match self.readable() {
            Some(folder) => folder.sync_all(),
            None => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }
}
