//! Changes to a document, as edits of its text: only what changes changes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::json::Object;
use super::style::{Style, indent, lead, separator, text_literal};
use super::{AuthDocument, Content, Entry, Helper};
use crate::auth::credential::Credential;
use crate::auth::credential_change::{Action, CredentialChange};
use crate::auth::registry::{DOCKER_HUB, Registry, key_path, path_of};
use crate::secret::Secret;
use crate::toml::edit::{self, Edit};
use crate::toml::letter_case::same_key;
use crate::toml::lines::line_start;

/// The members of a credential that hold or contradict `auth`: they go when a new `auth` comes.
const SUPERSEDED: &[&str] = &["auth", "username", "password", "identitytoken", "registrytoken"];

/// What is to be taken out of a document.
///
/// ```
/// use runner_auth::{Registry, Removal, Request};
///
/// assert!(Removal::default().is_empty());
/// let removal = Removal { registries: vec![Registry::named("r.io")], ..Removal::default() };
/// assert!(!removal.is_empty());
/// let request = Request::Remove(removal);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Removal {
    /// Registries, from `auths` and from `credHelpers`.
    pub registries: Vec<Registry>,
    /// Credential helpers, without `docker-credential-`, from each registry that is left to them.
    pub helpers: Vec<String>,
    /// The `credsStore`.
    pub store: bool,
}

impl Removal {
    /// Whether nothing is to be taken out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.registries.is_empty() && self.helpers.is_empty() && !self.store
    }
}

