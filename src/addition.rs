//! New pairs and sections, laid out like their neighbours.

use std::ops::Range;

use crate::runner::{Config, Runner};
use crate::runner_table::sections;
use crate::toml::bracketed::{List, deeper, line_end, line_indent, newline_before, skip_blank};
use crate::toml::edit::Edit;
use crate::toml::syntax::{NodeId, Syntax};

/// How many runners are looked at for how a file is laid out.
const MODELS: usize = 100;

/// A key as it is to be written, and its value.
#[derive(Debug, Clone)]
pub(crate) struct NewPair {
    pub key: String,
    pub value: String,
}

/// A table that takes new pairs: a section with its header, or an inline table.
pub(crate) struct WrittenTable<'s, 't> {
    syntax: &'s Syntax<'t>,
    block: usize,
    inline: Option<NodeId>,
    pairs: Vec<NodeId>,
}

impl<'s, 't> WrittenTable<'s, 't> {
    /// The table of a runner's own keys.
    pub fn of_runner(config: &'s Config<'t>, runner: &Runner<'_>) -> Self {
        let place = runner.place();
        Self::new(config, place.block, place.inline, place.pairs.clone())
    }

    /// A section.
    pub fn of_block(config: &'s Config<'t>, block: usize) -> Self {
        Self::new(config, block, None, config.syntax().blocks()[block].pairs.clone())
    }

    /// An inline table in a block.
    pub fn of_inline(config: &'s Config<'t>, block: usize, table: NodeId) -> Self {
        let pairs = table + 1..config.syntax().after(table);
        Self::new(config, block, Some(table), pairs)
    }

    fn new(
        config: &'s Config<'t>,
        block: usize,
        inline: Option<NodeId>,
        pairs: Range<NodeId>,
    ) -> Self {
        let syntax = config.syntax();
        Self { syntax, block, inline, pairs: syntax.siblings(pairs).collect() }
    }

    /// Adds pairs at the end; `indent` is for a section that has none yet.
    pub fn add(&self, new: &[NewPair], indent: impl FnOnce() -> String) -> Vec<Edit> {
        if new.is_empty() {
            return Vec::new();
        }
        let (text, equals) = (self.syntax.text(), self.equals());
        let new: Vec<_> =
            new.iter().map(|NewPair { key, value }| format!("{key}{equals}{value}")).collect();
        if let Some(table) = self.inline {
            let items = self.pairs.iter().map(|&pair| self.syntax.node(pair).span()).collect();
            return List::new(text, self.syntax.node(table).span(), items).append(&new);
        }
        let indent = match self.pairs.last() {
            Some(&pair) => line_indent(text, self.syntax.node(pair).span().start).to_owned(),
            None => indent(),
        };
        let (at, newline) = self.end();
        let line = format!("{newline}{indent}");
        vec![Edit::insert(at, format!("{line}{}", new.join(&line)))]
    }

    /// The `=` of the last pair, with its blanks.
    pub fn equals(&self) -> &'static str {
        let Some(&pair) = self.pairs.last() else {
            return " = ";
        };
        let start = self.syntax.node(pair).span().start;
        let value = self.syntax.node(self.syntax.value(pair)).span();
        let blank = self.syntax.text()[start..value.start].ends_with([' ', '\t']);
        if blank { " = " } else { "=" }
    }

    /// Whether blanks stand between the braces and the pairs of an inline table.
    pub fn is_padded(&self) -> bool {
        self.inline.is_some_and(|table| {
            self.syntax.text()[self.syntax.node(table).span().start + 1..].starts_with([' ', '\t'])
        })
    }

    /// The end of the last pair's line (of the header's where there is no pair), and a line end.
    fn end(&self) -> (usize, &'static str) {
        let text = self.syntax.text();
        let header = self.syntax.blocks()[self.block].header;
        let last = self.pairs.last().copied().or(header);
        let after = last.map_or(0, |id| self.syntax.node(id).span().end);
        // Behind a comment on the same line, before the line end, which may be missing.
        let rest = skip_blank(text, after);
        let at = if text[rest..].starts_with('#') { line_end(text, rest) } else { rest };
        let newline = if text[at..].starts_with("\r\n") {
            "\r\n"
        } else if text[at..].starts_with('\n') {
            "\n"
        } else {
            newline_before(text, at)
        };
        (at, newline)
    }
}

/// Gives a runner a section with one pair, after its own keys and before its other sections.
pub(crate) fn new_section(
    config: &Config<'_>,
    runner: &Runner<'_>,
    table: &str,
    pair: &NewPair,
) -> Edit {
    let syntax = config.syntax();
    let own = WrittenTable::of_runner(config, runner);
    let (at, newline) = own.end();
    let (outer, inner) = section_indents(config, runner);
    // `runners` as the runner's own header spells it: another spelling would be another key.
    let header = syntax.blocks()[runner.place().block].header;
    let first = header.and_then(|header| syntax.children(header).next());
    let runners = first.map_or("runners", |key| &syntax.text()[syntax.node(key).span()]);
    let NewPair { key, value } = pair;
    let equals = own.equals();
    let header = format!("{newline}{outer}[{runners}.{table}]");
    Edit::insert(at, format!("{header}{newline}{inner}{key}{equals}{value}"))
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
            let pair = syntax.siblings(block.pairs.clone()).next()?;
            indent(pair).strip_prefix(indent(*header))
        })
        .or_else(|| own.strip_prefix(line_indent(syntax.text(), runner.place().offset)))
        .unwrap_or_default();
    (outer.to_owned(), format!("{outer}{step}"))
}
