//! Signals that would end the process in the middle of something are held back until there is
//! nothing left to clean up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

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

/// What is registered for the whole process, once.
static HANDLERS: LazyLock<Handlers> = LazyLock::new(Handlers::register);

struct Handlers {
    /// Each signal, and whether it has arrived.
    noted: Vec<(i32, Arc<AtomicBool>)>,
    /// Whether nothing is held back, so that a signal ends the process as it always did.
    free: Arc<AtomicBool>,
}

impl Handlers {
    fn register() -> Self {
        let free = Arc::new(AtomicBool::new(true));
        let noted = ENDING.into_iter().filter(|&signal| !is_ignored(signal));
        let noted = noted.filter_map(|signal| {
            let flag = Arc::new(AtomicBool::new(false));
            // A signal that can't be held back ends the process as it always did.
            register(signal, Arc::clone(&flag)).ok()?;
            register_conditional_default(signal, Arc::clone(&free)).ok()?;
            Some((signal, flag))
        });
        let noted = noted.collect();
        for signal in UNHEEDED.into_iter().filter(|&signal| !is_ignored(signal)) {
            drop(register(signal, Arc::new(AtomicBool::new(false))));
        }
        Self { noted, free }
    }
}

/// Whether whoever started this process wants a signal to be ignored, as `nohup` does.
// No library that this crate uses asks for that without changing it.
#[allow(unsafe_code)]
fn is_ignored(signal: i32) -> bool {
    let mut found = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action the call only fills `found`, and does so when it returns 0.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), found.as_mut_ptr()) == 0
            && found.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Holds back the signals that arrive from now on, until it is dropped: then they end the process
/// again. One at a time.
pub(crate) struct Interruption;

impl Interruption {
    pub fn hold() -> Self {
        for (_, arrived) in &HANDLERS.noted {
            arrived.store(false, Ordering::SeqCst);
        }
        HANDLERS.free.store(false, Ordering::SeqCst);
        Self
    }

    /// The signal that arrived.
    // It is what is held that is asked.
    #[allow(clippy::unused_self)]
    pub fn pending(&self) -> Option<i32> {
        let mut noted = HANDLERS.noted.iter();
        noted.find(|(_, arrived)| arrived.load(Ordering::SeqCst)).map(|(signal, _)| *signal)
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        HANDLERS.free.store(true, Ordering::SeqCst);
    }
}

/// Ends the process as a signal would have ended it.
pub(crate) fn end_by(signal: i32) {
    // When it can't be, the caller ends with an exit status.
    drop(signal_hook::low_level::emulate_default_handler(signal));
}
