//! What keeps the secrets of this process to itself.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Turns core dumps off, for this process and its children, and keeps other processes of the same
/// user from reading its memory.
pub(crate) fn protect() {
    // Where a limit can't be set the process is as private as any other.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
