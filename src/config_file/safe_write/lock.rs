//! The locks of a write: on the folder, and on the file that has the config's name.
//!
//! The folder's lock keeps other runs out, whoever renames another file over the config meanwhile.
//! The file's keeps out scripts that lock the config with `flock`, and runs in other containers, which
//! see the same file in another folder. Both are `flock`, so they leave nothing behind and end with
//! the process. The new file is locked before it gets the name.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::Options;
use super::private_file::PrivateFile;
use super::snapshot::Identity;
use super::target::Target;
use crate::config_file::interruption::Interruption;
use crate::error::Error;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What is locked, until it is dropped; the folder's lock ends with the folder.
pub(super) struct Lock {
    folder: bool,
    /// The config, and the new file that is to have its name.
    files: Vec<File>,
}

/// What somebody else has locked, by device and inode.
struct Held(u64, u64);

impl Lock {
    /// Finds the config and locks it. While somebody else holds a lock the way to the config is
    /// followed anew each time: a link may be pointed elsewhere meanwhile.
    pub fn find(
        label: &str,
        config: &Path,
        options: &Options<'_>,
        interruption: &Interruption,
    ) -> Result<(Target, Self), Error> {
        let mut patience = Patience::new(label, options, interruption);
        loop {
            let target = Target::find(label, config, options.largest)?;
            let mut lock = Self { folder: false, files: Vec::new() };
            match lock.try_take(&target)? {
                Ok(()) => return Ok((target, lock)),
                Err(held) => patience.wait(&held)?,
            }
        }
    }

    /// Whether no other run can be at work in this folder.
    pub fn has_folder(&self) -> bool {
        self.folder
    }

    /// Locks the file that has the name now, if somebody who knows no lock has put another one there.
    pub fn follow(
        &mut self,
        target: &Target,
        options: &Options<'_>,
        interruption: &Interruption,
    ) -> Result<(), Error> {
        let mut patience = Patience::new(&target.label, options, interruption);
        while let Err(held) = self.try_follow(target)? {
            patience.wait(&held)?;
        }
        Ok(())
    }

    /// Locks a file that nobody else knows yet. It is opened anew: while the new file is open for
    /// writing there is no lease on it.
    pub fn share(&mut self, target: &Target, new: &PrivateFile) {
        if let Ok(file) = target.folder.open_file(new.name(), OFlags::RDONLY)
            && try_lock(&file).is_ok()
        {
            self.files.push(file);
        }
    }

    fn try_take(&mut self, target: &Target) -> Result<Result<(), Held>, Error> {
        match self.take_folder(target)? {
            Ok(()) => self.try_follow(target),
            held => Ok(held),
        }
    }

    fn take_folder(&mut self, target: &Target) -> Result<Result<(), Held>, Error> {
        let Some(folder) = target.folder.readable() else { return Ok(Ok(())) };
        match try_lock(folder) {
            Ok(()) => self.folder = true,
            Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(Err(Held::new(folder, target)?)),
            // No locks here: what is read is compared before it is replaced all the same.
            Err(_) => {}
        }
        Ok(Ok(()))
    }

    fn try_follow(&mut self, target: &Target) -> Result<Result<(), Held>, Error> {
        let unreadable = |cause| Error::Unreadable { path: target.label.clone(), cause };
        loop {
            let named = target.stat().map_err(unreadable)?;
            let is_named = |file: &File| {
                file.metadata().is_ok_and(|file| Identity::new(&file).is_file(&named))
            };
            // What has lost the name needs no lock any more.
            self.files.retain(is_named);
            if !self.files.is_empty() {
                return Ok(Ok(()));
            }
            let mut file = target.open(OFlags::RDONLY).map_err(unreadable)?;
            let mut locked = try_lock(&file);
            // NFS gives this lock only to who has the file open for writing.
            if locked == Err(Errno::BADF)
                && let Ok(writable) = target.open(OFlags::RDWR)
            {
                locked = try_lock(&writable);
                file = writable;
            }
            match locked {
                // It may have been replaced meanwhile.
                Ok(()) => self.files.push(file),
                Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(Err(Held::new(&file, target)?)),
                Err(_) => return Ok(Ok(())),
            }
        }
    }
}

fn try_lock(file: &File) -> Result<(), Errno> {
    flock(file, FlockOperation::NonBlockingLockExclusive)
}

impl Held {
    fn new(file: &File, target: &Target) -> Result<Self, Error> {
        let unreadable = |cause| Error::Unreadable { path: target.label.clone(), cause };
        let metadata = file.metadata().map_err(unreadable)?;
        Ok(Self(metadata.dev(), metadata.ino()))
    }

    /// The process that holds the lock, where the system says so.
    fn holder(&self) -> Option<String> {
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        let place = format!(
            "{:02x}:{:02x}:{}",
            rustix::fs::major(self.0),
            rustix::fs::minor(self.0),
            self.1
        );
        let process = locks.lines().find_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            let [kind, _, _, process, locked] =
                [words.next()?, words.next()?, words.next()?, words.next()?, words.next()?];
            (kind == "FLOCK" && locked == place).then_some(process)
        })?;
        // In another container it has no number here.
        let process: u32 = process.parse().ok().filter(|&process| process > 0)?;
        let name = std::fs::read_to_string(format!("/proc/{process}/comm")).ok();
        let name = name.map_or(String::new(), |name| format!(" ({})", name.trim()));
        Some(format!("process {process}{name}"))
    }
}

/// How long a lock is waited for.
struct Patience<'i> {
    label: String,
    start: Instant,
    longest: Duration,
    pause: Duration,
    interruption: &'i Interruption,
}

impl<'i> Patience<'i> {
    fn new(label: &str, options: &Options<'_>, interruption: &'i Interruption) -> Self {
        let (longest, pause) = (options.lock_timeout, Duration::from_millis(1));
        Self { label: label.to_owned(), start: Instant::now(), longest, pause, interruption }
    }

    fn wait(&mut self, held: &Held) -> Result<(), Error> {
        let path = || self.label.clone();
        if let Some(signal) = self.interruption.pending() {
            return Err(Error::Interrupted { path: path(), signal });
        }
        if self.start.elapsed() >= self.longest {
            let seconds = self.longest.as_secs();
            return Err(Error::Locked { path: path(), seconds, holder: held.holder() });
        }
        sleep(self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}
