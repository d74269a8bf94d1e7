//! Which lines of a block change: those in which its edits lie, but for what is the same in both.

use std::ops::Range;

use memchr::memchr_iter;
use similar::DiffTag;

use super::words::{marked, ops};
use super::{Line, shown_line};
use crate::plan::proof::PatchedBlock;
use crate::redaction::Redaction;
use crate::redaction::masks::Masks;
use crate::runner::Config;
use crate::toml::edit::Edit;
use crate::toml::lines::{after_newline, line_start};

/// A run of lines that changes: lines of the old text give way to shown lines.
pub(super) struct ChangedLines {
    pub old: Range<usize>,
    pub lines: Vec<Line>,
    pub added: usize,
}

/// Adds the lines that change in a block.
pub(super) fn changed_lines(
    config: &Config<'_>,
    patched: &PatchedBlock,
    edits: &[Edit],
    redaction: &Redaction<'_>,
    old_masks: &Masks,
    changes: &mut Vec<ChangedLines>,
) {
    let syntax = config.syntax();
    let span = syntax.blocks()[patched.block].span();
    let old = &syntax.text()[span.clone()];
    let new = patched.text.text();
    let first_line = config.text().line_of(span.start);
    let after = patched.text.syntax();
    // The block starts at its bracket: what stands before it on the line is shown with it.
    let head = &syntax.text()[line_start(syntax.text(), span.start)..span.start];
    let touched = touched_lines(old, span.start, edits);
    let come = touched.first().zip(touched.last());
    let come = come.map_or(0..0, |(first, last)| first.new.start..last.new.end);
    let new_masks = redaction.masks(&after, 0..after.blocks().len(), &come);
    for Touched { old: old_span, new: new_span } in touched {
        let above = memchr_iter(b'\n', &old.as_bytes()[..old_span.start]).count();
        let old_lines = Lines::of(old, old_span);
        let new_lines = Lines::of(new, new_span);
        for (old_lost, new_come) in replaced(&old_lines, &new_lines) {
            let shown = |start: usize, text: String| {
                if start == 0 { [head, &text].concat() } else { text }
            };
            let gone: Vec<_> = old_lines
                .spans(old_lost.clone())
                .map(|line| {
                    let piece = span.start + line.start..span.start + line.end;
                    shown(line.start, shown_line(redaction, syntax.text(), piece, old_masks))
                })
                .collect();
            let come: Vec<_> = new_lines
                .spans(new_come)
                .map(|line| shown(line.start, shown_line(redaction, new, line, &new_masks)))
                .collect();
            let first = first_line + above + old_lost.start;
            changes.push(ChangedLines {
                old: first..first + gone.len(),
                added: come.len(),
                lines: marked(gone, come),
            });
        }
    }
}

/// Whole lines in which edits lie, as bytes of the old text and of the new one.
struct Touched {
    old: Range<usize>,
    new: Range<usize>,
}

/// The lines in which edits lie, whose places count from `base` bytes before the text.
fn touched_lines(old: &str, base: usize, edits: &[Edit]) -> Vec<Touched> {
    let mut all: Vec<Touched> = Vec::new();
    // How much longer the new text is, up to here.
    let mut grown = 0_isize;
    for Edit { span, text } in edits {
        let span = span.start - base..span.end - base;
        let (start, end) = (line_start(old, span.start), after_newline(old, span.end));
        let new_start = start.saturating_add_signed(grown);
        grown += text.expose().len().cast_signed() - span.len().cast_signed();
        let new_end = end.saturating_add_signed(grown);
        match all.last_mut().filter(|last| start <= last.old.end) {
            Some(last) => {
                last.old.end = end;
                last.new.end = new_end;
            }
            None => all.push(Touched { old: start..end, new: new_start..new_end }),
        }
    }
    all
}

/// Which lines give way to which.
fn replaced(old: &Lines<'_>, new: &Lines<'_>) -> Vec<(Range<usize>, Range<usize>)> {
    let ops = ops(&old.texts(), &new.texts(), None).into_iter();
    let changed = ops.filter(|op| op.tag() != DiffTag::Equal);
    changed.map(|op| (op.old_range(), op.new_range())).collect()
}

/// Some lines of a text, with their line ends.
struct Lines<'t> {
    text: &'t str,
    /// Where each starts, and where the last one ends.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str, span: Range<usize>) -> Self {
        let mut starts = vec![span.start];
        while let Some(&start) = starts.last().filter(|&&start| start < span.end) {
            starts.push(after_newline(text, start).min(span.end));
        }
        Self { text, starts }
    }

    fn texts(&self) -> Vec<&'t str> {
        self.starts.windows(2).map(|two| &self.text[two[0]..two[1]]).collect()
    }

    fn spans(&self, lines: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        lines.map(|line| self.starts[line]..self.starts[line + 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::edit::splice_text;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::property::cases(500))]

        #[test]
        fn what_no_edit_touches_is_the_same_in_both_texts(
            old in "[ab\n]{0,40}",
            places in prop::collection::btree_set(0_usize..41, 0..6),
            texts in prop::collection::vec("[ab\n]{0,6}", 3),
        ) {
            let places: Vec<_> = places.into_iter().map(|place| place.min(old.len())).collect();
            let spans = places.chunks_exact(2).map(|two| two[0]..two[1]);
            let edits: Vec<_> = spans.zip(texts).map(|(span, text)| Edit::new(span, text)).collect();
            let new = splice_text(&old, &edits);
            let touched = touched_lines(&old, 0, &edits);
            let edits = touched.iter().map(|Touched { old, new: span }| {
                Edit::new(old.clone(), &new.expose()[span.clone()])
            });
            let edits: Vec<_> = edits.collect();
            prop_assert_eq!(splice_text(&old, &edits), new);
            let begins = |at: usize| at == 0 || old[..at].ends_with('\n');
            prop_assert!(touched.iter().all(|lines| begins(lines.old.start)));
            let apart = |two: &[Touched]| two[0].old.end < two[1].old.start;
            prop_assert!(touched.windows(2).all(apart));
        }
    }
}
