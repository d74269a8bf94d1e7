//! JSON with more escapes than it needs, for places where a letter that JSON takes as it is would act:
//! on a terminal, in a TOML string, in a variable that somebody expands.

use std::io;

use serde::Serialize;
use serde::ser::Error as _;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// The most bytes that come of one: `\u0024` of a `$`.
const LONGEST: usize = 6;

/// A value as JSON on one line, in which the letters that `acts` is true of are written as their numbers.
pub(crate) fn to_string(
    value: &impl Serialize,
    acts: fn(char) -> bool,
) -> serde_json::Result<String> {
    serialized(value, acts, Vec::new())
}

/// The same for a text that may be a secret: it never grows, so no copy of it is left behind.
pub(crate) fn of_text(text: &str, acts: fn(char) -> bool) -> serde_json::Result<String> {
    serialized(&text, acts, Vec::with_capacity(LONGEST * text.len() + 2))
}

/// The same for what is JSON already; it never grows either.
pub(crate) fn escaped(json: &str, acts: fn(char) -> bool) -> String {
    let mut out = Vec::with_capacity(LONGEST * json.len());
    // Memory takes every byte.
    drop(write_escaped(&mut out, json, acts));
    String::from_utf8(out).unwrap_or_default()
}

fn serialized(
    value: &impl Serialize,
    acts: fn(char) -> bool,
    mut out: Vec<u8>,
) -> serde_json::Result<String> {
    value.serialize(&mut Serializer::with_formatter(&mut out, Escaping(acts)))?;
    String::from_utf8(out).map_err(|_| serde_json::Error::custom("this is not UTF-8"))
}

struct Escaping(fn(char) -> bool);

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_escaped(writer, fragment, self.0)
    }
}

fn write_escaped<W: ?Sized + io::Write>(
    writer: &mut W,
    text: &str,
    acts: fn(char) -> bool,
) -> io::Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find(acts) {
        writer.write_all(&rest.as_bytes()[..at])?;
        let mut letters = rest[at..].chars();
        if let Some(letter) = letters.next() {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        rest = letters.as_str();
    }
    writer.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::printable::acts;

    #[test]
    fn a_parser_gets_what_a_terminal_does_not() {
        let value = "a\u{1b}\u{9b}\u{202e}\u{2028}\u{e0041}\u{7f}\n\"東";
        let text = to_string(&value, acts).unwrap();
        assert_eq!(text, r#""a\u001b\u009b\u202e\u2028\udb40\udc41\u007f\n\"東""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
    }

    #[test]
    fn nothing_grows() {
        for text in ["", "$$$", "\u{1}\u{1}", "\u{1f600}\u{1f600}", "\"\\\n"] {
            let literal = of_text(text, |letter| letter == '$' || !letter.is_ascii()).unwrap();
            assert_eq!(literal.capacity(), LONGEST * text.len() + 2, "{text:?}");
            assert_eq!(serde_json::from_str::<String>(&literal).unwrap(), text);
            let again = escaped(&literal, |letter| !letter.is_ascii());
            assert_eq!(again.capacity(), LONGEST * literal.len(), "{text:?}");
        }
    }
}
