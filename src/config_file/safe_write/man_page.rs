//! A man page takes the place of whatever has its name, so that a link there leads nowhere, and nobody
//! meets half of it. It is no secret and has no other writers, so that it needs no more than this.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::folder::Folder;

/// Puts a page that everybody may read, but for the umask, into a folder.
pub(crate) fn place(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let folder = Folder::open(folder)?;
    let temporary = OsString::from(format!(".{name}.runner-auth.tmp-{}", std::process::id()));
    let create = || {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(0o666);
        openat(folder.passage(), &temporary, flags | OFlags::CLOEXEC, mode)
    };
    let file = match create() {
        // A process of that number that was killed has left it.
        Err(Errno::EXIST) => {
            folder.remove(&temporary)?;
            create()
        }
        file => file,
    }?;
    let placed = File::from(file)
        .write_all(bytes)
        .and_then(|()| folder.rename(&temporary, OsStr::new(name)));
    if placed.is_err() {
        // That it could not be placed says more.
        let _ = folder.remove(&temporary);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_leads_nowhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("other"), "other").expect("a file");
        symlink("other", path("link")).expect("a link");
        fs::hard_link(path("other"), path("hard")).expect("a link");
        symlink("other", path(&format!(".link.runner-auth.tmp-{}", std::process::id())))
            .expect("a link");
        for name in ["link", "hard", "new"] {
            place(folder.path(), name, b"text").expect("it is placed");
            assert!(path(name).symlink_metadata().expect("a file").is_file());
            assert_eq!(fs::read(path(name)).expect("a file"), b"text");
        }
        assert_eq!(fs::read(path("other")).expect("a file"), b"other");
        // What can't be replaced is left, and nothing beside it.
        fs::create_dir(path("folder")).expect("a folder");
        assert!(place(folder.path(), "folder", b"text").is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 5);
    }
}
