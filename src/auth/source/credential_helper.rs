//! Programs that know credentials: `docker-credential-NAME`.
//!
//! The protocol is that of docker-credential-helpers: `get` reads a key of `auths` on standard input
//! and writes `{"ServerURL": …, "Username": …, "Secret": …}`, `list` writes an object of keys and
//! users. The user `<token>` stands for an identity token. An error comes on standard output with
//! the status 1.
//!
//! ```no_run
//! use std::time::Duration;
//! use runner_auth::source::credential_helper::{CredentialHelper, check_name, find};
//!
//! # fn main() -> Result<(), runner_auth::Error> {
//! assert!(check_name("a/b").is_err());
//! assert_eq!(find("not-in-any-path"), None);
//! // Who is found is asked; each question has that long.
//! if find("pass").is_some() {
//!     let helper = CredentialHelper::new("pass", Duration::from_secs(10))?;
//!     assert_eq!(helper.name(), "pass");
//!     for registry in helper.list()? {
//!         println!("{registry}: {}", helper.get(&registry)?.username());
//!     }
//!     assert!(helper.get_if_known("registry.invalid")?.is_none());
//! }
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::credential::{Credential, Tokens};
use crate::auth::registry::shown;
use crate::config_file::interruption::{Interruption, end_by};
use crate::error::{Error, reason};
use crate::secret::Secret;

/// The most that is read of an answer: a list of a thousand registries is far smaller.
const LONGEST: usize = 1 << 20;

/// What a helper says when it does not know a registry (docker-credential-helpers
/// `credentials/error.go`).
const NOT_THERE: &str = "credentials not found in native keychain";

/// The user that stands for an identity token (docker/cli `cli/config/credentials/native_store.go`).
const TOKEN_USER: &str = "<token>";

/// What every helper's program begins with.
pub(crate) const PREFIX: &str = "docker-credential-";

/// A helper's name where a person may have named the program itself.
pub(crate) fn bare_name(named: &str) -> &str {
    named.strip_prefix(PREFIX).unwrap_or(named)
}

/// Finds a helper's program in this process's `PATH`, as docker/cli does
/// (`cli/config/credentials/native_store.go`): Go runs no program of the current folder, whose owner
/// may be another user. The runner's own `PATH` may differ.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let program = format!("{PREFIX}{name}");
    let executable = |path: &Path| {
        path.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(&program)).find(|file| executable(file))
}

/// A helper that can be asked.
///
/// It runs with the environment of this process, as Docker runs it: which variables lead it to its
/// keys (`HOME`, `GNUPGHOME`, `AWS_PROFILE`, `DBUS_SESSION_BUS_ADDRESS`, …) only the helper knows.
/// What it writes to standard error is thrown away, since secrets have been seen there.
#[derive(Debug, Clone)]
pub struct CredentialHelper {
    name: String,
    program: PathBuf,
    timeout: Duration,
}

/// Docker reads an answer with Go's library: other letter case counts too, and only the first value.
#[derive(Deserialize)]
struct HelperAnswer {
    #[serde(rename = "Username", alias = "username")]
    username: String,
    #[serde(rename = "Secret", alias = "secret")]
    secret: String,
}

/// Checks the name of a helper, which need not be here.
///
/// # Errors
///
/// [`Error::InvalidHelperName`] when it is empty or holds a `/` or a blank.
pub fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |letter: char| !letter.is_whitespace() && !letter.is_control();
    if name.is_empty() || name.contains('/') || !name.chars().all(allowed) {
        return Err(Error::InvalidHelperName);
    }
    Ok(())
}

