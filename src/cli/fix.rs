//! `doctor --fix`: mends what has one right remedy, on the same way into the file as `set`.

use std::cell::Cell;
use std::time::SystemTime;

use super::args::{Doctor, Global, Writing};
use super::change::{self, check_writing};
use super::doctor::{has_helper, look};
use super::output::Output;
use crate::doctor::{self, Circumstances, Finding};
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::runner::Config;
use crate::runner::selection::{Matches, Selector};

/// Refuses options of writing where nothing is written.
pub(super) fn check_alone(writing: &Writing) -> Result<(), Error> {
    let Writing { yes, dry_run, check, backup, force_attributes, settle, .. } = writing;
    if *yes || *dry_run || *check || backup.is_some() || *force_attributes || *settle > 0 {
        return Err(Error::Usage("doctor writes only with --fix: add it".into()));
    }
    Ok(())
}

/// Mends one config, or each of the files. The status is 1 where an error is left, too.
pub(super) fn fix(
    global: &Global,
    doctor: &Doctor,
    selector: &Selector,
    output: &Output,
) -> Result<ExitStatus, Error> {
    check_writing(global, &doctor.writing)?;
    let [first, rest @ ..] = &doctor.files[..] else {
        return fix_one(global, doctor, selector, output);
    };
    if !rest.is_empty() {
        return Err(Error::Usage("--fix takes one file: call it once for each".into()));
    }
    let global = Global { config: Some(first.clone()), ..global.clone() };
    fix_one(&global, doctor, selector, output)
}

fn fix_one(
    global: &Global,
    doctor: &Doctor,
    selector: &Selector,
    output: &Output,
) -> Result<ExitStatus, Error> {
    let left = Cell::new(false);
    let mend = |config: &Config<'_>| {
        let selected = selector.select(config, Matches::Any)?;
        let is_selected = |finding: &Finding| {
            finding.runner.is_none_or(|runner| selected.binary_search(&runner).is_ok())
        };
        let circumstances = Circumstances {
            path: None,
            mode: None,
            has_helper: &has_helper,
            now: SystemTime::now(),
        };
        let text = config.text();
        let (mended, errors) = doctor::mend(text, &circumstances, &doctor.only, &is_selected);
        left.set(errors);
        Ok(mended)
    };
    let status = match change::mend(global, &mend, &doctor.writing, output) {
        // What can't be loaded is told as a finding.
        Err(Error::InvalidToml { .. } | Error::KeyTwice { .. }) if !global.is_filter() => {
            return look(global, doctor, selector, output);
        }
        status => status?,
    };
    Ok(status.max(ExitStatus::no_if(left.get())))
}
