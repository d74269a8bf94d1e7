//! TOML's four ways to quote a string, and the way from a place in the decoded text back to the
//! bytes that stand for it.

use std::ops::Range;

use toml_parser::decoder::Encoding;

use crate::toml::syntax::Decoded;

/// How a string is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// `"…"`
    Basic,
    /// `'…'`
    Literal,
    /// `"""…"""`
    MultilineBasic,
    /// `'''…'''`
    MultilineLiteral,
}

impl From<Encoding> for Quoting {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::BasicString => Self::Basic,
            Encoding::LiteralString => Self::Literal,
            Encoding::MlBasicString => Self::MultilineBasic,
            Encoding::MlLiteralString => Self::MultilineLiteral,
        }
    }
}

/// A decoded string that remembers where each byte came from.
pub(crate) struct Quoted<'t> {
    quoting: Quoting,
    text: Decoded<'t>,
    places: Places,
    /// Whether quotes inside `"""` are escaped although they need not be.
    escapes_quotes: bool,
}

enum Places {
    /// No escapes: the text stands in the file as it is, from this offset.
    Plain(usize),
    /// For each decoded byte the span in the file it came from.
    Escaped(Vec<Range<usize>>, usize),
}

impl<'t> Quoted<'t> {
    /// Decodes a string that the parser has accepted. `raw` is the string with its quotes, `offset`
    /// where it stands in the file.
    pub fn decode(raw: &'t str, quoting: Quoting, offset: usize) -> Self {
        let quotes = match quoting {
            Quoting::Basic | Quoting::Literal => 1,
            Quoting::MultilineBasic | Quoting::MultilineLiteral => 3,
        };
        let mut inner = quotes..raw.len().saturating_sub(quotes);
        if quotes == 3 {
            // A line end right after the opening quotes is not part of the string.
            let body = &raw[inner.clone()];
            inner.start +=
                if body.starts_with("\r\n") { 2 } else { usize::from(body.starts_with('\n')) };
        }
        let body = &raw[inner.clone()];
        let start = offset + inner.start;
        let basic = matches!(quoting, Quoting::Basic | Quoting::MultilineBasic);
        let escapes_quotes = basic && body.contains("\\\"");
        if !basic || !body.contains('\\') {
            let text = Decoded::new(body);
            return Self { quoting, text, places: Places::Plain(start), escapes_quotes };
        }
        // It never grows: a copy that is left behind would not be wiped.
        let mut text = String::with_capacity(body.len());
        let mut places = Vec::with_capacity(body.len());
        let mut at = 0;
        while let Some(letter) = body[at..].chars().next() {
            let (decoded, length) = if letter == '\\' {
                unescape(&body[at..])
            } else {
                (Some(letter), letter.len_utf8())
            };
            if let Some(decoded) = decoded {
                let place = start + at..start + at + length;
                places.extend(std::iter::repeat_n(place, decoded.len_utf8()));
                text.push(decoded);
            }
            at += length;
        }
        let (text, places) = (Decoded::new(text), Places::Escaped(places, start));
        Self { quoting, text, places, escapes_quotes }
    }

    /// The decoded text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a piece of the decoded text stands in the file. An empty piece stands right after the
    /// character before it.
    pub fn place(&self, piece: Range<usize>) -> Range<usize> {
        match &self.places {
            Places::Plain(start) => start + piece.start..start + piece.end,
            Places::Escaped(places, start) => {
                let after = |end: usize| match end.checked_sub(1).and_then(|last| places.get(last))
                {
                    Some(place) => place.end,
                    None => *start,
                };
                if piece.is_empty() {
                    return after(piece.end)..after(piece.end);
                }
                let first = places.get(piece.start).map_or(*start, |place| place.start);
                first..after(piece.end)
            }
        }
    }

