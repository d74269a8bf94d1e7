//! A pipe that somebody writes a secret into.

use std::fs::File;
use std::io::{self, Read as _};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::check_length;

/// How long it is waited for somebody who opens a named pipe to write. A shell's `<(command)` is open
/// from the start.
const NOBODY: Duration = Duration::from_secs(10);

/// Reads what is written into a pipe that was opened without waiting, for as long as somebody has it open
/// to write.
pub(super) fn read(mut pipe: &File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(4096));
    let mut buffer = Zeroizing::new([0; 4096]);
    let deadline = Instant::now() + NOBODY;
    let mut written_to = false;
    loop {
        match pipe.read(&mut buffer[..]) {
            Ok(0) if written_to => return Ok(text),
            Ok(0) if Instant::now() > deadline => {
                return Err(io::Error::other(format!(
                    "it is a pipe, and for {} s nobody has opened it to write",
                    NOBODY.as_secs()
                )));
            }
            // Nobody writes yet, or somebody came and went without a word.
            Ok(0) => written_to = wait(pipe, Some(Duration::from_millis(50)))?,
            Ok(read) => {
                check_length(text.len() + read)?;
                text.extend_from_slice(&buffer[..read]);
                written_to = true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                written_to = true;
                wait(pipe, None)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Waits until somebody writes or closes a pipe, and says whether anybody has. A signal that ends the
/// process ends the waiting.
fn wait(pipe: &File, longest: Option<Duration>) -> io::Result<bool> {
    let moment =
        longest.map(|longest| Timespec { tv_sec: 0, tv_nsec: longest.subsec_nanos().into() });
    match poll(&mut [PollFd::new(pipe, PollFlags::IN)], moment.as_ref()) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
