//! Signals that would end the process in the middle of something are held back until there is
//! nothing left to clean up.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGXCPU, SIGXFSZ,
};
use signal_hook::low_level::emulate_default_handler;

/// The signals that end a process and come from outside.
const ENDING: [i32; 10] =
    [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGPROF, SIGVTALRM];

/// Those that would end it too, and say what is noticed anyway: that somebody waits for a lease, and
/// that a file became larger than it may.
const UNHEEDED: [i32; 2] = [SIGIO, SIGXFSZ];

/// The handlers are set once, for the whole process.
static SET: Once = Once::new();

/// Whether nothing is held back, so that a signal ends the process as it always did.
static FREE: AtomicBool = AtomicBool::new(true);

/// The signals that have arrived, a bit for each.
static ARRIVED: AtomicU64 = AtomicU64::new(0);

/// The bit of a signal. Those above have numbers below 32.
const fn bit(signal: i32) -> u64 {
    1 << (signal & 63)
}

/// Handles the signals. One that can't be handled ends the process as it always did.
fn set_handlers() {
    for signal in ENDING {
        handle(signal, note);
    }
    for signal in UNHEEDED {
        handle(signal, ignore);
    }
}

/// What is called when a signal comes, wherever the process is: it may do no more than a handler may.
type Handler = extern "C" fn(i32);

extern "C" fn note(signal: i32) {
    if FREE.load(Ordering::SeqCst) {
        // Where that fails the signal is one too many, and no more can be done about it here.
        drop(emulate_default_handler(signal));
    } else {
        ARRIVED.fetch_or(bit(signal), Ordering::SeqCst);
    }
}

extern "C" fn ignore(_: i32) {}

/// Handles a signal, unless whoever started this process wants it to be ignored, as `nohup` does, or
/// somebody else in it handles it.
// A library that registers handlers asks the system three times for each of them, which takes as long as
// to read a small config.
#[allow(unsafe_code)]
fn handle(signal: i32, handler: Handler) {
    let mut found = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeros is a valid `sigaction`: no flags, an empty mask. The handler is a function of
    // the type that is called without SA_SIGINFO, which only uses atomics and what may be called
    // there. `found` is filled when the call returns 0, and is what the system had before.
    unsafe {
        let mut ours = found.assume_init();
        ours.sa_sigaction = handler as *const () as libc::sighandler_t;
        ours.sa_flags = libc::SA_RESTART;
        if libc::sigaction(signal, &raw const ours, found.as_mut_ptr()) == 0
            && found.assume_init().sa_sigaction != libc::SIG_DFL
        {
            libc::sigaction(signal, found.as_ptr(), std::ptr::null_mut());
        }
    }
}

/// Holds back the signals that arrive from now on, until it is dropped: then they end the process
/// again. One at a time.
pub(crate) struct Interruption;

impl Interruption {
    pub fn hold() -> Self {
        FREE.store(false, Ordering::SeqCst);
        SET.call_once(set_handlers);
        // One that is to be ignored could come while its handler was looked for.
        ARRIVED.store(0, Ordering::SeqCst);
        Self
    }

    /// The signal that arrived.
    // It is what is held that is asked.
    #[allow(clippy::unused_self)]
    pub fn pending(&self) -> Option<i32> {
        let arrived = ARRIVED.load(Ordering::SeqCst);
        ENDING.into_iter().find(|&signal| arrived & bit(signal) != 0)
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        FREE.store(true, Ordering::SeqCst);
    }
}

/// Ends the process as a signal would have ended it.
pub(crate) fn end_by(signal: i32) {
    // When it can't be, the caller ends with an exit status.
    drop(emulate_default_handler(signal));
}