    /// Whether [`Quoted::encode`] can write a text: the two literal ways have no escapes, and a `'` or
    /// a control character would end them or not be read.
    pub fn can_hold(&self, text: &str) -> bool {
        let control = |letter: char| letter.is_control() && !matches!(letter, '\t');
        match self.quoting {
            Quoting::Literal => !text.contains(['\'', '\n']) && !text.contains(control),
            Quoting::MultilineLiteral => {
                !text.contains('\'') && !text.contains(|letter| control(letter) && letter != '\n')
            }
            Quoting::Basic | Quoting::MultilineBasic => {
                !text.contains(|letter| control(letter) && !matches!(letter, '\n' | '\r'))
            }
        }
    }

    /// Writes `text` as it must stand between this string's quotes.
    ///
    /// What this crate puts into a string is JSON without `'`, so the two literal ways take it as
    /// it is, and no three `"` of it stand in a row.
    pub fn encode(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        for letter in text.chars() {
            match (self.quoting, letter) {
                (Quoting::Basic | Quoting::MultilineBasic, '\\') => out.push_str("\\\\"),
                (Quoting::Basic, '"') => out.push_str("\\\""),
                (Quoting::MultilineBasic, '"') if self.escapes_quotes => out.push_str("\\\""),
                (Quoting::Basic, '\n') => out.push_str("\\n"),
                (Quoting::Basic, '\r') => out.push_str("\\r"),
                (Quoting::Basic, '\t') => out.push_str("\\t"),
                _ => out.push(letter),
            }
        }
        out
    }
}

/// Decodes one escape: its character (none for a line that goes on in the next) and its length.
fn unescape(text: &str) -> (Option<char>, usize) {
    let Some(kind) = text[1..].chars().next() else {
        return (None, 1);
    };
    let coded = |digits: usize| {
        let code = text.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        (code.and_then(char::from_u32), 2 + digits)
    };
    match kind {
        'b' => (Some('\u{8}'), 2),
        't' => (Some('\t'), 2),
        'n' => (Some('\n'), 2),
        'f' => (Some('\u{c}'), 2),
        'r' => (Some('\r'), 2),
        'e' => (Some('\u{1b}'), 2),
        'x' => coded(2),
        'u' => coded(4),
        'U' => coded(8),
        ' ' | '\t' | '\r' | '\n' => {
            let rest = text[1..].trim_start_matches([' ', '\t', '\r', '\n']);
            (None, text.len() - rest.len())
        }
        other => (Some(other), 1 + other.len_utf8()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_lead_back_to_their_bytes() {
        let raw = r#""a\"b\u00e4c""#;
        let quoted = Quoted::decode(raw, Quoting::Basic, 10);
        assert_eq!(quoted.text(), "a\"b\u{e4}c");
        assert_eq!(quoted.place(1..2), 12..14);
        assert_eq!(quoted.place(3..5), 15..21);
        assert_eq!(quoted.place(5..6), 21..22);
        assert_eq!(quoted.place(2..2), 14..14);
        assert_eq!(quoted.place(6..6), 22..22);
    }

    #[test]
    fn a_line_that_goes_on_belongs_to_no_character() {
        let raw = "\"\"\"\r\na\\\r\n   b\"\"\"";
        let quoted = Quoted::decode(raw, Quoting::MultilineBasic, 0);
        assert_eq!(quoted.text(), "ab");
        assert_eq!(quoted.place(0..1), 5..6);
        assert_eq!(quoted.place(1..1), 6..6);
        assert_eq!(&raw[quoted.place(1..2)], "b");
    }

    #[test]
    fn agrees_with_the_parser() {
        for raw in [
            r#""\b\t\n\f\r\"\\\u0041\U00000042""#,
            "'a\\b'",
            "'''\n'a''b'''",
            "\"\"\"\n\"a\"\" \\\n   b\\\\\"\"\"",
        ] {
            let text = format!("a = {raw}");
            let parsed = crate::toml::syntax::Syntax::parse(&text);
            let Ok(syntax) = parsed else { panic!("{raw} does not parse") };
            let value = syntax.value(0);
            let Some(encoding) = syntax.encoding(value) else { panic!("{raw} is bare") };
            assert_eq!(Quoted::decode(raw, encoding.into(), 0).text(), syntax.string(value));
        }
    }
}
