//! The JSON in an auth entry: what GitLab Runner makes of it, and where each part stands.
//!
//! GitLab Runner reads it with Go's `encoding/json` into docker/cli's `ConfigFile`
//! (`cli/config/configfile/file.go`): member names match without regard to letter case, unknown
//! members and any text after the object are ignored, a known member of the wrong type drops the
//! document. Before that, `$NAME` is expanded in the text.

mod change;
mod content;
mod delegation;
mod entry;
mod index;
mod json;
mod members;
mod reading;
mod strings;
mod style;
mod walk;

use std::collections::HashSet;
use std::ops::Range;

use entry::Reader;
use index::Index;

use crate::auth::expansion::{Expanded, Value, expand};
use crate::auth::key::Key;
use crate::auth::runner_version::RunnerVersion;
use crate::secret::Secret;
use crate::toml::letter_case::same_key;

pub use change::Removal;
pub(crate) use content::Content;
pub(crate) use delegation::Delegation;
pub(crate) use entry::{Entry, Field, Stored};
pub(crate) use json::{Member, Object};
pub(crate) use reading::{Reading, undecodable};
pub(crate) use strings::{StringKind, each_string, strings};
pub(crate) use style::Style;

/// So many members of `auths` are compared one by one; for more there is an index.
const FEW: usize = 4;

/// Why GitLab Runner drops a document, and at which byte of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DocumentError {
    pub offset: usize,
    pub problem: String,
}

impl DocumentError {
    fn new(offset: usize, problem: impl Into<String>) -> Self {
        Self { offset, problem: problem.into() }
    }
}

/// A credential helper that the document names: a member of `credHelpers`, or `credsStore`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Helper {
    /// The key in `credHelpers`; `None` for `credsStore`, which answers for every registry.
    pub key: Option<Key>,
    /// The name, without `docker-credential-`.
    pub name: String,
    /// The name as it is written, where a variable brings in what could be a secret.
    written: Option<String>,
    /// The object that holds it: the number of the member `credHelpers` in the root.
    pub object: usize,
    /// The number of the member in that object, or of `credsStore` in the root.
    pub member: usize,
}

/// An auth document, parsed with the place of each part.
pub(crate) struct AuthDocument<'t> {
    text: &'t str,
    /// What the runner has filled into the text.
    values: &'t [Value],
    root: Object,
    /// The members of the root that are `auths`, with their objects; `None` for `null`.
    auths: Vec<(usize, Option<Object>)>,
    /// The members of the root that are `credHelpers`.
    cred_helpers: Vec<(usize, Object)>,
    entries: Vec<Entry>,
    helpers: Vec<Helper>,
    index: Index,
}

impl<'t> AuthDocument<'t> {
    /// Parses a document as it stands, before expansion; `lookup` gives the variables that the
    /// runner sets.
    pub fn parse(
        text: &'t str,
        lookup: impl Fn(&str) -> Option<Secret>,
    ) -> Result<Self, DocumentError> {
        Self::build(text, &[], RunnerVersion::LATEST, &|piece| expand(piece, &lookup))
    }

    /// Parses a document in which a `$` is a `$`: a file of Docker's.
    pub fn parse_literal(text: &'t str) -> Result<Self, DocumentError> {
        Self::parse_filled(text, &[], RunnerVersion::LATEST)
    }

    /// Parses a text that the runner has filled these values into, as a given version of GitLab Runner
    /// does it, which knows other members.
    pub fn parse_filled(
        text: &'t str,
        values: &'t [Value],
        version: RunnerVersion,
    ) -> Result<Self, DocumentError> {
        Self::build(text, values, version, &Expanded::literal)
    }

    fn build(
        text: &'t str,
        values: &'t [Value],
        version: RunnerVersion,
        fill: &dyn Fn(&str) -> Expanded<'_>,
    ) -> Result<Self, DocumentError> {
        let root = json::first_object(text)?;
        let reader = Reader { text, values, fill };
        let mut parsed = members::check(text, &root, version)?;
        let mut object_at =
            |span: &Range<usize>| parsed.take(span.start).or_else(|| json::object_at(text, span));
        let (mut auths, mut cred_helpers) = (Vec::new(), Vec::new());
        let (mut entries, mut helpers) = (Vec::new(), Vec::<Helper>::new());
        for (number, member) in root.members.iter().enumerate() {
            let (name, object) = (member.name(text), object_at(&member.value));
            if same_key(name, "auths") {
                // Go makes an empty map of the one before.
                if object.is_none() {
                    entries.clear();
                }
                let members = object.as_ref().map_or(&[][..], |object| &object.members);
                if entries.is_empty() {
                    // Mostly the only one, which needs no room beside.
                    entries.reserve_exact(members.len());
                }
                for (inner, member) in members.iter().enumerate() {
                    let object = object_at(&member.value);
                    entries.push(reader.entry(auths.len(), inner, member, object));
                }
                auths.push((number, object));
            } else if same_key(name, "credHelpers") {
                let Some(object) = object else {
                    helpers.retain(|helper| helper.key.is_none());
                    continue;
                };
                for (inner, member) in object.members.iter().enumerate() {
                    let key = Some(reader.key(member));
                    helpers.push(reader.helper(key, member, number, inner));
                }
                cred_helpers.push((number, object));
            } else if same_key(name, "credsStore") && &text[member.value.clone()] != "null" {
                helpers.push(reader.helper(None, member, number, number));
            }
        }
        let index = Index::default();
        Ok(Self { text, values, root, auths, cred_helpers, entries, helpers, index })
    }

    /// The text that was parsed.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The members of the document itself, such as `auths`.
    pub fn root_members(&self) -> &[Member] {
        &self.root.members
    }

