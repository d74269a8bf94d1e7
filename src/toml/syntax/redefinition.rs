//! Keys and tables that stand again, as each version of GitLab Runner's TOML library takes them.
//!
//! TOML forbids them all. The library keeps the tables that it has made without being told to (the
//! `a` of `[a.b]` or of `a.b = 1`) in a list, lets one of these be defined once more, and forgets it
//! then; so a second key with dots can close a table that a first one has left open
//! (BurntSushi/toml `parse.go`, `addContext` and `setValue`). From 1.2 to 1.4 an array gives way to
//! whatever comes after it.

// A key is borrowed from the text with its map entry's lifetime, which a `&str` would lose.
#![allow(clippy::ptr_arg)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::versions::Versions;
use super::{NodeId, NodeKind, Syntax};

/// The header or pair at which a version stops; `None` when it reads all of them.
pub(super) fn first_refused(syntax: &Syntax<'_>, version: Versions) -> Option<NodeId> {
    let mut reader = Reader::new(syntax, version);
    let root = Context { table: Some(0), path: 0 };
    for block in syntax.blocks() {
        let mut here = root;
        if let Some(header) = block.header() {
            match reader.open(header) {
                Ok(context) => here = context,
                Err(Refused) => return Some(header),
            }
        }
        for pair in syntax.siblings(block.pairs()) {
            if reader.pair(pair, here, None).is_err() {
                return Some(pair);
            }
        }
    }
    None
}

struct Refused;

type TableId = usize;
type PathId = usize;

/// What stands under a key.
#[derive(Clone, Copy)]
enum Slot {
    Table(TableId),
    /// An array of tables, with its last element.
    Tables(TableId),
    Array,
    Value,
}

/// Where keys are put: a table, and the path under which it was reached. Elements of an array of
/// tables share a path.
#[derive(Clone, Copy)]
struct Context {
    /// `None` when something else than a table stands there.
    table: Option<TableId>,
    path: PathId,
}

/// A value as the library has it.
#[derive(Clone, Copy)]
struct Made {
    slot: Slot,
    /// What it holds by itself when it is an inline table.
    own: Option<TableId>,
}

