//! A read lease (Linux): while it is held nobody can open the file for writing. Whoever tries waits
//! until it is given back, and the holder can see that somebody waits.
//!
//! A lease is given to a file's owner and to root, and only while nobody has the file open for
//! writing. Elsewhere writers who know no lock are only noticed, not held off.

use std::fs::File;

/// Whether a lease was given.
pub(super) enum Leased<'f> {
    Held(Lease<'f>),
    /// Somebody has the file open for writing.
    Writing,
    /// There are no leases here, or not for this user.
    Unavailable,
}

/// A lease, given back on drop.
pub(super) struct Lease<'f> {
    file: &'f File,
}

#[cfg(target_os = "linux")]
mod system {
    // The only way to ask for a lease: no library that this crate uses wraps it.
    #![allow(unsafe_code)]

    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd as _;

    pub const TAKE: i32 = libc::F_RDLCK;
    pub const GIVE_BACK: i32 = libc::F_UNLCK;

    pub fn set(file: &File, kind: i32) -> io::Result<()> {
        // SAFETY: the descriptor is open as long as `file`, and the argument is a plain number.
        let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    pub fn get(file: &File) -> i32 {
        // SAFETY: the descriptor is open as long as `file`, and there is no argument.
        unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLEASE) }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;
    use std::io;

    pub const TAKE: i32 = 0;
    pub const GIVE_BACK: i32 = 1;

    pub fn set(_: &File, _: i32) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn get(_: &File) -> i32 {
        TAKE
    }
}

impl<'f> Lease<'f> {
    /// Asks for a lease on a file that is open for reading.
    pub fn take(file: &'f File) -> Leased<'f> {
        match system::set(file, system::TAKE) {
            Ok(()) => Leased::Held(Self { file }),
            Err(cause) if cause.kind() == std::io::ErrorKind::WouldBlock => Leased::Writing,
            Err(_) => Leased::Unavailable,
        }
    }

    /// Whether somebody waits to write.
    pub fn is_wanted(&self) -> bool {
        system::get(self.file) != system::TAKE
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // A lease ends with its file as well, but that may be open for longer.
        let mut attempts = (0..3).map(|_| system::set(self.file, system::GIVE_BACK));
        attempts.any(|attempt| attempt.is_ok());
    }
}
