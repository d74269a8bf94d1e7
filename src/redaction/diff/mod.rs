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
//! let lines: Vec<Line> = diff(&config, &plan, &Redaction::new(false), 3);
//! let added: Vec<_> = lines.iter().filter(|line| line.kind == LineKind::Added).collect();
//! assert_eq!((added.len(), sign(LineKind::Added)), (1, "+"));
//! // It takes no line's place, so that nothing in it is marked.
//! assert!(added[0].pieces().eq([(false, added[0].text.as_str())]));
//! assert!(to_text(&lines).contains(r#"{"r.io": {"auth": "<hidden-1>"}}"#));
//! # Ok(())
//! # }
//! ```

mod changed_lines;
mod last_line;
mod old_lines;
mod words;

use std::fmt;
use std::ops::Range;

use changed_lines::{ChangedLines, changed_lines};
use last_line::LacksLineEnd;
use old_lines::OldLines;

use crate::plan::Plan;
use crate::redaction::Redaction;
use crate::redaction::masks::Masks;
use crate::runner::Config;
use crate::toml::enclosure::Enclosure;

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
    /// The line before it is the last one of its text, and has no line end.
    NoLineEnd,
}

/// One line of the diff, its secrets replaced; where they are shown it ends with its carriage return, if
/// it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub kind: LineKind,
    /// What it says.
    pub text: String,
    /// The bytes of the text that the line on the other side lacks, in whole words; none where nothing is
    /// marked.
    pub changed: Vec<Range<usize>>,
}

impl Line {
    fn new(kind: LineKind, text: String) -> Self {
        Self { kind, text, changed: Vec::new() }
    }

    /// The text in pieces, each with whether it is what changed in the line.
    pub fn pieces(&self) -> impl Iterator<Item = (bool, &str)> {
        let mut pieces = Vec::with_capacity(2 * self.changed.len() + 1);
        let mut at = 0;
        for span in &self.changed {
            pieces.push((false, &self.text[at..span.start]));
            pieces.push((true, &self.text[span.clone()]));
            at = span.end;
        }
        pieces.push((false, &self.text[at..]));
        pieces.into_iter().filter(|(_, piece)| !piece.is_empty())
    }

    fn context(text: &str) -> Self {
        Self::new(LineKind::Context, text.to_owned())
    }

    /// As GNU diff says it.
    fn no_line_end() -> Self {
        Self::new(LineKind::NoLineEnd, "\\ No newline at end of file".to_owned())
    }
}

/// The diff of a plan with this many lines of context; empty when nothing changes.
#[must_use]
pub fn diff(
    config: &Config<'_>,
    plan: &Plan,
    redaction: &Redaction<'_>,
    context: usize,
) -> Vec<Line> {
    if !plan.changes() {
        return Vec::new();
    }
    let mut old = OldLines::new(config, redaction);
    let mut changes = Vec::with_capacity(plan.blocks().len());
    for (number, block) in plan.blocks().iter().enumerate() {
        let edits = &plan.edits()[block.edits.clone()];
        let next = plan.blocks().get(number + 1).map_or(0..0, |next| next.edits.clone());
        let masks = old.part(edits, plan.edits()[next].first(), context);
        changed_lines(config, block, edits, redaction, masks, &mut changes);
    }
    let label = config.text().label();
    let enclosure = config.text().enclosure();
    let label = enclosure.map_or(label.to_owned(), |outer| outer.title(label));
    let enclosed = enclosure.and_then(Enclosure::lines);
    // What is secret in another file is not known here: its lines are shown where all is.
    let around = enclosure.filter(|_| redaction.show).and_then(Enclosure::around);
    let (before, behind) = around.unwrap_or_default();
    let count = config.text().line_count();
    let near = changes.len().saturating_mul(2 * context + 1).min(count + changes.len());
    let marked: usize = changes.iter().map(|change| change.lines.len()).sum();
    let mut out = Vec::with_capacity(2 + near + marked);
    out.push(Line::new(LineKind::File, format!("--- {label}")));
    out.push(Line::new(LineKind::File, format!("+++ {label}")));
    let lacks = LacksLineEnd::new(config.text(), plan.edits());
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
        let mut before: Vec<_> = before
            .split_terminator('\n')
            .rev()
            .take(context.saturating_sub(hunk[0].old.start))
            .collect();
        before.reverse();
        let missing = (hunk[size - 1].old.end + context).saturating_sub(count);
        let behind = Behind::new(behind, missing);
        let above = enclosed.map_or(0, |(line, _)| line) - before.len();
        let more = before.len() + behind.lines.len();
        let from = Lines { first: above + start, count: end - start + more };
        let to = Lines { first: above + new_start, count: new_length + more };
        out.push(Line::new(LineKind::Hunk, format!("@@ -{from} +{to} @@")));
        out.extend(before.into_iter().map(Line::context));
        let inside = out.len();
        shift += grown;
        let mut at = start;
        for change in hunk {
            old.push(at..change.old.start, &mut out);
            if change.old.end == count {
                lacks.mark(&mut change.lines);
            }
            out.append(&mut change.lines);
            at = change.old.end;
        }
        old.push(at..end, &mut out);
        if at < end && end == count && lacks.old {
            out.push(Line::no_line_end());
        }
        if let (Some(enclosure), Some((_, indent))) = (enclosure, enclosed) {
            indent_lines(&mut out[inside..], enclosure, start, indent);
        }
        out.extend(behind.lines.into_iter().map(Line::context));
        out.extend(behind.lacks_line_end.then(Line::no_line_end));
    }
    out
}

