//! A runner's `environment`: the array of `NAME=value` strings that every job gets.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::ops::Range;

use crate::auth::expansion::is_predefined;
use crate::config_file::ConfigFile;
use crate::error::Error;
use crate::runner::layout::own_table;
use crate::runner::table::sections;
use crate::runner::{Config, Runner, invalid as invalid_toml};
use crate::secret::Secret;
use crate::toml::bracketed::List;
use crate::toml::edit::Edit;
use crate::toml::quoting::Quoted;
use crate::toml::syntax::{Decoded, NodeId, NodeKind, Syntax};
use crate::toml::table::{NewPair, WrittenTable};

/// The key.
pub(crate) const KEY: &str = "environment";

/// The entries of one runner.
pub(crate) struct Environment<'s, 't> {
    syntax: &'s Syntax<'t>,
    /// The table that holds it.
    table: WrittenTable<'s, 't>,
    pair: NodeId,
    array: NodeId,
    elements: Vec<NodeId>,
    /// The value of each variable.
    variables: OnceCell<HashMap<String, Secret>>,
    /// How many bytes of values were given out.
    given: Cell<u64>,
}

/// How many bytes of values are given out for one runner: as much as a whole config may have.
const MOST_GIVEN: u64 = ConfigFile::LARGEST;

/// Entries on their way out.
pub(crate) struct EntryRemoval {
    pub edits: Vec<Edit>,
    /// Whether `environment` goes with them.
    pub whole: bool,
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
            if !syntax.key_is(pair, 0, KEY) {
                continue;
            }
            if let Some(first) = found {
                if syntax.simple_key(first) == syntax.keys(pair).next() {
                    return Err(invalid_toml(text, syntax.defined_twice(pair)));
                }
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
        let mut sections = sections(config, runner);
        let table = sections.find(|(header, _)| syntax.key_is(*header, 1, KEY));
        if let Some((header, _)) = table {
            return Err(Error::InvalidEnvironment {
                path: path(),
                place: text.place(start(header)),
                runner: config.title(runner),
            });
        }
        let Some(pair) = found else { return Ok(None) };
        let invalid = |id: NodeId| Error::InvalidEnvironment {
            path: path(),
            place: text.place(start(id)),
            runner: config.title(runner),
        };
        let array = syntax.value(pair);
        if dotted.is_some() || syntax.node(array).kind != NodeKind::Array {
            return Err(invalid(array));
        }
        let elements: Vec<_> = syntax.children(array).collect();
        if let Some(&element) = elements.iter().find(|&&element| !syntax.is_string(element)) {
            return Err(invalid(element));
        }
        let table = own_table(config, runner);
        Ok(Some(Self {
            syntax,
            table,
            pair,
            array,
            elements,
            variables: OnceCell::new(),
            given: Cell::new(0),
        }))
    }

    /// The entries, decoded.
    pub fn values(&self) -> impl Iterator<Item = Decoded<'t>> + '_ {
        self.elements.iter().map(|&element| self.syntax.decoded(element))
    }

    /// The value of a variable; of several the last counts. One that GitLab sets for each job stands
    /// for itself: nobody knows its value here.
    pub fn variable(&self, name: &str) -> Option<Secret> {
        let own = self.own_variable(name);
        own.or_else(|| is_predefined(name).then(|| Secret::new(format!("${{{name}}}"))))
    }

    /// `None` too once all that was asked for is more than any document needs: references to a long
    /// value would ask for more memory than a machine has.
    fn own_variable(&self, name: &str) -> Option<Secret> {
        let variables = self.variables.get_or_init(|| {
            let pairs = self.values().filter_map(|entry| {
                let (name, value) = entry.split_once('=')?;
                Some((name.to_owned(), Secret::new(value.to_owned())))
            });
            pairs.collect()
        });
        let value = variables.get(name)?;
        let given = self.given.get() + value.expose().len() as u64;
        self.given.set(given);
        (given <= MOST_GIVEN).then(|| value.clone())
    }

    /// The element with this number, when it is a string that can be decoded in place.
    pub(super) fn quoted(&self, number: usize) -> Option<Quoted<'t>> {
        let encoding = self.syntax.encoding(self.elements[number])?;
        let span = self.span(number);
        Some(Quoted::decode(&self.syntax.text()[span.clone()], encoding.into(), span.start))
    }

    /// The edit that puts another text in the place of a piece of an entry.
    pub fn rename(&self, number: usize, piece: Range<usize>, text: &str) -> Option<Edit> {
        let quoted = self.quoted(number)?;
        Some(Edit::new(quoted.place(piece), quoted.encode(text)))
    }

    /// Where an entry stands, with its quotes.
    pub fn span(&self, number: usize) -> Range<usize> {
        self.syntax.node(self.elements[number]).span()
    }

    /// Adds an entry at the end.
    pub fn append(&self, entry: Secret) -> Vec<Edit> {
        self.list().append(&[entry])
    }

    /// Takes entries out of several.
    pub fn remove(&self, numbers: &[usize]) -> Vec<Edit> {
        self.list().remove(numbers)
    }

    /// Takes entries out for good. An array that becomes empty goes with its line, unless a comment
    /// stands there.
    pub fn remove_for_good(&self, numbers: &[usize]) -> EntryRemoval {
        let empty = numbers.len() == self.elements.len();
        match empty.then(|| self.table.remove(self.pair)).flatten() {
            Some(edits) => EntryRemoval { edits, whole: true },
            None => EntryRemoval { edits: self.remove(numbers), whole: false },
        }
    }

    fn list(&self) -> List<'t> {
        let items = (0..self.elements.len()).map(|number| self.span(number)).collect();
        List::new(self.syntax.text(), self.syntax.node(self.array).span(), items)
    }
}

/// An `environment` with one entry, for a runner that has none.
pub(crate) fn new_pair(entry: &Secret) -> NewPair {
    NewPair { key: KEY.to_owned(), value: Secret::concat(&["[", entry.expose(), "]"]) }
}
