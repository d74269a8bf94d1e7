//! Credentials, or the whole auth entry, go.

use super::RunnerChange;
use super::runner_context::RunnerContext;
use crate::auth::credential_change::{Action, CredentialChange};
use crate::auth::document::{AuthDocument, Removal};
use crate::error::Error;
use crate::runner::auth_entry::entry_with;
use crate::runner::environment::EntryRemoval;
use crate::toml::edit::splice_text;

impl RunnerChange {
    fn take_out(&mut self, removal: EntryRemoval) {
        self.edits = removal.edits;
        self.no_environment = removal.whole;
    }
}

impl RunnerContext<'_, '_> {
    pub(super) fn remove(&self, removal: &Removal) -> Result<RunnerChange, Error> {
        let Some(environment) = self.environment else {
            return Ok(RunnerChange::default());
        };
        let Some(entries) = environment.auth() else {
            return Ok(RunnerChange::default());
        };
        let last = &entries.counts;
        if last.document().trim().is_empty() {
            return Ok(RunnerChange::default());
        }
        let document = self.parse(last)?;
        let (edits, changes) = document.remove(removal);
        if edits.is_empty() {
            return Ok(RunnerChange::default());
        }
        let text = splice_text(last.document(), &edits);
        let empty = self.check_result(last, &document, text.expose(), &[])?.is_empty();
        let mut change = RunnerChange { changes, ..RunnerChange::default() };
        if empty {
            // Nothing is left to say: the entry goes, and those that it hid must not come back.
            let every: Vec<_> = entries.hidden_numbers().into_iter().chain([last.number]).collect();
            change.take_out(environment.remove_for_good(&every));
            change.notes.push("remove the auth entry, which holds nothing else".to_owned());
            self.tell_hidden(&entries, &mut change);
            return Ok(change);
        }
        change.edits = edits.iter().map(|edit| last.edit(edit)).collect();
        self.take_out_hidden(environment, &entries, &mut change);
        change.entry = Some(entry_with(text.expose()));
        Ok(change)
    }

    pub(super) fn remove_entry(&self) -> RunnerChange {
        let Some(environment) = self.environment else {
            return RunnerChange::default();
        };
        let Some(entries) = environment.auth() else {
            return RunnerChange::default();
        };
        let document = self.parse_text(entries.counts.document()).ok();
        let changes = document
            .iter()
            .flat_map(AuthDocument::entries)
            .map(|entry| CredentialChange {
                registry: entry.key.shown().into_owned(),
                action: Action::Removed,
                username: entry.username(),
            })
            .collect();
        let mut numbers = entries.hidden_numbers();
        numbers.push(entries.counts.number);
        let notes = vec!["remove the auth entry".to_owned()];
        let mut change = RunnerChange { changes, notes, ..RunnerChange::default() };
        change.take_out(environment.remove_for_good(&numbers));
        self.tell_hidden(&entries, &mut change);
        change
    }
}
