//! What GitLab Runner makes of a key in a table, looked up once for each name.

use super::list::Group;
use super::{Kind, names};
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{ByName, Name};

/// A key that GitLab Runner knows.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub kind: Kind,
    /// The key in its right spelling.
    pub name: &'static str,
    /// Whether it is spelled like that.
    pub exact: bool,
}

/// Finds a key of a table: one that is spelled like it, else one that differs in letter case.
pub(super) fn find(groups: &[Group], key: &str) -> Option<Known> {
    let exact = names(groups).find(|(_, name)| *name == key);
    let found = exact.or_else(|| names(groups).find(|(_, name)| same_key(name, key)));
    found.map(|(kind, name)| Known { kind, name, exact: exact.is_some() })
}

/// The tables of which keys were looked up.
#[derive(Default)]
pub(super) struct Lookup {
    tables: Vec<(&'static [Group], ByName<Option<Known>>)>,
}

impl Lookup {
    /// `key` gives the text of the name.
    pub fn find<K: AsRef<str>>(
        &mut self,
        groups: &'static [Group],
        name: Name,
        key: impl FnOnce() -> K,
    ) -> Option<Known> {
        let known = self.tables.iter().position(|(other, _)| std::ptr::eq(*other, groups));
        let number = known.unwrap_or_else(|| {
            self.tables.push((groups, ByName::default()));
            self.tables.len() - 1
        });
        self.tables[number].1.get(name, || find(groups, key().as_ref()))
    }
}
