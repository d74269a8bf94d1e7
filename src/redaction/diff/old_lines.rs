//! The lines that stay as they are, which are shown around those that change.

use std::ops::Range;

use super::{Line, LineKind, shown_line};
use crate::redaction::Redaction;
use crate::redaction::masks::Masks;
use crate::runner::Config;
use crate::toml::edit::Edit;
use crate::toml::lines::{after_newline, line_start};

/// Shows lines of the old text.
pub(super) struct OldLines<'c, 't> {
    config: &'c Config<'t>,
    redaction: &'c Redaction<'c>,
    /// Parts of it, of whole lines and in its order, with what is masked in them.
    parts: Vec<(Range<usize>, Masks)>,
}

impl<'c, 't> OldLines<'c, 't> {
    pub fn new(config: &'c Config<'t>, redaction: &'c Redaction<'c>) -> Self {
        Self { config, redaction, parts: Vec::new() }
    }

    /// What is masked in the lines with these edits of one block, and in as many around them as are
    /// shown, from the part before up to the `next` edit. It is kept for those.
    pub fn part(&mut self, edits: &[Edit], next: Option<&Edit>, context: usize) -> &Masks {
        let text = self.config.text().as_str();
        let start = edits.first().map_or(0, |edit| edit.span.start);
        let end = edits.last().map_or(start, |edit| edit.span.end);
        let from = self.parts.last().map_or(0, |(before, _)| before.end);
        let to = next.map_or(text.len(), |next| line_start(text, next.span.start));
        let part = lines_around(text, start..end, context, &(from..to));
        let masks = self.masks(&part);
        self.parts.push((part, masks));
        &self.parts[self.parts.len() - 1].1
    }

    fn masks(&self, part: &Range<usize>) -> Masks {
        let syntax = self.config.syntax();
        // The indent of a header belongs to the block before it.
        let last = syntax.block_at(part.end.saturating_sub(1));
        self.redaction.masks(syntax, syntax.block_at(part.start)..last + 1, part)
    }

    /// Shows lines that stay as they are.
    pub fn push(&self, lines: Range<usize>, out: &mut Vec<Line>) {
        let text = self.config.text();
        let mut end = text.line_start(lines.start);
        for _ in lines {
            let span = end..after_newline(text.as_str(), end);
            end = span.end;
            let part = self.parts.partition_point(|(part, _)| part.end < span.end);
            let known = self.parts.get(part).filter(|(part, _)| part.start <= span.start);
            let shown = match known {
                // Every line that is shown is in one of them; else it is looked at by itself.
                Some((_, masks)) => shown_line(self.redaction, text.as_str(), span, masks),
                None => shown_line(self.redaction, text.as_str(), span.clone(), &self.masks(&span)),
            };
            out.push(Line::new(LineKind::Context, shown));
        }
    }
}

/// The whole lines that hold a piece of a text, and those around them that lie within limits.
fn lines_around(
    text: &str,
    piece: Range<usize>,
    context: usize,
    limits: &Range<usize>,
) -> Range<usize> {
    let (mut start, mut end) = (line_start(text, piece.start), after_newline(text, piece.end));
    let mut lines = context;
    while lines > 0 && start > limits.start {
        start = line_start(text, start - 1);
        lines -= 1;
    }
    lines = context;
    while lines > 0 && end < limits.end {
        end = after_newline(text, end);
        lines -= 1;
    }
    start..end
}
