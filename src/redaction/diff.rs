//! The change as a unified diff that may be shown to anybody.

use std::ops::Range;

use similar::{ChangeTag, DiffTag, TextDiff};

use crate::plan::Plan;
use crate::redaction::{MasksAround, Redaction};
use crate::runner::Config;
use crate::toml::printable::one_line;
use crate::toml::syntax::Syntax;

/// What a line of the diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// `---` and `+++`.
    File,
    /// `@@ … @@`.
    Hunk,
    /// The same in both.
    Context,
    /// Only in the old text.
    Removed,
    /// Only in the new text.
    Added,
}

/// One line of the diff, its secrets replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub kind: LineKind,
    /// Its pieces, each with whether it is what changed in the line.
    pub pieces: Vec<(bool, String)>,
}

impl Line {
    fn new(kind: LineKind, text: String) -> Self {
        Self { kind, pieces: vec![(false, text)] }
    }
}

/// A run of lines that changes: lines of the old text give way to shown lines.
struct Change {
    old: Range<usize>,
    lines: Vec<Line>,
    added: usize,
}

/// The diff of a plan with this many lines of context.
#[must_use]
pub fn diff(config: &Config<'_>, plan: &Plan, redaction: &Redaction, context: usize) -> Vec<Line> {
    if !plan.changes() {
        return Vec::new();
    }
    let changes: Vec<_> = plan
        .blocks()
        .iter()
        .flat_map(|block| block_changes(config, block.block, &block.text, redaction))
        .collect();
    let label = one_line(config.text().label());
    let mut out = vec![
        Line::new(LineKind::File, format!("--- {label}")),
        Line::new(LineKind::File, format!("+++ {label}")),
    ];
    let mut old =
        OldLines { config, redaction, masks: MasksAround::new(redaction, config.syntax()) };
    let count = config.text().line_count();
    let mut shift = 0_isize;
    let mut rest = &changes[..];
    while !rest.is_empty() {
        let near = |two: &[Change]| two[1].old.start <= two[0].old.end + 2 * context;
        let size = 1 + rest.windows(2).take_while(|two| near(two)).count();
        let (hunk, later) = rest.split_at(size);
        rest = later;
        let start = hunk[0].old.start.saturating_sub(context);
        let end = (hunk[size - 1].old.end + context).min(count).max(hunk[size - 1].old.end);
        let grown: isize = hunk
            .iter()
            .map(|change| change.added.cast_signed() - change.old.len().cast_signed())
            .sum();
        let new_start = start.saturating_add_signed(shift);
        let new_length = (end - start).saturating_add_signed(grown);
        let header =
            format!("@@ -{} +{} @@", range(start, end - start), range(new_start, new_length));
        out.push(Line::new(LineKind::Hunk, header));
        shift += grown;
        let mut at = start;
        for change in hunk {
            old.push(at..change.old.start, &mut out);
            out.extend(change.lines.iter().cloned());
            at = change.old.end;
        }
        old.push(at..end, &mut out);
    }
    out
}

fn range(start: usize, length: usize) -> String {
    match length {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        _ => format!("{},{length}", start + 1),
    }
}

/// Shows lines of the old text.
struct OldLines<'c, 't> {
    config: &'c Config<'t>,
    redaction: &'c Redaction,
    masks: MasksAround<'c, 't>,
}

impl OldLines<'_, '_> {
    fn push(&mut self, lines: Range<usize>, out: &mut Vec<Line>) {
        for line in lines {
            let text = self.show(line);
            out.push(Line::new(LineKind::Context, text));
        }
    }

    fn show(&mut self, line: usize) -> String {
        let text = self.config.text();
        let span = text.line(line);
        // The indent of a header belongs to the block before it, the rest to its own.
        let last = span.end.saturating_sub(1).max(span.start);
        self.redaction.show(text.as_str(), span, self.masks.at(last))
    }
}

fn block_changes(
    config: &Config<'_>,
    block: usize,
    new: &str,
    redaction: &Redaction,
) -> Vec<Change> {
    let syntax = config.syntax();
    let span = syntax.blocks()[block].span.clone();
    let old = &syntax.text()[span.clone()];
    let first_line = config.text().line_of(span.start);
    // The proof has parsed the new text already.
    let Ok(after) = Syntax::parse(new) else {
        return Vec::new();
    };
    let old_masks = redaction.masks(syntax, block);
    let new_masks = redaction.masks_of(&after, 0..after.blocks().len());
    // The block starts at its bracket: what stands before it on the line is shown with it.
    let head = &syntax.text()[config.text().line(first_line).start..span.start];
    let lines = TextDiff::from_lines(old, new);
    let mut changes = Vec::new();
    let starts = |text: &str| -> Vec<usize> {
        let ends =
            text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        std::iter::once(0).chain(ends).chain([text.len()]).collect()
    };
    let (old_starts, new_starts) = (starts(old), starts(new));
    for op in lines.ops() {
        let (tag, old_lines, new_lines) = op.as_tag_tuple();
        if tag == DiffTag::Equal {
            continue;
        }
        let shown = |line: usize, text: String| {
            if line == 0 { format!("{head}{text}") } else { text }
        };
        let gone: Vec<_> = old_lines
            .clone()
            .map(|line| {
                let piece = span.start + old_starts[line]..span.start + old_starts[line + 1];
                shown(line, redaction.show(syntax.text(), piece, &old_masks))
            })
            .collect();
        let come: Vec<_> = new_lines
            .clone()
            .map(|line| {
                let piece = new_starts[line]..new_starts[line + 1];
                shown(line, redaction.show(new, piece, &new_masks))
            })
            .collect();
        changes.push(Change {
            old: first_line + old_lines.start..first_line + old_lines.end,
            added: new_lines.len(),
            lines: marked(&gone, &come),
        });
    }
    changes
}

/// The lines of a change, with the words marked in which they differ.
fn marked(gone: &[String], come: &[String]) -> Vec<Line> {
    let join = |lines: &[String]| -> String {
        lines
            .iter()
            .flat_map(|line| {
                [
                    line, "
",
                ]
            })
            .collect::<String>()
    };
    let (old, new) = (join(gone), join(come));
    let diff = TextDiff::from_lines(old.as_str(), new.as_str());
    let mut lines: Vec<Line> = Vec::new();
    for op in diff.ops() {
        for change in diff.iter_inline_changes(op) {
            let pieces = change
                .values()
                .iter()
                .map(|(changed, text)| (*changed, text.trim_end_matches('\n').to_owned()));
            let pieces: Vec<_> = pieces.filter(|(_, text)| !text.is_empty()).collect();
            let kinds: &[LineKind] = match change.tag() {
                ChangeTag::Delete => &[LineKind::Removed],
                ChangeTag::Insert => &[LineKind::Added],
                // Two lines that look alike once their secrets are hidden still differ.
                ChangeTag::Equal => &[LineKind::Removed, LineKind::Added],
            };
            lines.extend(kinds.iter().map(|&kind| Line { kind, pieces: pieces.clone() }));
        }
    }
    lines
}

/// The diff as plain text.
#[must_use]
pub fn to_text(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        out.push_str(sign(line.kind));
        line.pieces.iter().for_each(|(_, text)| out.push_str(text));
        out.push('\n');
    }
    out
}

/// What a line starts with.
#[must_use]
pub fn sign(kind: LineKind) -> &'static str {
    match kind {
        LineKind::File | LineKind::Hunk => "",
        LineKind::Context => " ",
        LineKind::Removed => "-",
        LineKind::Added => "+",
    }
}
