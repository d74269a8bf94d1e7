//! Whether a key or a table stands twice, for the usual text: one without keys that have dots.
//!
//! What a version of GitLab Runner makes of one that does is another question.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::{Name, NameSet, Node, NodeId, NodeKind, Syntax};

/// From how many children or pairs of a table on one is found by hashing: to compare a few is faster.
const FEW: usize = 32;

/// Looks for a key or table that stands twice, in a text without dots in the keys of pairs.
pub(super) fn check(syntax: &Syntax<'_>) -> Result<(), Twice> {
    let mut tables = Tables::new();
    let mut seen = NameSet::default();
    for block in syntax.blocks() {
        let table = match block.header {
            Some(header) => tables.open(syntax, header)?,
            None => 0,
        };
        check_pairs(syntax, block.pairs.clone(), &mut seen)?;
        tables.fill(syntax, table, block.pairs.clone())?;
    }
    let inline = |node: &Node| node.kind == NodeKind::InlineTable;
    for (id, _) in syntax.nodes.iter().enumerate().filter(|(_, node)| inline(node)) {
        check_pairs(syntax, id + 1..syntax.after(id), &mut seen)?;
    }
    Ok(())
}

/// A key or a table stands twice.
pub(super) struct Twice;

/// Compares the keys of one table.
fn check_pairs(
    syntax: &Syntax<'_>,
    pairs: Range<NodeId>,
    seen: &mut NameSet,
) -> Result<(), Twice> {
    seen.clear();
    if simple_names(syntax, pairs).all(|name| seen.insert(name)) { Ok(()) } else { Err(Twice) }
}

fn simple_names(syntax: &Syntax<'_>, pairs: Range<NodeId>) -> impl Iterator<Item = Name> {
    syntax.siblings(pairs).filter_map(|pair| syntax.simple_name(pair))
}

/// The tables that headers have opened so far and may still name. Table 0 is the root.
struct Tables {
    list: Vec<Table>,
}

/// A table. Most have a few tables inside, which are compared one by one.
#[derive(Default)]
struct Table {
    /// The table that it stands in.
    parent: usize,
    children: Vec<(Name, Child)>,
    /// Where each child is, when there are many.
    index: Option<HashMap<Name, usize>>,
    /// Its pairs, once they are known.
    pairs: Range<NodeId>,
    /// Their keys, when there are many.
    keys: Option<HashSet<Name>>,
    /// Whether a header named this table itself and not only one inside it.
    opened: bool,
}

/// What a key of a table leads to.
#[derive(Clone, Copy)]
enum Child {
    Table(usize),
    /// An array of tables, with its last element.
    Array(usize),
}

impl Table {
    fn child(&self, key: Name) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(&key).copied(),
            None => self.children.iter().position(|(known, _)| *known == key),
        }
    }

    fn add(&mut self, key: Name, child: Child) {
        if let Some(index) = &mut self.index {
            index.insert(key, self.children.len());
        }
        self.children.push((key, child));
        if self.children.len() == FEW {
            let keys = self.children.iter().map(|(key, _)| *key);
            self.index = Some(keys.enumerate().map(|(number, key)| (key, number)).collect());
        }
    }

    /// Whether it holds a pair with exactly this key.
    fn is_value(&self, syntax: &Syntax<'_>, key: Name) -> bool {
        match &self.keys {
            Some(keys) => keys.contains(&key),
            None => simple_names(syntax, self.pairs.clone()).any(|name| name == key),
        }
    }
}

impl Tables {
    fn new() -> Self {
        Self { list: vec![Table::default()] }
    }

    fn new_table(&mut self, parent: usize) -> usize {
        self.list.push(Table { parent, ..Table::default() });
        self.list.len() - 1
    }

    /// Makes the next element of an array of tables. No header can name the last one any more, nor a
    /// table inside it: they go, unless a table of another came after them. A large fleet has no more
    /// tables at a time than one runner.
    fn next_element(&mut self, parent: usize, last: usize) -> usize {
        if self.list[last + 1..].iter().all(|table| table.parent >= last) {
            self.list.truncate(last);
        }
        self.new_table(parent)
    }

    /// Finds or makes the table that a header names.
    fn open(&mut self, syntax: &Syntax<'_>, header: NodeId) -> Result<usize, Twice> {
        let array = syntax.node(header).kind == NodeKind::ArrayTable;
        let mut table = 0;
        let mut keys = syntax.names(header).peekable();
        while let Some(key) = keys.next() {
            let last = keys.peek().is_none();
            let Some(number) = self.list[table].child(key) else {
                if self.list[table].is_value(syntax, key) {
                    return Err(Twice);
                }
                let new = self.new_table(table);
                let child = if last && array { Child::Array(new) } else { Child::Table(new) };
                self.list[table].add(key, child);
                table = new;
                continue;
            };
            table = match self.list[table].children[number].1 {
                Child::Table(child) | Child::Array(child) if !last => child,
                Child::Array(element) if array => {
                    let next = self.next_element(table, element);
                    self.list[table].children[number].1 = Child::Array(next);
                    next
                }
                Child::Table(child) if !array && !self.list[child].opened => child,
                _ => return Err(Twice),
            };
        }
        self.list[table].opened = true;
        Ok(table)
    }

    /// Notes the pairs of a table and compares them with the tables inside it.
    fn fill(
        &mut self,
        syntax: &Syntax<'_>,
        table: usize,
        pairs: Range<NodeId>,
    ) -> Result<(), Twice> {
        let table = &mut self.list[table];
        let mut keys = simple_names(syntax, pairs.clone());
        if !table.children.is_empty() && keys.any(|key| table.child(key).is_some()) {
            return Err(Twice);
        }
        // A pair is three nodes at least.
        if pairs.len() > 3 * FEW {
            table.keys = Some(simple_names(syntax, pairs.clone()).collect());
        }
        table.pairs = pairs;
        Ok(())
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
