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
        let table = match block.header() {
            Some(header) => tables.open(syntax, header, &seen)?,
            None => 0,
        };
        check_pairs(syntax, block.pairs(), &mut seen)?;
        tables.fill(syntax, table, block.pairs())?;
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
fn check_pairs(syntax: &Syntax<'_>, pairs: Range<NodeId>, seen: &mut NameSet) -> Result<(), Twice> {
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

type TableId = usize;

/// A table. Most have a few tables inside, which are compared one by one.
#[derive(Default)]
struct Table {
    /// Its key in the table that it stands in.
    name: Option<Name>,
    parent: TableId,
    /// Whether it is an element of an array of tables, and so far the last.
    element: bool,
    /// Whether a header named this table itself and not only one inside it.
    opened: bool,
    /// Its pairs, once they are known.
    pairs: Range<NodeId>,
    /// The table inside it that was made last, and how many there are.
    last_child: Option<TableId>,
    children: usize,
    /// The table in the same parent that was made before.
    before: Option<TableId>,
    many: Option<Box<Many>>,
}

/// What stands in a table that holds many things.
#[derive(Default)]
struct Many {
    children: HashMap<Name, TableId>,
    /// The keys of its pairs.
    keys: HashSet<Name>,
}

impl Tables {
    fn new() -> Self {
        Self { list: vec![Table::default()] }
    }

    /// The table under a key; of the elements of an array the last.
    fn child(&self, table: TableId, key: Name) -> Option<TableId> {
        let table = &self.list[table];
        if let Some(many) = table.many.as_ref().filter(|_| table.children > FEW) {
            return many.children.get(&key).copied();
        }
        let mut next = table.last_child;
        while let Some(child) = next.filter(|child| self.list[*child].name != Some(key)) {
            next = self.list[child].before;
        }
        next
    }

    fn add(&mut self, parent: TableId, name: Name, element: bool) -> TableId {
        let new = self.list.len();
        let table = &mut self.list[parent];
        let before = table.last_child.replace(new);
        table.children += 1;
        let name = Some(name);
        self.list.push(Table { name, parent, element, before, ..Table::default() });
        if self.list[parent].children > FEW {
            self.index_children(parent);
        }
        new
    }

    /// Notes the children that are not yet in the index of a table with many.
    fn index_children(&mut self, parent: TableId) {
        let mut many = self.list[parent].many.take().unwrap_or_default();
        let whole = many.children.is_empty();
        let mut next = self.list[parent].last_child;
        while let Some(child) = next {
            if let Some(name) = self.list[child].name {
                if whole {
                    many.children.entry(name).or_insert(child);
                } else {
                    many.children.insert(name, child);
                    break;
                }
            }
            next = self.list[child].before;
        }
        self.list[parent].many = Some(many);
    }

    /// Makes the next element of an array of tables. No header can name the last one any more, nor a
    /// table inside it: they go, unless a table of another came after them. A large fleet has no more
    /// tables at a time than one runner.
    fn next_element(&mut self, last: TableId) -> TableId {
        let Table { name, parent, before, .. } = self.list[last];
        if self.list[last + 1..].iter().all(|table| table.parent >= last) {
            self.list.truncate(last);
            self.list.push(Table { name, parent, before, element: true, ..Table::default() });
            return last;
        }
        match name {
            Some(name) => self.add(parent, name, true),
            None => last,
        }
    }

    /// Finds or makes the table that a header names. `pairs` are the names of all pairs so far.
    fn open(
        &mut self,
        syntax: &Syntax<'_>,
        header: NodeId,
        pairs: &NameSet,
    ) -> Result<TableId, Twice> {
        let array = syntax.node(header).kind == NodeKind::ArrayTable;
        let mut table = 0;
        let mut keys = syntax.names(header).peekable();
        while let Some(key) = keys.next() {
            let last = keys.peek().is_none();
            let Some(child) = self.child(table, key) else {
                if pairs.had(key) && self.is_value(syntax, table, key) {
                    return Err(Twice);
                }
                table = self.add(table, key, last && array);
                continue;
            };
            table = match &self.list[child] {
                _ if !last => child,
                Table { element: true, .. } if array => self.next_element(child),
                Table { element: false, opened: false, .. } if !array => child,
                _ => return Err(Twice),
            };
        }
        self.list[table].opened = true;
        Ok(table)
    }

    /// Whether a table holds a pair with exactly this key.
    fn is_value(&self, syntax: &Syntax<'_>, table: TableId, key: Name) -> bool {
        let table = &self.list[table];
        match table.many.as_ref().filter(|many| !many.keys.is_empty()) {
            Some(many) => many.keys.contains(&key),
            None => simple_names(syntax, table.pairs.clone()).any(|name| name == key),
        }
    }

    /// Notes the pairs of a table and compares them with the tables inside it.
    fn fill(
        &mut self,
        syntax: &Syntax<'_>,
        table: TableId,
        pairs: Range<NodeId>,
    ) -> Result<(), Twice> {
        let mut names = simple_names(syntax, pairs.clone());
        if self.list[table].children > 0 && names.any(|name| self.child(table, name).is_some()) {
            return Err(Twice);
        }
        let table = &mut self.list[table];
        // A pair is three nodes at least.
        if pairs.len() > 3 * FEW {
            let names = simple_names(syntax, pairs.clone());
            table.many.get_or_insert_default().keys = names.collect();
        }
        table.pairs = pairs;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    proptest! {
        #![proptest_config(crate::property::cases(1000))]

        #[test]
        fn what_stands_twice_is_what_toml_forbids(
            lines in prop::collection::vec(
                prop_oneof![
                    "[a-c] = (1|\\{[ab] = 1\\})",
                    "\\[[a-c](\\.[a-c]){0,2}\\]",
                    "\\[\\[[a-c](\\.[a-c]){0,2}\\]\\]",
                ],
                0..12,
            ),
        ) {
            let text = lines.join("\n");
            let (syntax, _) = Syntax::read(&text).unwrap();
            let forbidden = text.parse::<toml_edit::DocumentMut>().is_err();
            prop_assert_eq!(check(&syntax).is_err(), forbidden, "{}", text);
        }
    }
}
