//! `remove`: credentials, or the whole auth entry, go.

use super::args::{Global, Remove};
use super::change::{change, check_writing, converse};
use super::guide::{Guide, RemoveGuide};
use super::output::Output;
use crate::auth::registry::Registry;
use crate::auth::source::credential_helper::bare_name;
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::plan::{Removal, Request};

pub(super) fn remove(
    global: &Global,
    remove: &Remove,
    output: &Output,
) -> Result<ExitStatus, Error> {
    check_writing(global, &remove.writing)?;
    let selector = remove.selection.selector()?;
    let asked = Guide::open(global, &remove.writing, &selector, output, |guide| {
        let Some(mut guide) = RemoveGuide::open(guide, remove) else { return Ok(None) };
        converse(global, "remove", &mut guide, &remove.writing, output).map(Some)
    })?;
    if let Some(status) = asked {
        return Ok(status);
    }
    let Some(request) = remove.request() else {
        return Err(Error::Usage(
            "nothing is named to remove: name a registry with --registry, or use --everything for the whole entry".into(),
        ));
    };
    change(global, "remove", &selector, &request, &remove.writing, output)
}

impl Remove {
    /// What the arguments ask for; `None` when they name nothing.
    pub fn request(&self) -> Option<Request> {
        if self.everything {
            return Some(Request::RemoveEntry);
        }
        let removal = Removal {
            registries: self.registries.iter().map(|typed| Registry::named(typed)).collect(),
            helpers: self.helpers.iter().map(|named| bare_name(named).to_owned()).collect(),
            store: self.store,
        };
        (!removal.is_empty()).then_some(Request::Remove(removal))
    }
}
