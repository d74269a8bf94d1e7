//! Where a key or a table was defined before it is defined again, for messages.

use std::borrow::Cow;
use std::ops::Range;

use super::{NodeId, NodeKind, Syntax};
use crate::secret::is_wordy;

/// The most letters of a key that is repeated in a message.
const LONGEST: usize = 32;

/// The most digits in it: what has more may be a secret that somebody took for a key, and so may a word that
/// no language has.
const MOST_DIGITS: usize = 3;

/// A key or a table that is defined twice.
pub(crate) struct Twice {
    /// What it is called, in quotes.
    pub name: String,
    /// Where it is defined first.
    pub first: Option<usize>,
    /// Whether these are two arrays: of those some versions take the last.
    pub arrays: bool,
}

impl Twice {
    /// What each version of GitLab Runner makes of it (BurntSushi/toml `parse.go`, `setValue`).
    pub(crate) fn consequence(&self) -> String {
        if self.arrays {
            "GitLab Runner up to 15.8 and from 18.9 on refuses the whole file, and the versions \
             between take the last of the two arrays"
        } else {
            "GitLab Runner refuses the whole file"
        }
        .to_owned()
    }
}

impl<'t> Syntax<'t> {
    /// What is defined again at this byte.
    pub(crate) fn twice_at(&self, offset: usize) -> Option<Twice> {
        let starts = |id: &NodeId| self.node(*id).span().start == offset && self.is_definition(*id);
        (0..self.nodes.len()).find(starts).map(|id| self.twice(id))
    }

    pub(super) fn twice(&self, id: NodeId) -> Twice {
        let mut id = id;
        let mut first = self.earlier(id);
        // The pair may hold an inline table that has a key twice.
        if first.is_none() {
            let is_pair = |id: &NodeId| self.node(*id).kind == NodeKind::Pair;
            let inside = (id + 1..self.after(id)).filter(is_pair);
            if let Some((inner, found)) =
                inside.into_iter().find_map(|inner| Some((inner, self.earlier(inner)?)))
            {
                (id, first) = (inner, Some(found));
            }
        }
        let is_array = |id: NodeId| {
            self.node(id).kind == NodeKind::Pair
                && self.node(self.value(id)).kind == NodeKind::Array
        };
        Twice {
            name: self.called(id),
            first: first.map(|first| self.node(first).span().start),
            arrays: is_array(id) && first.is_some_and(is_array),
        }
    }

    /// The last definition before this one that stands in its way.
    fn earlier(&self, id: NodeId) -> Option<NodeId> {
        let inline = |table: &NodeId| {
            self.node(*table).kind == NodeKind::InlineTable && self.after(*table) > id
        };
        let inner = (0..id).rev().find(inline).map(|table| self.definitions(table + 1..id, &[]));
        let before = inner.unwrap_or_else(|| {
            let blocks = self.blocks.iter().filter(|block| block.span().start <= self.start(id));
            let of_blocks = blocks.flat_map(|block| {
                let header = block.header().map(|header| (header, self.keys(header).collect()));
                let keys: Vec<_> = header.iter().flat_map(|(_, keys)| keys).cloned().collect();
                let pairs = self.definitions(block.pairs(), &keys);
                header.into_iter().chain(pairs).collect::<Vec<_>>()
            });
            of_blocks.collect()
        });
        let path = before.iter().find(|(other, _)| *other == id).map(|(_, path)| path.clone());
        let path: Path<'_> = path.unwrap_or_else(|| self.keys(id).collect());
        let mut before = before.iter().rev().filter(|(other, _)| *other < id);
        let same = before.clone().find(|(_, other)| *other == path);
        // A value under a part of the name stands in its way as well, and so does a part of it; the
        // table that holds it does not.
        let within = || {
            before.find(|(at, other)| {
                let pair = self.node(*at).kind == NodeKind::Pair;
                other.starts_with(&path) || (pair && path.starts_with(other))
            })
        };
        same.or_else(within).map(|(other, _)| *other)
    }

    /// Pairs with their whole paths.
    fn definitions(&self, pairs: Range<NodeId>, above: &[Cow<'t, str>]) -> Vec<(NodeId, Path<'t>)> {
        let path = |pair| above.iter().cloned().chain(self.keys(pair)).collect();
        self.siblings(pairs).map(|pair| (pair, path(pair))).collect()
    }

    fn start(&self, id: NodeId) -> usize {
        self.node(id).span().start
    }

    fn is_definition(&self, id: NodeId) -> bool {
        matches!(self.node(id).kind, NodeKind::Pair | NodeKind::Table | NodeKind::ArrayTable)
    }

    /// What a definition is called, if its name is one that may be shown.
    fn called(&self, id: NodeId) -> String {
        let pair = self.node(id).kind == NodeKind::Pair;
        let name = self.keys(id).collect::<Vec<_>>().join(".");
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let digits = name.bytes().filter(u8::is_ascii_digit).count();
        let short = name.len() <= LONGEST && digits <= MOST_DIGITS;
        if short && name.bytes().all(letter) && is_wordy(&name) {
            return if pair { format!("'{name}'") } else { format!("[{name}]") };
        }
        (if pair { "this key" } else { "this table" }).to_owned()
    }
}

type Path<'t> = Vec<Cow<'t, str>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_definition_is_found() {
        for (text, second, name, first) in [
            ("a = 1\na = 2\n", 6, "'a'", 0),
            ("[t]\nx = 1\n[u]\nx = 1\nx = 2\n", 20, "'x'", 14),
            ("[r.d]\n[s]\n[r.d]\n", 10, "[r.d]", 0),
            ("[[r]]\n[r.d]\n[[r]]\n[r.d]\n[r.d]\n", 24, "[r.d]", 18),
            ("r = []\n[[r]]\n", 7, "[r]", 0),
            ("a.b = 1\na = 2\n", 8, "'a'", 0),
            ("a = 1\na.b = 2\n", 6, "'a.b'", 0),
            ("[a.b]\nc = 1\n[a]\nb = 1\n", 16, "'b'", 0),
            ("x = {a = 1, b = 2, a = 3}\n", 0, "'a'", 5),
            ("[t]\nx = [{a = 1, a = 3}]\n", 4, "'a'", 10),
            ("\"u:p@h\" = 1\n\"u:p@h\" = 1\n", 12, "this key", 0),
            ("glrt1234 = 1\nglrt1234 = 1\n", 13, "this key", 0),
            ("fwYYQ7UiaqZhzH = 1\nfwYYQ7UiaqZhzH = 1\n", 19, "this key", 0),
            ("tr0ub4dor = 1\ntr0ub4dor = 1\n", 14, "this key", 0),
        ] {
            let found = match Syntax::parse(text) {
                Ok(syntax) => syntax.twice_at(second).map(|twice| (twice.name, twice.first)),
                Err(error) => {
                    assert_eq!(error.offset, second, "{text}");
                    Some((error.problem, error.first))
                }
            };
            let (words, found) = found.expect("it stands twice");
            assert!(words.starts_with(name), "{text}: {words}");
            assert_eq!(found, Some(first), "{text}");
        }
    }
}
