//! What `doctor` finds as other programs show it beside a change: GitLab's merge request, a code
//! scanner's page.
//!
//! Sources: GitLab's documentation, "Code Quality report format" (a subset of Code Climate's), and
//! SARIF 2.1.0 (OASIS).

use serde_json::{Value, json};

use crate::doctor::{Code, Level};

/// A finding with its file.
pub(super) struct Remark<'f> {
    pub path: &'f str,
    pub code: &'f str,
    pub level: Level,
    pub message: String,
    pub line: usize,
    pub column: usize,
}

impl Remark<'_> {
    /// Stays the same while lines move, and says nothing about a secret: there is none in it.
    fn fingerprint(&self, before: &[Remark<'_>]) -> String {
        let same = |other: &&Remark<'_>| {
            (other.path, other.code, &other.message) == (self.path, self.code, &self.message)
        };
        let number = before.iter().filter(same).count();
        // FNV-1a: GitLab only compares it.
        let text = format!("{}\0{}\0{}\0{number}", self.path, self.code, self.message);
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    fn path(&self) -> &str {
        self.path.strip_prefix("./").unwrap_or(self.path)
    }
}

/// The report of GitLab's Code Quality.
pub(super) fn code_climate(remarks: &[Remark<'_>]) -> Value {
    let issues = remarks.iter().enumerate().map(|(number, remark)| {
        json!({
            "type": "issue",
            "check_name": remark.code,
            "description": remark.message,
            "categories": ["Bug Risk"],
            "severity": match remark.level {
                Level::Error => "critical",
                Level::Warning => "minor",
                Level::Info => "info",
            },
            "fingerprint": remark.fingerprint(&remarks[..number]),
            "location": { "path": remark.path(), "lines": { "begin": remark.line } },
        })
    });
    issues.collect()
}

/// SARIF, the format of code scanners.
pub(super) fn sarif(remarks: &[Remark<'_>]) -> Value {
    let results: Vec<_> = remarks
        .iter()
        .enumerate()
        .map(|(number, remark)| {
            json!({
                "ruleId": remark.code,
                "level": level(remark.level),
                "message": { "text": remark.message },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(remark.path()) },
                        "region": { "startLine": remark.line, "startColumn": remark.column },
                    },
                }],
                "partialFingerprints": { "finding/v1": remark.fingerprint(&remarks[..number]) },
            })
        })
        .collect();
    let mut known: Vec<_> = remarks.iter().map(|remark| (remark.code, remark.level)).collect();
    known.extend(Code::ALL.iter().map(|code| (code.name(), code.level())));
    known.sort_by_key(|(code, _)| *code);
    known.dedup_by_key(|(code, _)| *code);
    let rules: Vec<_> = known
        .into_iter()
        .map(|(code, found)| json!({ "id": code, "defaultConfiguration": { "level": level(found) } }))
        .collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "runner-auth",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    }
}

/// A path as a relative or absolute reference of a URI.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
