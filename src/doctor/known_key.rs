//! Keys that GitLab Runner doesn't know, or that hold something else than it takes.

use super::{Code, Finding};
use crate::runner::Config;
use crate::runner::known_keys::{Flaw, FlawedKey};
use crate::toml::edit::Edit;

/// Tells of the keys that are not as GitLab Runner wants them.
pub(super) fn check(
    config: &Config<'_>,
    flaws: impl IntoIterator<Item = FlawedKey>,
    findings: &mut Vec<Finding>,
) {
    for key in flaws {
        let path = &key.path;
        let (code, message, advice) = match &key.flaw {
            Flaw::WrongType { expected, dotted, .. } => (
                Code::IncompatibleType,
                format!(
                    "{path} must be {expected}: GitLab Runner says 'incompatible types' and does not start"
                ),
                if *dotted {
                    "put quotes around the whole key: its dots are a part of the name".to_owned()
                } else {
                    format!("write {expected}")
                },
            ),
            Flaw::WrongSection { section } => (
                Code::MisplacedKey,
                format!("GitLab Runner ignores {path}: this key belongs under {section}"),
                format!("move it there: {section}"),
            ),
            Flaw::Unknown { nearest } => (
                Code::UnknownKey,
                format!("GitLab Runner knows no {path}, and ignores it"),
                nearest.as_ref().map_or_else(
                    || "take it out, unless another program reads it".to_owned(),
                    |nearest| format!("did you mean {nearest}?"),
                ),
            ),
        };
        let right = match key.flaw {
            Flaw::WrongType { right, .. } => right,
            _ => None,
        };
        let edits = right.map(|right| vec![Edit::new(key.span.clone(), right)]);
        let mut finding = Finding::new(config.text(), code, key.span, message, advice);
        finding.runner = key.runner;
        finding = finding.fixed_by(edits);
        findings.push(finding);
    }
}
