//! Mends what has one right remedy.
//!
//! One mended place can lay open the next one: a document without its quotes is looked at anew. So
//! the file is examined and mended in rounds, until nothing is left that can be mended.

use std::collections::BTreeMap;

use super::{Circumstances, Code, Diagnosis, Finding, Level};
use crate::plan::{Mended, RunnerPlan};
use crate::toml::edit::{self, Edit};
use crate::toml::text::ConfigText;

/// How many times a file is looked at; a real one needs two or three.
const MOST_ROUNDS: usize = 16;

/// Mends the findings that are wanted and have one right remedy. What is left and needs a person's
/// decision comes along as warnings; the flag says whether an error is left.
pub(crate) fn mend(
    text: &ConfigText,
    circumstances: &Circumstances<'_>,
    only: &[Code],
    is_selected: &dyn Fn(&Finding) -> bool,
) -> (Mended, bool) {
    let mut mended = text.edited(&[]);
    let mut notes: BTreeMap<Option<usize>, Vec<String>> = BTreeMap::new();
    for _ in 0..MOST_ROUNDS {
        let diagnosis = Diagnosis::new(&mended, circumstances);
        let wanted = |finding: &&Finding| {
            let asked = only.is_empty() || only.contains(&finding.code);
            asked && finding.is_fixable() && is_selected(finding)
        };
        let mut edits: Vec<Edit> = Vec::new();
        for finding in diagnosis.findings.iter().filter(wanted) {
            // The next round looks at it anew.
            if finding.edits.iter().any(|edit| edits.iter().any(|other| touch(edit, other))) {
                continue;
            }
            edits.extend(finding.edits.iter().cloned());
            let note = format!("fix {} on line {}", finding.code, finding.place.line);
            notes.entry(finding.runner).or_default().push(note);
        }
        if edits.is_empty() {
            break;
        }
        edit::sort(&mut edits);
        mended = mended.edited(&edits);
    }
    let diagnosis = Diagnosis::new(&mended, circumstances);
    let mut left: BTreeMap<Option<usize>, Vec<String>> = BTreeMap::new();
    let mut errors = false;
    for finding in &diagnosis.findings {
        if finding.level() == Level::Info || !is_selected(finding) {
            continue;
        }
        errors |= finding.level() == Level::Error;
        let warning = format!("left as it is: {}", finding.sentence());
        left.entry(finding.runner).or_default().push(warning);
    }
    let numbers = notes.keys().chain(left.keys()).flatten().copied();
    let mut numbers: Vec<usize> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    let runners = numbers.into_iter().map(|runner| {
        let notes = notes.get(&Some(runner)).cloned().unwrap_or_default();
        let warnings = left.get(&Some(runner)).cloned().unwrap_or_default();
        RunnerPlan {
            runner,
            changed: !notes.is_empty(),
            changes: Vec::new(),
            pull_policies: None,
            notes,
            warnings,
        }
    });
    let runners: Vec<_> = runners.collect();
    let notes = notes.remove(&None).unwrap_or_default();
    let warnings = left.remove(&None).unwrap_or_default();
    (Mended { text: mended, runners, notes, warnings }, errors)
}

/// Whether two edits are about the same bytes.
fn touch(one: &Edit, other: &Edit) -> bool {
    one.span.start <= other.span.end && other.span.start <= one.span.end
}
