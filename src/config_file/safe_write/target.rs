//! The config behind links: its folder, opened once, and its name there.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{OFlags, Stat};

use super::folder::Folder;
use super::snapshot::Snapshot;
use crate::config_file::way::{FOREIGN_LINK, Way, is_link};
use crate::error::Error;

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
    /// Follows the links of a path, up to the folder of the config.
    pub fn find(label: &str, config: &Path, largest: u64) -> Result<Self, Error> {
        let unreadable = |cause| Error::Unreadable { path: label.to_owned(), cause };
        let way = Way::follow(config).map_err(unreadable)?;
        if !way.is_trusted().map_err(unreadable)? {
            return Err(Error::NotWritable {
                path: label.to_owned(),
                step: "following its links",
                cause: io::ErrorKind::PermissionDenied.into(),
                advice: Some(FOREIGN_LINK),
            });
        }
        if is_kubernetes_volume(&way.folders) {
            return Err(Error::KubernetesVolume { path: label.to_owned() });
        }
        let Way { folders, name, path, .. } = way;
        let last = folders.into_iter().next_back();
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
    generation.as_bytes().starts_with(b"..") && is_link(volume, OsStr::new("..data"))
}
