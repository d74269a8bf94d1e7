//! The writer of one config: an attempt prepares the new content, compares what is there with what was
//! read, and swaps the two. How it is written in place, what becomes of the old content and what other writers
//! do to it stand beside this.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use rustix::fs::OFlags;

use super::attributes::{self, Lost};
use super::exchange;
use super::lease::Lease;
use super::lock::Lock;
use super::private_file::{self, PrivateFile};
use super::recovery::State;
use super::snapshot::Snapshot;
use super::target::Target;
use super::{Options, Patch};
use crate::config_file::interruption::Interruption;
use crate::config_file::settle;
use crate::error::Error;
use crate::toml::text::ConfigText;

/// What makes a patch of a text.
pub(super) type Planner<'p, R> = dyn FnMut(&ConfigText) -> Result<Patch<R>, Error> + 'p;

/// What comes after an attempt.
// It is made once for each attempt: its size does not matter.
#[allow(clippy::large_enum_variant)]
pub(super) enum Step<R> {
    Done,
    /// The file has changed: this is what it is now, and what is to be made of it.
    Again(Snapshot, Patch<R>),
}

/// What an attempt works with, and what has come of those before it.
pub(super) struct Writer<'o> {
    pub target: Target,
    pub state: State,
    pub options: Options<'o>,
    pub interruption: Interruption,
    pub lock: Lock,
    pub written: bool,
    /// Whether another writer's rewrite has undone the change once.
    pub swallowed: bool,
    /// Why the file was written in place.
    pub in_place: Option<&'static str>,
    /// The name of the backup, once it is there.
    pub backup: Option<OsString>,
    pub notes: Vec<String>,
}

