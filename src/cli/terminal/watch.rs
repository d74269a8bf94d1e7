//! A terminal whose modes are changed for a question is put right also when a signal ends the
//! process meanwhile, such as that of `kill`.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle, park_timeout};
use std::time::Duration;

use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::config_file::interruption::{Interruption, end_by};

/// How long a signal may go unnoticed.
const PAUSE: Duration = Duration::from_millis(50);

/// What ANSI terminals take for showing the cursor, which a list hides.
const SHOW_CURSOR: &[u8] = b"\x1b[?25h\r\n";

/// Looks for signals in a thread of its own, since the question waits for a key, until it is dropped.
pub(super) struct Watch {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins before the modes are changed. Where it can't, signals end the process as they always
    /// do.
    pub fn begin(tty: &File) -> Option<Self> {
        let before = tcgetattr(tty).ok()?;
        let mut tty = tty.try_clone().ok()?;
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let interruption = Interruption::hold();
        let watch = move || {
            loop {
                if let Some(signal) = interruption.pending() {
                    // A terminal that went away has nothing to put right.
                    let _ = tcsetattr(&tty, OptionalActions::Flush, &before);
                    drop(tty.write_all(SHOW_CURSOR));
                    end_by(signal);
                }
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                park_timeout(PAUSE);
            }
        };
        let thread = Builder::new().spawn(watch).ok();
        Some(Self { over, thread })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It does nothing that could fail.
            drop(thread.join());
        }
    }
}
