//! What is wrong beside a change, so that who makes it learns that it may not help.

use super::{Code, Finding, duplicate_key, file, known_key, misplaced, misspelled};
use crate::runner::Config;
use crate::runner::environment::Environment;

/// What keeps GitLab Runner from starting with this file, and what looks like an auth entry of the
/// selected runners and is none: somebody thinks that it counts.
pub(crate) fn beside(config: &Config<'_>, selected: &[usize]) -> Vec<Finding> {
    let mut findings = Vec::new();
    known_key::check(config, &mut findings);
    findings.retain(|finding| finding.code == Code::IncompatibleType);
    duplicate_key::check(config, &mut findings);
    let whole = findings.len();
    misplaced::check(config, &mut findings);
    let is_selected =
        |finding: &Finding| finding.runner.is_none_or(|at| selected.binary_search(&at).is_ok());
    let mut of_runners = findings.split_off(whole);
    of_runners.retain(is_selected);
    findings.append(&mut of_runners);
    for &number in selected {
        // One that can't be read is an error of the change itself.
        if let Ok(Some(environment)) = Environment::of(config, &config.runners()[number]) {
            misspelled::check(config, number, &environment, None, &mut findings);
        }
    }
    findings.sort_by_key(|finding| (finding.place, finding.code));
    findings
}

/// Whether others than its owner can read the file with this mode, or change it.
pub(crate) fn permissions(path: &str, mode: u32) -> Option<Finding> {
    file::permissions(mode, Some(path), false)
}
