//! Leaving a registry to a credential helper, as edits of the text.

use super::change::{insert, line_indent, remove_members, wrap};
use super::style::{lead, text_literal};
use super::{AuthDocument, Entry, Helper};
use crate::auth::outcome::{Action, Outcome};
use crate::auth::registry::{Registry, shown};
use crate::toml::edit::{self, Edit};
use crate::toml::letter_case::same_key;

/// A helper, with the registry that it answers for; without one it answers for every registry.
#[derive(Clone, Copy)]
pub(crate) struct Delegation<'d> {
    pub helper: &'d str,
    pub registry: Option<&'d Registry>,
}

impl Delegation<'_> {
    /// Whether it is this helper's place that a member of the document has.
    pub fn is_at(&self, member: &Helper) -> bool {
        match (self.registry, member.key.as_deref()) {
            (Some(registry), Some(key)) => registry.is(key),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether a key of `auths` is the registry that the helper answers for.
    pub fn covers(&self, key: &str) -> bool {
        self.registry.is_some_and(|registry| registry.is(key) || registry.is_dead_hub_key(key))
    }

    /// What a report says of it.
    pub fn outcome(&self, action: Action) -> Outcome {
        let registry = self.registry.map_or("*", Registry::key).to_owned();
        Outcome { registry, action, username: None }
    }
}

impl AuthDocument<'_> {
    /// The edits that write down a delegation, what becomes of it, and the keys of `auths` that go:
    /// the helper answers in their place.
    pub fn delegate(&self, delegation: Delegation<'_>) -> (Vec<Edit>, Outcome, Vec<String>) {
        let mut edits = Vec::new();
        let covered: Vec<_> =
            self.entries.iter().filter(|entry| delegation.covers(&entry.key)).collect();
        for (number, (_, object)) in self.auths.iter().enumerate() {
            let inner = covered.iter().filter(|entry: &&&Entry| entry.auths == number);
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
        if found.is_empty() {
            edits.push(match delegation.registry {
                Some(registry) => self.add_helper(registry, literal),
                None => insert(self.text, &self.root, &[("credsStore", literal)], &self.style()),
            });
        }
        let action = if edits.is_empty() {
            Action::Unchanged
        } else if found.is_empty() && covered.is_empty() {
            Action::Added
        } else {
            Action::Updated
        };
        edit::sort(&mut edits);
        let gone = covered.iter().map(|entry| shown(&entry.key).into_owned()).collect();
        (edits, delegation.outcome(action), gone)
    }

    /// Whether the document holds this delegation and nothing else.
    pub fn is_only(&self, delegation: Delegation<'_>) -> bool {
        self.entries.is_empty()
            && self.root.members.len() == 1
            && matches!(&self.helpers[..], [helper]
                if delegation.is_at(helper) && helper.name == delegation.helper)
    }

    fn add_helper(&self, registry: &Registry, literal: String) -> Edit {
        let style = self.style();
        let members = [(registry.key(), literal)];
        if let Some((_, helpers)) = self.cred_helpers.last() {
            return insert(self.text, helpers, &members, &style);
        }
        let indent = match self.root.members.first() {
            Some(first) if lead(self.text, &self.root).contains('\n') => {
                Some(line_indent(self.text, first.key.start))
            }
            _ => None,
        };
        let object = wrap(&members, &style, indent);
        // `null` is the only other value that the parser lets pass.
        let null = self.root.members.iter().find(|member| same_key(&member.name, "credHelpers"));
        match null {
            Some(member) => Edit::new(member.value.clone(), object),
            None => insert(self.text, &self.root, &[("credHelpers", object)], &style),
        }
    }
}
