//! What GitLab Runner makes of a key in a table, looked up once for each name.

use super::list::{Group, ROOT};
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

/// The tables that GitLab Runner knows, with the keys that were looked up.
pub(super) struct Lookup {
    tables: Vec<&'static [Group]>,
    found: Vec<ByName<Option<Found>>>,
}

/// The number of a table in a [`Lookup`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct TableId(usize);

#[derive(Clone, Copy)]
pub(super) struct Found {
    pub known: Known,
    /// The table that the key leads to, by itself or in an array.
    pub table: Option<TableId>,
}

impl Lookup {
    pub fn new() -> Self {
        let mut tables = Vec::new();
        add_tables(ROOT, &mut tables);
        let found = tables.iter().map(|_| ByName::default()).collect();
        Self { tables, found }
    }

    /// The number of a table.
    pub fn table(&self, groups: &'static [Group]) -> TableId {
        number(&self.tables, groups).unwrap_or(TableId(0))
    }

    /// What is known of a key in a table; `key` gives its text.
    #[inline]
    pub fn find<K: AsRef<str>>(
        &mut self,
        table: TableId,
        name: Name,
        key: impl FnOnce() -> K,
    ) -> Option<Found> {
        self.found[table.0].get(name, || {
            let known = find(self.tables[table.0], key().as_ref())?;
            let table = inner(known.kind).and_then(|inner| number(&self.tables, inner));
            Some(Found { known, table })
        })
    }
}

/// A table with all tables in it. Some stand in several.
fn add_tables(groups: &'static [Group], tables: &mut Vec<&'static [Group]>) {
    if number(tables, groups).is_none() {
        tables.push(groups);
        groups
            .iter()
            .filter_map(|(kind, _)| inner(*kind))
            .for_each(|inner| add_tables(inner, tables));
    }
}

fn number(tables: &[&'static [Group]], groups: &'static [Group]) -> Option<TableId> {
    tables.iter().position(|other| std::ptr::eq(*other, groups)).map(TableId)
}

fn inner(kind: Kind) -> Option<&'static [Group]> {
    match kind {
        Kind::Table(groups) => Some(groups),
        Kind::List(element) => inner(*element),
        _ => None,
    }
}
