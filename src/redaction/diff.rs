//! The change as a unified diff that may be shown to anybody.
//!
//! ```
//! use runner_auth::diff::{Line, LineKind, diff, sign, to_text};
//! use runner_auth::{Config, ConfigText, Credential, Plan, Redaction, Registry, Request, Secret};
//!
//! # fn main() -> Result<(), runner_auth::Error> {
//! let text = ConfigText::new("config.toml", b"[[runners]]\n  executor = 'docker'\n".to_vec());
//! let config = Config::parse(&text)?;
//! let login = Credential::new("ci", Secret::from("s3cret"))?;
//! let logins = vec![(Registry::parse("r.io")?, login)];
//! let request = Request::Set { logins, replace: false, pull_policies: Vec::new() };
//! let plan = Plan::make(&config, &[0], &request)?;
//! let lines: Vec<Line> = diff(&config, &plan, &Redaction::new(false), 3)?;
//! let added: Vec<_> = lines.iter().filter(|line| line.kind == LineKind::Added).collect();
//! assert_eq!((added.len(), sign(LineKind::Added)), (1, "+"));
//! assert!(to_text(&lines).contains(r#"{"r.io": {"auth": "<hidden-1>"}}"#));
//! # Ok(())
//! # }
//! ```

use std::ops::Range;
use std::time::{Duration, Instant};

use memchr::{memchr, memchr_iter, memrchr};
use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::{DiffOp, DiffTag};

use crate::error::Error;
use crate::plan::Plan;
use crate::plan::proof::PatchedBlock;
use crate::redaction::Redaction;
use crate::redaction::masks::{Masks, MasksAround};
use crate::runner::Config;
use crate::toml::edit::Edit;
use crate::toml::enclosure::Enclosure;
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
struct ChangedLines {
    old: Range<usize>,
    lines: Vec<Line>,
    added: usize,
}

/// The diff of a plan with this many lines of context; empty when nothing changes.
///
/// # Errors
///
/// [`Error::NotProved`] when a new section does not parse: what can't be read can't be shown
/// without its secrets, and what isn't shown is not to be written.
pub fn diff(
    config: &Config<'_>,
    plan: &Plan,
    redaction: &Redaction<'_>,
    context: usize,
) -> Result<Vec<Line>, Error> {
    if !plan.changes() {
        return Ok(Vec::new());
    }
    let mut old =
        OldLines { config, redaction, masks: MasksAround::new(redaction, config.syntax()) };
    let mut changes = Vec::new();
    for block in plan.blocks() {
        let masks = old.masks.of_block(block.block);
        changes.extend(block_changes(config, block, redaction, masks)?);
    }
    let label = config.text().label();
    let enclosure = config.text().enclosure();
    let label = enclosure.map_or(label.to_owned(), |outer| outer.title(label));
    let enclosed = enclosure.and_then(Enclosure::lines);
    let mut out = vec![
        Line::new(LineKind::File, format!("--- {label}")),
        Line::new(LineKind::File, format!("+++ {label}")),
    ];
    let count = config.text().line_count();
    let mut shift = 0_isize;
    let mut rest = &mut changes[..];
    while !rest.is_empty() {
        let near = |two: &[ChangedLines]| two[1].old.start <= two[0].old.end + 2 * context;
        let size = 1 + rest.windows(2).take_while(|two| near(two)).count();
        let (hunk, later) = rest.split_at_mut(size);
        rest = later;
        let start = hunk[0].old.start.saturating_sub(context);
        let end = (hunk[size - 1].old.end + context).min(count).max(hunk[size - 1].old.end);
        let grown: isize = hunk
            .iter()
            .map(|change| change.added.cast_signed() - change.old.len().cast_signed())
            .sum();
        let new_start = start.saturating_add_signed(shift);
        let new_length = (end - start).saturating_add_signed(grown);
        let above = enclosed.map_or(0, |(line, _)| line);
        let (from, to) = (range(above + start, end - start), range(above + new_start, new_length));
        let header = format!("@@ -{from} +{to} @@");
        out.push(Line::new(LineKind::Hunk, header));
        shift += grown;
        let mut at = start;
        for change in hunk {
            old.push(at..change.old.start, &mut out);
            out.append(&mut change.lines);
            at = change.old.end;
        }
        old.push(at..end, &mut out);
    }
    if let Some((_, indent)) = enclosed {
        indent_lines(&mut out, indent);
    }
    Ok(out)
}

