//! Owner, mode, extended attributes, access lists and security labels: the new file has those of
//! the old one.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;

use super::folder::Folder;

/// Attributes that the kernel makes of the content.
const OF_THE_CONTENT: &[&str] = &["security.ima", "security.evm"];

/// Where Linux has the access list of a file.
const ACCESS_LIST: &str = "system.posix_acl_access";

/// As much as the names or one value of most files need.
const USUAL: usize = 256;

/// More than any file system takes for the names, or for one value.
const LARGEST: usize = 64 * 1024;

/// What a new file does not have of the old one, and why.
pub(super) struct Lost {
    pub what: String,
    pub cause: io::Error,
}

/// Gives a new file what the old one has, as far as it can be. Access lists and security
/// labels are extended attributes on Linux.
pub(super) fn carry(old: &File, new: &File) -> Vec<Lost> {
    let mut lost = Vec::new();
    if let Err(cause) = carry_all(old, new, &mut lost) {
        lost.push(Lost { what: "the attributes".to_owned(), cause });
    }
    lost
}

fn carry_all(old: &File, new: &File, lost: &mut Vec<Lost>) -> io::Result<()> {
    let mut note = |what: &str, cause| lost.push(Lost { what: what.to_owned(), cause });
    let (metadata, own) = (old.metadata()?, new.metadata()?);
    let (user, group) = (metadata.uid(), metadata.gid());
    // Whether the new file's group and its list are those that the mode was made for.
    let mut known = true;
    if (own.uid(), own.gid()) != (user, group)
        && let Err(cause) = fchown(new, Some(user), Some(group))
    {
        // A member of the group can keep that.
        known = own.gid() == group || fchown(new, None, Some(group)).is_ok();
        note(if known { "the owner" } else { "the owner and the group" }, cause);
    }
    let (wanted, found) = (all(old)?, all(new)?);
    for (name, value) in &wanted {
        if !found.contains(&(name.clone(), value.clone()))
            && let Err(cause) = fsetxattr(new, name.as_str(), value, XattrFlags::empty())
        {
            known &= name != ACCESS_LIST;
            note(&format!("the attribute {name}"), cause.into());
        }
    }
    // A folder can give its new files an access list that the old file doesn't have.
    for (name, _) in &found {
        if !wanted.iter().any(|(kept, _)| kept == name)
            && let Err(cause) = fremovexattr(new, name.as_str())
        {
            known &= name != ACCESS_LIST;
            note(&format!("the lack of {name}"), cause.into());
        }
    }
    // Last: a change of the owner takes bits away.
    let old = metadata.mode() & 0o7777;
    // Whoever the group's bits would be for now had the rights of everybody.
    let mode = if known { old } else { old & 0o707 | (old & 0o7) << 3 };
    if mode != old {
        note("the mode", io::ErrorKind::PermissionDenied.into());
    }
    // Some file systems have one mode for all, and let nobody set it.
    if new.metadata()?.mode() & 0o7777 != mode
        && let Err(cause) = new.set_permissions(Permissions::from_mode(mode))
    {
        note("the mode", cause);
    }
    Ok(())
}

/// The extended attributes of a file; none where there can't be any.
fn all(file: &File) -> io::Result<Vec<(String, Vec<u8>)>> {
    let names = match filled(|names| flistxattr(file, names)) {
        Ok(names) => names,
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Vec::new()),
        Err(cause) => return Err(cause.into()),
    };
    let mut found = Vec::new();
    for name in names.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let name = String::from_utf8_lossy(name).into_owned();
        if OF_THE_CONTENT.contains(&name.as_str()) {
            continue;
        }
        let value = filled(|value| fgetxattr(file, name.as_str(), value))?;
        found.push((name, value));
    }
    Ok(found)
}

/// What `fill` puts into memory that is large enough.
fn filled(fill: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0; USUAL];
    loop {
        match fill(&mut bytes) {
            Ok(length) => {
                bytes.truncate(length);
                return Ok(bytes);
            }
            Err(Errno::RANGE) if bytes.len() < LARGEST => bytes = vec![0; LARGEST],
            Err(cause) => return Err(cause),
        }
    }
}

/// Whether a folder doesn't let this process make files.
pub(super) fn is_forbidden(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Why a file can't be written and what to do, where that can be told.
pub(super) fn why(cause: &io::Error, file: Option<&File>, folder: &Folder) -> Option<&'static str> {
    match cause.kind() {
        io::ErrorKind::ReadOnlyFilesystem => {
            Some("the file system is mounted read-only: mount it writable, or change its source")
        }
        io::ErrorKind::PermissionDenied => Some(match (file.and_then(flag), flag_of(folder)) {
            (Some(Flag::Immutable), _) => "it has the immutable flag: take it off with chattr -i",
            (Some(Flag::AppendOnly), _) => {
                "it has the append-only flag: take it off with chattr -a"
            }
            (None, Some(Flag::Immutable)) => {
                "its folder has the immutable flag: take it off with chattr -i"
            }
            (None, Some(Flag::AppendOnly)) => {
                "its folder has the append-only flag: take it off with chattr -a"
            }
            (None, None) => "this user may not write it: run the command as its owner or as root",
        }),
        io::ErrorKind::InvalidFilename => Some(
            "a file that is made beside it has a longer name, and 255 bytes are the most: shorten the \
             config's name, or the suffix of --backup",
        ),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("make room first"),
        _ => None,
    }
}

/// What root has forbidden with `chattr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flag {
    Immutable,
    AppendOnly,
}

/// Whether a folder takes new names and gives none up, so that a new file could not be removed.
pub(super) fn is_append_only(folder: &Folder) -> bool {
    flag_of(folder) == Some(Flag::AppendOnly)
}

fn flag_of(folder: &Folder) -> Option<Flag> {
    folder.readable().and_then(flag)
}

#[cfg(target_os = "linux")]
fn flag(file: &File) -> Option<Flag> {
    use rustix::fs::{IFlags, ioctl_getflags};
    let flags = ioctl_getflags(file).ok()?;
    if flags.contains(IFlags::IMMUTABLE) {
        Some(Flag::Immutable)
    } else {
        flags.contains(IFlags::APPEND).then_some(Flag::AppendOnly)
    }
}

#[cfg(not(target_os = "linux"))]
fn flag(_: &File) -> Option<Flag> {
    None
}
