//! How a document is laid out, so that what is added looks like what is there.

use super::json::{Member, Object};
use crate::escaped_json;
use crate::secret::Secret;

/// A JSON string that is safe in every place this crate writes one: no `'`, which would end a
/// literal TOML string, and no `$`, which GitLab Runner would expand.
pub(super) fn text_literal(text: &str) -> Secret {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !b"\"\\'$".contains(&byte);
    if text.bytes().all(plain) {
        return Secret::concat(&["\"", text, "\""]);
    }
    let acts = |letter: char| matches!(letter, '\'' | '$' | '\u{7f}');
    // A text is always JSON.
    Secret::new(escaped_json::of_text(text, acts).unwrap_or_default())
}

/// The layout of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Style {
    /// Between a name and its value.
    pub colon: String,
    /// Between two members on one line.
    pub item: String,
    /// The line end and the indent of one level, when each member has its own line.
    pub lines: Option<(String, String)>,
}

impl Default for Style {
    fn default() -> Self {
        Self { colon: ": ".into(), item: ", ".into(), lines: None }
    }
}

impl Style {
    /// Reads the layout off the objects of a document, outer ones first.
    pub fn of<'o>(text: &str, objects: impl Iterator<Item = &'o Object>) -> Self {
        let mut colon = None;
        let mut item = None;
        let mut lines = None;
        for object in objects {
            let Some(first) = object.members.first() else {
                continue;
            };
            if colon.is_none() {
                colon = Some(text[first.key.end..first.value.start].to_owned());
            }
            let lead = lead(text, object);
            if lines.is_none() && lead.contains('\n') {
                lines = Some(unit(text, object, lead));
            }
            if item.is_none()
                && let Some(separator) = separator(text, object)
                && !separator.contains('\n')
            {
                item = Some(separator.to_owned());
            }
        }
        let tight = colon.as_deref() == Some(":");
        Self {
            colon: colon.unwrap_or_else(|| ": ".into()),
            item: item.unwrap_or_else(|| if tight { ",".into() } else { ", ".into() }),
            lines,
        }
    }
}

/// What stands between `{` and the first member.
pub(super) fn lead<'t>(text: &'t str, object: &Object) -> &'t str {
    let end = object.members.first().map_or(object.span.end - 1, |first| first.key.start);
    &text[object.span.start + 1..end]
}

/// What stands between the last member and `}`.
pub(super) fn tail<'t>(text: &'t str, object: &Object) -> &'t str {
    let start = object.members.last().map_or(object.span.end - 1, |last| last.value.end);
    &text[start..object.span.end - 1]
}

/// What stands between the last two members.
pub(super) fn separator<'t>(text: &'t str, object: &Object) -> Option<&'t str> {
    match &object.members[..] {
        [.., Member { value, .. }, Member { key, .. }] => Some(&text[value.end..key.start]),
        _ => None,
    }
}

/// The white space after the last line end of `text`.
pub(super) fn indent(text: &str) -> &str {
    let line = text.rsplit('\n').next().unwrap_or_default();
    &line[..line.len() - line.trim_start().len()]
}

fn unit(text: &str, object: &Object, lead: &str) -> (String, String) {
    let newline = if lead.contains("\r\n") { "\r\n" } else { "\n" };
    let inner = indent(lead);
    let outer = indent(tail(text, object));
    let unit = inner.strip_prefix(outer).filter(|unit| !unit.is_empty()).unwrap_or("  ");
    (newline.to_owned(), unit.to_owned())
}
