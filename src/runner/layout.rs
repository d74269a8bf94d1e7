//! How a runner is laid out in its file, so that what comes in looks like its neighbours.

use crate::runner::table::sections;
use crate::runner::{Config, Runner};
use crate::secret::Secret;
use crate::toml::edit::Edit;
use crate::toml::lines::{deeper, line_indent};
use crate::toml::syntax::NodeId;
use crate::toml::table::{NewPair, WrittenTable};

/// How many runners are looked at for how a file is laid out.
const MODELS: usize = 100;

/// The table of a runner's own keys.
pub(crate) fn own_table<'s, 't>(
    config: &'s Config<'t>,
    runner: &Runner<'_>,
) -> WrittenTable<'s, 't> {
    let place = runner.place();
    WrittenTable::of_pairs(config.syntax(), place.block, place.inline, place.pairs.clone())
}

/// Gives a runner a section with one pair, after its own keys and before its other sections.
pub(crate) fn new_section(
    config: &Config<'_>,
    runner: &Runner<'_>,
    table: &str,
    pair: &NewPair,
) -> Edit {
    let syntax = config.syntax();
    let own = own_table(config, runner);
    let (at, newline) = own.end();
    let (outer, inner) = section_indents(config, runner);
    // `runners` as the runner's own header spells it: another spelling would be another key.
    let header = syntax.blocks()[runner.place().block].header();
    let first = header.and_then(|header| syntax.children(header).next());
    let runners = first.map_or("runners", |key| &syntax.text()[syntax.node(key).span()]);
    let NewPair { key, value } = pair;
    let equals = own.equals();
    let header = format!("{newline}{outer}[{runners}.{table}]");
    Edit::insert(at, Secret::concat(&[&header, newline, &inner, key, equals, value.expose()]))
}

/// The indent of a runner's own keys where it has none yet: that of other runners' keys.
pub(crate) fn own_indent(config: &Config<'_>, runner: &Runner<'_>) -> String {
    let syntax = config.syntax();
    let other = config.runners().iter().take(MODELS).find_map(|runner| {
        let place = runner.place();
        let pair = syntax.siblings(place.pairs.clone()).next()?;
        place.inline.is_none().then(|| syntax.node(pair).span().start)
    });
    match other {
        Some(pair) => line_indent(syntax.text(), pair).to_owned(),
        None => deeper(line_indent(syntax.text(), runner.place().offset)),
    }
}

/// The indents of the header of a runner's section and of its keys, as its other sections have
/// them, or those of other runners.
pub(crate) fn section_indents(config: &Config<'_>, runner: &Runner<'_>) -> (String, String) {
    let syntax = config.syntax();
    let indent = |id: NodeId| line_indent(syntax.text(), syntax.node(id).span().start);
    let others = config.runners().iter().take(MODELS);
    let every = std::iter::once(runner).chain(others).flat_map(|runner| sections(config, runner));
    let every: Vec<_> = every.filter(|(header, _)| syntax.keys(*header).count() == 2).collect();
    let pair = syntax.siblings(runner.place().pairs.clone()).next();
    let own = pair.map_or_else(|| own_indent(config, runner), |pair| indent(pair).to_owned());
    let outer = every.first().map_or(own.as_str(), |(header, _)| indent(*header));
    let step = every
        .iter()
        .find_map(|(header, block)| {
            let pair = syntax.siblings(block.pairs()).next()?;
            indent(pair).strip_prefix(indent(*header))
        })
        .or_else(|| own.strip_prefix(line_indent(syntax.text(), runner.place().offset)))
        .unwrap_or_default();
    (outer.to_owned(), format!("{outer}{step}"))
}
