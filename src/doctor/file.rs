//! The file as a whole.

use super::broken_toml::is_utf16;
use super::{Circumstances, Code, Finding, remedy};
use crate::runner::Config;
use crate::toml::edit::Edit;
use crate::toml::text::{ConfigText, Place};

/// Permission bits that let others in, or the group write. A group that may read was somebody's
/// decision.
const LOOSE: u32 = 0o027;

pub(super) fn check(
    text: &ConfigText,
    circumstances: &Circumstances<'_>,
    holds_tokens: bool,
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
        let edit = Edit::remove(0..'\u{feff}'.len_utf8());
        let finding = finding.mended_by(path.map(remedy::cut_byte_order_mark));
        findings.push(finding.fixed_by(Some(vec![edit])));
    }
    if let Some(offset) = text.first_invalid_utf8().filter(|_| !is_utf16(text)) {
        findings.push(Finding::new(
            text,
            Code::NotUtf8,
            offset..offset,
            "this byte is not valid UTF-8, and GitLab Runner from 15.9 on refuses such a file",
            "save the file as UTF-8, or take the byte out",
        ));
    }
    let finding = circumstances.mode.and_then(|mode| permissions(mode, path, holds_tokens));
    findings.extend(finding);
}

/// Whether others can read the file, or the group can write it.
pub(super) fn permissions(mode: u32, path: Option<&str>, holds_tokens: bool) -> Option<Finding> {
    if mode & LOOSE == 0 {
        return None;
    }
    let who = if mode & 0o007 != 0 { "everybody on this machine" } else { "its whole group" };
    let what = if mode & 0o022 != 0 { "change" } else { "read" };
    let tokens = if holds_tokens { ", which holds tokens" } else { "" };
    Some(Finding {
        code: Code::LoosePermissions,
        runner: None,
        place: Place { line: 1, column: 1 },
        span: 0..0,
        message: format!("{who} can {what} this file (mode {:04o}){tokens}", mode & 0o7777),
        advice: "let only its owner read and write it".to_owned(),
        commands: path.map(remedy::restrict).into_iter().collect(),
        edits: Vec::new(),
    })
}

/// A file that GitLab Runner loads and finds nothing to do in.
pub(super) fn no_runners(text: &ConfigText) -> Finding {
    Finding::new(
        text,
        Code::NoRunners,
        0..0,
        "there is no [[runners]] in this file, so GitLab Runner runs no jobs by it",
        "register a runner (gitlab-runner register), or check that this is the right file",
    )
}

/// What some versions of GitLab Runner read and others refuse.
pub(super) fn refusals(config: &Config<'_>, findings: &mut Vec<Finding>) {
    // Those of the bytes are told by `check`.
    let offsets = config.syntax().refusals().iter().map(|refusal| refusal.offset);
    for (refusal, offset) in config.refusals().iter().zip(offsets) {
        if refusal.is_of_encoding() {
            continue;
        }
        let twice = config.syntax().twice_at(offset).filter(|_| refusal.is_of_two_definitions());
        let (message, advice) = match twice {
            Some(twice) => {
                let first = twice.first.map_or(String::new(), |first| {
                    format!(", here and on line {}", config.text().place(first).line)
                });
                let consequence = if twice.arrays {
                    twice.consequence()
                } else {
                    format!("GitLab Runner {} refuses the whole file", refusal.versions())
                };
                (
                    format!("{} is defined twice{first}: {consequence}", twice.name),
                    "merge the two into one, or take one of them out",
                )
            }
            None => (
                format!(
                    "here is {}, for which GitLab Runner {} refuses the whole file",
                    refusal.what(),
                    refusal.versions()
                ),
                "write it another way, unless no such version reads this file",
            ),
        };
        let mut finding =
            Finding::new(config.text(), Code::SomeVersionsRefuse, 0..0, message, advice);
        finding.place = refusal.place();
        findings.push(finding);
    }
}