/// Puts the blanks of a text that stands inside another file before its lines.
fn indent_lines(lines: &mut [Line], indent: usize) {
    for line in lines {
        let shown = !matches!(line.kind, LineKind::File | LineKind::Hunk);
        if shown && line.pieces.iter().any(|(_, text)| !text.is_empty()) {
            line.pieces.insert(0, (false, " ".repeat(indent)));
        }
    }
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
    redaction: &'c Redaction<'c>,
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
    patched: &PatchedBlock,
    redaction: &Redaction<'_>,
    old_masks: &Masks,
) -> Result<Vec<ChangedLines>, Error> {
    let syntax = config.syntax();
    let span = syntax.blocks()[patched.block].span();
    let old = &syntax.text()[span.clone()];
    let new = patched.text.expose();
    let first_line = config.text().line_of(span.start);
    let after = Syntax::parse(new).map_err(|_| Error::NotProved {
        path: config.text().label().to_owned(),
        difference: "the new section does not parse".to_owned(),
    })?;
    // The block starts at its bracket: what stands before it on the line is shown with it.
    let head = &syntax.text()[config.text().line(first_line).start..span.start];
    let touched = touched_lines(old, &patched.edits);
    let come = touched.first().zip(touched.last());
    let come = come.map_or(0..0, |(first, last)| first.new.start..last.new.end);
    let new_masks = redaction.masks(&after, 0..after.blocks().len(), &come);
    let mut changes = Vec::new();
    for Touched { old: old_span, new: new_span } in touched {
        let above = memchr_iter(b'\n', &old.as_bytes()[..old_span.start]).count();
        let old_lines = Lines::of(old, old_span);
        let new_lines = Lines::of(new, new_span);
        for op in ops(&old_lines.texts, &new_lines.texts, None) {
            if op.tag() == DiffTag::Equal {
                continue;
            }
            let shown = |start: usize, text: String| {
                if start == 0 { [head, &text].concat() } else { text }
            };
            let gone: Vec<_> = old_lines
                .spans(op.old_range())
                .map(|line| {
                    let piece = span.start + line.start..span.start + line.end;
                    shown(line.start, redaction.show(syntax.text(), piece, old_masks))
                })
                .collect();
            let come: Vec<_> = new_lines
                .spans(op.new_range())
                .map(|line| shown(line.start, redaction.show(new, line, &new_masks)))
                .collect();
            let first = first_line + above + op.old_range().start;
            changes.push(ChangedLines {
                old: first..first + gone.len(),
                added: come.len(),
                lines: marked(&gone, &come),
            });
        }
    }
    Ok(changes)
}

/// Whole lines in which edits lie, as bytes of the old text and of the new one.
struct Touched {
    old: Range<usize>,
    new: Range<usize>,
}

fn touched_lines(old: &str, edits: &[Edit]) -> Vec<Touched> {
    let mut all: Vec<Touched> = Vec::new();
    // How much longer the new text is, up to here.
    let mut grown = 0_isize;
    for Edit { span, text } in edits {
        let start = memrchr(b'\n', &old.as_bytes()[..span.start]).map_or(0, |end| end + 1);
        let end = memchr(b'\n', &old.as_bytes()[span.end..]);
        let end = end.map_or(old.len(), |end| span.end + end + 1);
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

/// Some lines of a text, with their line ends.
struct Lines<'t> {
    texts: Vec<&'t str>,
    /// Where each starts, and where the last one ends.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str, span: Range<usize>) -> Self {
        let (start, mut end) = (span.start, span.start);
        let texts: Vec<_> = text[span].split_inclusive('\n').collect();
        let ends = texts.iter().map(|line| {
            end += line.len();
            end
        });
        let starts = std::iter::once(start).chain(ends).collect();
        Self { texts, starts }
    }

    fn spans(&self, lines: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        lines.map(|line| self.starts[line]..self.starts[line + 1])
    }
}

