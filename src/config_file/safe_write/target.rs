//! The config behind links: its folder, opened once, and its name there.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::io::Errno;

use super::folder::{Folder, PASSAGE};
use super::snapshot::Snapshot;
use crate::config_file::not_regular;
use crate::error::Error;

/// As many links as Linux follows in one path.
const MOST_LINKS: usize = 40;

/// A config, as a folder and a name.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub folder: Rc<Folder>,
    pub name: OsString,
    /// Where it was found, without links: for messages, and to name what is kept of it.
    pub path: PathBuf,
    /// What messages call it.
    pub label: String,
    /// The largest that it may be.
    pub largest: u64,
}

impl Target {
    /// Follows the links of a path, one descriptor after the other, up to the folder of the config.
    ///
    /// A link counts only if root, this user, or the owner of the folder that it leads to has made
    /// it: else one user could have another one's config changed by whoever works for both.
    pub fn find(label: &str, config: &Path, largest: u64) -> Result<Self, Error> {
        let unreadable = |cause| Error::Unreadable { path: label.to_owned(), cause };
        let way = Way::follow(config).map_err(unreadable)?;
        let (folder, name, path) = (&way.folders[way.folders.len() - 1].0, way.name, way.path);
        let owner = fstat(folder).map_err(|cause| unreadable(cause.into()))?.st_uid;
        let trusted = [0, rustix::process::geteuid().as_raw(), owner];
        if way.makers.iter().any(|maker| !trusted.contains(maker)) {
            return Err(Error::NotWritable {
                path: label.to_owned(),
                step: "following its links",
                cause: io::ErrorKind::PermissionDenied.into(),
                advice: Some(
                    "a link on the way is another user's, who could lead it anywhere: name the \
                     file itself with --config",
                ),
            });
        }
        if is_kubernetes_volume(&way.folders) {
            return Err(Error::KubernetesVolume { path: label.to_owned() });
        }
        let last = way.folders.into_iter().next_back();
        let (folder, _) = last.ok_or_else(|| unreadable(io::ErrorKind::NotFound.into()))?;
        let folder = Rc::new(Folder::new(folder));
        Ok(Self { folder, name, path, label: label.to_owned(), largest })
    }

    /// Reads what has the name now.
    pub fn read(&self) -> Result<Snapshot, Error> {
        Snapshot::of_name(self, &self.name)
    }

    pub fn open(&self, access: OFlags) -> io::Result<File> {
        self.folder.open_file(&self.name, access)
    }

    /// The state of what has the name now.
    pub fn stat(&self) -> io::Result<Stat> {
        self.folder.stat(&self.name)
    }

    /// A name beside the config's.
    pub fn with_suffix(&self, suffix: &str) -> OsString {
        let mut name = self.name.clone();
        name.push(suffix);
        name
    }

    /// A name as messages give it.
    pub fn shown(&self, name: &OsStr) -> String {
        self.path.with_file_name(name).display().to_string()
    }
}

/// Kubernetes mounts volumes through a `..data` link that it swings to a new folder.
fn is_kubernetes_volume(folders: &[(OwnedFd, OsString)]) -> bool {
    let [.., (volume, _), (_, generation)] = folders else { return false };
    generation.as_bytes().starts_with(b"..")
        && look(volume, OsStr::new("..data")).is_ok_and(|found| found.link.is_some())
}

/// The way to a file.
struct Way {
    /// The folders from the root on, each with its name.
    folders: Vec<(OwnedFd, OsString)>,
    name: OsString,
    path: PathBuf,
    /// Who has made the links on the way.
    makers: Vec<u32>,
}

impl Way {
    fn follow(config: &Path) -> io::Result<Self> {
        let path = std::path::absolute(config)?;
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
            if let Some(link) = found.link {
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
                return Ok(Self { folders, name, path, makers });
            } else {
                let flags = PASSAGE | OFlags::DIRECTORY | OFlags::NOFOLLOW;
                let next = openat(here, &name, flags, Mode::empty())?;
                folders.push((next, name));
            }
        }
        // The path leads to a folder.
        Err(not_regular(true))
    }
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
