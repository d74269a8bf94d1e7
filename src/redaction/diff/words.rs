//! Which words of a line change, when it gives way to one that is like it.

use std::borrow::Cow;
use std::ops::Range;
use std::time::{Duration, Instant};

use memchr::memchr_iter;
use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::{DiffOp, DiffTag};

use super::{Line, LineKind};

/// How one list of lines or words becomes another.
pub(super) fn ops(old: &[&str], new: &[&str], deadline: Option<Instant>) -> Vec<DiffOp> {
    // One for another needs no search.
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
pub(super) fn marked(gone: Vec<String>, come: Vec<String>) -> Vec<Line> {
    let mut lines = Vec::with_capacity(gone.len() + come.len());
    let old: Vec<_> = gone.iter().map(String::as_str).collect();
    let new: Vec<_> = come.iter().map(String::as_str).collect();
    let ops = ops(&old, &new, None);
    let (mut gone, mut come) = (gone.into_iter(), come.into_iter());
    for op in ops {
        let gone: Vec<_> = gone.by_ref().take(op.old_range().len()).collect();
        let come: Vec<_> = come.by_ref().take(op.new_range().len()).collect();
        if op.tag() == DiffTag::Replace {
            words(gone, come, &mut lines);
        } else {
            // Two lines that look alike once their secrets are hidden still differ.
            lines.extend(gone.into_iter().map(|line| Line::new(LineKind::Removed, line)));
            lines.extend(come.into_iter().map(|line| Line::new(LineKind::Added, line)));
        }
    }
    lines
}

/// How long the search for the words may take; lines as long as a file is have no few words to mark.
const PATIENCE: Duration = Duration::from_millis(200);

/// Adds lines that give way to others, each with the words marked that the other side lacks.
fn words(gone: Vec<String>, come: Vec<String>, lines: &mut Vec<Line>) {
    let (old, new) = (joined(&gone), joined(&come));
    let (old, new) = changed_words(&old, &new);
    add_lines(LineKind::Removed, gone, &old, lines);
    add_lines(LineKind::Added, come, &new, lines);
}

/// Lines as one text.
fn joined(lines: &[String]) -> Cow<'_, str> {
    match lines {
        [line] => Cow::Borrowed(line),
        _ => Cow::Owned(lines.join("\n")),
    }
}

/// Adds lines that make up a text, with what changed in it.
fn add_lines(kind: LineKind, texts: Vec<String>, changed: &[Range<usize>], lines: &mut Vec<Line>) {
    let mut start = 0;
    let mut rest = changed;
    for text in texts {
        let end = start + text.len();
        let mut line = Line::new(kind, text);
        while let [span, behind @ ..] = rest {
            let here = span.start.max(start)..span.end.min(end);
            if here.start < here.end {
                line.changed.push(here.start - start..here.end - start);
            }
            // The next line has its share of what goes on behind this one.
            if span.end > end {
                break;
            }
            rest = behind;
        }
        lines.push(line);
        start = end + 1;
    }
}

/// What each of two texts has that the other lacks, in whole words. Where little is the same, everything
/// is new, and there is nothing to mark.
fn changed_words(old: &str, new: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let start = common_start(old, new);
    let end = common_end(&old[start..], &new[start..]);
    let (old_end, new_end) = (old.len() - end, new.len() - end);
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    // Without line ends, which most texts have.
    let weight = |text: &str| text.len() - memchr_iter(b'\n', text.as_bytes()).count();
    let mut kept = weight(&old[..start]) + weight(&old[old_end..]);
    if start < old_end && start < new_end {
        let (old, new) = (tokens(&old[start..old_end]), tokens(&new[start..new_end]));
        let (mut old_at, mut new_at) = (start, start);
        for op in ops(&old, &new, Instant::now().checked_add(PATIENCE)) {
            let length = |tokens: &[&str]| tokens.iter().map(|token| token.len()).sum::<usize>();
            let old_end = old_at + length(&old[op.old_range()]);
            let new_end = new_at + length(&new[op.new_range()]);
            if op.tag() == DiffTag::Equal {
                kept += old[op.old_range()].iter().map(|token| weight(token)).sum::<usize>();
            } else {
                gone.extend((old_at < old_end).then_some(old_at..old_end));
                come.extend((new_at < new_end).then_some(new_at..new_end));
            }
            (old_at, new_at) = (old_end, new_end);
        }
    } else {
        gone.extend((start < old_end).then_some(start..old_end));
        come.extend((start < new_end).then_some(start..new_end));
    }
    if kept > 0 && kept * 2 >= weight(old).min(weight(new)) {
        (gone, come)
    } else {
        (Vec::new(), Vec::new())
    }
}

