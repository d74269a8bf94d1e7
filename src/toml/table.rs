//! New pairs and sections, laid out like their neighbours.

use std::ops::Range;

use crate::secret::Secret;
use crate::toml::bracketed::List;
use crate::toml::edit::Edit;
use crate::toml::lines::{line_end, line_indent, newline_at, newline_before, skip_blank};
use crate::toml::syntax::{NodeId, Syntax};

/// A key as it is to be written, and its value.
#[derive(Debug, Clone)]
pub(crate) struct NewPair {
    pub key: String,
    pub value: Secret,
}

/// A table that takes new pairs: a section with its header, or an inline table.
pub(crate) struct WrittenTable<'s, 't> {
    syntax: &'s Syntax<'t>,
    block: usize,
    inline: Option<NodeId>,
    pairs: Range<NodeId>,
}

impl<'s, 't> WrittenTable<'s, 't> {
    /// A section.
    pub fn of_block(syntax: &'s Syntax<'t>, block: usize) -> Self {
        Self::of_pairs(syntax, block, None, syntax.blocks()[block].pairs())
    }

    /// An inline table in a block.
    pub fn of_inline(syntax: &'s Syntax<'t>, block: usize, table: NodeId) -> Self {
        Self::of_pairs(syntax, block, Some(table), table + 1..syntax.after(table))
    }

    /// These pairs of a block, or of an inline table in it.
    pub fn of_pairs(
        syntax: &'s Syntax<'t>,
        block: usize,
        inline: Option<NodeId>,
        pairs: Range<NodeId>,
    ) -> Self {
        Self { syntax, block, inline, pairs }
    }

    fn pairs(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.syntax.siblings(self.pairs.clone())
    }

    /// Adds pairs at the end; `indent` is for a section that has none yet.
    pub fn add(&self, new: &[NewPair], indent: impl FnOnce() -> String) -> Vec<Edit> {
        if new.is_empty() {
            return Vec::new();
        }
        let (text, equals) = (self.syntax.text(), self.equals());
        let new: Vec<_> = new
            .iter()
            .map(|NewPair { key, value }| Secret::concat(&[key, equals, value.expose()]))
            .collect();
        if let Some(table) = self.inline {
            let items = self.pairs().map(|pair| self.syntax.node(pair).span()).collect();
            return List::new(text, self.syntax.node(table).span(), items).append(&new);
        }
        let indent = match self.pairs().last() {
            Some(pair) => line_indent(text, self.syntax.node(pair).span().start).to_owned(),
            None => indent(),
        };
        let (at, newline) = self.end();
        let line = format!("{newline}{indent}");
        vec![Edit::insert(at, Secret::concat(&[&line, Secret::join(&new, &line).expose()]))]
    }

    /// Takes a pair out with its line, as if [`Self::add`] had never put it there; `None` when a
    /// comment stands in it or behind it, or another pair on its line.
    pub fn remove(&self, pair: NodeId) -> Option<Vec<Edit>> {
        let text = self.syntax.text();
        let span = self.syntax.node(pair).span();
        let commented = |comment: &Range<usize>| span.contains(&comment.start);
        if self.syntax.comments().iter().any(commented) {
            return None;
        }
        if let Some(table) = self.inline {
            let number = self.pairs().position(|other| other == pair)?;
            let items = self.pairs().map(|pair| self.syntax.node(pair).span()).collect();
            let list = List::new(text, self.syntax.node(table).span(), items);
            return Some(list.remove(&[number]));
        }
        let start = span.start - line_indent(text, span.start).len();
        let rest = skip_blank(text, span.end);
        let line = line_end(text, rest);
        if line != rest || !text[..start].ends_with('\n') {
            return None;
        }
        let edit = match text[line..].find('\n') {
            Some(newline) => start..line + newline + 1,
            // The last line of the file: the line end before it goes.
            None => start - newline_before(text, start).len()..text.len(),
        };
        Some(vec![Edit::remove(edit)])
    }

    /// The `=` of the last pair, with its blanks.
    pub fn equals(&self) -> &'static str {
        let Some(pair) = self.pairs().last() else {
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
    pub fn end(&self) -> (usize, &'static str) {
        let text = self.syntax.text();
        let header = self.syntax.blocks()[self.block].header();
        let last = self.pairs().last().or(header);
        let after = last.map_or(0, |id| self.syntax.node(id).span().end);
        // Behind a comment on the same line, before the line end, which may be missing.
        let rest = skip_blank(text, after);
        let at = if text[rest..].starts_with('#') { line_end(text, rest) } else { rest };
        (at, newline_at(text, at))
    }
}
