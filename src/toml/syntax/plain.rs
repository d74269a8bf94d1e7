//! Lines as nearly all lines of a config are, read without tokens and events, which cost four times as
//! much.
//!
//! This takes a small part of what `toml_parser` takes, and makes the same nodes of it: headers and keys
//! without quotes, strings on one line without a backslash, arrays of them, flags, short whole numbers,
//! times as GitLab Runner writes them, comments. It says nothing about any other line: that one, a broken
//! one included, is `toml_parser`'s. Tests and a fuzz target compare the two.

use std::ops::Range;

use toml_parser::decoder::Encoding;

use super::builder::Builder;
use super::{Form, NodeKind};

/// What a byte may be a part of.
const BARE: u8 = 1;
const LITERAL: u8 = 2;
const BASIC: u8 = 4;
const COMMENT: u8 = 8;
const BLANK: u8 = 16;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut number = 0;
    while number < 256 {
        // It is less than 256.
        #[allow(clippy::cast_possible_truncation)]
        let byte = number as u8;
        if byte == b'\t' || (byte >= b' ' && byte != 0x7f) {
            classes[number] |= COMMENT;
            if byte != b'\'' {
                classes[number] |= LITERAL;
            }
            if byte != b'"' && byte != b'\\' {
                classes[number] |= BASIC;
            }
        }
        if byte == b'\t' || byte == b' ' {
            classes[number] |= BLANK;
        }
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            classes[number] |= BARE;
        }
        number += 1;
    }
    classes
};

/// A whole number of as many digits fits into 64 bits.
const DIGITS: usize = 18;

/// Reads the line that begins at a byte and says where the next one begins; `None` when the line is not
/// plain, and then the builder is as it was.
pub(super) fn line(builder: &mut Builder<'_>, start: usize) -> Option<usize> {
    let (nodes, comments) = (builder.nodes.len(), builder.comments.len());
    let next = Line { bytes: builder.text.as_bytes(), builder }.read(start);
    if next.is_none() {
        builder.nodes.truncate(nodes);
        builder.comments.truncate(comments);
    }
    next
}

struct Line<'b, 't> {
    bytes: &'t [u8],
    builder: &'b mut Builder<'t>,
}

