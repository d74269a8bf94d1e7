//! Signals that would end the process in the middle of a write are held back until there is
//! nothing left to clean up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGXCPU, SIGXFSZ,
};
use signal_hook::flag::{register, register_conditional_default};

/// The signals that end a process and come from outside.
const ENDING: [i32; 10] =
    [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGPROF, SIGVTALRM];

/// Those that would end it too, and say what is noticed anyway: that somebody waits for a lease, and
/// that a file became larger than it may.
const UNHEEDED: [i32; 2] = [SIGIO, SIGXFSZ];

/// Notes the signals that arrive from now on, until it is dropped: then they end the process again.
pub(super) struct Interruption {
    noted: Vec<(i32, Arc<AtomicBool>)>,
    over: Arc<AtomicBool>,
}

impl Interruption {
    pub fn hold() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let noted = ENDING.into_iter().filter_map(|signal| {
            let flag = Arc::new(AtomicBool::new(false));
            // A signal that can't be held back ends the process as it always did.
            register(signal, Arc::clone(&flag)).ok()?;
            register_conditional_default(signal, Arc::clone(&over)).ok()?;
            Some((signal, flag))
        });
        let noted = noted.collect();
        for signal in UNHEEDED {
            drop(register(signal, Arc::new(AtomicBool::new(false))));
        }
        Self { noted, over }
    }

    /// The signal that arrived.
    pub fn pending(&self) -> Option<i32> {
        self.noted.iter().find(|(_, flag)| flag.load(Ordering::Relaxed)).map(|(signal, _)| *signal)
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

/// Ends the process as a signal would have ended it.
pub fn end_by(signal: i32) {
    // When it can't be, the caller ends with an exit status.
    drop(signal_hook::low_level::emulate_default_handler(signal));
}
