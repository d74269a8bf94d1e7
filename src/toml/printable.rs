//! Text from a file as it may go to a terminal: nothing in it moves the cursor, hides a letter or
//! turns the direction of the line.

use std::borrow::Cow;

/// The same text with what a terminal would act on escaped, on one line: a line end in a name could pass
/// for a line of a report.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, acts)
}

/// The same text on one line, in which a tab stays a tab.
pub(crate) fn one_line_with_tabs(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| acts(letter) && letter != '\t')
}

fn escaped(text: &str, escape: impl Fn(char) -> bool) -> Cow<'_, str> {
    // All bytes are looked at in any case, so that several are at once.
    if text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if escape(letter) {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// Whether a character is no letter or sign but an order to whoever shows it: a control character
/// (C0 and C1), a line or paragraph separator, one that turns the direction of writing, or one that
/// can't be seen. The joiners stay: Persian words and many emoji need them.
pub(crate) fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_but_letters() {
        let hostile = "a\u{1b}[2J\u{9b}1m\u{202e}b\u{2066}\u{2028}\u{200b}\u{e0041}\rz";
        let shown = one_line(hostile);
        assert!(!shown.chars().any(acts), "{shown}");
        assert!(shown.starts_with("a\\u{1b}[2J\\u{9b}1m\\u{202e}b"), "{shown}");
        assert_eq!(one_line_with_tabs("a\n\tb"), "a\\n\tb");
        let fine = "東京 ف\u{200c}ا 👩\u{200d}🔧 é";
        assert_eq!(one_line(fine), fine);
    }
}