/// How one list of lines or words becomes another.
fn ops(old: &[&str], new: &[&str], deadline: Option<Instant>) -> Vec<DiffOp> {
    let mut diff = Compact::new(Replace::new(Capture::new()), old, new);
    // One algorithm for one type: each other would be code that nobody runs. To capture can't fail.
    let Ok(()) = myers::diff_deadline(&mut diff, old, 0..old.len(), new, 0..new.len(), deadline);
    diff.into_inner().into_inner().into_ops()
}

/// The lines of a change, with the words marked in which they differ.
fn marked(gone: &[String], come: &[String]) -> Vec<Line> {
    let whole = |kind, lines: &[String]| -> Vec<Line> {
        lines.iter().map(|line| Line::new(kind, line.clone())).collect()
    };
    let mut lines = Vec::new();
    let old: Vec<_> = gone.iter().map(String::as_str).collect();
    let new: Vec<_> = come.iter().map(String::as_str).collect();
    for op in ops(&old, &new, None) {
        let (gone, come) = (&gone[op.old_range()], &come[op.new_range()]);
        if op.tag() == DiffTag::Replace {
            let (removed, added) = words(gone, come);
            lines.extend(removed);
            lines.extend(added);
        } else {
            // Two lines that look alike once their secrets are hidden still differ.
            lines.extend(whole(LineKind::Removed, gone));
            lines.extend(whole(LineKind::Added, come));
        }
    }
    lines
}

/// How long the search for the words may take; lines as long as a file is have no few words to mark.
const PATIENCE: Duration = Duration::from_millis(200);

/// Lines that give way to others, each with the words marked that the other side lacks.
fn words(gone: &[String], come: &[String]) -> (Vec<Line>, Vec<Line>) {
    let (old, new) = (tokens(gone), tokens(come));
    let deadline = Instant::now().checked_add(PATIENCE);
    let ops = ops(&old, &new, deadline);
    // Where little is the same, everything is new, and marks would only be noise.
    let count = |tokens: &[&str]| tokens.iter().filter(|&&token| token != "\n").count();
    let same = ops.iter().filter(|op| op.tag() == DiffTag::Equal);
    let kept: usize = same.map(|op| count(&old[op.old_range()])).sum();
    let alike = kept > 0 && kept * 2 >= count(&old).min(count(&new));
    let mut sides = (Side::new(LineKind::Removed, gone), Side::new(LineKind::Added, come));
    for op in ops {
        let changed = alike && op.tag() != DiffTag::Equal;
        old[op.old_range()].iter().for_each(|token| sides.0.push(changed, token));
        new[op.new_range()].iter().for_each(|token| sides.1.push(changed, token));
    }
    (sides.0.lines, sides.1.lines)
}

/// Lines as words, signs between them, and line ends. What stands between the signs of TOML and JSON
/// is a word: a registry, a user, a placeholder.
fn tokens(lines: &[String]) -> Vec<&str> {
    let is_sign = |byte: &u8| {
        byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"_-.:/@<>$+".contains(byte)
    };
    let mut out = Vec::new();
    for line in lines {
        let mut rest = line.as_str();
        while !rest.is_empty() {
            let word = rest.bytes().position(|byte| is_sign(&byte)).unwrap_or(rest.len());
            // A colon between a name and its value is a sign.
            let colon = usize::from(word > 1 && rest.as_bytes()[word - 1] == b':');
            let (token, later) = rest.split_at((word - colon).max(1));
            out.push(token);
            rest = later;
        }
        out.push("\n");
    }
    out
}

/// One side of a change, cut into pieces along its words.
struct Side<'l> {
    kind: LineKind,
    texts: std::slice::Iter<'l, String>,
    lines: Vec<Line>,
    /// What is left of the line at hand.
    rest: &'l str,
    /// How long the piece at hand is, and whether it changed.
    length: usize,
    changed: bool,
}

