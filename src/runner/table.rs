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
) -> impl Iterator<Item = (NodeId, &'c Block)> + use<'c> {
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
pub(crate) fn own_keys<'c, 't>(
    config: &'c Config<'t>,
    runner: &Runner<'_>,
) -> impl Iterator<Item = TableKey<'t>> + use<'c, 't> {
    let syntax = config.syntax();
    let tables = sections(config, runner).filter_map(|(header, _)| {
        let key = syntax.keys(header).nth(1)?;
        Some(TableKey { key, node: header, value: None })
    });
    pairs(syntax, runner.place().pairs.clone()).chain(tables)
}

/// The keys of a runner's table, in whatever form it is written.
pub(crate) fn keys_of<'c, 't>(
    config: &'c Config<'t>,
    runner: &Runner<'_>,
    table: &'c str,
) -> impl Iterator<Item = TableKey<'t>> + use<'c, 't> {
    let syntax = config.syntax();
    let inside = syntax.siblings(runner.place().pairs.clone());
    let inside = inside.filter(move |pair| syntax.key_is(*pair, 0, table)).flat_map(|pair| {
        let mut keys = syntax.keys(pair).skip(1);
        let (key, value) = (keys.next(), syntax.value(pair));
        let inline = key.is_none() && syntax.node(value).kind == NodeKind::InlineTable;
        let inline = if inline { value + 1..syntax.after(value) } else { value..value };
        let simple = keys.next().is_none().then_some(value);
        let dotted = key.map(|key| TableKey { key, node: pair, value: simple });
        pairs(syntax, inline).chain(dotted)
    });
    let own = sections(config, runner).filter(move |(header, _)| syntax.key_is(*header, 1, table));
    let own = own.flat_map(|(header, block)| {
        let below = syntax.keys(header).nth(2);
        let own = if below.is_none() { block.pairs() } else { header..header };
        let below = below.map(|key| TableKey { key, node: header, value: None });
        pairs(syntax, own).chain(below)
    });
    inside.chain(own)
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
