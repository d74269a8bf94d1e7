//! Credentials come into an auth entry: beside those that are there, or in their place.

use std::collections::{HashMap, HashSet};

use super::RunnerChange;
use super::runner_context::RunnerContext;
use super::use_by_version::{Incoming, Wanted, is_settled};
use crate::auth::credential::Credential;
use crate::auth::credential_change::{Action, CredentialChange};
use crate::auth::document::AuthDocument;
use crate::auth::registry::{Registry, path_of};
use crate::error::Error;
use crate::runner::auth_entry::{AuthEntry, entry_with, new_entry};
use crate::runner::environment::{Environment, new_pair};
use crate::secret::Secret;
use crate::toml::edit::{Edit, splice_text};

impl RunnerContext<'_, '_> {
    pub(super) fn set(
        &self,
        logins: &[(Registry, Credential)],
        replace: bool,
    ) -> Result<RunnerChange, Error> {
        let wanted =
            logins.iter().map(|(registry, login)| (Some(registry), Incoming::Login(login)));
        let wanted: Vec<_> = wanted.collect();
        let new = || AuthDocument::write_new(logins);
        let mut change = self.write(
            new,
            || all(logins, Action::Added),
            replace,
            |environment, entry| {
                if replace {
                    Ok(self.replace(environment, entry, logins, new))
                } else {
                    self.merge(entry, logins, &wanted)
                }
            },
        )?;
        if !change.is_settled {
            let warnings = self.check_use(change.document(), &wanted)?;
            change.warnings.extend(warnings);
        }
        Ok(change)
    }

    /// Writes a new document where there is none; where there is one, `existing` says what becomes of
    /// it.
    pub(super) fn write(
        &self,
        new: impl Fn() -> Secret,
        added: impl FnOnce() -> Vec<CredentialChange>,
        replace: bool,
        existing: impl FnOnce(&Environment<'_, '_>, &AuthEntry<'_>) -> Result<RunnerChange, Error>,
    ) -> Result<RunnerChange, Error> {
        let fresh = |document: &Secret, edits| RunnerChange {
            edits,
            entry: Some(entry_with(document.expose())),
            changes: added(),
            ..RunnerChange::default()
        };
        let Some(environment) = self.environment else {
            let document = new();
            let environment = Some(new_pair(&new_entry(document.expose())));
            return Ok(RunnerChange { environment, ..fresh(&document, Vec::new()) });
        };
        let Some(entries) = environment.auth() else {
            let document = new();
            return Ok(fresh(&document, environment.append(new_entry(document.expose()))));
        };
        let last = &entries.counts;
        let mut change = if !replace && last.document().trim().is_empty() {
            let document = new();
            let whole = Edit::new(0..last.document().len(), document.expose());
            fresh(&document, vec![last.edit(&whole)])
        } else {
            existing(environment, last)?
        };
        self.take_out_hidden(environment, &entries, &mut change);
        Ok(change)
    }

    fn merge(
        &self,
        entry: &AuthEntry<'_>,
        logins: &[(Registry, Credential)],
        wanted: &[Wanted<'_>],
    ) -> Result<RunnerChange, Error> {
        let document = self.parse_for_addition(entry)?;
        let mut helpers = HashMap::new();
        for helper in document.effective_helpers() {
            let path = helper.key_text().map(path_of);
            path.map(|path| helpers.entry(path).or_insert(helper));
        }
        for (registry, _) in logins {
            // A helper answers for its key before `auths` is looked at.
            if let Some(helper) = helpers.get(registry.path()) {
                return Err(Error::HelperAnswers {
                    path: self.config.text().label().to_owned(),
                    place: self.place(entry, document.helper_place(helper).start),
                    runner: self.config.title(self.runner),
                    registry: registry.to_string(),
                    helper: helper.shown_name().to_owned(),
                });
            }
        }
        let (edits, changes) = document.set(logins);
        let text = splice_text(entry.document(), &edits);
        let after = self.check_result(entry, &document, text.expose(), logins)?;
        Ok(RunnerChange {
            is_settled: is_settled(&after, wanted),
            edits: edits.iter().map(|edit| entry.edit(edit)).collect(),
            entry: Some(entry_with(text.expose())),
            changes,
            warnings: self.answered_by_the_store(&document).into_iter().collect(),
            ..RunnerChange::default()
        })
    }

    /// A store answers only for what it lists, and nobody knows here what that is.
    fn answered_by_the_store(&self, document: &AuthDocument<'_>) -> Option<String> {
        let helpers = document.effective_helpers();
        let store = helpers.iter().find(|helper| helper.key.is_none())?;
        Some(format!(
            "runner '{}' asks the credsStore '{}' first: a registry that the store lists gets the \
             store's answer in place of this credential",
            self.config.title(self.runner),
            store.shown_name()
        ))
    }

    fn replace(
        &self,
        environment: &Environment<'_, '_>,
        entry: &AuthEntry<'_>,
        logins: &[(Registry, Credential)],
        new: impl Fn() -> Secret,
    ) -> RunnerChange {
        let document = AuthDocument::parse(entry.document(), |name| self.variable(name)).ok();
        if document.as_ref().is_some_and(|document| document.is_exactly(logins)) {
            return RunnerChange {
                entry: Some(entry_with(entry.document())),
                changes: all(logins, Action::Unchanged),
                ..RunnerChange::default()
            };
        }
        let changes = logins.iter().map(|(registry, login)| {
            let known = document
                .as_ref()
                .is_some_and(|document| !document.at_path(registry.path()).is_empty());
            CredentialChange {
                registry: registry.key().to_owned(),
                action: if known { Action::Updated } else { Action::Added },
                username: login.named_user(),
            }
        });
        let changes: Vec<_> = changes.collect();
        let stay: HashSet<&str> = logins.iter().map(|(registry, _)| registry.path()).collect();
        let kept = |key: &str| stay.contains(&*path_of(key));
        let mut change = whole(environment, entry, document.as_ref(), &new(), kept);
        change.changes.splice(0..0, changes);
        change
    }
}

/// Writes another document in the place of an entry's, and says what of the old one is gone.
pub(super) fn whole(
    environment: &Environment<'_, '_>,
    entry: &AuthEntry<'_>,
    old: Option<&AuthDocument<'_>>,
    new: &Secret,
    kept: impl Fn(&str) -> bool,
) -> RunnerChange {
    let entries = old.map(AuthDocument::entries).unwrap_or_default();
    let gone =
        entries.iter().filter(|entry| !kept(entry.key.as_str())).map(|entry| CredentialChange {
            registry: entry.key.shown().into_owned(),
            action: Action::Removed,
            username: entry.username(),
        });
    let notes = if old.is_none() {
        vec!["drop an auth document that could not be read".to_owned()]
    } else {
        Vec::new()
    };
    RunnerChange {
        edits: vec![Edit::new(environment.span(entry.number), new_entry(new.expose()))],
        entry: Some(entry_with(new.expose())),
        changes: gone.collect(),
        notes,
        ..RunnerChange::default()
    }
}

fn all(logins: &[(Registry, Credential)], action: Action) -> Vec<CredentialChange> {
    let change = |(registry, login): &(Registry, Credential)| CredentialChange {
        registry: registry.key().to_owned(),
        action,
        username: login.named_user(),
    };
    logins.iter().map(change).collect()
}
