//! An advisory lock on the config itself.
//!
//! The lock is `flock` on the file, so it leaves nothing beside it and ends with the process,
//! however that ends. The file that a waiting process has opened may be replaced meanwhile: after
//! it gets the lock it looks whether its file still has the name, and else starts again. The new
//! file is locked before it gets the name, and stays so until the write is done.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::config_file::interruption::Interruption;
use crate::config_file::{open_itself, open_regular};
use crate::error::Error;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// A lock, held until it is dropped.
pub(super) struct Lock {
    /// The locked files: the config, and those that took its name. None on a file system without
    /// locks.
    files: Vec<File>,
}

impl Lock {
    pub fn acquire(
        label: &str,
        path: &Path,
        deadline: Instant,
        interruption: &Interruption,
    ) -> Result<Self, Error> {
        let unreadable = |cause| Error::Unreadable { path: label.to_owned(), cause };
        let mut pause = Duration::from_millis(1);
        loop {
            match try_lock(path).map_err(unreadable)? {
                Ok(file) => {
                    let own = file.metadata().map_err(unreadable)?;
                    let named = std::fs::metadata(path).map_err(unreadable)?;
                    if (own.dev(), own.ino()) == (named.dev(), named.ino()) {
                        return Ok(Self { files: vec![file] });
                    }
                    // It was replaced while this process waited.
                    continue;
                }
                Err(Errno::WOULDBLOCK | Errno::INTR) => {}
                // No locks here: what is read is compared before it is replaced all the same.
                Err(_) => return Ok(Self { files: Vec::new() }),
            }
            if let Some(signal) = interruption.pending() {
                return Err(Error::Interrupted { path: label.to_owned(), signal });
            }
            if Instant::now() >= deadline {
                return Err(Error::Locked { path: label.to_owned() });
            }
            sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    pub fn is_held(&self) -> bool {
        !self.files.is_empty()
    }

    /// Locks the file that has the name now too, if somebody who knows no lock has put another one
    /// there.
    pub fn follow(
        &mut self,
        label: &str,
        path: &Path,
        deadline: Instant,
        interruption: &Interruption,
    ) -> Result<(), Error> {
        let unreadable = |cause| Error::Unreadable { path: label.to_owned(), cause };
        let named = std::fs::metadata(path).map_err(unreadable)?;
        let is_named = |file: &File| {
            file.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (named.dev(), named.ino()))
        };
        if self.is_held() && !self.files.iter().any(is_named) {
            self.files.append(&mut Self::acquire(label, path, deadline, interruption)?.files);
        }
        Ok(())
    }

    /// Locks a file that nobody else knows yet, as long as this lock is held. It is opened anew:
    /// while the new file is open for writing there is no lease on it.
    pub fn share(&mut self, path: &Path) {
        if let Ok(Ok(file)) = try_lock(path) {
            self.files.push(file);
        }
    }
}

/// Opens a file and locks it, if nobody else has done so.
fn try_lock(path: &Path) -> io::Result<Result<File, Errno>> {
    let lock = |file: File| flock(&file, FlockOperation::NonBlockingLockExclusive).map(|()| file);
    match lock(open_regular(path)?) {
        // NFS gives this lock only to who has the file open for writing.
        Err(Errno::BADF) => match open_itself(path, File::options().read(true).write(true)) {
            Ok(file) => Ok(lock(file)),
            Err(_) => Ok(Err(Errno::BADF)),
        },
        other => Ok(other),
    }
}
