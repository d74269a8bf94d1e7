//! JSON objects with the place of each member.
//!
//! `serde_json` does the parsing; its raw values borrow from the text, which gives their place.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use memchr::{memchr, memrchr};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::DocumentError;

/// A member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// The name, where escapes stand in it.
    decoded: Option<String>,
    /// The name in its quotes.
    pub key: Range<usize>,
    /// The value.
    pub value: Range<usize>,
}

impl Member {
    /// The name, out of the text that the member stands in.
    pub fn name<'n>(&'n self, text: &'n str) -> &'n str {
        self.decoded.as_deref().unwrap_or(&text[self.key.start + 1..self.key.end - 1])
    }
}

/// An object with its members in order, those of the same name included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// From `{` to after `}`.
    pub span: Range<usize>,
    pub members: Vec<Member>,
}

/// The object at the start of a text; what follows it is ignored, as GitLab Runner does.
pub(super) fn first_object(text: &str) -> Result<Object, DocumentError> {
    let text = &*with_whole_surrogates(text);
    let mut object = serde_json::Deserializer::from_str(text);
    if let Ok(members) = (Members { text, base: 0 }).deserialize(&mut object) {
        let start = text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len();
        let end = object.into_iter::<IgnoredAny>().byte_offset();
        return Ok(Object { span: start..end, members });
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    match values.next() {
        Some(Ok(value)) => {
            let span = place(text, value.get());
            object_at(text, &span)?.ok_or_else(|| {
                let named = text[span.end..].trim_start().starts_with(':');
                let problem = if named {
                    "is not a JSON object: the opening brace before this is missing"
                } else {
                    "is not a JSON object"
                };
                DocumentError::new(span.start, problem)
            })
        }
        Some(Err(error)) => Err(broken(text, 0, &error)),
        None => Err(DocumentError::new(0, "is empty")),
    }
}

/// Where the object at the start of a text stands; `None` where there is none.
pub(super) fn object_span(text: &str) -> Option<Range<usize>> {
    let start = text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len();
    if !text[start..].starts_with('{') {
        return None;
    }
    let text = &*with_whole_surrogates(text);
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(start..values.byte_offset())
}

/// The object at `span`, where a value stands; `None` when that value is no object.
pub(super) fn object_at(text: &str, span: &Range<usize>) -> Result<Option<Object>, DocumentError> {
    let piece = &text[span.clone()];
    if !piece.starts_with('{') {
        return Ok(None);
    }
    let piece = &*with_whole_surrogates(piece);
    let mut object = serde_json::Deserializer::from_str(piece);
    let members = (Members { text: piece, base: span.start }).deserialize(&mut object);
    let members = members.and_then(|members| object.end().map(|()| members));
    let members = members.map_err(|error| broken(text, span.start, &error))?;
    Ok(Some(Object { span: span.clone(), members }))
}

/// Decodes a string in its quotes; `None` when it is another value.
pub(super) fn string(raw: &str) -> Option<String> {
    serde_json::from_str(&with_whole_surrogates(raw)).ok()
}

/// The strings of an array of strings and `null`s; `None` when it is another value.
pub(super) fn strings(raw: &str) -> Option<Vec<Option<String>>> {
    serde_json::from_str(&with_whole_surrogates(raw)).ok()
}

/// The same JSON, as long, with `\ufffd` for each half of a surrogate pair that lacks its other
/// half: Go reads it so, where `serde_json` finds no JSON.
fn with_whole_surrogates(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(text);
    let mut at = 0;
    while let Some(escape) = text.as_bytes().get(at..).and_then(|rest| memchr(b'\\', rest)) {
        let escape = at + escape;
        at = escape + 2;
        let Some(unit) = unit(text, escape) else { continue };
        at = escape + UNIT;
        match unit {
            0xd800..=0xdbff if unit_is_low(text, at) => at += UNIT,
            0xd800..=0xdfff => {
                out.to_mut().replace_range(escape..escape + UNIT, "\\ufffd");
            }
            _ => {}
        }
    }
    out
}

/// The length of `\u0000`.
const UNIT: usize = 6;

/// The number in the escape at `at`, if it is one of the form `\u0000`.
fn unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + UNIT)?.strip_prefix("\\u")?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
    u16::from_str_radix(digits, 16).ok()
}

fn unit_is_low(text: &str, at: usize) -> bool {
    unit(text, at).is_some_and(|unit| (0xdc00..=0xdfff).contains(&unit))
}

/// Where a slice of `text` stands in it.
fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}

