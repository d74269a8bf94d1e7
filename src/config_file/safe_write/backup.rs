//! The backup: the old content under another name, as private as the file.

use std::ffi::OsStr;
use std::io;

use super::attributes;
use super::exchange::{self, Exchanged};
use super::private_file::PrivateFile;
use super::snapshot::Snapshot;
use super::writer::Writer;
use crate::error::Error;

/// Whether a backup suffix names a file in the same directory.
#[must_use]
pub fn is_suffix(suffix: &str) -> bool {
    !suffix.is_empty()
        && !suffix.as_bytes().iter().any(|&byte| byte == b'/' || byte == 0)
        && suffix.len() < 100
}

impl Writer<'_> {
    /// Copies the old content to the backup, where it can't be the old file itself.
    pub(super) fn copy_backup(&self, base: &Snapshot) -> io::Result<Option<PrivateFile>> {
        let (Some(suffix), None) = (self.options.backup, &self.backup) else { return Ok(None) };
        let make = |name: &OsStr| PrivateFile::create_as(&self.target, name);
        let (_, copy) = exchange::with_new_name(&self.target, suffix, make)?;
        copy.fill(base.text().bytes())?;
        // A copy that nobody else can read is private enough where it can't be the same.
        drop(attributes::carry(base.file(), copy.file()));
        copy.file().sync_all()?;
        Ok(Some(copy))
    }

    /// Refuses a backup whose name the file system doesn't take: after the swap it is too late to.
    pub(super) fn refuse_long_backup(&self) -> Result<(), Error> {
        let Some(suffix) = self.options.backup else { return Ok(()) };
        match self.target.folder.stat(&exchange::longest_name(&self.target, suffix)) {
            Err(cause) if cause.kind() == io::ErrorKind::InvalidFilename => {
                Err(self.not_writable("naming the backup", cause))
            }
            _ => Ok(()),
        }
    }

    /// Lets a copy stay.
    pub(super) fn keep(&mut self, mut copy: PrivateFile) {
        self.backup = Some(copy.name().to_owned());
        copy.forget();
    }

    /// The old file goes, or becomes the backup if there is none yet.
    pub(super) fn let_go(&mut self, exchanged: Option<Exchanged>) {
        let Some(mut exchanged) = exchanged else { return };
        let suffix = self.options.backup.filter(|_| self.backup.is_none());
        match exchanged.let_go(&self.target, suffix) {
            Ok(None) => {}
            kept @ Ok(_) => self.backup = kept.unwrap_or_default(),
            Err((cause, left)) => {
                let cause = crate::error::reason(&cause);
                let left = self.target.shown(&left);
                self.notes.push(format!("the old content is left in {left} ({cause})"));
            }
        }
    }
}
