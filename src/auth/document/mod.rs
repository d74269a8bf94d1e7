//! The JSON in an auth entry: what GitLab Runner makes of it, and where each part stands.
//!
//! GitLab Runner reads it with Go's `encoding/json` into docker/cli's `ConfigFile`
//! (`cli/config/configfile/file.go`): member names match without regard to letter case, unknown
//! members and any text after the object are ignored, a known member of the wrong type drops the
//! document. Before that, `$NAME` is expanded in the text.

mod change;
mod content;
mod delegation;
mod index;
mod json;
mod members;
mod reading;
mod strings;
mod style;

use std::collections::HashSet;
use std::ops::Range;

use index::Index;

use crate::auth::credential::{Credential, Tokens};
use crate::auth::expansion::{Expanded, Look, Value, expand, holds_predefined, written};
use crate::auth::key::Key;
use crate::auth::runner_version::RunnerVersion;
use crate::secret::{HIDDEN, Secret};
use crate::toml::letter_case::same_key;

pub use change::Removal;
pub(crate) use content::Content;
pub(crate) use delegation::Delegation;
pub(crate) use json::{Member, Object};
pub(crate) use reading::{Reading, undecodable};
pub(crate) use strings::each_string;
pub(crate) use style::Style;

/// How many objects inside each other are looked into; Docker knows three.
const MOST_LEVELS: usize = 8;

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

/// A string in the document, after expansion.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// The value, with every `$NAME` that the runner sets replaced.
    pub value: Secret,
    /// The value with the names of variables in the place of those that look like secrets, where it
    /// holds such.
    pub written: Option<String>,
    /// Whether it holds a `$NAME` that only a job could set.
    pub unknown: bool,
    /// The number of the member in its object.
    pub member: usize,
}

/// What a member of `auths` holds.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Stored {
    /// A user and a password.
    Credential(Credential),
    /// A `$NAME` that only a job could set: nobody can tell here.
    Unknown,
    /// An `auth` that can't be decoded: the runner drops the whole document.
    Undecodable,
    /// Neither `auth` nor `username`: a path with an empty credential.
    Empty,
}

/// One member of `auths`.
#[derive(Clone)]
pub(crate) struct Entry {
    /// The key.
    pub key: Key,
    /// Which of the `auths` objects holds it (there is one, unless somebody wrote two).
    pub auths: usize,
    /// The number of the member in that object.
    pub member: usize,
    /// The object of the credential; `None` for `null`.
    pub object: Option<Object>,
    pub auth: Option<Field>,
    pub username: Option<Field>,
    pub password: Option<Field>,
    pub identity_token: Option<Field>,
    pub registry_token: Option<Field>,
}

impl Entry {
    /// What the runner makes of it.
    pub fn stored(&self) -> Stored {
        fn value(field: Option<&Field>) -> &str {
            field.map_or("", |field| field.value.expose())
        }
        let fields = [&self.auth, &self.username, &self.password];
        if fields.into_iter().flatten().any(|field| field.unknown) {
            return Stored::Unknown;
        }
        let auth = value(self.auth.as_ref());
        if holds_predefined(auth) {
            return Stored::Unknown;
        }
        if !auth.is_empty() {
            return Credential::decode(auth).map_or(Stored::Undecodable, Stored::Credential);
        }
        match (value(self.username.as_ref()), value(self.password.as_ref())) {
            ("", "") => Stored::Empty,
            (username, password) => Stored::Credential(Credential::plain(username, password)),
        }
    }

    /// The user and the password with the tokens beside them, or the tokens alone; `None` when
    /// there is nothing, or when it can't be told.
    pub fn credential(&self) -> Option<Credential> {
        let fields = [&self.identity_token, &self.registry_token];
        if fields.into_iter().flatten().any(|field| field.unknown) {
            return None;
        }
        let [identity, registry] = fields.map(|field| {
            let value = field.as_ref().map(|field| field.value.clone());
            value.filter(|value| !value.expose().is_empty())
        });
        let tokens = Tokens { identity, registry };
        match self.stored() {
            Stored::Credential(credential) => Some(credential.beside(tokens)),
            Stored::Empty if !tokens.is_empty() => Some(Credential::plain("", "").beside(tokens)),
            _ => None,
        }
    }

    /// A member that holds or contradicts a credential.
    fn field(&self, name: &str) -> Option<&Field> {
        match name {
            "auth" => self.auth.as_ref(),
            "identitytoken" => self.identity_token.as_ref(),
            "registrytoken" => self.registry_token.as_ref(),
            _ => None,
        }
    }

