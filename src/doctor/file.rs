//! The file as a whole.

use super::{Circumstances, Code, Finding, remedy};
use crate::error::Error;
use crate::toml::text::{ConfigText, Place};

/// Permission bits that let others in, or the group write. A group that may read was somebody's
/// decision.
const LOOSE: u32 = 0o027;

pub(super) fn check(
    text: &ConfigText,
    circumstances: &Circumstances<'_>,
    findings: &mut Vec<Finding>,
) {
    let path = circumstances.path;
    if text.has_byte_order_mark() {
        let finding = Finding::new(
            text,
            Code::ByteOrderMark,
            0..0,
            "the file starts with a byte order mark, and old GitLab Runners (12.9 and 14.7) \
             refuse such a file",
            "take it out",
        );
        findings.push(finding.mended_by(path.map(remedy::cut_byte_order_mark)));
    }
    if let Some(offset) = text.first_invalid_utf8() {
        findings.push(Finding::new(
            text,
            Code::NotUtf8,
            offset..offset,
            "here is a byte that is no UTF-8, and GitLab Runner from 15.9 on refuses such a file",
            "save the file as UTF-8, or take the byte out",
        ));
    }
    if let Some(mode) = circumstances.mode.filter(|mode| mode & LOOSE != 0) {
        let who = if mode & 0o007 != 0 { "everybody on this machine" } else { "its whole group" };
        let what = if mode & 0o022 != 0 { "change" } else { "read" };
        let finding = Finding::new(
            text,
            Code::LoosePermissions,
            0..0,
            format!("{who} can {what} this file (mode {:04o}), which holds tokens", mode & 0o7777),
            "let only its owner read and write it",
        );
        findings.push(finding.mended_by(path.map(remedy::restrict)));
    }
}

/// A file that GitLab Runner can't load.
pub(super) fn unreadable(text: &ConfigText, error: &Error) -> Finding {
    const REFUSED: &str = "GitLab Runner refuses the whole file";
    let (place, message) = match error {
        Error::InvalidToml { place, problem, .. } => (*place, problem.clone()),
        Error::InvalidEnvironment { place, .. } => {
            (*place, "this environment is not an array of strings".to_owned())
        }
        // Nothing else comes of parsing.
        other => (Place { line: 1, column: 1 }, other.to_string()),
    };
    let advice = match error {
        Error::InvalidEnvironment { .. } => "write it as environment = ['NAME=value']",
        _ if message.contains("single quotes") => {
            "put single quotes around the whole entry, and leave the JSON as it is"
        }
        _ => "mend this place: nothing in the file is used before",
    };
    let message = if message.contains(REFUSED) { message } else { format!("{message}; {REFUSED}") };
    let mut finding = Finding::new(text, Code::InvalidToml, 0..0, message, advice);
    finding.place = place;
    finding
}
