//! The rows in which a question is asked, painted again with each key.

use std::fs::File;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};

use super::line::{Line, width};
use super::raw::Size;
use crate::toml::printable::one_line;

/// What is shown below a question.
pub(super) struct Below {
    pub text: String,
    pub kind: Kind,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Answer,
    /// The answer under the cursor.
    Here,
    Hint,
    Problem,
}

/// The rows of a question. The cursor stays on the first one, so that the place of all is known
/// whatever the size of the window becomes.
pub(super) struct Screen<'t> {
    tty: &'t File,
    colors: bool,
    /// The column of the cursor, as it was painted.
    column: usize,
}

impl<'t> Screen<'t> {
    pub fn new(tty: &'t File, colors: bool) -> Self {
        Self { tty, colors, column: 0 }
    }

    /// Paints the question with what is typed, and what fits below it.
    pub fn paint(&mut self, size: Size, question: &str, typed: &Line, below: &[Below]) {
        let columns = size.columns.saturating_sub(1);
        let mut out = self.start(size);
        let question = cut(question, columns.saturating_sub(12).max(columns / 2));
        let used: usize = question.chars().map(width).sum();
        let (window, column) = typed.window((columns + 1).saturating_sub(used));
        out.push_str(&self.styled(Style::new().bold(), &question));
        out.push_str(&one_line(&window));
        let below = &below[..below.len().min(size.rows.saturating_sub(1))];
        for row in below {
            let style = match row.kind {
                Kind::Answer => Style::new(),
                Kind::Here => AnsiColor::Cyan.on_default(),
                Kind::Hint => Style::new().dimmed(),
                Kind::Problem => AnsiColor::Red.on_default(),
            };
            out.push_str("\r\n");
            out.push_str(&self.styled(style, &cut(&row.text, columns)));
        }
        if !below.is_empty() {
            out.push_str(&format!("\x1b[{}A", below.len()));
        }
        self.column = used + column;
        out.push('\r');
        if self.column > 0 {
            out.push_str(&format!("\x1b[{}C", self.column));
        }
        self.write(&out);
    }

    /// Leaves one line of it: the question and its answer.
    pub fn close(&mut self, size: Size, question: &str, answer: &str) {
        let mut out = self.start(size);
        out.push_str(&self.styled(Style::new().bold(), question));
        out.push_str(&one_line(answer));
        out.push('\n');
        self.write(&out);
    }

    /// Back to the first row and column, with nothing behind them.
    fn start(&self, size: Size) -> String {
        // In a window that became narrow the terminal has broken the row.
        let up = self.column / size.columns.max(1);
        let up = if up > 0 { format!("\x1b[{up}A") } else { String::new() };
        format!("\r{up}\x1b[J")
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.colors { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn write(&self, text: &str) {
        let mut tty = self.tty;
        // A terminal that went away answers the question with an end of input.
        drop(tty.write_all(text.as_bytes()));
    }
}

/// The start of a text that fits into so many columns.
pub(super) fn cut(text: &str, columns: usize) -> String {
    let text = one_line(text).into_owned();
    if text.chars().map(width).sum::<usize>() <= columns {
        return text;
    }
    let mut used = 1;
    let fits = text.chars().take_while(|&letter| {
        used += width(letter);
        used <= columns
    });
    fits.chain(['\u{2026}']).collect()
}

/// A text in rows of so many columns, broken between words; the last row that may be holds what is
/// left, cut.
pub(super) fn wrap(text: &str, columns: usize, rows: usize) -> Vec<String> {
    let mut out = vec![String::new()];
    for word in text.split(' ') {
        let full = out.len() >= rows;
        let Some(row) = out.last_mut() else { break };
        let columns_used: usize = row.chars().chain(word.chars()).map(width).sum();
        if row.is_empty() {
            row.push_str(word);
        } else if full || columns_used < columns {
            row.push(' ');
            row.push_str(word);
        } else {
            out.push(word.to_owned());
        }
    }
    out.iter().map(|row| cut(row, columns)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_and_says_so() {
        assert_eq!(cut("devops", 6), "devops");
        assert_eq!(cut("devops", 5), "devo\u{2026}");
        assert_eq!(cut("\u{6771}\u{4eac}\u{5e02}", 5), "\u{6771}\u{4eac}\u{2026}");
        assert_eq!(cut("a\x1bb", 9), "a\\u{1b}b");
    }

    #[test]
    fn hints_are_broken_between_words() {
        assert_eq!(wrap("one two three", 8, 9), ["one two", "three"]);
        assert_eq!(wrap("one two three", 8, 1), ["one two\u{2026}"]);
        assert_eq!(wrap("one two three", 80, 2), ["one two three"]);
    }
}
