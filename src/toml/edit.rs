//! Replacements in a text, each for one span of the original.

use std::ops::Range;

use crate::secret::Secret;

/// One replacement: the bytes of `span` give way to `text`. An empty span is an insertion, an empty
/// text a removal.
///
/// ```
/// use runner_auth::{ConfigText, Edit};
///
/// let text = ConfigText::new("config.toml", b"limit = 1 # ours\n".to_vec());
/// let edits = [Edit::insert(0, "x = 2\n"), Edit::new(8..9, "3"), Edit::remove(9..16)];
/// assert_eq!(text.patched(&edits), b"x = 2\nlimit = 3\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes of the original that go.
    pub span: Range<usize>,
    /// What comes in their place.
    pub text: Secret,
}

impl Edit {
    /// Replaces `span` by `text`.
    #[must_use]
    pub fn new(span: Range<usize>, text: impl Into<Secret>) -> Self {
        Self { span, text: text.into() }
    }

    /// Puts `text` before the byte at `offset`.
    #[must_use]
    pub fn insert(offset: usize, text: impl Into<Secret>) -> Self {
        Self::new(offset..offset, text)
    }

    /// Takes `span` out.
    #[must_use]
    pub fn remove(span: Range<usize>) -> Self {
        Self::new(span, "")
    }
}

/// Applies edits to the bytes they were made for. Every byte outside their spans comes over as it
/// is. Edits at one place are applied in the order given.
#[must_use]
pub fn splice(original: &[u8], edits: &[Edit]) -> Vec<u8> {
    let added: usize = edits.iter().map(|edit| edit.text.expose().len()).sum();
    let mut out = Vec::with_capacity(original.len() + added);
    let mut at = 0;
    for edit in edits {
        debug_assert!(at <= edit.span.start, "edits are sorted and don't overlap");
        out.extend_from_slice(&original[at..edit.span.start]);
        out.extend_from_slice(edit.text.expose().as_bytes());
        at = edit.span.end;
    }
    out.extend_from_slice(&original[at..]);
    out
}

/// [`splice`] for text whose edits lie between characters.
pub(crate) fn splice_text(original: &str, edits: &[Edit]) -> Secret {
    splice_piece(original, 0..original.len(), edits)
}

/// What a piece of a text becomes by the edits that lie in it.
pub(crate) fn splice_piece(original: &str, piece: Range<usize>, edits: &[Edit]) -> Secret {
    let mut parts = Vec::with_capacity(2 * edits.len() + 1);
    let mut at = piece.start;
    for edit in edits {
        parts.extend([&original[at..edit.span.start], edit.text.expose()]);
        at = edit.span.end;
    }
    parts.push(&original[at..piece.end]);
    Secret::concat(&parts)
}

/// Puts edits into the order that [`splice`] expects.
pub(crate) fn sort(edits: &mut [Edit]) {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
}

#[cfg(test)]
mod tests {
    use super::{Edit, splice};

    #[test]
    fn edits_touch_their_spans() {
        let edits = [Edit::insert(5, ","), Edit::new(6..11, "there"), Edit::insert(11, "!")];
        assert_eq!(splice(b"hello world", &edits), b"hello, there!");
    }
}
