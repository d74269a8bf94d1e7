//! Which words of a line change, when it gives way to one that is like it.

use std::time::{Duration, Instant};

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::{DiffOp, DiffTag};

use super::{Line, LineKind};

/// How one list of lines or words becomes another.
pub(super) fn ops(old: &[&str], new: &[&str], deadline: Option<Instant>) -> Vec<DiffOp> {
    if let ([before], [after]) = (old, new) {
        return vec![if before == after {
            DiffOp::Equal { old_index: 0, new_index: 0, len: 1 }
        } else {
            DiffOp::Replace { old_index: 0, old_len: 1, new_index: 0, new_len: 1 }
        }];
    }
    let mut diff = Compact::new(Replace::new(Capture::new()), old, new);
    // One algorithm for one type: each other would be code that nobody runs. To capture can't fail.
    let Ok(()) = myers::diff_deadline(&mut diff, old, 0..old.len(), new, 0..new.len(), deadline);
    diff.into_inner().into_inner().into_ops()
}

/// The lines of a change, with the words marked in which they differ.
pub(super) fn marked(gone: &[String], come: &[String]) -> Vec<Line> {
    let whole = |kind, lines: &[String]| -> Vec<Line> {
        lines.iter().map(|line| Line::new(kind, line.clone())).collect()
    };
    let mut lines = Vec::new();
    let old: Vec<_> = gone.iter().map(String::as_str).collect();
    let new: Vec<_> = come.iter().map(String::as_str).collect();
    for op in ops(&old, &new, None) {
        let (gone, come) = (&gone[op.old_range()], &come[op.new_range()]);
        if op.tag() == DiffTag::Replace {
            let (removed, added) = words(gone, come);
            lines.extend(removed);
            lines.extend(added);
        } else {
            // Two lines that look alike once their secrets are hidden still differ.
            lines.extend(whole(LineKind::Removed, gone));
            lines.extend(whole(LineKind::Added, come));
        }
    }
    lines
}

/// How long the search for the words may take; lines as long as a file is have no few words to mark.
const PATIENCE: Duration = Duration::from_millis(200);

/// Lines that give way to others, each with the words marked that the other side lacks.
fn words(gone: &[String], come: &[String]) -> (Vec<Line>, Vec<Line>) {
    let (old, new) = (tokens(gone), tokens(come));
    let deadline = Instant::now().checked_add(PATIENCE);
    let ops = ops(&old, &new, deadline);
    // Where little is the same, everything is new, and marks would only be noise.
    let count = |tokens: &[&str]| tokens.iter().filter(|&&token| token != "\n").count();
    let same = ops.iter().filter(|op| op.tag() == DiffTag::Equal);
    let kept: usize = same.map(|op| count(&old[op.old_range()])).sum();
    let alike = kept > 0 && kept * 2 >= count(&old).min(count(&new));
    let mut sides = (Side::new(LineKind::Removed, gone), Side::new(LineKind::Added, come));
    for op in ops {
        let changed = alike && op.tag() != DiffTag::Equal;
        old[op.old_range()].iter().for_each(|token| sides.0.push(changed, token));
        new[op.new_range()].iter().for_each(|token| sides.1.push(changed, token));
    }
    (sides.0.lines, sides.1.lines)
}

/// How many words and signs most lines have at most.
const WORDS_OF_A_LINE: usize = 32;

/// Which bytes are signs, and belong to no word.
const IS_SIGN: [bool; 256] = {
    let mut signs = [false; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        let of_word =
            matches!(byte, b'_' | b'-' | b'.' | b':' | b'/' | b'@' | b'<' | b'>' | b'$' | b'+');
        signs[byte as usize] = !byte.is_ascii_alphanumeric() && !of_word;
        byte += 1;
    }
    signs
};

/// Lines as words, signs between them, and line ends. What stands between the signs of TOML and JSON
/// is a word: a registry, a user, a placeholder.
fn tokens(lines: &[String]) -> Vec<&str> {
    let mut out = Vec::with_capacity(WORDS_OF_A_LINE * lines.len());
    for line in lines {
        let mut rest = line.as_str();
        while !rest.is_empty() {
            let sign = rest.bytes().position(|byte| IS_SIGN[usize::from(byte)]);
            let word = sign.unwrap_or(rest.len());
            // A colon between a name and its value is a sign.
            let colon = usize::from(word > 1 && rest.as_bytes()[word - 1] == b':');
            let (token, later) = rest.split_at((word - colon).max(1));
            out.push(token);
            rest = later;
        }
        out.push("\n");
    }
    out
}

