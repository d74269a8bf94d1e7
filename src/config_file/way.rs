//! The way to a file, link by link: each is followed through a descriptor, so that it is known who has
//! made it.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::io::Errno;

use super::not_regular;

/// As many links as Linux follows in one path.
const MOST_LINKS: usize = 40;

/// To pass through a folder needs less than to read it.
#[cfg(target_os = "linux")]
pub(super) const PASSAGE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
pub(super) const PASSAGE: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);

/// What is said of a way that is not trusted.
pub(super) const FOREIGN_LINK: &str =
    "a link on the way is another user's, who could lead it anywhere: name the file itself";

/// The way to a file.
pub(super) struct Way {
    /// The folders from the root on, each with its name.
    pub folders: Vec<(OwnedFd, OsString)>,
    pub name: OsString,
    /// Where it ends, without links.
    pub path: PathBuf,
    /// Who has made the links on the way.
    makers: Vec<u32>,
    /// Whether the name stands for a file that a process has open, which may have no path.
    is_open: bool,
}

impl Way {
    /// Follows the links of a path, one descriptor after the other.
    pub fn follow(path: &Path) -> io::Result<Self> {
        Self::walk(path, false)
    }

    /// The same up to what a process has open (`/dev/stdin`, a shell's `<(command)`), if it leads there.
    fn follow_to_open(path: &Path) -> io::Result<Self> {
        Self::walk(path, true)
    }

    fn walk(path: &Path, may_be_open: bool) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let root = openat(CWD, "/", PASSAGE | OFlags::DIRECTORY, Mode::empty())?;
        let mut folders = vec![(root, OsString::new())];
        let mut makers = Vec::new();
        let mut ahead = steps(&path);
        while let Some(name) = ahead.pop_front() {
            if name == "/" {
                folders.truncate(1);
                continue;
            }
            if name == ".." {
                folders.truncate((folders.len() - 1).max(1));
                continue;
            }
            let (here, _) = &folders[folders.len() - 1];
            let found = look(here, &name)?;
            let is_open = || may_be_open && ahead.is_empty() && is_of_processes(here);
            let is_open = found.link.is_some() && is_open();
            if let Some(link) = found.link.filter(|_| !is_open) {
                makers.push(found.about.st_uid);
                if makers.len() > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                let mut steps = steps(Path::new(&link));
                steps.append(&mut ahead);
                ahead = steps;
            } else if ahead.is_empty() {
                let mut path = PathBuf::from("/");
                path.extend(folders.iter().skip(1).map(|(_, name)| name).chain([&name]));
                if is_open {
                    makers.push(found.about.st_uid);
                }
                return Ok(Self { folders, name, path, makers, is_open });
            } else {
                let flags = PASSAGE | OFlags::DIRECTORY | OFlags::NOFOLLOW;
                let next = openat(here, &name, flags, Mode::empty())?;
                folders.push((next, name));
            }
        }
        // The path leads to a folder.
        Err(not_regular(true))
    }

    /// Whether root, this user, or the owner of the folder at its end has made each link on the way.
    /// Else one user could lead whoever works for several to what is another one's.
    pub fn is_trusted(&self) -> io::Result<bool> {
        let trusted = [0, rustix::process::geteuid().as_raw(), fstat(self.folder()?)?.st_uid];
        Ok(self.makers.iter().all(|maker| trusted.contains(maker)))
    }

    /// The folder at its end.
    fn folder(&self) -> io::Result<&OwnedFd> {
        let last = self.folders.last();
        last.map(|(folder, _)| folder).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Opens a file that somebody has named and whose content goes on to others, without waiting for the
/// other end of a pipe. Who can make names where it stands must not have made it one of another file.
pub(crate) fn open_source(path: &Path) -> io::Result<File> {
    let way = Way::follow_to_open(path)?;
    if !way.is_trusted()? {
        return Err(io::Error::other(FOREIGN_LINK));
    }
    let follow = if way.is_open { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | follow;
    let file = File::from(openat(way.folder()?, &way.name, flags, Mode::empty())?);
    let (found, folder) = (file.metadata()?, fstat(way.folder()?)?);
    let makers = [0, rustix::process::geteuid().as_raw(), found.uid()];
    let is_shared = !makers.contains(&folder.st_uid) || folder.st_mode & 0o022 != 0;
    if found.is_file() && found.nlink() > 1 && is_shared && !way.is_open {
        return Err(io::Error::other(
            "it has several names, and others can make names where it stands: leave it one name",
        ));
    }
    Ok(file)
}

/// Whether a folder is one of what processes have open.
#[cfg(target_os = "linux")]
fn is_of_processes(folder: &OwnedFd) -> bool {
    rustix::fs::fstatfs(folder).is_ok_and(|found| found.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

#[cfg(not(target_os = "linux"))]
fn is_of_processes(_: &OwnedFd) -> bool {
    false
}

/// The names of a path; `/` leads to the root.
fn steps(path: &Path) -> VecDeque<OsString> {
    let steps = path.components().filter(|step| *step != Component::CurDir);
    steps.map(|step| step.as_os_str().to_owned()).collect()
}

/// What has a name, and where it leads when it is a link.
struct Found {
    about: Stat,
    link: Option<OsString>,
}

/// Whether a link has a name.
pub(super) fn is_link(folder: &OwnedFd, name: &OsStr) -> bool {
    look(folder, name).is_ok_and(|found| found.link.is_some())
}

/// Looks at a name through one descriptor, so that owner and target are those of the same link.
#[cfg(target_os = "linux")]
fn look(folder: &OwnedFd, name: &OsStr) -> io::Result<Found> {
    let found = openat(folder, name, PASSAGE | OFlags::NOFOLLOW, Mode::empty())?;
    let about = fstat(&found)?;
    let link = match FileType::from_raw_mode(about.st_mode) {
        FileType::Symlink => Some(readlinkat(&found, "", Vec::new())?.into_bytes()),
        _ => None,
    };
    Ok(Found { about, link: link.map(OsString::from_vec) })
}

#[cfg(not(target_os = "linux"))]
fn look(folder: &OwnedFd, name: &OsStr) -> io::Result<Found> {
    let about = rustix::fs::statat(folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
    let link = match FileType::from_raw_mode(about.st_mode) {
        FileType::Symlink => Some(readlinkat(folder, name, Vec::new())?.into_bytes()),
        _ => None,
    };
    Ok(Found { about, link: link.map(OsString::from_vec) })
}