/// A whole line as it may be shown. With secrets in it the diff is a patch, so that its lines keep their
/// carriage returns.
fn shown_line(redaction: &Redaction<'_>, text: &str, line: Range<usize>, masks: &Masks) -> String {
    let has_return = redaction.show && text[line.clone()].ends_with("\r\n");
    let mut shown = redaction.show(text, line, masks);
    shown.extend(has_return.then_some('\r'));
    shown
}

/// The lines of another file behind those of the text.
struct Behind<'f> {
    lines: Vec<&'f str>,
    /// Whether they end with the file, in the middle of a line.
    lacks_line_end: bool,
}

impl<'f> Behind<'f> {
    fn new(file: &'f str, count: usize) -> Self {
        let mut rest = file.split_terminator('\n');
        let lines: Vec<_> = rest.by_ref().take(count).collect();
        let ends = !lines.is_empty() && rest.next().is_none();
        Self { lines, lacks_line_end: ends && !file.ends_with('\n') }
    }
}

/// Puts the blanks of a text that stands inside another file before its lines: those of the file, and
/// `indent` of them before new ones. `old` is the first old line.
fn indent_lines(lines: &mut [Line], enclosure: &Enclosure, mut old: usize, indent: usize) {
    for line in lines {
        let blanks = match line.kind {
            LineKind::Context | LineKind::Removed => {
                old += 1;
                enclosure.place(old - 1, 0).1
            }
            LineKind::Added if !is_line_end(&line.text) => indent,
            LineKind::Added | LineKind::File | LineKind::Hunk | LineKind::NoLineEnd => 0,
        };
        if blanks > 0 {
            line.text.insert_str(0, &" ".repeat(blanks));
            for span in &mut line.changed {
                *span = span.start + blanks..span.end + blanks;
            }
        }
    }
}

fn is_line_end(piece: &str) -> bool {
    matches!(piece, "" | "\r")
}

/// Lines of a hunk, as its header names them.
struct Lines {
    /// Counted from 0.
    first: usize,
    count: usize,
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, count } = self;
        match count {
            0 => write!(f, "{first},0"),
            1 => write!(f, "{}", first + 1),
            _ => write!(f, "{},{count}", first + 1),
        }
    }
}

/// The diff as plain text.
#[must_use]
pub fn to_text(lines: &[Line]) -> String {
    let mut out = String::with_capacity(text_length(lines));
    for line in lines {
        out.push_str(sign(line.kind));
        out.push_str(&line.text);
        out.push('\n');
    }
    out
}

/// How many bytes the diff has as plain text.
pub(crate) fn text_length(lines: &[Line]) -> usize {
    lines.iter().map(|line| line.text.len() + "+\n".len()).sum()
}

/// What a line starts with.
#[must_use]
pub fn sign(kind: LineKind) -> &'static str {
    match kind {
        LineKind::File | LineKind::Hunk | LineKind::NoLineEnd => "",
        LineKind::Context => " ",
        LineKind::Removed => "-",
        LineKind::Added => "+",
    }
}
