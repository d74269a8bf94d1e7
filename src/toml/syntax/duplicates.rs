//! Whether a key or a table stands twice, for the usual text: one without keys that have dots.
//!
//! What a version of GitLab Runner makes of one that does is another question.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::{Node, NodeId, NodeKind, Syntax};

/// Up to how many plain keys are compared with each other, which is faster than hashing them.
const FEW: usize = 32;

/// Looks for a key or table that stands twice, in a text without dots in the keys of pairs.
pub(super) fn check(syntax: &Syntax<'_>) -> Result<(), Twice> {
    let mut tables = Tables::default();
    let mut keys = Vec::new();
    for block in syntax.blocks() {
        let table = match block.header {
            Some(header) => tables.open(syntax, header)?,
            None => 0,
        };
        check_pairs(syntax, block.pairs.clone(), &mut keys)?;
        tables.fill(syntax, table, block.pairs.clone())?;
    }
    let inline = |node: &Node| node.kind == NodeKind::InlineTable;
    for (id, _) in syntax.nodes.iter().enumerate().filter(|(_, node)| inline(node)) {
        check_pairs(syntax, id + 1..syntax.after(id), &mut keys)?;
    }
    Ok(())
}

/// A key or a table stands twice.
pub(super) struct Twice;

/// Compares the keys of one table.
fn check_pairs<'t>(
    syntax: &Syntax<'t>,
    pairs: Range<NodeId>,
    keys: &mut Vec<Cow<'t, str>>,
) -> Result<(), Twice> {
    keys.clear();
    for key in syntax.siblings(pairs.clone()).filter_map(|pair| syntax.simple_key(pair)) {
        if keys.len() == FEW {
            let mut seen = HashSet::new();
            let mut every = syntax.siblings(pairs).filter_map(|pair| syntax.simple_key(pair));
            return if every.all(|key| seen.insert(key)) { Ok(()) } else { Err(Twice) };
        }
        if keys.contains(&key) {
            return Err(Twice);
        }
        keys.push(key);
    }
    Ok(())
}

/// The tables that headers have opened so far. Table 0 is the root.
#[derive(Default)]
struct Tables<'t> {
    children: HashMap<(usize, Cow<'t, str>), Table>,
    /// For each table its pairs, once they are known.
    pairs: Vec<Pairs<'t>>,
}

#[derive(Default)]
struct Pairs<'t> {
    range: Range<NodeId>,
    /// The first keys, when there are many.
    many: Option<HashSet<Cow<'t, str>>>,
    /// Whether a header named this table itself and not only one inside it.
    opened: bool,
    /// Whether a header named a table inside this one.
    parent: bool,
}

#[derive(Clone, Copy)]
enum Table {
    Single(usize),
    /// An array of tables, with its last element.
    Array(usize),
}

impl<'t> Tables<'t> {
    fn new_table(&mut self) -> usize {
        if self.pairs.is_empty() {
            self.pairs.push(Pairs::default());
        }
        self.pairs.push(Pairs::default());
        self.pairs.len() - 1
    }

    /// Finds or makes the table that a header names.
    fn open(&mut self, syntax: &Syntax<'t>, header: NodeId) -> Result<usize, Twice> {
        let array = syntax.node(header).kind == NodeKind::ArrayTable;
        let mut table = 0;
        let mut keys = syntax.keys(header).peekable();
        while let Some(key) = keys.next() {
            let last = keys.peek().is_none();
            let slot = (table, key);
            table = match (self.children.get(&slot).copied(), last) {
                (Some(Table::Single(child) | Table::Array(child)), false) => child,
                (Some(Table::Array(_)), true) if array => {
                    let child = self.new_table();
                    self.children.insert(slot, Table::Array(child));
                    child
                }
                (Some(Table::Single(child)), true) if !array && !self.pairs[child].opened => child,
                (Some(_), true) => return Err(Twice),
                (None, _) => {
                    if self.is_value(syntax, table, &slot.1) {
                        return Err(Twice);
                    }
                    let child = self.new_table();
                    self.pairs[table].parent = true;
                    let array = last && array;
                    let entry = if array { Table::Array(child) } else { Table::Single(child) };
                    self.children.insert(slot, entry);
                    child
                }
            };
        }
        self.pairs[table].opened = true;
        Ok(table)
    }

    /// Notes the pairs of a table and compares them with the tables inside it.
    fn fill(
        &mut self,
        syntax: &Syntax<'t>,
        table: usize,
        pairs: Range<NodeId>,
    ) -> Result<(), Twice> {
        if self.pairs.is_empty() {
            self.pairs.push(Pairs::default());
        }
        if syntax.siblings(pairs.clone()).nth(FEW).is_some() {
            let keys = syntax.siblings(pairs.clone()).filter_map(|pair| syntax.simple_key(pair));
            self.pairs[table].many = Some(keys.collect());
        }
        self.pairs[table].range = pairs.clone();
        if !self.pairs[table].parent {
            return Ok(());
        }
        for pair in syntax.siblings(pairs) {
            if let Some(key) = syntax.simple_key(pair)
                && self.children.contains_key(&(table, key))
            {
                return Err(Twice);
            }
        }
        Ok(())
    }

    /// Whether a table holds a pair with exactly this key.
    fn is_value(&self, syntax: &Syntax<'t>, table: usize, key: &str) -> bool {
        let Some(pairs) = self.pairs.get(table) else {
            return false;
        };
        match &pairs.many {
            Some(keys) => keys.contains(key),
            None => syntax
                .siblings(pairs.range.clone())
                .any(|pair| syntax.simple_key(pair).as_deref() == Some(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(text: &str) -> bool {
        match Syntax::parse(text) {
            Ok(syntax) => syntax.refusals().is_empty(),
            Err(error) => {
                assert!(error.problem.contains("twice"), "{text:?}: {error:?}");
                false
            }
        }
    }

    #[test]
    fn what_stands_twice_is_found() {
        let many = |last: &str| {
            let keys: Vec<_> = (0..100).map(|n| format!("k{n} = {n}\n")).collect();
            format!("{}{last}", keys.concat())
        };
        for text in [
            "a = 1\na = 2\n",
            "a = 1\n\"a\" = 2\n",
            "[a]\n[a]\n",
            "[[a]]\n[a]\n",
            "[a]\n[[a]]\n",
            "a = 1\n[a]\n",
            "a = [{b = 1}]\n[[a]]\n",
            "[a.b]\n[a]\nb = 1\n",
            "a = {b = 1, b = 2}\n",
            "a.b = 1\na.b = 2\n",
            "a.b = 1\na = 2\n",
            "a = 1\na.b = 2\n",
            "[[a]]\n[a.b]\n[a.b]\n",
            &many("k7 = 1\n"),
            &many("[k7]\n"),
        ] {
            assert!(!accepted(text), "{text:?}");
        }
    }

    #[test]
    fn what_stands_once_is_accepted() {
        for text in [
            "a = 1\nA = 2\n",
            "[a.b]\n[a]\nc = 1\n",
            "[[a]]\n[a.b]\n[[a]]\n[a.b]\n",
            "[[a]]\nx = 1\n[b]\n[[a]]\nx = 2\n[a.c]\nx = 3\n",
            "a = [{b = 1}, {b = 1}]\n",
        ] {
            assert!(accepted(text), "{text:?}");
        }
    }
}
