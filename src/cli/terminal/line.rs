//! A line of text that a person edits.

use unicode_width::UnicodeWidthChar as _;
use zeroize::Zeroizing;

use super::key::Key;

/// The text and the place of the cursor in it.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: Zeroizing<String>,
    /// A byte offset.
    cursor: usize,
}

impl Line {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Puts another text in its place, with the cursor behind it.
    pub fn replace(&mut self, text: &str) {
        self.text = Zeroizing::new(text.to_owned());
        self.cursor = text.len();
    }

    /// Does what a key does in a line; `false` for one that does nothing in it.
    pub fn edit(&mut self, key: &Key) -> bool {
        match key {
            Key::Letter(letter) => self.insert(letter.encode_utf8(&mut [0; 4])),
            // The rest would answer the next question.
            Key::Paste(text) => self.insert(&first_line(text)),
            Key::Backspace => self.cut(self.before(1), self.cursor),
            Key::Delete => self.cut(self.cursor, self.after(1)),
            Key::EndOfInput if !self.text.is_empty() => self.cut(self.cursor, self.after(1)),
            Key::Left => self.cursor = self.before(1),
            Key::Right => self.cursor = self.after(1),
            Key::Home | Key::LineStart => self.cursor = 0,
            Key::End | Key::LineEnd => self.cursor = self.text.len(),
            Key::WordLeft => self.cursor = self.word_before(char::is_alphanumeric),
            Key::WordRight => self.cursor = self.word_after(),
            Key::CutToStart => self.cut(0, self.cursor),
            Key::CutToEnd => self.cut(self.cursor, self.text.len()),
            Key::CutWord => {
                self.cut(self.word_before(|letter| !letter.is_whitespace()), self.cursor);
            }
            Key::CutWordLeft => self.cut(self.word_before(char::is_alphanumeric), self.cursor),
            Key::CutWordRight => self.cut(self.cursor, self.word_after()),
            _ => return false,
        }
        true
    }

    /// The part of the text that fits into so many columns, and the column of the cursor in it.
    pub fn window(&self, columns: usize) -> (String, usize) {
        // One column stays free for a cursor at the end.
        let room = columns.saturating_sub(1);
        let mut start = self.cursor;
        let mut before = 0;
        for (at, letter) in self.text[..self.cursor].char_indices().rev() {
            if before + width(letter) > room {
                break;
            }
            before += width(letter);
            start = at;
        }
        let mut used = before;
        let rest = self.text[self.cursor..].chars();
        let behind = rest.take_while(|&letter| {
            used += width(letter);
            used <= room
        });
        (self.text[start..self.cursor].chars().chain(behind).collect(), before)
    }

    fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
    }

    fn cut(&mut self, start: usize, end: usize) {
        self.text.replace_range(start..end, "");
        self.cursor = start;
    }

    /// So many letters before the cursor, counted with what is put on top of them, such as accents.
    fn before(&self, count: usize) -> usize {
        let letters = self.text[..self.cursor].char_indices().rev();
        letters.filter(|&(_, letter)| width(letter) > 0).nth(count - 1).map_or(0, |(at, _)| at)
    }

    fn after(&self, count: usize) -> usize {
        let letters = self.text[self.cursor..].char_indices();
        let mut next = letters.filter(|&(at, letter)| at > 0 && width(letter) > 0);
        next.nth(count - 1).map_or(self.text.len(), |(at, _)| self.cursor + at)
    }

    fn word_before(&self, is_word: impl Fn(char) -> bool) -> usize {
        let before = self.text[..self.cursor].trim_end_matches(|letter: char| !is_word(letter));
        before.trim_end_matches(is_word).len()
    }

    fn word_after(&self) -> usize {
        let after = &self.text[self.cursor..];
        let rest = after.trim_start_matches(|letter: char| !letter.is_alphanumeric());
        self.text.len() - rest.trim_start_matches(char::is_alphanumeric).len()
    }
}

/// The first line of what was pasted that holds anything, without what is no letter.
fn first_line(pasted: &str) -> Zeroizing<String> {
    let lines = pasted.split(['\r', '\n']);
    let first = lines.map(|line| line.trim_matches('\t')).find(|line| !line.is_empty());
    let letters = first.unwrap_or_default().chars();
    Zeroizing::new(letters.filter(|letter| !letter.is_control()).collect())
}

/// Whether a paste is more than one line, with an end or without.
pub(super) fn is_several_lines(pasted: &str) -> bool {
    pasted.split(['\r', '\n']).filter(|line| !line.trim().is_empty()).count() > 1
}

/// The columns that a letter takes.
pub(super) fn width(letter: char) -> usize {
    letter.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a line is after these keys, with a bar for the cursor.
    fn after(text: &str, keys: &[Key]) -> String {
        let mut line = Line::default();
        line.replace(text);
        for key in keys {
            line.edit(key);
        }
        let (before, behind) = line.text.split_at(line.cursor);
        format!("{before}|{behind}")
    }

    #[test]
    fn keys_do_what_they_do_in_a_shell() {
        use Key::*;
        for (keys, expected) in [
            (&[CutToStart][..], "|"),
            (&[CutWord], "my |"),
            (&[CutWordLeft], "my host.|"),
            (&[WordLeft], "my host.|io"),
            (&[WordLeft, WordLeft, CutToEnd], "my |"),
            (&[Home, WordRight], "my| host.io"),
            (&[LineStart, CutWordRight], "| host.io"),
            (&[Home, Delete, EndOfInput], "| host.io"),
            (&[Left, Left, Backspace], "my host|io"),
            (&[Home, Left, Backspace, End, Right, Delete], "my host.io|"),
            (&[LineStart, LineEnd, Letter('\u{e4}')], "my host.io\u{e4}|"),
            (&[Up, Tab, Other, Suspend, NotText], "my host.io|"),
        ] {
            assert_eq!(after("my host.io", keys), expected, "{keys:?}");
        }
    }

    #[test]
    fn a_paste_is_its_first_line() {
        let paste = |text: &str| Key::Paste(Zeroizing::new(text.to_owned()));
        assert_eq!(after("", &[paste("r.io\r\nsecond\n")]), "r.io|");
        assert_eq!(after("", &[paste("\n\tr.io\x1b[A\n")]), "r.io[A|");
        assert_eq!(after("", &[paste("\n")]), "|");
        assert!(is_several_lines("a\nb") && !is_several_lines("a\n"));
    }

    #[test]
    fn an_accent_goes_with_its_letter() {
        assert_eq!(after("ae\u{301}", &[Key::Left]), "a|e\u{301}");
        assert_eq!(after("ae\u{301}", &[Key::Backspace]), "a|");
        assert_eq!(after("e\u{301}a", &[Key::Home, Key::Right]), "e\u{301}|a");
    }

    #[test]
    fn a_long_line_is_shown_around_the_cursor() {
        let mut line = Line::default();
        line.replace("registry.example.com");
        assert_eq!(line.window(40), ("registry.example.com".to_owned(), 20));
        assert_eq!(line.window(8), ("ple.com".to_owned(), 7));
        line.edit(&Key::Home);
        assert_eq!(line.window(8), ("registr".to_owned(), 0));
        line.replace("\u{6771}\u{4eac}");
        assert_eq!(line.window(4), ("\u{4eac}".to_owned(), 2));
        assert_eq!(line.window(0), (String::new(), 0));
    }
}
