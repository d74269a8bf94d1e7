//! Standard input, or a pipe, that somebody writes a secret into.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::check_length;

/// As much as this goes past the buffer of standard input, which is wiped by nobody.
const PIECE: usize = 16 * 1024;

/// Reads to the end. Something that was opened without waiting is waited for; where nobody has opened a
/// named pipe to write, for as long as `nobody` says. Without it, nothing to read is the end.
pub(super) fn read(
    mut from: impl io::Read + AsFd,
    nobody: Option<Duration>,
) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(PIECE));
    let mut piece = Zeroizing::new(vec![0; PIECE]);
    let start = Instant::now();
    let mut written_to = false;
    loop {
        match from.read(&mut piece) {
            Ok(0) => match nobody.filter(|_| !written_to) {
                None => return Ok(text),
                Some(longest) if start.elapsed() > longest => {
                    return Err(io::Error::other(format!(
                        "it is a pipe, and for {} s nobody has opened it to write",
                        longest.as_secs()
                    )));
                }
                // Nobody writes yet, or somebody came and went without a word.
                Some(_) => written_to = wait(&from, Some(Duration::from_millis(50)))?,
            },
            Ok(read) => {
                check_length(text.len() + read)?;
                text.extend_from_slice(&piece[..read]);
                written_to = true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                written_to = true;
                wait(&from, None)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Waits until somebody writes or closes the other end, and says whether anybody has. A signal that ends
/// the process ends the waiting.
fn wait(from: impl AsFd, longest: Option<Duration>) -> io::Result<bool> {
    let moment =
        longest.map(|longest| Timespec { tv_sec: 0, tv_nsec: longest.subsec_nanos().into() });
    match poll(&mut [PollFd::new(&from, PollFlags::IN)], moment.as_ref()) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
