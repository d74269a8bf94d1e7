//! Writing into the file itself.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::private_file::move_mtime_on;
use super::snapshot::Snapshot;

/// Takes the space that new content needs, before anything is written.
pub(super) fn reserve(file: &File, old: usize, new: usize) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if new > old {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;
        let length = (new - old) as u64;
        return match fallocate(file, FallocateFlags::KEEP_SIZE, old as u64, length) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            Err(cause) => Err(cause.into()),
        };
    }
    let _ = (file, old, new);
    Ok(())
}

/// Puts new content in the place of the old in one call, from the first byte that differs.
///
/// New content that is shorter is filled up with line ends first and cut then: whoever reads the
/// file in between reads the new config.
pub(super) fn write(file: &File, base: &Snapshot, bytes: &[u8]) -> io::Result<()> {
    let old = base.text().bytes();
    let filled = filled_up(bytes, old.len());
    let same = old.iter().zip(&filled).take_while(|(old, new)| old == new).count();
    file.write_all_at(&filled[same..], same as u64)?;
    if filled.len() > bytes.len() {
        file.set_len(bytes.len() as u64)?;
    }
    move_mtime_on(file, base.modified())?;
    file.sync_all()
}

/// Puts the old content back in the place of what a write that failed or was cut off has left. Nothing
/// is written behind its end, where there may be no room.
pub(super) fn restore(file: &File, old: &[u8]) -> io::Result<()> {
    file.write_all_at(old, 0)?;
    file.set_len(old.len() as u64)?;
    file.sync_all()
}

/// `bytes` with line ends up to the length of what they replace.
pub(super) fn filled_up(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut filled = bytes.to_vec();
    filled.resize(bytes.len().max(length), b'\n');
    filled
}
