//! Writing a config so that nothing can be lost, and so that nobody gains by it.
//!
//! The folder of the config is opened once, and everything is named relative to it. A lock keeps
//! other runs out from before the file is read until after it is written. The new content goes into
//! a private file beside the old one, is synced, and the two swap their names in one step; what was
//! displaced is then compared with what was read. Another writer who knows no lock is noticed
//! before, during and for a moment after the swap, and the change is planned again on what that
//! writer wrote. Where a rename is impossible the file is written in place, with a copy of the old
//! content kept until that is done.
//!
//! `docs/safety.md` names the threat behind each part, and the test.
//!
//! ```
//! use runner_auth::safe_write::{Options, Outcome, Patch, is_suffix, rewrite};
//! use runner_auth::{Config, Credential, Plan, Registry, Request, Secret};
//!
//! # fn main() -> Result<(), runner_auth::Error> {
//! let path = std::env::temp_dir().join(format!("runner-auth-{}.toml", std::process::id()));
//! std::fs::write(&path, "[[runners]]\n  executor = 'docker'\n").expect("a config");
//!
//! let login = Credential::new("ci", Secret::from("s3cret"))?;
//! let logins = vec![(Registry::parse("r.io")?, login)];
//! let request = Request::Set { logins, replace: false, pull_policies: Vec::new() };
//! assert!(is_suffix(".bak") && !is_suffix("../bak"));
//! let options = Options { backup: None, ..Options::default() };
//! let outcome: Outcome<usize> = rewrite(&path, options, |text| {
//!     let config = Config::parse(text)?;
//!     let plan = Plan::make(&config, &[0], &request)?;
//!     let bytes = plan.changes().then(|| plan.apply(&config));
//!     Ok(Patch { bytes, report: config.runners().len() })
//! })?;
//! assert!(outcome.written && outcome.report == 1);
//! # std::fs::remove_file(&path).expect("it goes");
//! # Ok(())
//! # }
//! ```

mod attributes;
mod exchange;
mod folder;
mod in_place;
mod lease;
mod lock;
pub(crate) mod man_page;
mod overwrite;
mod private_file;
mod recovery;
mod rivals;
mod snapshot;
mod target;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use crate::config_file::interruption::Interruption;
use crate::config_file::{ConfigFile, settle};
use crate::error::Error;
use crate::toml::text::ConfigText;
use attributes::Lost;
use exchange::Exchanged;
use lease::Lease;
use lock::Lock;
use private_file::PrivateFile;
use recovery::State;
use snapshot::Snapshot;
use target::Target;

/// How long a file that keeps changing is tried at least.
const PATIENCE: Duration = Duration::from_secs(1);

/// How a file is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Options<'o> {
    /// Keep the old content under the file's name with this suffix, or with a number behind it when
    /// there is an older copy.
    pub backup: Option<&'o str>,
    /// Replace the file also when its owner, its mode or an extended attribute can't be kept.
    pub force_attributes: bool,
    /// How long others are waited for: while one holds a lock, and while the file keeps changing.
    pub lock_timeout: Duration,
    /// How long the file is watched after the write: when another writer's rewrite swallows the
    /// change, it is written again. A moment at least.
    pub settle: Duration,
    /// The largest file, in bytes.
    pub largest: u64,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            backup: None,
            force_attributes: false,
            lock_timeout: Duration::from_secs(60),
            settle: Duration::ZERO,
            largest: ConfigFile::LARGEST,
        }
    }
}

/// Whether a backup suffix names a file in the same directory.
#[must_use]
pub fn is_suffix(suffix: &str) -> bool {
    !suffix.is_empty()
        && !suffix.as_bytes().iter().any(|&byte| byte == b'/' || byte == 0)
        && suffix.len() < 100
}

/// What is to be made of a text.
#[derive(Debug)]
pub struct Patch<R> {
    /// The new content; `None` when the text needs no change.
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
    /// The file's mode when it was read first, as `chmod` takes it.
    pub mode: u32,
    /// What a person should know, in plain words.
    pub notes: Vec<String>,
}

