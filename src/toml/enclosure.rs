//! Where a text stands that is a part of another file, and how it is put back there.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::toml::edit::{self, Edit};

/// The file around a text.
#[derive(Clone)]
pub(crate) struct Enclosure {
    file: Zeroizing<Vec<u8>>,
    /// What of the file the text stands for.
    span: Range<usize>,
    /// The line of the file, counted from 0, on which the text starts.
    line: usize,
    form: Form,
    /// What picks the text out of the file, where a person had to say it.
    path: Option<String>,
}

/// How the text stands in the file.
#[derive(Clone)]
pub(crate) enum Form {
    /// Line by line, each behind some blanks.
    Indented {
        /// How many blanks stand before a line.
        indent: usize,
        /// How many there are: an empty line may have fewer.
        leads: Vec<usize>,
    },
    /// As base64 on one line.
    Base64 {
        /// The column, in characters from 0, at which it starts.
        column: usize,
        /// The keys that lead to it.
        keys: String,
    },
}

impl Enclosure {
    pub fn new(
        file: Zeroizing<Vec<u8>>,
        span: Range<usize>,
        line: usize,
        form: Form,
        path: Option<String>,
    ) -> Self {
        Self { file, span, line, form, path }
    }

    /// The bytes of the whole file.
    pub fn file(&self) -> &[u8] {
        &self.file
    }

    /// What picks the text out of the file, where a person had to say it.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The line and column of the file for those of the text, all counted from 0.
    pub fn place(&self, line: usize, column: usize) -> (usize, usize) {
        match &self.form {
            Form::Indented { leads, .. } => {
                (self.line + line, leads.get(line).copied().unwrap_or(0) + column)
            }
            Form::Base64 { column, .. } => (self.line, *column),
        }
    }

    /// How many lines of the file stand before the text's first one, and the blanks before each
    /// line; `None` when its lines are not lines of the file.
    pub fn lines(&self) -> Option<(usize, usize)> {
        match &self.form {
            Form::Indented { indent, .. } => Some((self.line, *indent)),
            Form::Base64 { .. } => None,
        }
    }

    /// What stands before the text's lines and behind them; `None` when they are not lines of the file.
    pub fn around(&self) -> Option<(&str, &str)> {
        let piece = |span: Range<usize>| std::str::from_utf8(&self.file[span]).ok();
        match &self.form {
            Form::Indented { .. } => {
                Some((piece(0..self.span.start)?, piece(self.span.end..self.file.len())?))
            }
            Form::Base64 { .. } => None,
        }
    }

    /// Whether the text ends where its lines do: in a file that goes on they have their line ends.
    pub fn is_last(&self) -> bool {
        match &self.form {
            Form::Indented { .. } => self.span.end == self.file.len(),
            Form::Base64 { .. } => true,
        }
    }

    /// What a diff calls the text of a file with this label.
    pub fn title(&self, label: &str) -> String {
        match &self.form {
            Form::Indented { .. } => label.to_owned(),
            Form::Base64 { keys, .. } => format!("{label} ({keys}, decoded)"),
        }
    }

    /// The file with the edited text in the place of the old one.
    pub fn put_back(&self, text: &str, edits: &[Edit]) -> Vec<u8> {
        let new: Zeroizing<Vec<u8>> = match &self.form {
            Form::Indented { indent, leads } => {
                Zeroizing::new(indented(text, edits, *indent, leads))
            }
            Form::Base64 { .. } => {
                let new = Zeroizing::new(edit::splice(text.as_bytes(), edits));
                Zeroizing::new(STANDARD.encode(&new).into_bytes())
            }
        };
        let mut out = Vec::with_capacity(self.file.len() + new.len());
        out.extend_from_slice(&self.file[..self.span.start]);
        out.extend_from_slice(&new);
        out.extend_from_slice(&self.file[self.span.end..]);
        out
    }
}

/// The edited text with its blanks: a line that was there keeps its own, one that comes in gets as
/// many as the others have.
fn indented(text: &str, edits: &[Edit], indent: usize, leads: &[usize]) -> Vec<u8> {
    let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
    let starts: Vec<_> = std::iter::once(0).chain(ends).collect();
    // The blanks of the line that starts at this byte of the old text.
    let own = |at: usize| starts.binary_search(&at).ok().and_then(|line| leads.get(line).copied());
    let mut out = Vec::with_capacity(text.len() + leads.iter().sum::<usize>());
    let mut push = |piece: &str, old: Option<usize>| {
        let mut at = old;
        for line in piece.split_inclusive('\n') {
            if out.last().is_none_or(|&byte| byte == b'\n') {
                let empty = line.trim_end_matches(['\r', '\n']).is_empty();
                let blanks = at.and_then(own).unwrap_or(if empty { 0 } else { indent });
                out.extend(std::iter::repeat_n(b' ', blanks));
            }
            out.extend_from_slice(line.as_bytes());
            at = at.map(|at| at + line.len());
        }
    };
    let mut at = 0;
    for edit in edits {
        push(&text[at..edit.span.start], Some(at));
        push(edit.text.expose(), None);
        at = edit.span.end;
    }
    push(&text[at..], Some(at));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a\n\nb\r\nc\n";

    fn put(edits: &[Edit]) -> String {
        String::from_utf8_lossy(&indented(TEXT, edits, 2, &[2, 1, 2, 2])).into_owned()
    }

    #[test]
    fn lines_keep_their_blanks_and_new_ones_get_some() {
        assert_eq!(put(&[]), "  a\n \n  b\r\n  c\n");
        assert_eq!(put(&[Edit::insert(1, "\nx\n\n y")]), "  a\n  x\n\n   y\n \n  b\r\n  c\n");
        assert_eq!(put(&[Edit::insert(3, "x\n")]), "  a\n \n  x\n  b\r\n  c\n");
        assert_eq!(put(&[Edit::insert(3, "x"), Edit::insert(3, "y")]), "  a\n \n  xyb\r\n  c\n");
        assert_eq!(put(&[Edit::insert(TEXT.len(), "x\n")]), "  a\n \n  b\r\n  c\n  x\n");
    }

    #[test]
    fn lines_that_go_take_their_blanks_with_them() {
        assert_eq!(put(&[Edit::remove(0..2)]), " \n  b\r\n  c\n");
        assert_eq!(put(&[Edit::remove(1..3)]), "  ab\r\n  c\n");
        assert_eq!(put(&[Edit::remove(6..8)]), "  a\n \n  b\r\n");
        assert_eq!(put(&[Edit::remove(3..4)]), "  a\n \n\r\n  c\n");
        assert_eq!(put(&[Edit::remove(0..TEXT.len())]), "");
    }
}