impl AuthDocument<'_> {
    /// A new document with these credentials, on one line.
    pub fn write_new(logins: &[(Registry, Credential)]) -> Secret {
        Content::of_logins(logins).write(&Style::default())
    }

    /// The edits that store these credentials. A registry that is already there, in whatever
    /// spelling, is updated where it stands: a second key for one path would lose or win by chance.
    /// A spelling that some versions don't find gives way to one that each of them does.
    pub fn set(&self, logins: &[(Registry, Credential)]) -> (Vec<Edit>, Vec<CredentialChange>) {
        let mut edits = Vec::new();
        let mut changes = Vec::new();
        let mut added = Vec::new();
        let style = self.style();
        for (registry, login) in logins {
            let mut found = self.at_path(registry.path());
            if found.is_empty() && registry.path() == DOCKER_HUB {
                let mut entries = self.entries.iter();
                found.extend(entries.find(|entry| registry.is_dead_hub_key(entry.key.as_str())));
            }
            if found.is_empty() {
                added.push((registry, login));
            }
            let known = found.iter().any(|entry| registry.keeps(entry.key.as_str()));
            for (number, entry) in found.into_iter().enumerate() {
                let before = edits.len();
                let renamed = number == 0 && !known;
                if renamed {
                    edits.push(Edit::new(self.key_place(entry), text_literal(registry.key())));
                }
                self.update(entry, login, style, &mut edits);
                changes.push(CredentialChange {
                    registry: if renamed {
                        registry.key().to_owned()
                    } else {
                        entry.key.shown().into_owned()
                    },
                    action: if edits.len() == before { Action::Unchanged } else { Action::Updated },
                    username: login.named_user(),
                });
            }
        }
        changes.extend(added.iter().map(|(registry, login)| CredentialChange {
            registry: registry.key().to_owned(),
            action: Action::Added,
            username: login.named_user(),
        }));
        if !added.is_empty() {
            edits.push(self.add(&added));
        }
        edit::sort(&mut edits);
        (edits, changes)
    }

    /// The edits that take credentials and helpers out.
    pub fn remove(&self, removal: &Removal) -> (Vec<Edit>, Vec<CredentialChange>) {
        let names = self
            .entries
            .iter()
            .map(|entry| entry.key.as_str())
            .chain(self.helpers.iter().filter_map(|helper| helper.key_text()));
        let meant = self.meant(&removal.registries);
        let keys: HashSet<&str> = names.filter(|key| meant.contains(&*path_of(key))).collect();
        let mut changes = Vec::new();
        let mut edits = Vec::new();
        for (number, (_, object)) in self.auths.iter().enumerate() {
            let gone = |entry: &&Entry| keys.contains(entry.key.as_str());
            let entries: Vec<_> = self.entries_of(number).iter().filter(gone).collect();
            let members: Vec<_> = entries.iter().map(|entry| entry.member).collect();
            if let Some(object) = object {
                edits.extend(remove_members(object, &members));
            }
            changes.extend(entries.iter().map(|entry| CredentialChange {
                registry: entry.key.shown().into_owned(),
                action: Action::Removed,
                username: entry.username(),
            }));
        }
        let removed = |registry: &str| CredentialChange {
            registry: registry.to_owned(),
            action: Action::Removed,
            username: None,
        };
        let asks_it = |helper: &Helper| removal.helpers.contains(&helper.name);
        let mut root_members = Vec::new();
        for (number, object) in &self.cred_helpers {
            let first = self.helpers.partition_point(|helper| helper.object < *number);
            let last = self.helpers.partition_point(|helper| helper.object <= *number);
            let gone: Vec<_> = self.helpers[first..last]
                .iter()
                .filter_map(|helper| Some((helper, helper.key.as_ref()?)))
                .filter(|(helper, key)| keys.contains(key.as_str()) || asks_it(helper))
                .collect();
            let members: Vec<_> = gone.iter().map(|(helper, _)| helper.member).collect();
            if !members.is_empty() && members.len() == object.members.len() {
                root_members.push(*number);
            } else {
                edits.extend(remove_members(object, &members));
            }
            changes.extend(gone.iter().map(|(_, key)| removed(&key.shown())));
        }
        let stores = self.helpers.iter().filter(|helper| helper.key.is_none());
        let stores: Vec<_> = stores.filter(|store| removal.store || asks_it(store)).collect();
        root_members.extend(stores.iter().map(|store| store.member));
        edits.extend(remove_members(&self.root, &root_members));
        changes.extend(stores.iter().map(|_| removed("*")));
        edit::sort(&mut edits);
        (edits, changes)
    }

    /// The edits that take one member of `auths` out, and no other with its key.
    pub fn without(&self, entry: &Entry) -> Vec<Edit> {
        let object = self.auths.get(entry.auths).and_then(|(_, object)| object.as_ref());
        object.map(|object| remove_members(object, &[entry.member])).unwrap_or_default()
    }

    /// Whether the document holds exactly these credentials and nothing else.
    pub fn is_exactly(&self, logins: &[(Registry, Credential)]) -> bool {
        let entries: HashMap<_, _> =
            self.entries.iter().map(|entry| (entry.key.as_str(), entry)).collect();
        self.entries.len() == logins.len()
            && self.helpers.is_empty()
            && self.root.members.len() == 1
            && logins.iter().all(|(registry, login)| {
                entries.get(registry.key()).is_some_and(|entry| {
                    let members = entry.object.as_ref().map(|object| object.members.len());
                    members == Some(login.members().len()) && entry.holds(login)
                })
            })
    }

    /// The members of one of the `auths` objects.
    pub(super) fn entries_of(&self, auths: usize) -> &[Entry] {
        let first = self.entries.partition_point(|entry| entry.auths < auths);
        let last = self.entries.partition_point(|entry| entry.auths <= auths);
        &self.entries[first..last]
    }

    /// The paths that a person meant by these registries. The exact spelling of a key means that key
    /// and not Docker Hub's other names.
    fn meant(&self, registries: &[Registry]) -> HashSet<String> {
        let auths = self.entries.iter().map(|entry| entry.key.as_str());
        let helpers = self.helpers.iter().filter_map(|helper| helper.key_text());
        let keys: HashSet<&str> = auths.chain(helpers).collect();
        let path = |registry: &Registry| {
            let exact = keys.contains(registry.typed());
            if exact { key_path(registry.typed()) } else { registry.path().to_owned() }
        };
        registries.iter().map(path).collect()
    }

    fn update(&self, entry: &Entry, login: &Credential, style: &Style, edits: &mut Vec<Edit>) {
        if entry.holds(login) {
            return;
        }
        let Some(object) = &entry.object else {
            if let Some(auths) = &self.auths[entry.auths].1 {
                let place = auths.members[entry.member].value.clone();
                edits.push(Edit::new(place, value(login, style, None)));
            }
            return;
        };
        let numbered = object.members.iter().enumerate();
        let mut free: Vec<usize> = numbered
            .filter(|(_, member)| {
                SUPERSEDED.iter().any(|name| same_key(name, member.name(self.text)))
            })
            .map(|(number, _)| number)
            .collect();
        let mut homeless = Vec::new();
        for (name, literal) in members(login) {
            let Some(slot) = entry.field(name).map(|field| field.member) else {
                homeless.push((name, literal));
                continue;
            };
            free.retain(|&number| number != slot);
            let place = object.members[slot].value.clone();
            if self.text[place.clone()] != *literal.expose() {
                edits.push(Edit::new(place, literal));
            }
        }
        // A new member takes the place of one that goes, and stands at the end when none does.
        let reused = free.len().min(homeless.len());
        for (number, (name, literal)) in free.drain(..reused).zip(homeless.drain(..reused)) {
            let member = &object.members[number];
            let text = Secret::concat(&["\"", name, "\"", &style.colon, literal.expose()]);
            edits.push(Edit::new(member.key.start..member.value.end, text));
        }
        if !homeless.is_empty() {
            edits.push(insert(self.text, object, &homeless, style));
        }
        edits.extend(remove_members(object, &free));
    }

    fn add(&self, logins: &[(&Registry, &Credential)]) -> Edit {
        let style = self.style();
        let text = self.text;
        let auths = self.auths.iter().rev().find_map(|(_, object)| object.as_ref());
        // A credential looks like its neighbour, down to the indent of its members.
        let sibling = auths.and_then(|auths| {
            let last = self.entries.iter().rev().find(|entry| {
                auths.members.get(entry.member).is_some_and(|member| {
                    entry.object.as_ref().is_some_and(|object| object.span == member.value)
                })
            });
            last?.object.as_ref().filter(|object| !object.members.is_empty())
        });
        let render = |indent: Option<&str>| -> Vec<(&str, Secret)> {
            logins
                .iter()
                .map(|(registry, login)| {
                    let value = match sibling {
                        Some(sibling) => like(text, sibling, login, style),
                        None => value(login, style, indent),
                    };
                    (registry.key(), value)
                })
                .collect()
        };
        let deeper = |indent: &str| {
            let unit = style.lines.as_ref().map_or("", |(_, unit)| unit.as_str());
            format!("{indent}{unit}")
        };
        if let Some(auths) = auths {
            let members = match (&style.lines, auths.members.first()) {
                (Some(_), None) => render(Some(&deeper(line_indent(text, auths.span.start)))),
                (Some(_), Some(first)) if lead(text, auths).contains('\n') => {
                    render(Some(line_indent(text, first.key.start)))
                }
                _ => render(None),
            };
            return insert(text, auths, &members, style);
        }
        let outer = match self.root.members.first() {
            Some(first) if lead(text, &self.root).contains('\n') => {
                Some(line_indent(text, first.key.start).to_owned())
            }
            _ => None,
        };
        let members = render(outer.as_deref().map(deeper).as_deref());
        let object = wrap(&members, style, outer.as_deref());
        match self.auths.last() {
            Some((null, _)) => Edit::new(self.root.members[*null].value.clone(), object),
            None => insert(text, &self.root, &[("auths", object)], style),
        }
    }
}

