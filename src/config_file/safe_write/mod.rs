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
mod backup;
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
mod writer;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::config_file::ConfigFile;
use crate::config_file::interruption::Interruption;
use crate::error::Error;
use crate::toml::text::ConfigText;
use lock::Lock;
use private_file::PrivateFile;
use recovery::State;
use writer::{Step, Writer};

pub use backup::is_suffix;

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
    /// change, it is written again. 50 milliseconds at least.
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
