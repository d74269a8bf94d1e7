//! JSON that may go to a terminal.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

use crate::toml::printable::acts;

/// A report as JSON on one line. A parser gets every value as it is; what a terminal would act on
/// is written as its number.
pub(super) fn to_string(report: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    report.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Harmless))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Compact, with escapes for more than JSON needs escapes for.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
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
}

#[cfg(test)]
mod tests {
    use super::to_string;

    #[test]
    fn a_parser_gets_what_a_terminal_does_not() {
        let value = "a\u{1b}\u{9b}\u{202e}\u{2028}\u{e0041}\u{7f}\n\"東";
        let text = to_string(&value).unwrap();
        assert_eq!(text, r#""a\u001b\u009b\u202e\u2028\udb40\udc41\u007f\n\"東""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
    }
}