/// The indent of the line on which `offset` lies.
pub(super) fn line_indent(text: &str, offset: usize) -> &str {
    indent(&text[line_start(text, offset)..offset])
}

/// The members of a credential, with their values as JSON.
fn members(login: &Credential) -> Vec<(&'static str, Secret)> {
    let literal = |(name, value): (_, Secret)| (name, text_literal(value.expose()));
    login.members().into_iter().map(literal).collect()
}

/// The value of a new credential.
pub(super) fn value(login: &Credential, style: &Style, indent: Option<&str>) -> Secret {
    wrap(&members(login), style, indent)
}

/// The value of a new credential, laid out like another one.
fn like(text: &str, sibling: &Object, login: &Credential, style: &Style) -> Secret {
    let colon = sibling.members.first().map_or(": ", |m| &text[m.key.end..m.value.start]);
    let (lead, tail) = (lead(text, sibling), super::style::tail(text, sibling));
    let between = if lead.contains('\n') {
        Cow::Owned(format!(",{lead}"))
    } else {
        Cow::Borrowed(style.item.as_str())
    };
    listed(&["{", lead], &members(login), colon, &between, &[tail, "}"])
}

/// An object of these members; with an indent (that of the line it starts on) each has a line.
pub(super) fn wrap(members: &[(&str, Secret)], style: &Style, indent: Option<&str>) -> Secret {
    match (&style.lines, indent) {
        (Some((newline, unit)), Some(indent)) if !members.is_empty() => {
            let between = format!(",{newline}{indent}{unit}");
            let open = ["{", newline, indent, unit];
            listed(&open, members, &style.colon, &between, &[newline, indent, "}"])
        }
        _ => listed(&["{"], members, &style.colon, &style.item, &["}"]),
    }
}

