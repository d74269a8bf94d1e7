//! What a TOML text means, without how it is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::{Decoded, NodeId, NodeKind, Syntax};

/// A value as GitLab Runner gets it. Strings are decoded; numbers, booleans and dates are compared
/// by their text, since this crate never rewrites one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning<'t> {
    String(Decoded<'t>),
    Other(&'t str),
    Array(Vec<Meaning<'t>>),
    Table(BTreeMap<Cow<'t, str>, Meaning<'t>>),
}

impl<'t> Meaning<'t> {
    /// The meaning of the pairs of a block or an inline table.
    pub fn of_pairs(syntax: &Syntax<'t>, pairs: Range<NodeId>) -> Self {
        let mut table = BTreeMap::new();
        for pair in syntax.siblings(pairs) {
            let mut here = &mut table;
            let mut keys = syntax.keys(pair).peekable();
            while let Some(key) = keys.next() {
                if keys.peek().is_none() {
                    here.insert(key, Self::of_value(syntax, syntax.value(pair)));
                    break;
                }
                let inner = here.entry(key).or_insert_with(|| Self::Table(BTreeMap::new()));
                match inner {
                    Self::Table(inner) => here = inner,
                    // A key that stands twice where some versions take it: this part is lost to both
                    // texts that are compared.
                    _ => break,
                }
            }
        }
        Self::Table(table)
    }

    fn of_value(syntax: &Syntax<'t>, id: NodeId) -> Self {
        let node = syntax.node(id);
        match node.kind {
            NodeKind::Array => Self::Array(
                syntax.children(id).map(|child| Self::of_value(syntax, child)).collect(),
            ),
            NodeKind::InlineTable => Self::of_pairs(syntax, id + 1..syntax.after(id)),
            _ if syntax.is_string(id) => Self::String(syntax.decoded(id)),
            _ => Self::Other(&syntax.text()[node.span()]),
        }
    }
}