/// The parser's verdict without its message, which could repeat the text.
fn broken(text: &str, base: usize, error: &serde_json::Error) -> DocumentError {
    let line = text[base..].split_inclusive('\n').take(error.line().saturating_sub(1));
    let before: usize = line.map(str::len).sum();
    let column = base + before + error.column().saturating_sub(1);
    // The parser counts bytes, and may stop inside a character.
    let offset =
        if error.is_eof() { text.trim_end().len() } else { floor(text, column.min(text.len())) };
    let problem = if error.is_eof() {
        "is JSON that ends too early: a closing brace or quote is missing"
    } else if text[..offset].trim_end().ends_with(',') {
        "is not valid JSON: nothing follows this comma"
    } else {
        "is not valid JSON"
    };
    DocumentError::new(offset, problem)
}

/// The start of the character at `offset`.
fn floor(text: &str, offset: usize) -> usize {
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default()
}

/// Reads the members of an object that stands in `text`, which starts at byte `base` of the document.
struct Members<'t> {
    text: &'t str,
    base: usize,
}

impl<'de> DeserializeSeed<'de> for Members<'de> {
    type Value = Vec<Member>;

    fn deserialize<D: Deserializer<'de>>(self, object: D) -> Result<Self::Value, D::Error> {
        object.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'de> {
    type Value = Vec<Member>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self { text, base } = self;
        let mut members = Vec::new();
        // Where the member before ends; of the first one the search begins at the start of the text, where
        // nothing but the brace and blanks stands before it.
        let mut end = 0;
        while let Some((Name(decoded), value)) = map.next_entry::<Name, &RawValue>()? {
            let value = place(text, value.get());
            let gap = &text.as_bytes()[end..value.start];
            let start = end + memchr(b'"', gap).unwrap_or_default();
            let key = start..end + memrchr(b'"', gap).map_or(0, |quote| quote + 1);
            end = value.end;
            let of_document = |span: Range<usize>| base + span.start..base + span.end;
            members.push(Member { decoded, key: of_document(key), value: of_document(value) });
        }
        Ok(members)
    }
}

/// The name of a member, when it is not what stands between its quotes.
struct Name(Option<String>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(name: D) -> Result<Self, D::Error> {
        name.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, _: &'de str) -> Result<Name, E> {
        Ok(Name(None))
    }

    fn visit_str<E>(self, decoded: &str) -> Result<Name, E> {
        Ok(Name(Some(decoded.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_place() -> Result<(), DocumentError> {
        let text = " {\"a\" : 1,\n \"b\\\"\u{e4}\":{\"c\": []}, \"a\": \"x\" } trailing";
        let object = first_object(text)?;
        let seen: Vec<_> = object
            .members
            .iter()
            .map(|m| (m.name(text), &text[m.key.clone()], &text[m.value.clone()]))
            .collect();
        assert_eq!(
            seen,
            [
                ("a", "\"a\"", "1"),
                ("b\"\u{e4}", "\"b\\\"\u{e4}\"", "{\"c\": []}"),
                ("a", "\"a\"", "\"x\"")
            ]
        );
        assert_eq!(&text[object.span], "{\"a\" : 1,\n \"b\\\"\u{e4}\":{\"c\": []}, \"a\": \"x\" }");
        Ok(())
    }

    #[test]
    fn half_a_surrogate_pair_is_read_as_go_reads_it() {
        for (raw, expected) in [
            (r#""\ud800""#, "\u{fffd}"),
            (r#""\udc00a""#, "\u{fffd}a"),
            (r#""\ud800\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\\ud800""#, "\\ud800"),
            (r#""\u00e4""#, "\u{e4}"),
        ] {
            assert_eq!(string(raw).as_deref(), Some(expected), "{raw}");
        }
        let text = r#"{"\ud800": {"a": "\udfff"}, "b": 1}"#;
        let object = first_object(text).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(object.members[0].name(text), "\u{fffd}");
        assert_eq!(&text[object.members[1].value.clone()], "1");
    }

    #[test]
    fn what_is_broken_is_located_and_not_repeated() {
        for (text, offset) in [
            ("{\"a\": \"s3cret\",}", 15),
            ("{\"a\": \"s3cret\"", 14),
            ("{\n\"a\": s3cret}", 7),
            ("[]", 0),
            ("\"\u{a1}\0", 1),
        ] {
            let Err(error) = first_object(text) else { panic!("{text} parses") };
            assert!(!error.problem.contains("s3cret"), "{error:?}");
            assert_eq!(error.offset, offset, "{text}: {error:?}");
        }
    }
}