/// How many bytes two texts begin with in common, up to behind a sign.
fn common_start(old: &str, new: &str) -> usize {
    let same = old.bytes().zip(new.bytes()).take_while(|(old, new)| old == new).count();
    let sign = old.as_bytes()[..same].iter().rposition(|&byte| is_sign(byte));
    sign.map_or(0, |sign| sign + 1)
}

/// How many bytes two texts end with in common, from a sign on.
fn common_end(old: &str, new: &str) -> usize {
    let bytes = old.bytes().rev().zip(new.bytes().rev());
    let same = bytes.take_while(|(old, new)| old == new).count();
    let end = &old.as_bytes()[old.len() - same..];
    end.iter().position(|&byte| is_sign(byte)).map_or(0, |sign| same - sign)
}

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

fn is_sign(byte: u8) -> bool {
    IS_SIGN[usize::from(byte)]
}

/// A text as words, and signs between them. What stands between the signs of TOML and JSON is a word: a
/// registry, a user, a placeholder.
fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let sign = rest.bytes().position(is_sign);
        let word = sign.unwrap_or(rest.len());
        // A colon between a name and its value is a sign.
        let colon = usize::from(word > 1 && rest.as_bytes()[word - 1] == b':');
        let (token, later) = rest.split_at((word - colon).max(1));
        out.push(token);
        rest = later;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The pieces of each line, what changed between brackets.
    fn shown(gone: &[&str], come: &[&str]) -> Vec<String> {
        let owned = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
        let piece = |(changed, text): (bool, &str)| {
            if changed { format!("[{text}]") } else { text.to_owned() }
        };
        let lines = marked(owned(gone), owned(come));
        lines.iter().map(|line| line.pieces().map(piece).collect()).collect()
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

    proptest! {
        #![proptest_config(crate::property::cases(500))]

        #[test]
        fn both_sides_are_the_same_without_what_is_marked(
            old in prop::collection::vec("[ab:,ä ]{0,12}", 1..4),
            new in prop::collection::vec("[ab:,ä ]{0,12}", 1..4),
        ) {
            let mut lines = Vec::new();
            words(old.clone(), new.clone(), &mut lines);
            let (gone, come) = lines.split_at(old.len());
            let texts = |lines: &[Line]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
            prop_assert_eq!((texts(gone), texts(come)), (old, new));
            for line in &lines {
                let pieces: Vec<_> = line.pieces().map(|(_, piece)| piece).collect();
                prop_assert_eq!(pieces.concat(), &*line.text);
                let marked = line.pieces().filter(|(changed, _)| *changed);
                let marked: usize = marked.map(|(_, piece)| piece.len()).sum();
                prop_assert_eq!(marked, line.changed.iter().map(Range::len).sum::<usize>());
            }
            let same = |lines: &[Line]| -> String {
                let pieces = lines.iter().flat_map(Line::pieces).filter(|(changed, _)| !changed);
                pieces.map(|(_, piece)| piece).collect()
            };
            if lines.iter().any(|line| !line.changed.is_empty()) {
                prop_assert_eq!(same(gone), same(come));
            }
        }
    }
}
