//! Text from a file as it may go to a terminal: no control character in it gets there.

/// The same text with control characters escaped, but for line ends.
pub(crate) fn printable(text: &str) -> String {
    escaped(text, |letter| letter.is_control() && letter != '\n')
}

/// The same text on one line: a line end in a name could pass for a line of a report.
pub(crate) fn one_line(text: &str) -> String {
    escaped(text, char::is_control)
}

fn escaped(text: &str, escape: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if escape(letter) {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    out
}
