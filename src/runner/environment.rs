//! A runner's `environment`: the array of `NAME=value` strings that every job gets.

use std::borrow::Cow;
use std::ops::Range;

use crate::auth::expansion::{Expanded, expand, is_predefined};
use crate::error::Error;
use crate::runner::table::sections;
use crate::runner::{Config, Runner};
use crate::toml::bracketed::List;
use crate::toml::edit::Edit;
use crate::toml::letter_case::same_key;
use crate::toml::quoting::Quoted;
use crate::toml::syntax::{NodeId, NodeKind, Syntax};
use crate::toml::table::NewPair;

/// The variable that holds the auth document.
pub(crate) const VARIABLE: &str = "DOCKER_AUTH_CONFIG";

/// The entries of one runner.
pub(crate) struct Environment<'s, 't> {
    syntax: &'s Syntax<'t>,
    array: NodeId,
    elements: Vec<NodeId>,
}

/// A `DOCKER_AUTH_CONFIG=…` string.
pub(crate) struct AuthEntry {
    /// Its number in the array.
    pub number: usize,
    quoted: Quoted,
}

impl<'s, 't> Environment<'s, 't> {
    /// The `environment` of a runner; `None` when it has none.
    ///
    /// GitLab Runner refuses a file whose `environment` is no array of strings, and takes one at
    /// random where there are two spellings: both are errors.
    pub fn of(config: &'s Config<'t>, runner: &Runner<'t>) -> Result<Option<Self>, Error> {
        let syntax = config.syntax();
        let text = config.text();
        let path = || text.label().to_owned();
        let start = |id: NodeId| syntax.node(id).span().start;
        let mut found: Option<NodeId> = None;
        let mut dotted = None;
        for pair in syntax.siblings(runner.place().pairs.clone()) {
            let Some(key) = syntax.keys(pair).next() else {
                continue;
            };
            if !same_key(&key, "environment") {
                continue;
            }
            if let Some(first) = found {
                return Err(Error::KeyTwice {
                    path: path(),
                    key: syntax.keys(first).next().unwrap_or_default().into_owned(),
                    first: text.place(start(first)),
                    second: text.place(start(pair)),
                });
            }
            found = Some(pair);
            dotted = syntax.simple_key(pair).is_none().then_some(pair);
        }
        let table = sections(config, runner).find(|(header, _)| {
            syntax.keys(*header).nth(1).is_some_and(|key| same_key(&key, "environment"))
        });
        if let Some((header, _)) = table {
            return Err(Error::InvalidEnvironment {
                path: path(),
                place: text.place(start(header)),
                runner: runner.title(),
            });
        }
        let Some(pair) = found else { return Ok(None) };
        let invalid = |id: NodeId| Error::InvalidEnvironment {
            path: path(),
            place: text.place(start(id)),
            runner: runner.title(),
        };
        let array = syntax.value(pair);
        if dotted.is_some() || syntax.node(array).kind != NodeKind::Array {
            return Err(invalid(array));
        }
        let elements: Vec<_> = syntax.children(array).collect();
        match elements.iter().find(|&&element| !syntax.is_string(element)) {
            Some(&element) => Err(invalid(element)),
            None => Ok(Some(Self { syntax, array, elements })),
        }
    }

    /// The entries, decoded.
    pub fn values(&self) -> impl Iterator<Item = Cow<'t, str>> + '_ {
        self.elements.iter().map(|&element| self.syntax.string(element))
    }

    /// The value of a variable; of several the last counts. One that GitLab sets for each job stands
    /// for itself: nobody knows its value here.
    pub fn variable(&self, name: &str) -> Option<String> {
        let own = self.own_variable(name);
        own.or_else(|| is_predefined(name).then(|| format!("${{{name}}}")))
    }

    fn own_variable(&self, name: &str) -> Option<String> {
        self.values()
            .filter_map(|entry| {
                let (found, value) = entry.split_once('=')?;
                (found == name).then(|| value.to_owned())
            })
            .last()
    }

    /// The auth entries in the order of the file; the last one counts.
    pub fn auth_entries(&self) -> Vec<AuthEntry> {
        let numbered = self.values().enumerate();
        numbered
            .filter(|(_, entry)| is_auth_entry(entry))
            .filter_map(|(number, _)| self.auth_entry(number))
            .collect()
    }

    /// The document of an auth entry as the runner reads it, with the other variables filled in.
    pub fn expanded(&self, entry: &AuthEntry) -> Expanded {
        expand(entry.document(), |name| self.variable(name))
    }

    fn auth_entry(&self, number: usize) -> Option<AuthEntry> {
        let element = self.elements[number];
        let span = self.span(number);
        let encoding = self.syntax.encoding(element)?;
        let raw = &self.syntax.text()[span.clone()];
        Some(AuthEntry { number, quoted: Quoted::decode(raw, encoding.into(), span.start) })
    }

    /// Where an entry stands, with its quotes.
    pub fn span(&self, number: usize) -> Range<usize> {
        self.syntax.node(self.elements[number]).span()
    }

    /// Adds an entry at the end.
    pub fn append(&self, entry: &str) -> Vec<Edit> {
        self.list().append(&[entry.to_owned()])
    }

    /// Takes entries out.
    pub fn remove(&self, numbers: &[usize]) -> Vec<Edit> {
        self.list().remove(numbers)
    }

    fn list(&self) -> List<'t> {
        let items = (0..self.elements.len()).map(|number| self.span(number)).collect();
        List::new(self.syntax.text(), self.syntax.node(self.array).span(), items)
    }
}

impl AuthEntry {
    /// The auth document as it stands, before expansion.
    pub fn document(&self) -> &str {
        &self.quoted.text()[VARIABLE.len() + 1..]
    }

    /// Where a piece of the document stands in the file.
    pub fn place(&self, piece: Range<usize>) -> Range<usize> {
        let start = VARIABLE.len() + 1;
        self.quoted.place(piece.start + start..piece.end + start)
    }

    /// An edit of the document as an edit of the file.
    pub fn edit(&self, edit: &Edit) -> Edit {
        Edit::new(self.place(edit.span.clone()), self.quoted.encode(&edit.text))
    }
}

/// Whether an entry sets the variable: GitLab Runner splits at the first `=` and trims nothing.
pub(crate) fn is_auth_entry(entry: &str) -> bool {
    entry.split_once('=').is_some_and(|(name, _)| name == VARIABLE)
}

/// Whether a name is the variable's but for blanks, letter case and its separators.
pub(crate) fn is_like_variable(name: &str) -> bool {
    let name = name.trim();
    let name = name.strip_prefix("export ").unwrap_or(name);
    let letters = |text: &str| -> String {
        text.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).collect()
    };
    letters(name).eq_ignore_ascii_case(&letters(VARIABLE))
}

/// A new auth entry. Single quotes take JSON as it is, in every version of TOML.
pub(crate) fn new_entry(document: &str) -> String {
    format!("'{VARIABLE}={document}'")
}

/// An `environment` with one entry, for a runner that has none.
pub(crate) fn new_pair(entry: &str) -> NewPair {
    NewPair { key: "environment".to_owned(), value: format!("[{entry}]") }
}
