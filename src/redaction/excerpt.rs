//! One line of a config with a mark under the place that something is about.

use std::ops::Range;

use crate::redaction::Redaction;
use crate::redaction::masks::Masks;
use crate::runner::Config;
use crate::toml::printable::one_line_with_tabs;

/// How many characters of a line are shown.
const WIDTH: usize = 100;

/// How many characters are shown before the mark where a line is cut.
const BEFORE: usize = 30;

/// How many bytes around the mark are looked at: more than are shown.
const NEAR: usize = 8 * WIDTH;

/// A line without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line, cut to a width that a terminal has.
    pub line: String,
    /// The first character that is marked, from 0.
    pub start: usize,
    /// How many characters are marked, at least one.
    pub length: usize,
}

/// Cuts lines out of a config, fastest where one follows the other.
///
/// ```
/// use runner_auth::{Config, ConfigText, Excerpt, Excerpts, Redaction};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let text = ConfigText::new("config.toml", b"[[runners]]\n  token = 'glrt-0123456789abcdef'\n".to_vec());
/// let config = Config::parse(&text)?;
/// let mut redaction = Redaction::new(false);
/// redaction.learn_config(&config);
/// let excerpt: Excerpt = Excerpts::new(&config, &redaction).cut(&(14..19));
/// assert_eq!(excerpt.line, "  token = '<hidden-1>'");
/// assert_eq!((excerpt.start, excerpt.length), (2, 5));
/// # Ok(())
/// # }
/// ```
pub struct Excerpts<'c, 't> {
    config: &'c Config<'t>,
    redaction: &'c Redaction<'c>,
    /// What is masked in the block that was looked at last.
    last: Option<(usize, Masks)>,
}

impl<'c, 't> Excerpts<'c, 't> {
    /// Excerpts of this config.
    #[must_use]
    pub fn new(config: &'c Config<'t>, redaction: &'c Redaction<'c>) -> Self {
        Self { config, redaction, last: None }
    }

    /// Cuts out the line on which `span` starts. A secret that the span touches is marked whole.
    #[must_use]
    pub fn cut(&mut self, span: &Range<usize>) -> Excerpt {
        let (text, syntax) = (self.config.text(), self.config.syntax());
        let mut line = text.line(text.line_of(span.start));
        // A comment behind it may be about a secret.
        let comments = syntax.comments();
        let next = comments.partition_point(|comment| comment.start < span.end);
        if let Some(comment) = comments.get(next) {
            line.end = line.end.min(comment.start);
        }
        let number = syntax.block_at(span.start);
        let last = self.last.take().filter(|(last, _)| *last == number);
        let (_, masks) = self.last.insert(last.unwrap_or_else(|| {
            let shown = syntax.blocks()[number].span();
            (number, self.redaction.masks(syntax, number..number + 1, &shown))
        }));
        let marked = masks.around(span.start..span.end.clamp(span.start, line.end));
        let marked = marked.start.max(line.start)..marked.end.min(line.end);
        // A line may be as long as the file: only what is near the mark is looked at, in whole masks.
        let from = floor(syntax.text(), marked.start.saturating_sub(NEAR)).max(line.start);
        let to = floor(syntax.text(), marked.end.saturating_add(NEAR)).min(line.end);
        let near = masks.around(from..to);
        let near = near.start.max(line.start)..near.end.min(line.end);
        let show = |part: Range<usize>| -> Vec<char> {
            let shown = self.redaction.show(syntax.text(), part, masks);
            one_line_with_tabs(&shown)
                .chars()
                .map(|letter| if letter == '\t' { ' ' } else { letter })
                .collect()
        };
        let before = show(near.start..marked.start);
        let mark = show(marked.clone());
        let after = show(marked.end..near.end);
        let start = before.len();
        let length = mark.len().max(1);
        let whole: Vec<char> = [before, mark, after].concat();
        let open = line.start < near.start;
        if whole.len() <= WIDTH && !open && near.end == line.end {
            return Excerpt { line: whole.into_iter().collect(), start, length };
        }
        let first = if start + length <= WIDTH && !open { 0 } else { start.saturating_sub(BEFORE) };
        let last = whole.len().min(first + WIDTH);
        let lead = if first > 0 || open { "… " } else { "" };
        let mut cut = lead.to_owned();
        cut.extend(&whole[first..last]);
        if last < whole.len() || near.end < line.end {
            cut.push_str(" …");
        }
        // The mark ends where the shown part ends.
        let length = length.min(last.saturating_sub(start).max(1));
        Excerpt { line: cut, start: start - first + lead.chars().count(), length }
    }
}

/// The start of the character at `offset`.
fn floor(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default()
}
