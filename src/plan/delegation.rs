//! Leaving a registry of a runner to a credential helper.

use super::RunnerChange;
use super::runner_context::RunnerContext;
use super::set::whole;
use super::use_by_version::Incoming;
use crate::auth::credential_change::Action;
use crate::auth::document::{AuthDocument, Content, Delegation, Style};
use crate::auth::key::few;
use crate::auth::registry::Registry;
use crate::auth::runner_version::RunnerVersion;
use crate::error::Error;
use crate::runner::allowed_helpers;
use crate::runner::auth_entry::{AuthEntry, entry_with};
use crate::runner::environment::Environment;
use crate::secret::Secret;
use crate::toml::edit::splice_text;

impl RunnerContext<'_, '_> {
    pub(super) fn delegate(
        &self,
        delegation: Delegation<'_>,
        replace: bool,
    ) -> Result<RunnerChange, Error> {
        let content = Content::of_helper(delegation.helper, delegation.registries);
        let new = || content.write(&Style::default());
        let added = || delegation.changes(|_| Action::Added);
        let mut change = self.write(new, added, replace, |environment, entry| {
            if replace {
                Ok(self.replace_by_helper(environment, entry, delegation, new))
            } else {
                self.hand_over(entry, delegation)
            }
        })?;
        let registries = delegation.registries.iter().map(Some);
        let registries = registries.chain(delegation.registries.is_empty().then_some(None));
        let wanted: Vec<_> =
            registries.map(|registry| (registry, Incoming::Helper(delegation.helper))).collect();
        change.warnings.extend(self.check_use(change.document(), &wanted)?);
        change.warnings.extend(self.may_be_refused(delegation.helper));
        if !change.edits.is_empty() {
            change.notes.push(format!(
                "GitLab Runner asks docker-credential-{} at each job, from its own PATH",
                delegation.helper
            ));
        }
        Ok(change)
    }

    /// Versions that may not run a helper which the config names: nobody can say here whether they do.
    fn may_be_refused(&self, helper: &str) -> Option<String> {
        let permitted = allowed_helpers::are_named(self.config, self.runner);
        (!permitted).then(|| {
            format!(
                "runner '{}': GitLab Runner from 19.4 on (and {}) may not run \
                 docker-credential-{helper} for a document in its config, unless {} permits it: try \
                 one job, or store the credential without --delegate",
                self.config.title(self.runner),
                RunnerVersion::CORRECTED,
                allowed_helpers::KEY
            )
        })
    }

    fn replace_by_helper(
        &self,
        environment: &Environment<'_, '_>,
        entry: &AuthEntry<'_>,
        delegation: Delegation<'_>,
        new: impl Fn() -> Secret,
    ) -> RunnerChange {
        let document = self.parse_text(entry.document()).ok();
        if document.as_ref().is_some_and(|document| document.is_only(delegation)) {
            return RunnerChange {
                entry: Some(entry_with(entry.document())),
                changes: delegation.changes(|_| Action::Unchanged),
                ..RunnerChange::default()
            };
        }
        let known = |registry: &str| {
            document.as_ref().is_some_and(|document| {
                let is = |key: &str| Registry::named(registry).is(key);
                document.helpers().iter().any(|helper| helper.key_text().is_some_and(is))
                    || document.entries().iter().any(|entry| is(entry.key.as_str()))
            })
        };
        let mut change =
            whole(environment, entry, document.as_ref(), &new(), |key| delegation.covers(key));
        let changes = delegation
            .changes(|registry| if known(registry) { Action::Updated } else { Action::Added });
        change.changes.splice(0..0, changes);
        change
    }

    fn hand_over(
        &self,
        entry: &AuthEntry<'_>,
        delegation: Delegation<'_>,
    ) -> Result<RunnerChange, Error> {
        let document = self.parse_for_addition(entry)?;
        let (edits, changes, gone) = document.delegate(delegation);
        let text = splice_text(entry.document(), &edits);
        self.check_delegation(entry, &document, text.expose(), delegation)?;
        let mut notes = Vec::new();
        if !gone.is_empty() {
            notes.push(format!(
                "remove the credential of {} from auths, since the helper answers in its place",
                few(gone)
            ));
        }
        if delegation.registries.is_empty() && !document.entries().is_empty() {
            notes.push(format!(
                "the credentials in auths ({}) stay for what the helper does not know",
                few(document.entries().iter().map(|entry| &entry.key))
            ));
        }
        Ok(RunnerChange {
            edits: edits.iter().map(|edit| entry.edit(edit)).collect(),
            entry: Some(entry_with(text.expose())),
            changes,
            notes,
            ..RunnerChange::default()
        })
    }

    /// Checks that the document after the change can be read, that the helper has its place in it, and
    /// that nothing else came or went.
    fn check_delegation(
        &self,
        entry: &AuthEntry<'_>,
        before: &AuthDocument<'_>,
        text: &str,
        delegation: Delegation<'_>,
    ) -> Result<(), Error> {
        let after = self.parse_result(entry, text)?;
        let mut found = after.helpers().iter().filter(|helper| delegation.is_at(helper));
        let expected = delegation.registries.len().max(1);
        if found.clone().count() < expected || !found.all(|helper| helper.name == delegation.helper)
        {
            return Err(self.not_proved("the new auth document does not name the helper"));
        }
        let others = |document: &AuthDocument<'_>| -> Vec<_> {
            let helpers = document.helpers().iter().filter(|helper| !delegation.is_at(helper));
            let helpers =
                helpers.map(|helper| (helper.key_text().map(str::to_owned), helper.name.clone()));
            let entries =
                document.entries().iter().filter(|entry| !delegation.covers(entry.key.as_str()));
            helpers
                .chain(entries.map(|entry| (Some(entry.key.as_str().to_owned()), String::new())))
                .collect()
        };
        if others(before) != others(&after) {
            return Err(self.not_proved("the new auth document holds too much or too little"));
        }
        if after.entries().iter().any(|entry| delegation.covers(entry.key.as_str())) {
            return Err(self.not_proved("the new auth document still holds the credential"));
        }
        Ok(())
    }
}
