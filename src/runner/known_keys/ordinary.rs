//! Sections as nearly all sections are: nothing in them has to be looked at twice.

use std::ops::Range;

use super::list::{ROOT, RUNNERS};
use super::lookup::{Known, Lookup};
use super::{Kind, fits};
use crate::runner::auth_entry::VARIABLE;
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{Block, ByName, NodeId, NodeKind, Syntax};

/// The sections of a config, in order, that are not ordinary.
///
/// In an ordinary section every key is one that GitLab Runner knows, in its own spelling, with a value
/// that fits; none is `DOCKER_AUTH_CONFIG`, and no element of an array sets that variable but in a
/// runner's own `environment`. So whoever looks for unknown keys, for keys in two spellings or for auth
/// entries in the wrong place looks at the others only.
pub(super) fn odd_blocks(syntax: &Syntax<'_>, lookup: &mut Lookup) -> Vec<usize> {
    let mut search = Search { syntax, lookup, special: ByName::default() };
    let blocks = syntax.blocks().iter().enumerate();
    blocks.filter(|(_, block)| !search.is_ordinary(block)).map(|(number, _)| number).collect()
}

struct Search<'s, 't> {
    syntax: &'s Syntax<'t>,
    lookup: &'s mut Lookup,
    /// Whether a name that somebody chose means an auth entry all the same.
    special: ByName<bool>,
}

impl Search<'_, '_> {
    fn is_ordinary(&mut self, block: &Block) -> bool {
        let table = match block.header {
            Some(header) => self.table(header),
            None => Some(Kind::Table(ROOT)),
        };
        let Some(table) = table else { return false };
        let array = |header| self.syntax.node(header).kind == NodeKind::ArrayTable;
        let runner = table.is_of(RUNNERS) && block.header.is_some_and(array);
        self.pairs(table, block.pairs.clone(), runner)
    }

    /// What a header leads to, where each of its keys is known.
    fn table(&mut self, header: NodeId) -> Option<Kind> {
        let syntax = self.syntax;
        let array = syntax.node(header).kind == NodeKind::ArrayTable;
        let mut kind = Kind::Table(ROOT);
        let mut names = syntax.names(header).enumerate().peekable();
        while let Some((number, name)) = names.next() {
            let Kind::Table(groups) = kind else { return None };
            let key = || syntax.keys(header).nth(number).unwrap_or_default();
            let known = self.lookup.find(groups, name, key).filter(|known| known.exact)?;
            let last = names.peek().is_none();
            kind = match known.kind {
                Kind::List(inner) if !last || array => *inner,
                kind @ (Kind::Table(_) | Kind::Map(_)) if !last || !array => kind,
                _ => return None,
            };
        }
        Some(kind)
    }

    fn pairs(&mut self, table: Kind, pairs: Range<NodeId>, runner: bool) -> bool {
        let syntax = self.syntax;
        syntax.siblings(pairs).all(|pair| {
            let Some(name) = syntax.simple_name(pair) else { return false };
            let key = || syntax.simple_key(pair).unwrap_or_default();
            let (kind, own) = match table {
                Kind::Table(groups) => match self.lookup.find(groups, name, key) {
                    Some(Known { kind, name, exact: true }) => {
                        (kind, runner && name == "environment")
                    }
                    _ => return false,
                },
                Kind::Map(kind) => {
                    let special = || {
                        let key = key();
                        same_key(&key, VARIABLE) || same_key(&key, "environment")
                    };
                    if self.special.get(name, special) {
                        return false;
                    }
                    (*kind, false)
                }
                _ => return false,
            };
            let value = syntax.value(pair);
            match (syntax.node(value).kind, kind) {
                (NodeKind::Scalar, _) => fits(syntax.node(value), kind),
                (NodeKind::Array, Kind::TextList | Kind::TextOrList) => {
                    syntax.children(value).all(|child| {
                        syntax.is_string(child) && (own || !sets_variable(syntax, child))
                    })
                }
                _ => false,
            }
        })
    }
}

/// Whether a string may set the variable.
fn sets_variable(syntax: &Syntax<'_>, string: NodeId) -> bool {
    syntax.decoded(string).trim_start().starts_with(VARIABLE)
}
