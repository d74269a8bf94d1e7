//! Writing in place, where no other file can take the config's name.

use std::io;

use rustix::fs::OFlags;

use super::recovery::Recovery;
use super::snapshot::{Identity, Snapshot};
use super::writer::{Planner, Step, Writer};
use super::{attributes, overwrite};
use crate::error::Error;

impl Writer<'_> {
    /// Why another file can't take the config's place.
    pub(super) fn forbids_rename(&self, base: &Snapshot) -> Result<Option<&'static str>, Error> {
        let looking = self.failed("looking at its mount");
        Ok(if base.has_several_names() {
            Some("it has several names (hard links), which must stay one file")
        } else if base.is_mounted(&self.target.folder).map_err(looking)? {
            Some("it is mounted by itself")
        } else if attributes::is_append_only(&self.target.folder) {
            Some("its folder is append-only (chattr +a)")
        } else {
            None
        })
    }

    /// Refuses a file with several names in a folder where others can make names: one of them may
    /// have put the link to a file there that they can't write themselves.
    pub(super) fn refuse_planted_link(&self, base: &Snapshot) -> Result<(), Error> {
        let folder = self.target.folder.about().map_err(self.failed("looking at its folder"))?;
        let own = folder.st_uid == rustix::process::geteuid().as_raw();
        let makers = folder.st_mode & 0o022 != 0 || !own && base.owner() != folder.st_uid;
        if base.has_several_names() && makers {
            return Err(Error::NotWritable {
                path: self.target.label.clone(),
                step: "opening it",
                cause: io::Error::other("it has several names, and others can write its folder"),
                advice: Some(
                    "one of them may have made it a link to another file: leave it one name, or \
                     its folder to its owner alone",
                ),
            });
        }
        Ok(())
    }

    /// Writes into the file itself, with the old content kept until that is done.
    pub(super) fn write_in_place<R>(
        &mut self,
        base: &Snapshot,
        bytes: &[u8],
        reason: &'static str,
        plan: &mut Planner<'_, R>,
    ) -> Result<Step<R>, Error> {
        let file = self.target.open(OFlags::RDWR).map_err(self.failed("opening it"))?;
        let opened = file.metadata().map_err(self.failed("looking at it"))?;
        let recovery = self.keep_for_recovery(base, bytes)?;
        let backup = self.copy_backup(base).map_err(self.failed("keeping the backup"))?;
        overwrite::reserve(&file, base.text().bytes().len(), bytes.len())
            .map_err(self.failed("making room in it"))?;
        self.stop_if_interrupted()?;
        let now = self.target.read()?;
        if !now.is_same(base) || !now.is_of(&opened) {
            drop((recovery, backup));
            return self.again(now, plan);
        }
        if let Err(cause) = overwrite::write(&file, base, bytes) {
            if overwrite::restore(&file, base.text().bytes()).is_ok() {
                return Err(self.not_writable("writing it in place", cause));
            }
            let copy = recovery.path().display().to_string();
            recovery.leave();
            return Err(Error::HalfWritten { path: self.target.label.clone(), copy, cause });
        }
        drop(recovery);
        self.written = true;
        self.in_place = Some(reason);
        if let Some(backup) = backup {
            self.keep(backup);
        }
        let ours = file.metadata().map_err(self.failed("looking at it"))?;
        self.watch(base, bytes, Identity::new(&ours), None, plan)
    }

    fn keep_for_recovery(&mut self, base: &Snapshot, bytes: &[u8]) -> Result<Recovery, Error> {
        Recovery::keep(&mut self.state, &self.target, base, bytes).map_err(|cause| {
            let step = "keeping a copy of the old content";
            let advice = if attributes::is_forbidden(&cause) {
                Some("the copy needs a folder that this user can write: set XDG_STATE_HOME to one")
            } else if cause.kind() == io::ErrorKind::InvalidFilename {
                Some(
                    "the copy has the config's whole path for its name, and 255 bytes are the most: \
                     give the config a shorter path",
                )
            } else {
                attributes::why(&cause, Some(base.file()), &self.target.folder)
            };
            Error::NotWritable { path: self.target.label.clone(), step, cause, advice }
        })
    }
}