/// What makes a patch of a text.
type Planner<'p, R> = dyn FnMut(&ConfigText) -> Result<Patch<R>, Error> + 'p;

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
    // By its path, before the folder of the config is open.
    let state = State::find();
    let (target, lock) = Lock::find(&label, config, &options, &interruption)?;
    let mut writer = Writer {
        target,
        state,
        options,
        interruption,
        lock,
        written: false,
        swallowed: false,
        in_place: None,
        backup: None,
        notes: Vec::new(),
    };
    writer.notes.extend(recovery::finish(&writer.state, &writer.target)?);
    let first = writer.target.read()?;
    let mode = first.mode();
    if writer.lock.has_folder() {
        PrivateFile::remove_stale(&writer.target, &first);
    }
    let start = Instant::now();
    let longest = options.lock_timeout.max(PATIENCE).saturating_add(options.settle);
    let again = |writer: &Writer<'_>| writer.target.read();
    let (mut base, mut patched) = writer.settle(first, again, &mut patch)?;
    while let Some(bytes) = patched.bytes.take() {
        if start.elapsed() > longest {
            return Err(Error::ChangedMeanwhile { path: writer.target.label });
        }
        match writer.attempt(&base, &bytes, &mut patch)? {
            Step::Done => break,
            Step::Again(next, again) => (base, patched) = (next, again),
        }
    }
    let Patch { report, .. } = patched;
    Ok(Outcome { report, written: writer.written, mode, notes: writer.into_notes() })
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
    target: Target,
    state: State,
    options: Options<'o>,
    interruption: Interruption,
    lock: Lock,
    written: bool,
    /// Whether another writer's rewrite has undone the change once.
    swallowed: bool,
    /// Why the file was written in place.
    in_place: Option<&'static str>,
    /// The name of the backup, once it is there.
    backup: Option<OsString>,
    notes: Vec<String>,
}

impl Writer<'_> {
    fn not_writable(&self, step: &'static str, cause: io::Error) -> Error {
        let config = self.target.open(OFlags::RDONLY).ok();
        let advice = attributes::why(&cause, config.as_ref(), &self.target.folder);
        Error::NotWritable { path: self.target.label.clone(), step, cause, advice }
    }

    fn failed(&self, step: &'static str) -> impl Fn(io::Error) -> Error + use<'_> {
        move |cause| self.not_writable(step, cause)
    }

    fn stop_if_interrupted(&self) -> Result<(), Error> {
        match self.interruption.pending() {
            Some(signal) => Err(Error::Interrupted { path: self.target.label.clone(), signal }),
            None => Ok(()),
        }
    }

    /// Patches a text; one that makes no sense and was written a moment ago is read again.
    fn settle<R>(
        &self,
        base: Snapshot,
        again: impl Fn(&Self) -> Result<Snapshot, Error>,
        plan: &mut Planner<'_, R>,
    ) -> Result<(Snapshot, Patch<R>), Error> {
        let again = || self.stop_if_interrupted().and_then(|()| again(self));
        settle(base, again, Snapshot::is_fresh, |base| plan(base.text()))
    }

    /// One attempt to put new content in the place of what was read: prepare, compare, swap.
    fn attempt<R>(
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
    fn sync_folder(&mut self) {
        if let Err(cause) = self.target.folder.sync() {
            let cause = crate::error::reason(&cause);
            self.notes.push(format!(
                "the folder of {} could not be synced ({cause}): a power loss could bring the old \
                 file back",
                self.target.label
            ));
        }
    }

    /// Copies the old content to the backup, where it can't be the old file itself.
    fn copy_backup(&self, base: &Snapshot) -> io::Result<Option<PrivateFile>> {
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
    fn refuse_long_backup(&self) -> Result<(), Error> {
        let Some(suffix) = self.options.backup else { return Ok(()) };
        match self.target.folder.stat(&exchange::longest_name(&self.target, suffix)) {
            Err(cause) if cause.kind() == io::ErrorKind::InvalidFilename => {
                Err(self.not_writable("naming the backup", cause))
            }
            _ => Ok(()),
        }
    }

    /// Lets a copy stay.
    fn keep(&mut self, mut copy: PrivateFile) {
        self.backup = Some(copy.name().to_owned());
        copy.forget();
    }

    /// The old file goes, or becomes the backup if there is none yet.
    fn let_go(&mut self, exchanged: Option<Exchanged>) {
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

    /// What a person should know.
    fn into_notes(mut self) -> Vec<String> {
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