impl Writer<'_> {
    pub(super) fn not_writable(&self, step: &'static str, cause: io::Error) -> Error {
        let config = self.target.open(OFlags::RDONLY).ok();
        let advice = attributes::why(&cause, config.as_ref(), &self.target.folder);
        Error::NotWritable { path: self.target.label.clone(), step, cause, advice }
    }

    pub(super) fn failed(&self, step: &'static str) -> impl Fn(io::Error) -> Error + use<'_> {
        move |cause| self.not_writable(step, cause)
    }

    pub(super) fn stop_if_interrupted(&self) -> Result<(), Error> {
        match self.interruption.pending() {
            Some(signal) => Err(Error::Interrupted { path: self.target.label.clone(), signal }),
            None => Ok(()),
        }
    }

    /// Patches a text; one that makes no sense and was written a moment ago is read again.
    pub(super) fn settle<R>(
        &self,
        base: Snapshot,
        again: impl Fn(&Self) -> Result<Snapshot, Error>,
        plan: &mut Planner<'_, R>,
    ) -> Result<(Snapshot, Patch<R>), Error> {
        let again = || self.stop_if_interrupted().and_then(|()| again(self));
        settle(base, again, Snapshot::is_fresh, |base| plan(base.text()))
    }

    /// One attempt to put new content in the place of what was read: prepare, compare, swap.
    pub(super) fn attempt<R>(
        &mut self,
        base: &Snapshot,
        bytes: &[u8],
        plan: &mut Planner<'_, R>,
    ) -> Result<Step<R>, Error> {
        self.stop_if_interrupted()?;
        self.lock.follow(&self.target, &self.options, &self.interruption)?;
        self.refuse_planted_link(base)?;
        self.refuse_long_backup()?;
        if let Some(reason) = self.forbids_rename(base)? {
            return self.write_in_place(base, bytes, reason, plan);
        }
        let Some(new) = self.prepare(base, bytes)? else {
            return self.write_in_place(base, bytes, "its folder can't be written", plan);
        };
        // From here to the swap nobody can begin to write, where that can be had.
        let unreadable = |cause| Error::Unreadable { path: self.target.label.clone(), cause };
        let named = self.target.open(OFlags::RDONLY).map_err(unreadable)?;
        let lease = self.lease(&named)?;
        let about = named.metadata().map_err(unreadable)?;
        let untouched = lease.is_some() && base.is_untouched(&about);
        if !untouched {
            let now = Snapshot::of_open(&self.target, named.try_clone().map_err(unreadable)?)?;
            if !now.is_same(base) {
                drop((lease, new));
                return self.again(now, plan);
            }
        }
        let lease = lease.map(|lease| (lease, untouched));
        self.swap(base, bytes, new, lease, plan)
    }

    /// Makes the new file; none where the folder doesn't let this process.
    fn prepare(&mut self, base: &Snapshot, bytes: &[u8]) -> Result<Option<PrivateFile>, Error> {
        let new = match PrivateFile::create(&self.target) {
            Ok(new) => new,
            Err(cause) if attributes::is_forbidden(&cause) => return Ok(None),
            Err(cause) => return Err(self.not_writable("making a new file beside it", cause)),
        };
        new.fill(bytes).map_err(self.failed("writing the new file"))?;
        // Only then: to write takes bits of the mode away.
        self.carry_attributes(base, &new)?;
        private_file::move_mtime_on(new.file(), base.modified())
            .map_err(self.failed("setting its time"))?;
        new.file().sync_all().map_err(self.failed("syncing the new file"))?;
        // Whoever waits for the lock finds the new file locked as well.
        self.lock.share(&self.target, &new);
        self.stop_if_interrupted()?;
        Ok(Some(new))
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
            Err(Error::AttributesLost { path: self.target.label.clone(), what, cause })
        })
    }

    /// Gives the new file the config's name, and looks what that did. With the lease comes whether the
    /// old file is as it was read.
    fn swap<R>(
        &mut self,
        base: &Snapshot,
        bytes: &[u8],
        new: PrivateFile,
        lease: Option<(Lease<'_>, bool)>,
        plan: &mut Planner<'_, R>,
    ) -> Result<Step<R>, Error> {
        let mut backup = None;
        let copy = || {
            backup = self.copy_backup(base)?;
            Ok(())
        };
        let mut exchanged = match exchange::swap(new, &self.target, copy) {
            Ok(exchanged) => exchanged,
            Err((cause, new)) if exchange::is_mounted_over(&cause) => {
                drop((lease, new));
                return self.write_in_place(base, bytes, "it is mounted by itself", plan);
            }
            Err((cause, _)) => return Err(self.not_writable("renaming the new file", cause)),
        };
        // What nobody has written until now need not be compared until its times say more.
        let untouched = lease.as_ref().is_some_and(|(_, untouched)| *untouched);
        let known = exchanged.identity(base).filter(|old| untouched && old.is_written_as(base));
        // Who waits to write has the old file: that writer shall find it under its name.
        if lease.as_ref().is_some_and(|(lease, _)| lease.is_wanted())
            && exchanged.put_back(&self.target)
        {
            drop((lease, exchanged));
            std::thread::sleep(Duration::from_millis(1));
            return self.again(self.target.read()?, plan);
        }
        drop(lease);
        self.written = true;
        if let Some(backup) = backup {
            self.keep(backup);
        }
        self.watch(base, bytes, exchanged.ours(), Some((exchanged, known)), plan)
    }

    /// Makes the new name last. The file is in place already: a failure is told, and no more.
    pub(super) fn sync_folder(&mut self) {
        if let Err(cause) = self.target.folder.sync() {
            let cause = crate::error::reason(&cause);
            self.notes.push(format!(
                "the folder of {} could not be synced ({cause}): a power loss could bring the old \
                 file back",
                self.target.label
            ));
        }
    }

    /// What a person should know.
    pub(super) fn into_notes(mut self) -> Vec<String> {
        let label = &self.target.label;
        if let Some(reason) = self.in_place {
            self.notes.push(format!("{label} was written in place, because {reason}"));
        }
        if self.swallowed {
            self.notes.push(format!(
                "another writer's rewrite of {label} had undone the change: it was written again"
            ));
        }
        let usual = self.options.backup.map(|suffix| self.target.with_suffix(suffix));
        if let Some(backup) = &self.backup
            && self.backup != usual
        {
            let backup = self.target.shown(backup);
            self.notes.push(format!("the old file is kept as {backup}, beside older copies"));
        }
        self.notes
    }
}