    /// Whether it holds exactly this credential, in the form that every version reads.
    pub fn holds(&self, credential: &Credential) -> bool {
        let auth = self.auth.as_ref().is_some_and(|auth| !auth.value.expose().is_empty());
        (auth || credential.username().is_empty()) && self.credential().as_ref() == Some(credential)
    }

    /// The user as it may be shown, when it can be told.
    pub fn username(&self) -> Option<String> {
        match self.stored() {
            Stored::Credential(found) => {
                Some(self.written_user().unwrap_or(found.username()).to_owned())
            }
            _ => None,
        }
    }

    /// The user for a command that a person may copy, also where only the password can't be told: `None`
    /// where the user is not shown as it is.
    pub fn typed_user(&self) -> Option<String> {
        let plain = self.username.as_ref().filter(|user| !user.unknown && user.written.is_none());
        match self.stored() {
            Stored::Credential(_) => self.username().filter(|_| self.written_user().is_none()),
            _ => plain.map(|user| user.value.expose().to_owned()),
        }
    }

    /// How the user is written, where a variable brings in what could be a secret.
    fn written_user(&self) -> Option<&str> {
        let auth = self.auth.as_ref().is_some_and(|auth| !auth.value.expose().is_empty());
        self.username.as_ref().filter(|_| !auth)?.written.as_deref()
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
        Self::build(text, &[], RunnerVersion::LATEST, &|piece: &str| expand(piece, &lookup))
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
        fill: &impl Fn(&str) -> Expanded,
    ) -> Result<Self, DocumentError> {
        let root = json::first_object(text)?;
        let reader = Reader { text, values, fill };
        let mut parsed = members::check(text, &root, version)?;
        let mut object_at = |span: &Range<usize>| match parsed.remove(&span.start) {
            Some(object) => Ok(Some(object)),
            None => json::object_at(text, span),
        };
        let (mut auths, mut cred_helpers) = (Vec::new(), Vec::new());
        let (mut entries, mut helpers) = (Vec::new(), Vec::<Helper>::new());
        for (number, member) in root.members.iter().enumerate() {
            let object = object_at(&member.value)?;
            if same_key(&member.name, "auths") {
                // Go makes an empty map of the one before.
                if object.is_none() {
                    entries.clear();
                }
                for (inner, member) in
                    object.iter().flat_map(|object| object.members.iter()).enumerate()
                {
                    let object = object_at(&member.value)?;
                    entries.push(reader.entry(auths.len(), inner, member, object));
                }
                auths.push((number, object));
            } else if same_key(&member.name, "credHelpers") {
                let Some(object) = object else {
                    helpers.retain(|helper| helper.key.is_none());
                    continue;
                };
                for (inner, member) in object.members.iter().enumerate() {
                    let key = Some(reader.key(member));
                    helpers.push(reader.helper(key, member, number, inner));
                }
                cred_helpers.push((number, object));
            } else if same_key(&member.name, "credsStore") && &text[member.value.clone()] != "null"
            {
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
            && self.root.members.iter().all(|member| same_key(&member.name, "auths"))
    }

    /// The members of the root that look like credentials: the `auths` around them is missing.
    pub fn unwrapped_credentials(&self) -> impl Iterator<Item = Unwrapped> {
        let members = if self.has_auths() { &[][..] } else { &self.root.members };
        members.iter().filter_map(|member| {
            let object = json::object_at(self.text, &member.value).ok()??;
            let fields = ["auth", "username", "password"];
            let credential = |name: &str| fields.iter().any(|field| same_key(name, field));
            if !object.members.iter().any(|inner| credential(&inner.name)) {
                return None;
            }
            let fill = |piece: &str| expand(piece, |_| None);
            let reader = Reader { text: self.text, values: self.values, fill: &fill };
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
        if let Some(member) = members.find(|member| !same_key(&member.name, "auths")) {
            return Some(member.key.clone());
        }
        let objects = self.entries.iter().filter_map(|entry| entry.object.as_ref());
        let mut members = objects.flat_map(|object| &object.members);
        if let Some(member) = members.find(|member| !same_key(&member.name, "auth")) {
            return Some(member.key.clone());
        }
        let rest = &self.text[self.end()..];
        let start = self.end() + (rest.len() - rest.trim_start().len());
        (start < self.text.len()).then_some(start..self.text.trim_end().len())
    }

    /// The string values of the document, with whether each names a helper, and the keys.
    pub fn strings(&self) -> Vec<DocumentString> {
        let mut strings = Vec::new();
        self.collect_strings(&self.root, false, MOST_LEVELS, &mut strings);
        strings
    }

    /// Below `levels` an object is one value.
    fn collect_strings(
        &self,
        object: &Object,
        helpers: bool,
        levels: usize,
        out: &mut Vec<DocumentString>,
    ) {
        for member in &object.members {
            out.push(DocumentString { span: member.key.clone(), kind: StringKind::Name });
            if levels > 0
                && let Ok(Some(inner)) = json::object_at(self.text, &member.value)
            {
                let helpers = same_key(&member.name, "credHelpers");
                self.collect_strings(&inner, helpers, levels - 1, out);
            } else {
                let kind = strings::kind(&member.name, helpers);
                out.push(DocumentString { span: member.value.clone(), kind });
            }
        }
    }
}

/// A credential that stands outside `auths`, where it does nothing.
pub(crate) struct Unwrapped {
    /// Where its key stands.
    pub place: Range<usize>,
    /// The credential.
    pub entry: Entry,
}

/// A piece of a document for the redaction.
pub(crate) struct DocumentString {
    pub span: Range<usize>,
    pub kind: StringKind,
}

impl DocumentString {
    /// The string without its quotes and escapes; `None` when it is another value.
    pub fn decoded(&self, document: &str) -> Option<Secret> {
        json::string(&document[self.span.clone()]).map(Secret::new)
    }
}

/// What a piece of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StringKind {
    /// The name of a member, such as a registry.
    Name,
    /// The name of a credential helper.
    Helper,
    /// A user's name or address.
    User,
    /// Any other value.
    Value,
}

/// Reads the parts of a document.
struct Reader<'r, F> {
    text: &'r str,
    /// What the runner has filled into the text.
    values: &'r [Value],
    /// Fills in the variables that are left.
    fill: &'r F,
}

impl<F: Fn(&str) -> Expanded> Reader<'_, F> {
    fn entry(&self, auths: usize, number: usize, member: &Member, object: Option<Object>) -> Entry {
        let field = |name: &str| {
            let object = object.as_ref()?;
            // Of several the last counts; `null` leaves the one before it.
            let found = object.members.iter().enumerate().rfind(|(_, inner)| {
                same_key(&inner.name, name) && &self.text[inner.value.clone()] != "null"
            });
            let (member, inner) = found?;
            Some(self.field(member, &inner.value))
        };
        Entry {
            key: self.key(member),
            auths,
            member: number,
            auth: field("auth"),
            username: field("username"),
            password: field("password"),
            identity_token: field("identitytoken"),
            registry_token: field("registrytoken"),
            object,
        }
    }

    fn key(&self, member: &Member) -> Key {
        let Expanded { text, values, .. } = (self.fill)(&member.name);
        let hide = |look| look != Look::Registry;
        let own = written(text.expose(), 0..text.expose().len(), &values, hide);
        Key::new(text.expose().to_owned(), own.or_else(|| self.written(&member.key, hide)))
    }

    fn helper(&self, key: Option<Key>, member: &Member, object: usize, number: usize) -> Helper {
        let Field { value, written, .. } = self.field(number, &member.value);
        Helper { key, name: value.expose().to_owned(), written, object, member: number }
    }

    /// The string at `span`, expanded as text and then decoded, which is the runner's order.
    fn field(&self, member: usize, span: &Range<usize>) -> Field {
        let Expanded { text: raw, values, unknown } = (self.fill)(&self.text[span.clone()]);
        let hide = |look| look == Look::Secret;
        let own = written(raw.expose(), 0..raw.expose().len(), &values, hide);
        let own = own.map(|own| json::string(&own).unwrap_or_else(|| HIDDEN.to_owned()));
        Field {
            value: json::string(raw.expose()).unwrap_or_default().into(),
            written: own.or_else(|| self.written(span, hide)),
            unknown: !unknown.is_empty(),
            member,
        }
    }

    /// A string with the names of variables in the place of what the runner has filled in.
    fn written(&self, string: &Range<usize>, hide: impl Fn(Look) -> bool) -> Option<String> {
        if self.values.is_empty() || string.len() < 2 {
            return None;
        }
        let inside = string.start + 1..string.end - 1;
        let inside = written(self.text, inside, self.values, hide)?;
        Some(json::string(&format!("\"{inside}\"")).unwrap_or_else(|| HIDDEN.to_owned()))
    }
}
