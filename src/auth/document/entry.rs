//! A member of `auths`: what stands in it, how it is read, and what GitLab Runner makes of that.

use std::cell::OnceCell;
use std::ops::Range;

use super::Helper;
use super::json::{self, Member, Object};
use crate::auth::credential::{Credential, Tokens};
use crate::auth::expansion::{Expanded, Look, Value, holds_predefined, written};
use crate::auth::key::Key;
use crate::secret::{HIDDEN, Secret, tokens_in};
use crate::toml::letter_case::same_key;

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
    /// What the runner makes of it, once somebody has asked: an `auth` has to be decoded for it.
    stored: OnceCell<Stored>,
}

impl Entry {
    /// What the runner makes of it.
    pub fn stored(&self) -> &Stored {
        self.stored.get_or_init(|| self.read())
    }

    fn read(&self) -> Stored {
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
        let tokens = self.tokens();
        if tokens.into_iter().flatten().any(|field| field.unknown) {
            return None;
        }
        let [identity, registry] = tokens.map(|field| {
            let value = field.map(|field| field.value.clone());
            value.filter(|value| !value.expose().is_empty())
        });
        let tokens = Tokens { identity, registry };
        match self.stored() {
            Stored::Credential(credential) => Some(credential.clone().beside(tokens)),
            Stored::Empty if !tokens.is_empty() => Some(Credential::plain("", "").beside(tokens)),
            _ => None,
        }
    }

    /// The members with the identity token and the registry token.
    fn tokens(&self) -> [Option<&Field>; 2] {
        [self.identity_token.as_ref(), self.registry_token.as_ref()]
    }

    /// A member that holds or contradicts a credential.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
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
        if !auth && !credential.username().is_empty() {
            return false;
        }
        match self.stored() {
            // Nothing stands beside it: no copy is needed to compare.
            Stored::Credential(found) if self.tokens() == [None, None] => found == credential,
            _ => self.credential().as_ref() == Some(credential),
        }
    }

    /// The user as it may be shown, when it can be told.
    pub fn username(&self) -> Option<String> {
        match self.stored() {
            Stored::Credential(found) => {
                Some(self.written_user().unwrap_or(found.shown_user()).to_owned())
            }
            _ => None,
        }
    }

    /// The user for a command that a person may copy, also where only the password can't be told: `None`
    /// where the user is not shown as it is.
    pub fn typed_user(&self) -> Option<String> {
        let plain = self.username.as_ref().filter(|user| !user.unknown && user.written.is_none());
        let user = match self.stored() {
            Stored::Credential(found) => {
                self.written_user().is_none().then(|| found.username().to_owned())
            }
            _ => plain.map(|user| user.value.expose().to_owned()),
        };
        user.filter(|user| tokens_in(user).next().is_none())
    }

    /// How the user is written, where a variable brings in what could be a secret.
    fn written_user(&self) -> Option<&str> {
        let auth = self.auth.as_ref().is_some_and(|auth| !auth.value.expose().is_empty());
        self.username.as_ref().filter(|_| !auth)?.written.as_deref()
    }
}

/// Reads the parts of a document.
pub(super) struct Reader<'r> {
    pub text: &'r str,
    /// What the runner has filled into the text.
    pub values: &'r [Value],
    /// Fills in the variables that are left.
    pub fill: &'r dyn Fn(&str) -> Expanded<'_>,
}

impl Reader<'_> {
    pub fn entry(
        &self,
        auths: usize,
        number: usize,
        member: &Member,
        object: Option<Object>,
    ) -> Entry {
        let field = |name: &str| {
            let object = object.as_ref()?;
            // Of several the last counts; `null` leaves the one before it.
            let found = object.members.iter().enumerate().rfind(|(_, inner)| {
                same_key(inner.name(self.text), name) && &self.text[inner.value.clone()] != "null"
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
            stored: OnceCell::new(),
        }
    }

    pub fn key(&self, member: &Member) -> Key {
        let Expanded { text, values, .. } = (self.fill)(member.name(self.text));
        let hide = |look| look != Look::Registry;
        let own = written(&text, 0..text.len(), &values, hide);
        Key::new((*text).to_owned(), own.or_else(|| self.written(&member.key, hide)))
    }

    pub fn helper(
        &self,
        key: Option<Key>,
        member: &Member,
        object: usize,
        number: usize,
    ) -> Helper {
        let Field { value, written, .. } = self.field(number, &member.value);
        Helper { key, name: value.expose().to_owned(), written, object, member: number }
    }

    /// The string at `span`, expanded as text and then decoded, which is the runner's order.
    fn field(&self, member: usize, span: &Range<usize>) -> Field {
        let Expanded { text: raw, values, unknown } = (self.fill)(&self.text[span.clone()]);
        let hide = |look| look == Look::Secret;
        let own = written(&raw, 0..raw.len(), &values, hide);
        let own = own.map(|own| json::string(&own).unwrap_or_else(|| HIDDEN.to_owned()));
        Field {
            value: json::string(&raw).unwrap_or_default().into(),
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
