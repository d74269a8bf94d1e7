//! The tables that belong to a runner, such as `[runners.docker]`.

use std::borrow::Cow;

use crate::runner::{Config, Runner};
use crate::toml::syntax::{Block, NodeId, NodeKind, Syntax};

/// A key of a table with its value.
pub(crate) struct TableKey<'t> {
    pub key: Cow<'t, str>,
    /// The pair, or the header where the key is a table's.
    pub node: NodeId,
    /// The value; `None` for a table with a header of its own.
    pub value: Option<NodeId>,
}

/// The sections behind a runner's own that belong to it.
pub(crate) fn sections<'c>(
    config: &'c Config<'_>,
    runner: &Runner<'_>,
) -> impl Iterator<Item = (NodeId, &'c Block)> {
    let syntax = config.syntax();
    let place = runner.place();
    let first = if place.inline.is_some() { syntax.blocks().len() } else { place.block + 1 };
    let headed = syntax.blocks()[first..].iter().filter_map(|block| Some((block.header()?, block)));
    headed
        .filter(|(header, _)| syntax.key_is(*header, 0, "runners"))
        .map(|(header, block)| (header, block, syntax.names(header).nth(1).is_some()))
        .take_while(|(_, _, below)| *below)
        .map(|(header, block, _)| (header, block))
}

/// The keys of a runner itself, the names of its tables included.
pub(crate) fn own_keys<'t>(config: &Config<'t>, runner: &Runner<'_>) -> Vec<TableKey<'t>> {
    let syntax = config.syntax();
    let mut keys: Vec<_> = pairs(syntax, runner.place().pairs.clone()).collect();
    keys.extend(sections(config, runner).filter_map(|(header, _)| {
        let key = syntax.keys(header).nth(1)?;
        Some(TableKey { key, node: header, value: None })
    }));
    keys
}

/// The keys of a runner's table, in whatever form it is written.
pub(crate) fn keys_of<'t>(
    config: &Config<'t>,
    runner: &Runner<'_>,
    table: &str,
) -> Vec<TableKey<'t>> {
    let syntax = config.syntax();
    let inline = |value| syntax.node(value).kind == NodeKind::InlineTable;
    let mut found = Vec::new();
    for pair in syntax.siblings(runner.place().pairs.clone()) {
        if !syntax.key_is(pair, 0, table) {
            continue;
        }
        let keys: Vec<_> = syntax.keys(pair).collect();
        let value = syntax.value(pair);
        match &keys[..] {
            [_] if inline(value) => {
                found.extend(pairs(syntax, value + 1..syntax.after(value)));
            }
            [_, key, rest @ ..] => {
                let value = rest.is_empty().then_some(value);
                found.push(TableKey { key: key.clone(), node: pair, value });
            }
            _ => {}
        }
    }
    for (header, block) in sections(config, runner) {
        if !syntax.key_is(header, 1, table) {
            continue;
        }
        match syntax.keys(header).nth(2) {
            None => found.extend(pairs(syntax, block.pairs())),
            Some(key) => found.push(TableKey { key, node: header, value: None }),
        }
    }
    found
}

/// The first keys of some pairs; a dotted one has no value of its own.
fn pairs<'t, 's>(
    syntax: &'s Syntax<'t>,
    range: std::ops::Range<NodeId>,
) -> impl Iterator<Item = TableKey<'t>> + use<'t, 's> {
    syntax.siblings(range).filter_map(move |pair| {
        let key = syntax.keys(pair).next()?;
        let value = syntax.simple_name(pair).map(|_| syntax.value(pair));
        Some(TableKey { key, node: pair, value })
    })
}