impl Line<'_, '_> {
    fn read(&mut self, start: usize) -> Option<usize> {
        let at = self.run(start, BLANK);
        let at = match self.byte(at) {
            Some(b'[') => self.header(at)?,
            Some(byte) if CLASSES[usize::from(byte)] & BARE != 0 => self.pair(at)?,
            _ => at,
        };
        self.end(at)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Where the bytes end that belong to a class.
    fn run(&self, start: usize, class: u8) -> usize {
        let mut at = start;
        while let Some(&byte) = self.bytes.get(at)
            && CLASSES[usize::from(byte)] & class != 0
        {
            at += 1;
        }
        at
    }

    /// Blanks, a comment, and the end of the line.
    fn end(&mut self, at: usize) -> Option<usize> {
        let mut at = self.run(at, BLANK);
        if self.byte(at) == Some(b'#') {
            let end = self.run(at, COMMENT);
            self.builder.comments.push(at..end);
            at = end;
        }
        match self.byte(at) {
            Some(b'\n') => Some(at + 1),
            Some(b'\r') if self.byte(at + 1) == Some(b'\n') => Some(at + 2),
            None => Some(at),
            _ => None,
        }
    }

    /// `[a.b]` or `[[a.b]]`.
    fn header(&mut self, start: usize) -> Option<usize> {
        let array = self.byte(start + 1) == Some(b'[');
        let brackets = 1 + usize::from(array);
        let kind = if array { NodeKind::ArrayTable } else { NodeKind::Table };
        let header = self.builder.add(kind, Form::Neither, None, start..start);
        let mut at = start + brackets;
        loop {
            at = self.key(at)?;
            match self.byte(at) {
                Some(b'.') => at += 1,
                Some(b']') if !array || self.byte(at + 1) == Some(b']') => break,
                _ => return None,
            }
        }
        let end = at + brackets;
        self.builder.finish(header, end);
        Some(end)
    }

    fn key(&mut self, start: usize) -> Option<usize> {
        let end = self.run(start, BARE);
        if end == start {
            return None;
        }
        self.builder.add(NodeKind::Key, Form::Plain, None, start..end);
        Some(end)
    }

    fn pair(&mut self, start: usize) -> Option<usize> {
        let pair = self.builder.add(NodeKind::Pair, Form::Neither, None, start..start);
        let at = self.key(start)?;
        let at = self.run(at, BLANK);
        if self.byte(at) != Some(b'=') {
            return None;
        }
        let at = self.run(at + 1, BLANK);
        let end = match self.byte(at)? {
            b'"' | b'\'' => self.string(at)?,
            b'[' => self.array(at)?,
            _ => self.word(at)?,
        };
        self.builder.finish(pair, end);
        Some(end)
    }

    fn scalar(&mut self, form: Form, encoding: Option<Encoding>, span: Range<usize>) {
        self.builder.add(NodeKind::Scalar, form, encoding, span);
    }

    fn string(&mut self, start: usize) -> Option<usize> {
        let (quote, class, encoding) = match self.byte(start)? {
            b'"' => (b'"', BASIC, Encoding::BasicString),
            b'\'' => (b'\'', LITERAL, Encoding::LiteralString),
            _ => return None,
        };
        let end = self.run(start + 1, class);
        // A quote after an empty string makes three, and those begin another kind of string.
        let empty = end == start + 1;
        if self.byte(end) != Some(quote) || (empty && self.byte(end + 1) == Some(quote)) {
            return None;
        }
        self.scalar(Form::Plain, Some(encoding), start..end + 1);
        Some(end + 1)
    }

    /// Strings between brackets, on one line.
    fn array(&mut self, start: usize) -> Option<usize> {
        let array = self.builder.add(NodeKind::Array, Form::Neither, None, start..start);
        let mut at = self.run(start + 1, BLANK);
        while self.byte(at) != Some(b']') {
            at = self.string(at)?;
            at = self.run(at, BLANK);
            match self.byte(at) {
                Some(b',') => at = self.run(at + 1, BLANK),
                Some(b']') => {}
                _ => return None,
            }
        }
        self.builder.finish(array, at + 1);
        Some(at + 1)
    }

    /// A flag, a number or a time. What follows it has to be the end of the line.
    fn word(&mut self, start: usize) -> Option<usize> {
        let rest = &self.bytes[start..];
        let (form, length) = if rest.starts_with(b"true") {
            (Form::Flag, 4)
        } else if rest.starts_with(b"false") {
            (Form::Flag, 5)
        } else if is_time(rest) {
            (Form::Time, TIME.len())
        } else {
            (Form::Integer, number(rest)?)
        };
        self.scalar(form, None, start..start + length);
        Some(start + length)
    }
}

/// How long the whole number at the start of some bytes is.
fn number(bytes: &[u8]) -> Option<usize> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let leading_zero = digits > 1 && bytes[0] == b'0';
    (1..=DIGITS).contains(&digits).then_some(digits).filter(|_| !leading_zero)
}

/// A time as GitLab Runner writes it; a digit stands for itself and those below.
const TIME: &[u8] = b"9999-99-99T99:59:59Z";

/// Whether some bytes begin with a time that there is, whatever the month and the year.
fn is_time(bytes: &[u8]) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit();
    let shape = |(&byte, &most): (&u8, &u8)| {
        if digit(most) { digit(byte) && byte <= most } else { byte == most }
    };
    let Some(bytes) = bytes.get(..TIME.len()) else { return false };
    let two = |at: usize| (bytes[at] - b'0') * 10 + (bytes[at + 1] - b'0');
    bytes.iter().zip(TIME).all(shape)
        && (1..=12).contains(&two(5))
        && (1..=28).contains(&two(8))
        && two(11) < 24
}
