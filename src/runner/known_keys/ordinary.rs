//! Sections as nearly all sections are: nothing in them has to be looked at twice.

use super::list::{ROOT, RUNNERS};
use super::lookup::{Found, Lookup, TableId};
use super::{Kind, fits};
use crate::runner::auth_entry::VARIABLE;
use crate::runner::environment;
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{Block, ByName, NodeId, NodeKind, Syntax};

/// The sections of a config, in order, that are not ordinary.
///
/// In an ordinary section every key is one that GitLab Runner knows, in its own spelling, with a value
/// that fits; none is `DOCKER_AUTH_CONFIG`, and no element of an array sets that variable but in a
/// runner's own `environment`. So whoever looks for unknown keys, for keys in two spellings or for auth
/// entries in the wrong place looks at the others only.
pub(super) fn odd_blocks(syntax: &Syntax<'_>, lookup: &mut Lookup) -> Vec<usize> {
    let (root, runners) = (lookup.table(ROOT), lookup.table(RUNNERS));
    let mut search = Search { syntax, lookup, root, runners, special: ByName::default() };
    let blocks = syntax.blocks().iter().enumerate();
    blocks.filter(|(_, block)| !search.is_ordinary(block)).map(|(number, _)| number).collect()
}

/// What the pairs of a section are.
#[derive(Clone, Copy)]
enum Section {
    Settings(TableId),
    /// Names that somebody chose, with values of one kind.
    Map(&'static Kind),
}

struct Search<'s, 't> {
    syntax: &'s Syntax<'t>,
    lookup: &'s mut Lookup,
    root: TableId,
    runners: TableId,
    /// Whether a name that somebody chose means an auth entry all the same.
    special: ByName<bool>,
}

impl Search<'_, '_> {
    fn is_ordinary(&mut self, block: &Block) -> bool {
        let section = match block.header() {
            Some(header) => self.section(header),
            None => Some(Section::Settings(self.root)),
        };
        let Some(section) = section else { return false };
        let syntax = self.syntax;
        syntax.siblings(block.pairs()).all(|pair| self.is_ordinary_pair(section, pair))
    }

    /// What a header leads to, where each of its keys is known.
    fn section(&mut self, header: NodeId) -> Option<Section> {
        let syntax = self.syntax;
        let array = syntax.node(header).kind == NodeKind::ArrayTable;
        let mut section = Section::Settings(self.root);
        let mut names = syntax.names(header).enumerate().peekable();
        while let Some((number, name)) = names.next() {
            let Section::Settings(table) = section else { return None };
            let key = || syntax.keys(header).nth(number).unwrap_or_default();
            let Found { known, table } =
                self.lookup.find(table, name, key).filter(|found| found.known.exact)?;
            let last = names.peek().is_none();
            section = match known.kind {
                Kind::List(_) if !last || array => Section::Settings(table?),
                Kind::Table(_) if !last || !array => Section::Settings(table?),
                Kind::Map(kind) if !last || !array => Section::Map(kind),
                _ => return None,
            };
        }
        Some(section)
    }

    fn is_ordinary_pair(&mut self, section: Section, pair: NodeId) -> bool {
        let syntax = self.syntax;
        let Some(name) = syntax.simple_name(pair) else { return false };
        let key = || syntax.simple_key(pair).unwrap_or_default();
        let mut own = false;
        let kind = match section {
            Section::Settings(table) => match self.lookup.find(table, name, key) {
                Some(Found { known, .. }) if known.exact => {
                    own = table == self.runners && known.name == environment::KEY;
                    known.kind
                }
                _ => return false,
            },
            Section::Map(kind) => {
                let special =
                    || [VARIABLE, environment::KEY].iter().any(|name| same_key(&key(), name));
                if self.special.get(name, special) {
                    return false;
                }
                *kind
            }
        };
        let value = syntax.value(pair);
        match (syntax.node(value).kind, kind) {
            (NodeKind::Scalar, _) => fits(syntax.node(value), kind),
            (NodeKind::Array, Kind::TextList | Kind::TextOrList) => syntax
                .children(value)
                .all(|child| syntax.is_string(child) && (own || !sets_variable(syntax, child))),
            _ => false,
        }
    }
}

/// Whether a string may set the variable.
fn sets_variable(syntax: &Syntax<'_>, string: NodeId) -> bool {
    syntax.decoded(string).trim_start().starts_with(VARIABLE)
}