impl CredentialHelper {
    /// Finds the helper with this name, which has so long for each answer.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidHelperName`] when the name is none: GitLab Runner (from 13.5 on) asks no source
    /// at all when a document names such a helper. [`Error::HelperFailed`] when there is no such
    /// program.
    pub fn new(name: &str, timeout: Duration) -> Result<Self, Error> {
        check_name(name)?;
        let program = find(name).ok_or_else(|| Error::HelperFailed {
            helper: name.to_owned(),
            problem: "is not in the PATH: install it, or store the credential itself".into(),
        })?;
        Ok(Self { name: name.to_owned(), program, timeout })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks for the credential of a key.
    ///
    /// # Errors
    ///
    /// [`Error::HelperFailed`], also when the helper does not know the key.
    pub fn get(&self, key: &str) -> Result<Credential, Error> {
        self.get_if_known(key)?.ok_or_else(|| {
            let key = shown(key);
            self.failed(&format!("has no credential for {key}: log in to that registry first"))
        })
    }

    /// Asks for the credential of a key that the helper need not know.
    ///
    /// # Errors
    ///
    /// [`Error::HelperFailed`].
    pub fn get_if_known(&self, key: &str) -> Result<Option<Credential>, Error> {
        let Some(bytes) = self.run("get", key)? else {
            return Ok(None);
        };
        let answer: HelperAnswer = first_value(&bytes).ok_or_else(|| {
            self.failed("answers with something else than JSON of ServerURL, Username and Secret")
        })?;
        let secret = Secret::new(answer.secret);
        if answer.username.is_empty() {
            // Old versions of docker-credential-pass answer so for what they do not know.
            return if secret.expose().is_empty() {
                Ok(None)
            } else {
                Err(self.failed(&format!("answers without a user for {}", shown(key))))
            };
        }
        let credential = if answer.username == TOKEN_USER {
            let tokens = Tokens { identity: Some(secret), registry: None };
            Credential::with_tokens("", Secret::new(String::new()), tokens)
        } else {
            Credential::new(&answer.username, secret)
        };
        credential.map(Some).map_err(|error| {
            self.failed(&format!("has no usable credential for {}: {error}", shown(key)))
        })
    }

    /// Asks for the keys that it knows.
    ///
    /// # Errors
    ///
    /// [`Error::HelperFailed`].
    pub fn list(&self) -> Result<Vec<String>, Error> {
        let bytes = self.run("list", "")?.unwrap_or_default();
        let keys: BTreeMap<String, Option<String>> = first_value(&bytes)
            .ok_or_else(|| self.failed("lists something else than JSON of registries and users"))?;
        Ok(keys.into_keys().collect())
    }

    fn failed(&self, problem: &str) -> Error {
        Error::HelperFailed { helper: self.name.clone(), problem: problem.to_owned() }
    }

    /// The answer; `None` when the helper does not know the key.
    fn run(&self, verb: &str, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let cant = |cause: io::Error| self.failed(&format!("can't be run: {}", reason(&cause)));
        // It would live on after a Ctrl-C, which reaches only this process.
        let interruption = Interruption::hold();
        let mut child = Command::new(&self.program)
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own, so that what the helper starts ends with it.
            .process_group(0)
            .spawn()
            .map_err(cant)?;
        let deadline = Instant::now() + self.timeout;
        let goes_on = || Instant::now() < deadline && interruption.pending().is_none();
        let answer = ask(&mut child, key.as_bytes(), goes_on).and_then(|answer| match answer {
            Some(bytes) => Ok(wait(&mut child, goes_on)?.zip(Some(bytes))),
            None => Ok(None),
        });
        let had_ended = !matches!(answer, Ok(Some(_))) && end(&mut child);
        if let Some(signal) = interruption.pending() {
            end_by(signal);
        }
        let Some((status, bytes)) = answer.map_err(cant)? else {
            let seconds = self.timeout.as_secs();
            if had_ended {
                return Err(self.failed(&format!(
                    "ended, but something that it started kept its standard output open for \
                     {seconds} s: Docker would wait for that as well"
                )));
            }
            return Err(self.failed(&format!(
                "did not answer within {seconds} s: it may be waiting for a passphrase; \
                 unlock its keys first, or give it longer with --timeout"
            )));
        };
        if status.success() {
            return Ok(Some(bytes));
        }
        if bytes.trim_ascii() == NOT_THERE.as_bytes() {
            return Ok(None);
        }
        Err(self.failed(&format!(
            "failed ({status}): run docker-credential-{} {verb} by hand to see why; what it says \
             may hold secrets and is not shown",
            self.name
        )))
    }
}

/// Writes the question and reads the answer, whichever the helper is ready for: one that never reads
/// can't hold up more than one that never writes. `None` when there is no answer as long as it goes
/// on.
fn ask(
    child: &mut Child,
    mut question: &[u8],
    goes_on: impl Fn() -> bool,
) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let (mut stdin, Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Ok(Some(Zeroizing::default()));
    };
    ioctl_fionbio(&stdout, true)?;
    if let Some(stdin) = &stdin {
        ioctl_fionbio(stdin, true)?;
    }
    // At its full size, so that no copy of it is left behind.
    let mut answer = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut buffer = Zeroizing::new([0; 4096]);
    while goes_on() {
        wait_for_either(stdin.as_ref(), &stdout)?;
        match stdin.as_mut().map(|stdin| stdin.write(question)) {
            Some(Ok(written)) if written < question.len() => question = &question[written..],
            Some(Err(error)) if is_no_end(&error) => {}
            // All is written, or the helper reads no more: it shows that in its answer.
            _ => stdin = None,
        }
        match stdout.read(&mut buffer[..]) {
            Ok(0) => return Ok(Some(answer)),
            Ok(read) if answer.len() + read > LONGEST => return Ok(Some(answer)),
            Ok(read) => answer.extend_from_slice(&buffer[..read]),
            Err(error) if is_no_end(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Waits a moment until the helper reads or writes.
fn wait_for_either(stdin: Option<&ChildStdin>, stdout: &ChildStdout) -> io::Result<()> {
    let moment = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
    let mut ends = vec![PollFd::new(stdout, PollFlags::IN)];
    ends.extend(stdin.map(|stdin| PollFd::new(stdin, PollFlags::OUT)));
    match poll(&mut ends, Some(&moment)) {
        // A signal has a flag of its own.
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a pipe is only not ready.
fn is_no_end(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Waits for the end of a helper that has closed its standard output; `None` when it does not end.
fn wait(child: &mut Child, goes_on: impl Fn() -> bool) -> io::Result<Option<ExitStatus>> {
    loop {
        match child.try_wait()? {
            None if goes_on() => thread::sleep(Duration::from_millis(2)),
            status => return Ok(status),
        }
    }
}

/// Ends a helper with all that it started, and says whether it had ended by itself. What it has put
/// into a session of its own goes on: that is how a helper leaves an agent behind, such as
/// `gpg-agent`, which others use as well.
fn end(child: &mut Child) -> bool {
    // What has ended by itself meanwhile can't be ended: that is as good.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    child.wait().is_ok_and(|status| status.code().is_some())
}

/// The first value of a JSON text.
fn first_value<'b, V: Deserialize<'b>>(bytes: &'b [u8]) -> Option<V> {
    serde_json::Deserializer::from_slice(bytes).into_iter().next()?.ok()
}
