//! A new file beside the config that nobody else can read, and that is gone whatever happens.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::rc::Rc;

use rustix::fs::{FileType, Timespec, Timestamps, futimens};

use super::folder::Folder;
use super::snapshot::{Identity, Snapshot};
use super::target::Target;

/// How often another name is tried when there is a file of that name.
const ATTEMPTS: usize = 10;

/// A file that is removed on drop.
pub(super) struct PrivateFile {
    file: File,
    folder: Rc<Folder>,
    /// None when another file has the name now, or when the file keeps it.
    name: Option<OsString>,
}

impl PrivateFile {
    /// Makes an empty file with mode 0600, whatever the umask.
    pub fn create(target: &Target) -> io::Result<Self> {
        let mut result = Err(io::ErrorKind::AlreadyExists.into());
        for _ in 0..ATTEMPTS {
            let mut name = prefix(target);
            name.push(format!("{:016x}", RandomState::new().build_hasher().finish()));
            result = Self::create_as(target, &name);
            match &result {
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                _ => break,
            }
        }
        result
    }

    /// The same under a name that nothing has yet.
    pub fn create_as(target: &Target, name: &OsStr) -> io::Result<Self> {
        let file = target.folder.create(name)?;
        Ok(Self { file, folder: Rc::clone(&target.folder), name: Some(name.to_owned()) })
    }

    /// Removes what killed processes have left. Only who holds the folder's lock knows that nobody
    /// uses it. What neither this user nor the config's owner has made is left alone.
    pub fn remove_stale(target: &Target, config: &Snapshot) {
        let makers = [rustix::process::geteuid().as_raw(), config.owner()];
        for name in target.folder.files(&prefix(target)) {
            let about = target.folder.stat(&name);
            let stale = about.is_ok_and(|about| {
                FileType::from_raw_mode(about.st_mode) == FileType::RegularFile
                    && makers.contains(&about.st_uid)
            });
            if stale {
                // The next run tries again.
                drop(target.folder.remove(&name));
            }
        }
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    pub fn name(&self) -> &OsStr {
        self.name.as_deref().unwrap_or_default()
    }

    pub fn identity(&self) -> io::Result<Identity> {
        Ok(Identity::new(&self.file.metadata()?))
    }

    pub fn fill(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    /// Leaves the name alone: another file has it now, or this one keeps it.
    pub fn forget(&mut self) {
        self.name = None;
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // What can't be removed now the next run removes.
            drop(self.folder.remove(name));
        }
    }
}

/// Makes the modification time later than that of the old file: GitLab Runner reads a file again
/// only then, and clocks and file systems may be coarse.
pub(super) fn move_mtime_on(file: &File, old: (i64, i64)) -> io::Result<()> {
    // First by little, then by what the coarsest file systems count in.
    for (seconds, nanoseconds) in [(0, 1_000_000), (1, 0), (2, 0)] {
        let metadata = file.metadata()?;
        if (metadata.mtime(), metadata.mtime_nsec()) > old {
            return Ok(());
        }
        let whole = old.1 + nanoseconds;
        let time = Timespec {
            tv_sec: old.0 + seconds + whole / 1_000_000_000,
            tv_nsec: (whole % 1_000_000_000) as _,
        };
        futimens(file, &Timestamps { last_access: time, last_modification: time })?;
    }
    Ok(())
}

/// How the names of such files start.
fn prefix(target: &Target) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(&target.name);
    prefix.push(".runner-auth.tmp-");
    prefix
}
