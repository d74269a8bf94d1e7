//! Signals that would end the process in the middle of a write are held back until there is
//! nothing left to clean up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGIO, SIGQUIT, SIGTERM};

/// Notes the signals that arrive from now on.
pub(super) struct Interruption {
    noted: Vec<(i32, Arc<AtomicBool>)>,
}

impl Interruption {
    pub fn hold() -> Self {
        let noted = [SIGINT, SIGTERM, SIGHUP, SIGQUIT].into_iter().filter_map(|signal| {
            let flag = Arc::new(AtomicBool::new(false));
            // A signal that can't be held back ends the process as it always did.
            signal_hook::flag::register(signal, Arc::clone(&flag)).ok()?;
            Some((signal, flag))
        });
        let noted = noted.collect();
        // It says that somebody waits for a lease, which is looked at anyway; unheeded it would end
        // the process.
        drop(signal_hook::flag::register(SIGIO, Arc::new(AtomicBool::new(false))));
        Self { noted }
    }

    /// The signal that arrived.
    pub fn pending(&self) -> Option<i32> {
        self.noted.iter().find(|(_, flag)| flag.load(Ordering::Relaxed)).map(|(signal, _)| *signal)
    }
}

/// Ends the process as a signal would have ended it.
pub fn end_by(signal: i32) {
    // When it can't be, the caller ends with an exit status.
    drop(signal_hook::low_level::emulate_default_handler(signal));
}