struct Reader<'s, 't> {
    syntax: &'s Syntax<'t>,
    version: Versions,
    slots: HashMap<(TableId, Cow<'t, str>), Slot>,
    /// What stands in inline tables themselves; `None` for what is no table.
    own: HashMap<(TableId, Cow<'t, str>), Option<TableId>>,
    tables: usize,
    paths: Paths<'t>,
}

/// The paths, each with what the library remembers of it.
struct Paths<'t> {
    children: HashMap<(PathId, Cow<'t, str>), PathId>,
    /// Made without being told to, and not defined since.
    implicit: Vec<bool>,
    array: Vec<bool>,
}

impl<'t> Paths<'t> {
    fn new() -> Self {
        Self { children: HashMap::new(), implicit: vec![false], array: vec![false] }
    }

    fn child(&mut self, path: PathId, key: &Cow<'t, str>) -> PathId {
        let next = self.implicit.len();
        let child = *self.children.entry((path, key.clone())).or_insert(next);
        if child == next {
            self.implicit.push(false);
            self.array.push(false);
        }
        child
    }
}

impl<'s, 't> Reader<'s, 't> {
    fn new(syntax: &'s Syntax<'t>, version: Versions) -> Self {
        let (slots, own) = (HashMap::new(), HashMap::new());
        Self { syntax, version, slots, own, tables: 1, paths: Paths::new() }
    }

    fn new_table(&mut self) -> TableId {
        self.tables += 1;
        self.tables - 1
    }

    /// The table that a header opens.
    fn open(&mut self, header: NodeId) -> Result<Context, Refused> {
        let syntax = self.syntax;
        let array = syntax.node(header).kind == NodeKind::ArrayTable;
        let mut context = Context { table: Some(0), path: 0 };
        let mut keys = syntax.keys(header).peekable();
        while let Some(key) = keys.next() {
            if keys.peek().is_none() {
                let context = self.enter(context, &key, array)?;
                self.paths.array[context.path] = false;
                return Ok(context);
            }
            let parent = context.table.ok_or(Refused)?;
            let path = self.paths.child(context.path, &key);
            let slot = self.slots.get(&(parent, key.clone())).copied();
            let table = match slot {
                Some(Slot::Table(table) | Slot::Tables(table)) => table,
                Some(Slot::Array | Slot::Value) => return Err(Refused),
                None => {
                    let table = self.new_table();
                    self.slots.insert((parent, key), Slot::Table(table));
                    self.paths.implicit[path] = true;
                    table
                }
            };
            context = Context { table: Some(table), path };
        }
        Ok(context)
    }

    /// Goes into the table under a key, which is made where there is none.
    fn enter(
        &mut self,
        context: Context,
        key: &Cow<'t, str>,
        array: bool,
    ) -> Result<Context, Refused> {
        let table = context.table.ok_or(Refused)?;
        let path = self.paths.child(context.path, key);
        let new = self.new_table();
        if array {
            let slot = (table, key.clone());
            return match self.slots.get(&slot) {
                None | Some(Slot::Tables(_)) => {
                    self.slots.insert(slot, Slot::Tables(new));
                    Ok(Context { table: Some(new), path })
                }
                Some(_) => Err(Refused),
            };
        }
        self.define(context, key, Slot::Table(new))?;
        let table = match self.slots.get(&(table, key.clone())) {
            Some(Slot::Table(table) | Slot::Tables(table)) => Some(*table),
            _ => None,
        };
        Ok(Context { table, path })
    }

    /// Puts something under a key.
    fn define(&mut self, context: Context, key: &Cow<'t, str>, slot: Slot) -> Result<(), Refused> {
        let table = context.table.ok_or(Refused)?;
        let path = self.paths.child(context.path, key);
        let place = (table, key.clone());
        let mut there = match self.slots.entry(place) {
            Entry::Occupied(there) => there,
            Entry::Vacant(free) => {
                free.insert(slot);
                return Ok(());
            }
        };
        let implicit = std::mem::replace(&mut self.paths.implicit[path], false);
        if Versions::SINCE_1_2.holds(self.version) && self.paths.array[path] {
            if !implicit && self.version == Versions::V1_6 {
                return Err(Refused);
            }
            there.insert(slot);
            return Ok(());
        }
        if implicit { Ok(()) } else { Err(Refused) }
    }

    /// A pair of a table; `own` is what an inline table holds by itself.
    fn pair(
        &mut self,
        pair: NodeId,
        mut context: Context,
        own: Option<TableId>,
    ) -> Result<(), Refused> {
        let syntax = self.syntax;
        let mut keys: Vec<_> = syntax.keys(pair).collect();
        let Some(key) = keys.pop() else { return Ok(()) };
        for part in &keys {
            let path = self.paths.child(context.path, part);
            self.paths.implicit[path] = true;
            context = self.enter(context, part, false)?;
        }
        let made = self.value(syntax.value(pair), context, &key, false)?;
        self.define(context, &key, made.slot)?;
        let path = self.typed_path(context, &key);
        self.paths.array[path] = matches!(made.slot, Slot::Array);
        match own {
            Some(own) => self.put(own, keys, key, made),
            None => Ok(()),
        }
    }

    /// The path for which it is remembered whether an array stands there: an empty key counts for
    /// the table that it is in (`setType`).
    fn typed_path(&mut self, context: Context, key: &Cow<'t, str>) -> PathId {
        if key.is_empty() && context.path != 0 {
            context.path
        } else {
            self.paths.child(context.path, key)
        }
    }

    /// Puts a value into an inline table, in which from 1.4 on the parts of a key with dots must be
    /// tables.
    fn put(
        &mut self,
        mut table: TableId,
        keys: Vec<Cow<'t, str>>,
        key: Cow<'t, str>,
        made: Made,
    ) -> Result<(), Refused> {
        if self.version == Versions::V1_2 {
            return Ok(());
        }
        for part in keys {
            let new = self.new_table();
            table = self.own.entry((table, part)).or_insert(Some(new)).ok_or(Refused)?;
        }
        self.own.insert((table, key), made.own);
        Ok(())
    }

    fn value(
        &mut self,
        value: NodeId,
        context: Context,
        key: &Cow<'t, str>,
        in_array: bool,
    ) -> Result<Made, Refused> {
        let syntax = self.syntax;
        match syntax.node(value).kind {
            NodeKind::Array => {
                let path = self.typed_path(context, key);
                self.paths.array[path] = true;
                for child in syntax.children(value) {
                    self.value(child, context, key, true)?;
                }
                Ok(Made { slot: Slot::Array, own: None })
            }
            NodeKind::InlineTable if self.version == Versions::V0_3 => {
                Ok(Made { slot: Slot::Table(self.first_inline_table(value)), own: None })
            }
            NodeKind::InlineTable => {
                let path = self.paths.child(context.path, key);
                self.paths.implicit[path] = true;
                let inner = self.enter(context, key, in_array)?;
                let own = self.new_table();
                for pair in syntax.children(value) {
                    self.pair(pair, inner, Some(own))?;
                }
                let slot = inner.table.map_or(Slot::Value, Slot::Table);
                Ok(Made { slot, own: Some(own) })
            }
            _ => Ok(Made { slot: Slot::Value, own: None }),
        }
    }

    /// 0.3.1 takes an inline table without a look at what stands twice in it.
    fn first_inline_table(&mut self, value: NodeId) -> TableId {
        let syntax = self.syntax;
        let table = self.new_table();
        for pair in syntax.children(value) {
            let value = syntax.value(pair);
            let slot = match syntax.node(value).kind {
                NodeKind::InlineTable => Slot::Table(self.first_inline_table(value)),
                NodeKind::Array => Slot::Array,
                _ => Slot::Value,
            };
            self.slots.extend(syntax.keys(pair).map(|key| ((table, key), slot)));
        }
        table
    }
}
