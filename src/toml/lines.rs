//! Lines of a text: where they start and end, their indents and their line ends.

use memchr::{memchr, memrchr};

/// One more level of indent, in the character that is used.
pub(crate) fn deeper(indent: &str) -> String {
    let unit = if indent.ends_with('\t') { "\t" } else { "  " };
    format!("{indent}{unit}")
}

/// The white space at the start of the line that holds `offset`.
pub(crate) fn line_indent(text: &str, offset: usize) -> &str {
    leading_blank(&text[line_start(text, offset)..])
}

/// The line end that comes before `offset`, or else the first in the text.
pub(crate) fn newline_before(text: &str, offset: usize) -> &'static str {
    let end = text[..offset].rfind('\n').or_else(|| text.find('\n'));
    if end.is_some_and(|end| text[..end].ends_with('\r')) { "\r\n" } else { "\n" }
}

/// The line end that stands at `offset`, or else the one before it.
pub(crate) fn newline_at(text: &str, offset: usize) -> &'static str {
    match text.as_bytes().get(offset..) {
        Some([b'\r', b'\n', ..]) => "\r\n",
        Some([b'\n', ..]) => "\n",
        _ => newline_before(text, offset),
    }
}

/// The end of the line that holds `offset`, before its line end.
pub(crate) fn line_end(text: &str, offset: usize) -> usize {
    let end = text[offset..].find('\n').map_or(text.len(), |end| offset + end);
    if end > offset && text[..end].ends_with('\r') { end - 1 } else { end }
}

/// The first byte at or after `offset` that is no space or tab.
pub(crate) fn skip_blank(text: &str, offset: usize) -> usize {
    let rest = &text[offset..];
    text.len() - rest.trim_start_matches([' ', '\t']).len()
}

/// The start of the line that holds `offset`.
pub(crate) fn line_start(text: &str, offset: usize) -> usize {
    memrchr(b'\n', &text.as_bytes()[..offset]).map_or(0, |end| end + 1)
}

/// The end of the line that holds `offset`, behind its line end.
pub(crate) fn after_newline(text: &str, offset: usize) -> usize {
    memchr(b'\n', &text.as_bytes()[offset..]).map_or(text.len(), |end| offset + end + 1)
}

pub(super) fn leading_blank(line: &str) -> &str {
    let rest = line.trim_start_matches([' ', '\t', '\u{feff}']);
    line[..line.len() - rest.len()].trim_start_matches('\u{feff}')
}