/// One side of a change, cut into pieces along its words.
struct Side<'l> {
    kind: LineKind,
    texts: std::slice::Iter<'l, String>,
    lines: Vec<Line>,
    /// What is left of the line at hand.
    rest: &'l str,
    /// How long the piece at hand is, and whether it changed.
    length: usize,
    changed: bool,
}

impl<'l> Side<'l> {
    fn new(kind: LineKind, texts: &'l [String]) -> Self {
        let mut side = Self {
            kind,
            texts: texts.iter(),
            lines: Vec::new(),
            rest: "",
            length: 0,
            changed: false,
        };
        side.next_line();
        side
    }

    fn push(&mut self, changed: bool, token: &str) {
        if token == "\n" {
            self.end_piece();
            self.next_line();
            return;
        }
        if changed != self.changed {
            self.end_piece();
            self.changed = changed;
        }
        self.length += token.len();
    }

    fn end_piece(&mut self) {
        let (piece, rest) = self.rest.split_at(std::mem::take(&mut self.length));
        self.rest = rest;
        if let Some(line) = self.lines.last_mut().filter(|_| !piece.is_empty()) {
            line.pieces.push((self.changed, piece.to_owned()));
        }
    }

    fn next_line(&mut self) {
        if let Some(text) = self.texts.next() {
            self.rest = text;
            self.lines.push(Line { kind: self.kind, pieces: Vec::new() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces of each line, what changed between brackets.
    fn shown(gone: &[&str], come: &[&str]) -> Vec<String> {
        let owned = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
        let piece = |(changed, text): &(bool, String)| {
            if *changed { format!("[{text}]") } else { text.clone() }
        };
        let lines = marked(&owned(gone), &owned(come));
        lines.iter().map(|line| line.pieces.iter().map(piece).collect()).collect()
    }

    #[test]
    fn a_changed_password_is_one_word_of_a_compact_line() {
        assert_eq!(
            shown(
                &[r#"environment = ['A={"auths":{"r.io":{"auth":"<hidden-1>"}}}']"#],
                &[r#"environment = ['A={"auths":{"r.io":{"auth":"<hidden-2>"}}}']"#],
            ),
            [
                r#"environment = ['A={"auths":{"r.io":{"auth":"[<hidden-1>]"}}}']"#,
                r#"environment = ['A={"auths":{"r.io":{"auth":"[<hidden-2>]"}}}']"#,
            ]
        );
    }

    #[test]
    fn a_registry_that_comes_to_a_compact_line_is_all_that_is_marked() {
        assert_eq!(
            shown(
                &[r#"['A={"auths":{"r.io":{"auth":"<hidden-1>"}}}']"#],
                &[
                    r#"['A={"auths":{"r.io":{"auth":"<hidden-1>"},"s.io:5000":{"auth":"<hidden-2>"}}}']"#
                ],
            ),
            [
                r#"['A={"auths":{"r.io":{"auth":"<hidden-1>"}}}']"#,
                r#"['A={"auths":{"r.io":{"auth":"<hidden-1>"}[,"s.io:5000":{"auth":"<hidden-2>"}]}}']"#,
            ]
        );
    }

    #[test]
    fn lines_that_look_alike_and_lines_with_nothing_in_common_have_no_marks() {
        assert_eq!(shown(&["<hidden-1>"], &["<hidden-1>"]), ["<hidden-1>", "<hidden-1>"]);
        assert_eq!(shown(&["a = 1"], &["<hidden-1>"]), ["a = 1", "<hidden-1>"]);
        assert_eq!(shown(&[], &["one", "two"]), ["one", "two"]);
    }

    #[test]
    fn an_empty_line_stays_a_line() {
        assert_eq!(
            shown(&["a, b, c", ""], &["a, b, d", "e"]),
            ["a, b, [c]", "", "a, b, [d]", "[e]"]
        );
    }
}
