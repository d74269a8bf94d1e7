//! An advisory lock on the config itself.
//!
//! The lock is `flock` on the file, so it leaves nothing beside it and ends with the process,
//! however that ends. The file that a waiting process has opened may be replaced meanwhile: after
//! it gets the lock it looks whether its file still has the name, and else starts again. The new
//! file is locked before it gets the name.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::interruption::Interruption;
use crate::config_file::open_regular;
use crate::error::Error;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// A lock, held until it is dropped. On a file system without locks there is none.
pub(super) struct Lock {
    file: Option<File>,
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
            let file = open_regular(path).map_err(unreadable)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    let own = file.metadata().map_err(unreadable)?;
                    let named = std::fs::metadata(path).map_err(unreadable)?;
                    if (own.dev(), own.ino()) == (named.dev(), named.ino()) {
                        return Ok(Self { file: Some(file) });
                    }
                    // It was replaced while this process waited.
                    continue;
                }
                Err(Errno::WOULDBLOCK | Errno::INTR) => {}
                // No locks here: what is read is compared before it is replaced all the same.
                Err(_) => return Ok(Self { file: None }),
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
        self.file.is_some()
    }
}

/// Locks a file that nobody else knows yet.
pub(super) fn share(file: &File) {
    // Where there are no locks there is none to share.
    let _ = flock(file, FlockOperation::NonBlockingLockExclusive);
}