impl<'l> Side<'l> {
    fn new(kind: LineKind, texts: &'l [String]) -> Self {
        let mut side = Self {
            kind,
            texts: texts.iter(),
            lines: Vec::new(),
            rest: "",
            length: 0,
            changed: false,
        };
        side.next_line();
        side
    }

    fn push(&mut self, changed: bool, token: &str) {
        if token == "\n" {
            self.end_piece();
            self.next_line();
            return;
        }
        if changed != self.changed {
            self.end_piece();
            self.changed = changed;
        }
        self.length += token.len();
    }

    fn end_piece(&mut self) {
        let (piece, rest) = self.rest.split_at(std::mem::take(&mut self.length));
        self.rest = rest;
        if let Some(line) = self.lines.last_mut().filter(|_| !piece.is_empty()) {
            line.pieces.push((self.changed, piece.to_owned()));
        }
    }

    fn next_line(&mut self) {
        if let Some(text) = self.texts.next() {
            self.rest = text;
            self.lines.push(Line { kind: self.kind, pieces: Vec::new() });
        }
    }
}

/// The diff as plain text.
#[must_use]
pub fn to_text(lines: &[Line]) -> String {
    let pieces = lines.iter().flat_map(|line| &line.pieces).map(|(_, text)| text.len());
    let mut out = String::with_capacity(pieces.sum::<usize>() + lines.len() * "+\n".len());
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces of each line, what changed between brackets.
    fn shown(gone: &[&str], come: &[&str]) -> Vec<String> {
        let owned = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
        let piece = |(changed, text): &(bool, String)| {
            if *changed { format!("[{text}]") } else { text.clone() }
        };
        let lines = marked(&owned(gone), &owned(come));
        lines.iter().map(|line| line.pieces.iter().map(piece).collect()).collect()
    }

    #[test]
    fn a_changed_password_is_one_word_of_a_compact_line() {
        assert_eq!(
            shown(
                &[r#"environment = ['A={"auths":{"r.io":{"auth":"<hidden-1>"}}}']"#],
                &[r#"environment = ['A={"auths":{"r.io":{"auth":"<hidden-2>"}}}']"#],
            ),
            [
                r#"environment = ['A={"auths":{"r.io":{"auth":"[<hidden-1>]"}}}']"#,
                r#"environment = ['A={"auths":{"r.io":{"auth":"[<hidden-2>]"}}}']"#,
            ]
        );
    }

    #[test]
    fn a_registry_that_comes_to_a_compact_line_is_all_that_is_marked() {
        assert_eq!(
            shown(
                &[r#"['A={"auths":{"r.io":{"auth":"<hidden-1>"}}}']"#],
                &[
                    r#"['A={"auths":{"r.io":{"auth":"<hidden-1>"},"s.io:5000":{"auth":"<hidden-2>"}}}']"#
                ],
            ),
            [
                r#"['A={"auths":{"r.io":{"auth":"<hidden-1>"}}}']"#,
                r#"['A={"auths":{"r.io":{"auth":"<hidden-1>"}[,"s.io:5000":{"auth":"<hidden-2>"}]}}']"#,
            ]
        );
    }

    #[test]
    fn lines_that_look_alike_and_lines_with_nothing_in_common_have_no_marks() {
        assert_eq!(shown(&["<hidden-1>"], &["<hidden-1>"]), ["<hidden-1>", "<hidden-1>"]);
        assert_eq!(shown(&["a = 1"], &["<hidden-1>"]), ["a = 1", "<hidden-1>"]);
        assert_eq!(shown(&[], &["one", "two"]), ["one", "two"]);
    }

    #[test]
    fn an_empty_line_stays_a_line() {
        assert_eq!(
            shown(&["a, b, c", ""], &["a, b, d", "e"]),
            ["a, b, [c]", "", "a, b, [d]", "[e]"]
        );
    }
}
