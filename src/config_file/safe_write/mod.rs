//! Writing a config so that nothing can be lost.
//!
//! A lock keeps other processes of this crate out from before the file is read until after it is
//! written. The new content goes into a private file beside the old one, is synced, and the two
//! swap their names in one step; what was displaced is then compared with what was read. Another
//! writer who knows no lock is noticed before, during and for a moment after the swap, and the
//! change is planned again on what that writer wrote. Where a rename is impossible the file is
//! written in place, with a copy of the old content kept until that is done.

mod attributes;
mod exchange;
mod in_place;
mod lease;
mod lock;
mod private_file;
mod recovery;
mod snapshot;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::config_file::interruption::Interruption;
use crate::config_file::{open_itself, settle};
use crate::error::Error;
use crate::toml::text::ConfigText;
use attributes::Lost;
use exchange::Exchanged;
use lease::{Lease, Leased};
use lock::Lock;
use private_file::PrivateFile;
use recovery::Recovery;
use snapshot::{Identity, Snapshot};

/// How long a lock is waited for, and then a file that keeps changing.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long somebody who has the file open for writing is waited for.
const OPEN_ELSEWHERE: Duration = Duration::from_millis(500);

/// How long a writer who knows no lock is watched after a write, once one was noticed.
const WATCH: Duration = Duration::from_millis(50);

/// How long when somebody wrote into the file just before, who may be done with it.
const GLANCE: Duration = Duration::from_millis(20);

/// How a file is to be written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'o> {
    /// Keep the old content under the file's name with this suffix.
    pub backup: Option<&'o str>,
    /// Replace the file also when its owner, its mode or an extended attribute can't be kept.
    pub force_attributes: bool,
}

/// What is to be made of a text.
#[derive(Debug)]
pub struct Patch<R> {
    /// The new content; `None` when the text is as wanted.
    pub bytes: Option<Vec<u8>>,
    /// What is told about it.
    pub report: R,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome<R> {
    /// What is told about the last patch.
    pub report: R,
    /// Whether the file was written.
    pub written: bool,
    /// What a person should know, in plain words.
    pub notes: Vec<String>,
}

/// Reads a file, has it patched, and writes it, all under a lock.
///
/// `patch` is called again on a new text when somebody else has written the file meanwhile; when it
/// then fails, the file is as that writer left it.
///
/// # Errors
///
/// Those of `patch`; [`Error::Unreadable`]; and with the file as it was: [`Error::Locked`],
/// [`Error::NotWritable`], [`Error::AttributesLost`], [`Error::KubernetesVolume`],
/// [`Error::ChangedMeanwhile`], [`Error::Interrupted`], [`Error::UnfinishedWrite`]. Only
/// [`Error::HalfWritten`] leaves a file that is neither the old nor the new one, and says where the
/// old one is.
pub fn rewrite<R>(
    config: &Path,
    options: Options<'_>,
    mut patch: impl FnMut(&ConfigText) -> Result<Patch<R>, Error>,
) -> Result<Outcome<R>, Error> {
    let label = config.display().to_string();
    let interruption = Interruption::hold();
    let (target, lock) = lock_target(&label, config, &interruption)?;
    let mut writer = Writer {
        label,
        target,
        options,
        interruption,
        lock,
        deadline: Instant::now() + PATIENCE,
        rival: false,
        written: false,
        notes: Vec::new(),
    };
    if writer.lock.is_held() {
        PrivateFile::remove_stale(&writer.target);
    }
    if let Some(note) = Recovery::finish(&writer.label, &writer.target)? {
        writer.notes.push(note);
    }
    let first = writer.read()?;
    let (mut base, mut patched) = writer.settle(first, Writer::read, &mut patch)?;
    while let Some(bytes) = patched.bytes.take() {
        if writer.deadline < Instant::now() {
            return Err(Error::ChangedMeanwhile { path: writer.label });
        }
        match writer.replace(&base, &bytes, &mut patch)? {
            Step::Done => break,
            Step::Again(next, again) => (base, patched) = (next, again),
        }
    }
    Ok(Outcome { report: patched.report, written: writer.written, notes: writer.notes })
}

/// Finds the file behind symlinks and locks it.
fn lock_target(
    label: &str,
    config: &Path,
    interruption: &Interruption,
) -> Result<(PathBuf, Lock), Error> {
    let find = || {
        std::fs::canonicalize(config)
            .map_err(|cause| Error::Unreadable { path: label.to_owned(), cause })
    };
    let deadline = Instant::now() + PATIENCE;
    let mut target = find()?;
    loop {
        refuse_kubernetes_volume(label, &target)?;
        let lock = Lock::acquire(label, &target, deadline, interruption)?;
        let now = find()?;
        if now == target {
            return Ok((target, lock));
        }
        // A link was pointed elsewhere while this process waited.
        target = now;
    }
}

/// Kubernetes mounts volumes through a `..data` link that it swings to a new folder.
fn refuse_kubernetes_volume(label: &str, target: &Path) -> Result<(), Error> {
    let folder = target.parent().unwrap_or(Path::new("/"));
    let generation =
        folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".."));
    let swung = folder.parent().is_some_and(|volume| volume.join("..data").is_symlink());
    if generation && swung {
        return Err(Error::KubernetesVolume { path: label.to_owned() });
    }
    Ok(())
}