/// Members with a text between each two of them, and what stands around them.
fn listed(
    before: &[&str],
    members: &[(&str, Secret)],
    colon: &str,
    between: &str,
    behind: &[&str],
) -> Secret {
    let names: Vec<_> = members.iter().map(|(name, _)| text_literal(name)).collect();
    let mut parts = Vec::with_capacity(before.len() + 4 * members.len() + behind.len());
    parts.extend_from_slice(before);
    for (number, ((_, value), name)) in members.iter().zip(&names).enumerate() {
        parts.extend((number > 0).then_some(between));
        parts.extend([name.expose(), colon, value.expose()]);
    }
    parts.extend_from_slice(behind);
    Secret::concat(&parts)
}

/// Adds members behind the last one of an object.
pub(super) fn insert(
    text: &str,
    object: &Object,
    members: &[(&str, Secret)],
    style: &Style,
) -> Edit {
    let Some(last) = object.members.last() else {
        let inner = object.span.start + 1..object.span.end - 1;
        let base = line_indent(text, object.span.start);
        let lines = style.lines.is_some() && text[..object.span.start].contains('\n');
        let whole = wrap(members, style, lines.then_some(base));
        let pad = &text[inner.clone()];
        let whole = whole.expose();
        let body = &whole[1..whole.len() - 1];
        if lines || pad.contains('\n') || pad.is_empty() {
            return Edit::new(inner, body);
        }
        return Edit::new(inner, Secret::concat(&[pad, body, pad]));
    };
    let between = match separator(text, object) {
        Some(separator) => Cow::Borrowed(separator),
        None if lead(text, object).contains('\n') => format!(",{}", lead(text, object)).into(),
        None => Cow::Borrowed(style.item.as_str()),
    };
    Edit::insert(last.value.end, listed(&[&between], members, &style.colon, &between, &[]))
}

/// Takes members out, each with one comma.
pub(super) fn remove_members(object: &Object, gone: &[usize]) -> Vec<Edit> {
    let members = &object.members;
    if gone.is_empty() {
        return Vec::new();
    }
    let gone: HashSet<usize> = gone.iter().copied().collect();
    let Some(last_kept) = (0..members.len()).rfind(|number| !gone.contains(number)) else {
        return vec![Edit::remove(object.span.start + 1..object.span.end - 1)];
    };
    let mut spans: Vec<Range<usize>> = (0..last_kept)
        .filter(|number| gone.contains(number))
        .map(|number| members[number].key.start..members[number + 1].key.start)
        .collect();
    if let Some(last) = members.last().filter(|_| last_kept + 1 < members.len()) {
        spans.push(members[last_kept].value.end..last.value.end);
    }
    spans.into_iter().map(Edit::remove).collect()
}
