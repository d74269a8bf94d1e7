//! A last line without a line end, of which a patch has to speak.

use super::{Line, LineKind};
use crate::toml::edit::Edit;
use crate::toml::enclosure::Enclosure;
use crate::toml::text::ConfigText;

/// Whether the last line of the old and of the new text has no line end.
pub(super) struct LacksLineEnd {
    pub old: bool,
    new: bool,
}

impl LacksLineEnd {
    pub fn new(text: &ConfigText, edits: &[Edit]) -> Self {
        // Behind a text inside another file, that goes on.
        let ends = text.enclosure().is_none_or(Enclosure::is_last);
        let lacks = |piece: &str| ends && !piece.is_empty() && !piece.ends_with('\n');
        Self { old: lacks(text.as_str()), new: lacks(last_piece(text.as_str(), edits)) }
    }

    /// Says so behind the last lines of both texts, which are among these.
    pub fn mark(&self, lines: &mut Vec<Line>) {
        for (lacks, kind) in [(self.old, LineKind::Removed), (self.new, LineKind::Added)] {
            if let Some(last) = lines.iter().rposition(|line| line.kind == kind && lacks) {
                lines.insert(last + 1, Line::no_line_end());
            }
        }
    }
}

/// What an edited text ends with.
fn last_piece<'p>(text: &'p str, edits: &'p [Edit]) -> &'p str {
    let mut end = text.len();
    for edit in edits.iter().rev() {
        if edit.span.end < end {
            break;
        }
        if !edit.text.expose().is_empty() {
            return edit.text.expose();
        }
        end = edit.span.start;
    }
    &text[..end]
}
