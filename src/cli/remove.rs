//! `remove`: credentials, or the whole auth entry, go.

use super::args::{Global, Remove};
use super::change::{change, check_writing};
use super::output::Output;
use crate::auth::registry::Registry;
use crate::error::Error;
use crate::plan::Request;

pub(super) fn remove(global: &Global, remove: &Remove, output: &Output) -> Result<u8, Error> {
    check_writing(&remove.writing)?;
    let selector = remove.selection.selector()?;
    let request = if remove.everything {
        Request::RemoveEntry
    } else {
        Request::Remove(remove.registries.iter().map(|typed| Registry::named(typed)).collect())
    };
    change(global, "remove", &selector, &request, &remove.writing, output)
}
