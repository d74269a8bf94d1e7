//! JSON objects with the place of each member.
//!
//! `serde_json` says whether a text is JSON; a walk through one that is finds the places, without reading it
//! once more for each level.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::DocumentError;
use super::walk::Walk;

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
    if let Some(span) = object_span(text) {
        return Ok(object(text, span));
    }
    let text = &*with_whole_surrogates(text);
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    match values.next() {
        Some(Ok(value)) => {
            let span = place(text, value.get());
            let named = text[span.end..].trim_start().starts_with(':');
            let problem = if named {
                "is not a JSON object: the opening brace before this is missing"
            } else {
                "is not a JSON object"
            };
            Err(DocumentError::new(span.start, problem))
        }
        Some(Err(error)) => Err(broken(text, &error)),
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

/// The object at `span`, where a value of a document stands that was read; `None` when that value is no
/// object.
pub(super) fn object_at(text: &str, span: &Range<usize>) -> Option<Object> {
    text[span.clone()].starts_with('{').then(|| object(text, span.clone()))
}

fn object(text: &str, span: Range<usize>) -> Object {
    let mut walk = Walk::new(text, &span);
    let mut members = Vec::new();
    walk.open();
    while let Some(key) = walk.name() {
        let raw = &text[key.clone()];
        let decoded = raw.contains('\\').then(|| string(raw)).flatten();
        members.push(Member { decoded, key, value: walk.value() });
    }
    Object { span, members }
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
fn broken(text: &str, error: &serde_json::Error) -> DocumentError {
    let line = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let before: usize = line.map(str::len).sum();
    let column = before + error.column().saturating_sub(1);
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

#[cfg(test)]
mod tests {
    use super::super::walk::documents::json;
    use super::*;
    use proptest::prelude::*;
    use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
    use std::fmt;

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

    /// The members of an object as `serde_json` reads them, with their values as they stand.
    struct Members<'t>(Vec<(String, &'t RawValue)>);

    impl<'t> Deserialize<'t> for Members<'t> {
        fn deserialize<D: Deserializer<'t>>(object: D) -> Result<Self, D::Error> {
            object.deserialize_map(Collect)
        }
    }

    struct Collect;

    impl<'t> Visitor<'t> for Collect {
        type Value = Members<'t>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Members<'t>, A::Error> {
            let members = std::iter::from_fn(|| map.next_entry().transpose());
            Ok(Members(members.collect::<Result<_, _>>()?))
        }
    }

    fn compare(text: &str, whole: &str, object: &Object) {
        let of_serde: Members<'_> = serde_json::from_str(&whole[object.span.clone()]).unwrap();
        let walked = object.members.iter();
        let walked: Vec<_> =
            walked.map(|it| (it.name(text).to_owned(), it.value.clone())).collect();
        let read = of_serde.0.into_iter();
        let read: Vec<_> = read.map(|(name, value)| (name, place(whole, value.get()))).collect();
        assert_eq!(walked, read, "{text}");
        for member in &object.members {
            let key: String = serde_json::from_str(&whole[member.key.clone()]).unwrap();
            assert_eq!(key, member.name(text));
            if let Some(inner) = object_at(text, &member.value) {
                compare(text, whole, &inner);
            }
        }
    }

    proptest! {
        #![proptest_config(crate::property::cases(1000))]

        #[test]
        fn a_walk_finds_the_members_that_serde_json_reads(
            before in "[ \t\r\n]{0,2}",
            text in json(),
            tail in "[ {}\":a]{0,4}",
        ) {
            let text = [before, text, tail].concat();
            let whole = with_whole_surrogates(&text);
            match first_object(&text) {
                Ok(object) => compare(&text, &whole, &object),
                Err(_) => prop_assert!(!text.trim_start().starts_with('{'), "{}", text),
            }
        }

        #[test]
        fn what_serde_json_refuses_is_no_object(text in "[{}\\[\\]\":,a1\\\\u ]{0,12}") {
            let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Members<'_>>();
            let read = matches!(values.next(), Some(Ok(_)));
            prop_assert_eq!(first_object(&text).is_ok(), read, "{}", text);
        }
    }
}
