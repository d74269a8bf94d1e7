//! `set`: credentials from a source, from a person, or left to a helper.

use super::args::{Global, Set};
use super::change::{Change, Runners, change, check_writing};
use super::guide::{Guide, Picked};
use super::output::Output;
use crate::error::Error;
use crate::plan::Request;

pub(super) fn set(global: &Global, set: &Set, output: &Output) -> Result<u8, Error> {
    if set.source.reads_stdin() && global.is_filter() {
        return Err(Error::Usage(
            "standard input can't be the config and a credential at once: give one of them as a \
             file"
                .into(),
        ));
    }
    check_writing(&set.writing)?;
    let selector = set.selection.selector()?;
    let pull_policies = set.pull_policies.clone();
    let (replace, mut picked) = (set.replace, None);
    let request = if let Some((helper, registry)) = set.source.delegation()? {
        Request::Delegate { helper, registry, replace, pull_policies }
    } else {
        let logins = if !set.stores_credentials() {
            Vec::new()
        } else if let Some(guide) = Guide::open(global, set, output) {
            let answers = guide.ask(global, set, &selector)?;
            picked = answers.picked;
            vec![answers.login]
        } else {
            set.source.logins()?
        };
        Request::Set { logins, replace, pull_policies }
    };
    let Some(Picked { input, runners }) = picked else {
        return change(global, "set", &selector, &request, &set.writing, output);
    };
    // Their numbers count in the text in which they were shown.
    let (runners, writing) = (Runners::Picked(runners), &set.writing);
    let change = Change { global, command: "set", runners, request: &request, writing, output };
    let told = change.tell(input.text())?;
    change.propose(&input, told)
}