    /// The bytes from the document's first brace to behind its last one.
    pub fn root_span(&self) -> Range<usize> {
        self.root.span.clone()
    }

    /// Where the object ends; what follows is ignored.
    pub fn end(&self) -> usize {
        self.root.span.end
    }

    /// The members of `auths`.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The members of `auths` that count: of those with the same key the last.
    pub fn effective(&self) -> Vec<&Entry> {
        if self.entries.len() <= FEW {
            let later = |number| self.entries[number + 1..].iter();
            let counts =
                |(number, entry): &(usize, &Entry)| later(*number).all(|it| it.key != entry.key);
            return self
                .entries
                .iter()
                .enumerate()
                .filter(counts)
                .map(|(_, entry)| entry)
                .collect();
        }
        let mut keys = HashSet::new();
        let last = self.entries.iter().rev().filter(|entry| keys.insert(entry.key.as_str()));
        let mut effective: Vec<_> = last.collect();
        effective.reverse();
        effective
    }

    /// The helpers that the document names.
    pub fn helpers(&self) -> &[Helper] {
        &self.helpers
    }

    /// Of the helpers for one key the last, which counts.
    pub fn last_helpers(&self) -> Vec<&Helper> {
        let mut keys = HashSet::new();
        let last = self.helpers.iter().rev().filter(|helper| keys.insert(helper.key_text()));
        let mut last: Vec<_> = last.collect();
        last.reverse();
        last
    }

    /// The helpers that the runner asks: the last of each key, and no `credsStore` without a name.
    pub fn effective_helpers(&self) -> Vec<&Helper> {
        let mut effective = self.last_helpers();
        effective.retain(|helper| !helper.is_no_store());
        effective
    }

    /// Where the key of a helper stands, or the word `credsStore`.
    pub fn helper_key_place(&self, helper: &Helper) -> Range<usize> {
        self.helper_member(helper).key.clone()
    }

    /// Where the name of a helper stands.
    pub fn helper_place(&self, helper: &Helper) -> Range<usize> {
        self.helper_member(helper).value.clone()
    }

    fn helper_member(&self, helper: &Helper) -> &Member {
        let object = self.cred_helpers.binary_search_by_key(&helper.object, |(number, _)| *number);
        let object = object.map_or(&self.root, |place| &self.cred_helpers[place].1);
        &object.members[helper.member]
    }

    /// Where the key of a member of `auths` stands.
    pub fn key_place(&self, entry: &Entry) -> Range<usize> {
        match &self.auths[entry.auths].1 {
            Some(object) => object.members[entry.member].key.clone(),
            None => self.root.span.clone(),
        }
    }

    /// The `auths` that empties another one before it.
    pub fn emptied_auths(&self) -> Option<Range<usize>> {
        let mut objects = self.auths.iter().skip_while(|(_, object)| object.is_none());
        let (null, _) = objects.find(|(_, object)| object.is_none())?;
        Some(self.root.members[*null].key.clone())
    }

    /// Whether there is an `auths` object.
    pub fn has_auths(&self) -> bool {
        self.auths.iter().any(|(_, object)| object.is_some())
    }

    /// Whether the document says nothing at all: no credentials, no helpers, no other members.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.root.members.iter().all(|member| same_key(member.name(self.text), "auths"))
    }

    /// The members of the root that look like credentials: the `auths` around them is missing.
    pub fn unwrapped_credentials(&self) -> impl Iterator<Item = Unwrapped> {
        let members = if self.has_auths() { &[][..] } else { &self.root.members };
        members.iter().filter_map(|member| {
            let object = json::object_at(self.text, &member.value)?;
            let fields = ["auth", "username", "password"];
            let credential = |name: &str| fields.iter().any(|field| same_key(name, field));
            if !object.members.iter().any(|inner| credential(inner.name(self.text))) {
                return None;
            }
            let fill: &dyn Fn(&str) -> Expanded<'_> = &|piece| expand(piece, |_| None);
            let reader = Reader { text: self.text, values: self.values, fill };
            let entry = reader.entry(0, 0, member, Some(object));
            Some(Unwrapped { place: member.key.clone(), entry })
        })
    }

    /// Whether another document has the same keys and helpers.
    pub fn agrees_with(&self, other: &AuthDocument<'_>) -> bool {
        let keys = |document: &'_ AuthDocument<'_>| -> Vec<Key> {
            document.entries.iter().map(|entry| entry.key.clone()).collect()
        };
        let helpers = |document: &'_ AuthDocument<'_>| -> Vec<_> {
            let named = document.helpers.iter();
            named
                .map(|found| (found.key.clone(), found.name.clone(), found.object, found.member))
                .collect()
        };
        keys(self) == keys(other) && helpers(self) == helpers(other)
    }

    /// The first member that is neither `auths` nor an `auth` in it, or what stands behind the
    /// object: the Docker client takes nothing else from a variable.
    pub fn first_other_member(&self) -> Option<Range<usize>> {
        let mut members = self.root.members.iter();
        if let Some(member) = members.find(|member| !same_key(member.name(self.text), "auths")) {
            return Some(member.key.clone());
        }
        let objects = self.entries.iter().filter_map(|entry| entry.object.as_ref());
        let mut members = objects.flat_map(|object| &object.members);
        if let Some(member) = members.find(|member| !same_key(member.name(self.text), "auth")) {
            return Some(member.key.clone());
        }
        let rest = &self.text[self.end()..];
        let start = self.end() + (rest.len() - rest.trim_start().len());
        (start < self.text.len()).then_some(start..self.text.trim_end().len())
    }
}

/// A credential that stands outside `auths`, where it does nothing.
pub(crate) struct Unwrapped {
    /// Where its key stands.
    pub place: Range<usize>,
    /// The credential.
    pub entry: Entry,
}