/// What comes after an attempt.
// It is made once for each attempt: its size does not matter.
#[allow(clippy::large_enum_variant)]
enum Step<R> {
    Done,
    /// The file has changed: this is what it is now, and what is to be made of it.
    Again(Snapshot, Patch<R>),
}

struct Writer<'o> {
    /// What messages call the file.
    label: String,
    /// The file behind symlinks.
    target: PathBuf,
    options: Options<'o>,
    interruption: Interruption,
    lock: Lock,
    /// When a file that keeps changing is given up.
    deadline: Instant,
    /// Whether somebody who knows no lock was seen writing.
    rival: bool,
    written: bool,
    notes: Vec<String>,
}

impl Writer<'_> {
    fn read(&self) -> Result<Snapshot, Error> {
        Snapshot::of_path(&self.label, &self.target)
    }

    fn not_writable(&self, step: &'static str, cause: io::Error) -> Error {
        let advice = attributes::why(&self.target, &cause);
        Error::NotWritable { path: self.label.clone(), step, cause, advice }
    }

    fn failed(&self, step: &'static str) -> impl Fn(io::Error) -> Error + use<'_> {
        move |cause| self.not_writable(step, cause)
    }

    fn stop_if_interrupted(&self) -> Result<(), Error> {
        match self.interruption.pending() {
            Some(signal) => Err(Error::Interrupted { path: self.label.clone(), signal }),
            None => Ok(()),
        }
    }

    /// Patches a text; one that makes no sense and was written a moment ago is read again.
    fn settle<R>(
        &self,
        base: Snapshot,
        again: impl Fn(&Self) -> Result<Snapshot, Error>,
        patch: &mut impl FnMut(&ConfigText) -> Result<Patch<R>, Error>,
    ) -> Result<(Snapshot, Patch<R>), Error> {
        let again = || self.stop_if_interrupted().and_then(|()| again(self));
        settle(base, again, Snapshot::is_fresh, |base| patch(base.text()))
    }

    /// One attempt to put new content in the place of what was read.
    fn replace<R>(
        &mut self,
        base: &Snapshot,
        bytes: &[u8],
        patch: &mut impl FnMut(&ConfigText) -> Result<Patch<R>, Error>,
    ) -> Result<Step<R>, Error> {
        self.stop_if_interrupted()?;
        if self.backup().is_some_and(|backup| backup.is_dir() && !backup.is_symlink()) {
            let cause = io::ErrorKind::IsADirectory.into();
            return Err(self.not_writable("keeping the backup", cause));
        }
        if self.rival {
            self.lock.follow(&self.label, &self.target, self.deadline, &self.interruption)?;
        }
        if let Some(reason) = base.forbids_rename() {
            return self.write_in_place(base, bytes, reason, patch);
        }
        let new = match PrivateFile::create(&self.target) {
            Ok(new) => new,
            Err(cause) if attributes::is_forbidden(&cause) => {
                let reason = "its folder can't be written";
                return self.write_in_place(base, bytes, reason, patch);
            }
            Err(cause) => return Err(self.not_writable("making a new file beside it", cause)),
        };
        new.fill(bytes).map_err(self.failed("writing the new file"))?;
        // Only then: to write takes bits of the mode away.
        self.carry_attributes(base, &new)?;
        new.move_mtime_on(base.modified()).map_err(self.failed("setting its time"))?;
        new.file().sync_all().map_err(self.failed("syncing the new file"))?;
        // Whoever waits for the lock finds the new file locked as well.
        self.lock.share(new.path());
        let ours = new.identity().map_err(self.failed("looking at the new file"))?;
        self.stop_if_interrupted()?;
        // From here to the swap nobody can begin to write, where that can be had.
        let named = self.read()?;
        let lease = self.lease(&named)?;
        let now = named.again(&self.label)?;
        if !now.is_same(base) {
            drop((lease, new));
            self.rival = true;
            let (base, patched) = self.settle(now, Self::read, patch)?;
            return Ok(Step::Again(base, patched));
        }
        let mut exchanged = match exchange::swap(new, &self.target, || self.keep_backup(base)) {
            Ok(exchanged) => exchanged,
            Err((cause, new)) if exchange::is_mounted_over(&cause) => {
                // A lease that could not be given back ends with its file; else it would be waited
                // for here.
                drop((lease, new));
                drop((now, named));
                let reason = "it is mounted by itself";
                return self.write_in_place(base, bytes, reason, patch);
            }
            Err((cause, _)) => return Err(self.not_writable("renaming the new file", cause)),
        };
        // Who waits to write has the old file: that writer shall find it under its name.
        if lease.as_ref().is_some_and(Lease::is_wanted) && exchanged.undo(&self.target) {
            drop((lease, exchanged));
            return self.wait_for_rival(patch);
        }
        drop(lease);
        self.written = true;
        self.after(base, &ours, exchanged, patch)
    }

    /// Gives the new file what the old one has, or as much of it as is wanted.
    fn carry_attributes(&mut self, base: &Snapshot, new: &PrivateFile) -> Result<(), Error> {
        let mut lost = attributes::carry(base.file(), new.file()).into_iter();
        if self.options.force_attributes {
            let lost: Vec<_> = lost.map(|lost| lost.what).collect();
            if !lost.is_empty() {
                let what = lost.join(", ");
                self.notes.push(format!("the new file does not keep {what} of the old one"));
            }
            return Ok(());
        }
        lost.next().map_or(Ok(()), |Lost { what, cause }| {
            Err(Error::AttributesLost { path: self.label.clone(), what, cause })
        })
    }

    /// Holds other writers off. One who has the file open is waited for, but not for long: it may
    /// be open and idle.
    fn lease<'s>(&mut self, named: &'s Snapshot) -> Result<Option<Lease<'s>>, Error> {
        let start = Instant::now();
        loop {
            match Lease::take(named.file()) {
                Leased::Held(lease) => return Ok(Some(lease)),
                Leased::Unavailable => return Ok(None),
                Leased::Writing if start.elapsed() > OPEN_ELSEWHERE => return Ok(None),
                Leased::Writing => self.rival = true,
            }
            self.stop_if_interrupted()?;
            sleep(Duration::from_millis(1));
        }
    }

    /// Lets another writer finish, and looks what is there then.
    fn wait_for_rival<R>(
        &mut self,
        patch: &mut impl FnMut(&ConfigText) -> Result<Patch<R>, Error>,
    ) -> Result<Step<R>, Error> {
        self.rival = true;
        sleep(Duration::from_millis(1));
        let (base, patched) = self.settle(self.read()?, Self::read, patch)?;
        Ok(Step::Again(base, patched))
    }

    /// Looks for another writer who came between, before the old file is let go.
    fn after<R>(
        &mut self,
        base: &Snapshot,
        ours: &Identity,
        mut exchanged: Exchanged,
        patch: &mut impl FnMut(&ConfigText) -> Result<Patch<R>, Error>,
    ) -> Result<Step<R>, Error> {
        let watch = match (self.rival, base.is_being_rewritten()) {
            (true, _) => WATCH,
            (false, true) => GLANCE,
            (false, false) => Duration::ZERO,
        };
        let start = Instant::now();
        let mut synced = false;
        loop {
            // What stood there was not what was read, or a writer has it open and writes into it:
            // that writer's file gets its name back, and the change comes on top of it.
            if let Ok(displaced) = exchanged.displaced(&self.label, base)
                && displaced.text().bytes() != base.text().bytes()
            {
                self.rival = true;
                if exchanged.undo(&self.target) {
                    self.written = false;
                    let (base, patched) = self.settle(self.read()?, Self::read, patch)?;
                    return Ok(Step::Again(base, patched));
                }
                let again = |writer: &Self| exchanged.displaced(&writer.label, base);
                let (_, patched) = self.settle(displaced, again, patch)?;
                return Ok(Step::Again(self.read()?, patched));
            }
            // Or it was read before and written after, without this change. A file that can't be
            // looked at now was written all the same.
            let Ok(now) = self.read() else { return Ok(self.let_go(exchanged)) };
            if !ours.is(&now) {
                self.rival = true;
                let (now, patched) = self.settle(now, Self::read, patch)?;
                if patched.bytes.is_some() {
                    return Ok(Step::Again(now, patched));
                }
                return Ok(self.let_go(exchanged));
            }
            // Only then, since it takes its time, in which that writer would read this file.
            if !synced {
                self.sync_folder();
                synced = true;
                continue;
            }
            if start.elapsed() >= watch {
                return Ok(self.let_go(exchanged));
            }
            sleep(Duration::from_millis(2));
        }
    }

    /// Makes the new name last. The file is in place already: a failure is told, and no more.
    fn sync_folder(&mut self) {
        if let Err(cause) = exchange::sync_folder(&self.target) {
            let cause = crate::error::reason(&cause);
            self.notes.push(format!(
                "the folder of {} could not be synced ({cause}): a power loss could bring the old \
                 file back",
                self.label
            ));
        }
    }

    /// The old file goes, or becomes the backup.
    fn let_go<R>(&mut self, mut exchanged: Exchanged) -> Step<R> {
        if let Err((cause, left)) = exchanged.let_go(self.backup().as_deref()) {
            let cause = crate::error::reason(&cause);
            self.notes.push(format!("the old content is left in {} ({cause})", left.display()));
        }
        Step::Done
    }

    fn backup(&self) -> Option<PathBuf> {
        self.options.backup.map(|suffix| private_file::with_suffix(&self.target, suffix))
    }

    /// Copies the old content to the backup, where it can't be the old file itself.
    fn keep_backup(&self, base: &Snapshot) -> io::Result<()> {
        let Some(backup) = self.backup() else { return Ok(()) };
        let copy = PrivateFile::create(&self.target)?;
        copy.fill(base.text().bytes())?;
        // A copy that nobody else can read is private enough where it can't be the same.
        drop(attributes::carry(base.file(), copy.file()));
        copy.file().sync_all()?;
        copy.persist(&backup)
    }

    fn write_in_place<R>(
        &mut self,
        base: &Snapshot,
        bytes: &[u8],
        reason: &str,
        patch: &mut impl FnMut(&ConfigText) -> Result<Patch<R>, Error>,
    ) -> Result<Step<R>, Error> {
        let file = open_itself(&self.target, File::options().write(true))
            .map_err(self.failed("opening it"))?;
        let opened = file.metadata().map_err(self.failed("looking at it"))?;
        let recovery = Recovery::keep(&self.target, base.text().bytes(), bytes).map_err(|cause| {
            let step = "keeping a copy of the old content";
            let advice = if attributes::is_forbidden(&cause) {
                Some("the copy needs a folder that this user can write: the config's, or the state directory")
            } else {
                attributes::why(&self.target, &cause)
            };
            Error::NotWritable { path: self.label.clone(), step, cause, advice }
        })?;
        self.keep_backup(base).map_err(self.failed("keeping the backup"))?;
        self.stop_if_interrupted()?;
        let now = self.read()?;
        if !now.is_same(base) || !now.is_of(&opened) {
            self.rival = true;
            drop(recovery);
            let (base, patched) = self.settle(now, Self::read, patch)?;
            return Ok(Step::Again(base, patched));
        }
        if let Err(cause) = in_place::write(&file, base, bytes) {
            if in_place::restore(&file, base.text().bytes(), bytes).is_ok() {
                return Err(self.not_writable("writing it in place", cause));
            }
            let copy = recovery.old().display().to_string();
            recovery.leave();
            return Err(Error::HalfWritten { path: self.label.clone(), copy, cause });
        }
        self.written = true;
        drop(recovery);
        // A file that can't be looked at now was written all the same.
        if let Ok(now) = self.read()
            && now.text().bytes() != bytes
        {
            self.rival = true;
            let (now, patched) = self.settle(now, Self::read, patch)?;
            return Ok(Step::Again(now, patched));
        }
        self.notes.push(format!("{} was written in place, because {reason}", self.label));
        Ok(Step::Done)
    }
}
