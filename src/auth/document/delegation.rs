//! Leaving a registry to a credential helper, as edits of the text.

use super::change::{insert, line_indent, remove_members, wrap};
use super::style::{lead, text_literal};
use super::{AuthDocument, Helper};
use crate::auth::credential_change::{Action, CredentialChange};
use crate::auth::key::Key;
use crate::auth::registry::Registry;
use crate::secret::Secret;
use crate::toml::edit::{self, Edit};
use crate::toml::letter_case::same_key;

/// A helper, with the registries that it answers for; without any it answers for every registry.
#[derive(Clone, Copy)]
pub(crate) struct Delegation<'d> {
    pub helper: &'d str,
    pub registries: &'d [Registry],
}

impl Delegation<'_> {
    /// Whether it is this helper's place that a member of the document has.
    pub fn is_at(&self, member: &Helper) -> bool {
        match member.key_text() {
            Some(key) => self.registries.iter().any(|registry| registry.is(key)),
            None => self.registries.is_empty(),
        }
    }

    /// Whether a key of `auths` is a registry that the helper answers for.
    pub fn covers(&self, key: &str) -> bool {
        self.registries.iter().any(|registry| registry.is(key) || registry.is_dead_hub_key(key))
    }

    /// What a report says of it, a line for each registry.
    pub fn changes(&self, action: impl Fn(&str) -> Action) -> Vec<CredentialChange> {
        let change = |registry: &str| CredentialChange {
            registry: registry.to_owned(),
            action: action(registry),
            username: None,
        };
        if self.registries.is_empty() {
            return vec![change("*")];
        }
        self.registries.iter().map(|registry| change(registry.key())).collect()
    }
}

impl AuthDocument<'_> {
    /// The edits that write down a delegation, what becomes of each registry, and the keys of `auths`
    /// that go: the helper answers in their place.
    pub fn delegate(
        &self,
        delegation: Delegation<'_>,
    ) -> (Vec<Edit>, Vec<CredentialChange>, Vec<&Key>) {
        let mut edits = Vec::new();
        let covered: Vec<_> =
            self.entries.iter().filter(|entry| delegation.covers(entry.key.as_str())).collect();
        for (number, (_, object)) in self.auths.iter().enumerate() {
            let inner = self.entries_of(number).iter();
            let inner = inner.filter(|entry| delegation.covers(entry.key.as_str()));
            let members: Vec<_> = inner.map(|entry| entry.member).collect();
            if let Some(object) = object {
                edits.extend(remove_members(object, &members));
            }
        }
        let literal = text_literal(delegation.helper);
        let found: Vec<_> = self.helpers.iter().filter(|helper| delegation.is_at(helper)).collect();
        for helper in &found {
            if helper.name != delegation.helper {
                edits.push(Edit::new(self.helper_place(helper), literal.clone()));
            }
        }
        let there = |registry: &Registry| {
            found.iter().any(|helper| helper.key_text().is_some_and(|key| registry.is(key)))
        };
        let new: Vec<_> =
            delegation.registries.iter().filter(|registry| !there(registry)).collect();
        if !new.is_empty() {
            edits.push(self.add_helpers(&new, &literal));
        } else if found.is_empty() {
            edits.push(insert(self.text, &self.root, &[("credsStore", literal)], self.style()));
        }
        let changes = delegation.changes(|registry| {
            let mut own = found.iter().filter(|helper| match helper.key_text() {
                Some(key) => Registry::named(registry).is(key),
                None => true,
            });
            let in_auths =
                covered.iter().any(|entry| Registry::named(registry).is(entry.key.as_str()));
            match own.next() {
                None if in_auths => Action::Updated,
                None => Action::Added,
                Some(helper) if helper.name == delegation.helper && !in_auths => Action::Unchanged,
                Some(_) => Action::Updated,
            }
        });
        edit::sort(&mut edits);
        let gone = covered.into_iter().map(|entry| &entry.key).collect();
        (edits, changes, gone)
    }

    /// Whether the document holds this delegation and nothing else.
    pub fn is_only(&self, delegation: Delegation<'_>) -> bool {
        self.entries.is_empty()
            && self.root.members.len() == 1
            && self.helpers.len() == delegation.registries.len().max(1)
            && self
                .helpers
                .iter()
                .all(|helper| delegation.is_at(helper) && helper.name == delegation.helper)
    }

    fn add_helpers(&self, registries: &[&Registry], literal: &Secret) -> Edit {
        let style = self.style();
        let members = registries.iter().map(|registry| (registry.key(), literal.clone()));
        let members: Vec<_> = members.collect();
        if let Some((_, helpers)) = self.cred_helpers.last() {
            return insert(self.text, helpers, &members, style);
        }
        let indent = match self.root.members.first() {
            Some(first) if lead(self.text, &self.root).contains('\n') => {
                Some(line_indent(self.text, first.key.start))
            }
            _ => None,
        };
        let object = wrap(&members, style, indent);
        // `null` is the only other value that the parser lets pass.
        let null =
            self.root.members.iter().find(|member| same_key(member.name(self.text), "credHelpers"));
        match null {
            Some(member) => Edit::new(member.value.clone(), object),
            None => insert(self.text, &self.root, &[("credHelpers", object)], style),
        }
    }
}
