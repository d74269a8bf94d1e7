//! A text read one expression (a header or a pair, with its line ends) after the other.
//!
//! A plain line is read as it stands, any other expression by `toml_parser`. The tokens of one expression
//! are kept at a time: those of a whole file take seven times its size.

use std::iter;

use toml_parser::lexer::{Token, TokenKind};
use toml_parser::parser::{RecursionGuard, parse_document};
use toml_parser::{ParseError, Source};

use super::builder::Builder;
use super::{SyntaxError, plain};

/// How deep arrays and inline tables may nest; a real config nests three levels.
const MAX_DEPTH: u32 = 128;

/// How many tokens an expression may have: those of an array with 100,000 runners. They take a hundred
/// MiB.
const MAX_TOKENS: usize = 1 << 22;

/// How many tokens are kept before the others are counted: then there is room for just so many, or
/// for none when they are too many.
const UNCOUNTED: usize = 1 << 16;

/// The mark that `toml_parser` skips at the beginning of what it reads.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a text.
pub(super) fn read(text: &str) -> Result<Builder<'_>, SyntaxError> {
    let mut builder = Builder::new(text);
    let mut tokens = Vec::new();
    let mut at = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    while at < text.len() {
        builder.make_room(at);
        at = match plain::line(&mut builder, at) {
            Some(next) => next,
            None => expression(&mut builder, &mut tokens, at)?,
        };
    }
    Ok(builder)
}

/// Reads the expression that begins at a byte, and says where the next line begins.
fn expression(
    builder: &mut Builder<'_>,
    tokens: &mut Vec<Token>,
    start: usize,
) -> Result<usize, SyntaxError> {
    let text = builder.text;
    // Behind the beginning of a text the mark is no mark, so it must not come first.
    let mark = text[start..].starts_with(BYTE_ORDER_MARK);
    let before = text[..start].chars().next_back().filter(|_| mark);
    let base = start - before.map_or(0, char::len_utf8);
    let whole = lex(&text[base..], start - base, tokens);
    builder.base = base;
    let mut error = None;
    parse_document(tokens, &mut RecursionGuard::new(builder, MAX_DEPTH), &mut error);
    let last = tokens
        .last()
        .map_or(start..text.len(), |token| base + token.span().start()..base + token.span().end());
    let error = error.map(|error| describe(text, base, &error));
    if !whole && error.as_ref().is_none_or(|error| error.offset >= last.start) {
        let problem = format!("this is more than {MAX_TOKENS} words and signs without an end");
        return Err(SyntaxError::new(start, problem));
    }
    error.map_or(Ok(last.end), Err)
}

/// Takes the tokens up to the first line end behind a byte that is outside all brackets. Where there
/// are too many it takes only the first, and says so with `false`.
fn lex(text: &str, from: usize, tokens: &mut Vec<Token>) -> bool {
    tokens.clear();
    tokens.extend(of_expression(text, from).take(UNCOUNTED));
    if tokens.len() == UNCOUNTED {
        let count = of_expression(text, from).take(MAX_TOKENS + 1).count();
        if count > MAX_TOKENS {
            return false;
        }
        tokens.reserve_exact(count - UNCOUNTED);
        tokens.extend(of_expression(text, from).skip(UNCOUNTED));
    }
    true
}

/// The tokens up to the first line end behind a byte that is outside all brackets.
fn of_expression(text: &str, from: usize) -> impl Iterator<Item = Token> + '_ {
    let mut lexer = Source::new(text).lex();
    let mut depth = 0_usize;
    let mut over = false;
    iter::from_fn(move || {
        let token = if over { None } else { lexer.next() }?;
        match token.kind() {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
            // Where there are too many of them the parser says so.
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                depth = depth.saturating_sub(1);
            }
            TokenKind::Newline => over = depth == 0 && token.span().end() > from,
            _ => {}
        }
        Some(token)
    })
}

/// No TOML begins with a brace; nor does a template, but with two of them.
const IS_JSON: &str = "this is JSON and not TOML";

/// The parser's message, which names what it met but never repeats the text.
fn describe(text: &str, base: usize, error: &ParseError) -> SyntaxError {
    let span = error.unexpected().or(error.context());
    let offset = span.map_or(text.len(), |span| base + span.start()).min(text.len());
    let inside = text[offset..].strip_prefix('{').map(str::trim_start);
    if text[..offset].trim().is_empty() && inside.is_some_and(|inside| inside.starts_with('"')) {
        return SyntaxError::new(offset, IS_JSON.to_owned());
    }
    let mut problem = format!("this is not TOML: {}", error.description());
    if pasted_json(text, offset) {
        problem.push_str(
            "; JSON between double quotes needs single quotes around it: \
             'DOCKER_AUTH_CONFIG={\"auths\": …}'",
        );
    }
    SyntaxError::new(offset, problem)
}

/// Whether the text around `offset` is the usual mistake: JSON pasted between double quotes, so
/// that its own first quote ends the string.
fn pasted_json(text: &str, offset: usize) -> bool {
    let bytes = text.as_bytes();
    let start = bytes[..offset].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let end = bytes[offset..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(bytes.len(), |at| offset + at);
    let line = &text[start..end];
    line.find("\"DOCKER_AUTH_CONFIG=").is_some_and(|at| line[at + 1..].contains("{\""))
}

/// The same in one piece, as the parser is meant to be used: what the pieces are compared with.
#[cfg(any(test, fuzzing))]
fn read_whole(text: &str) -> Result<Builder<'_>, SyntaxError> {
    let mut builder = Builder::new(text);
    let tokens = Source::new(text).lex().into_vec();
    let mut error = None;
    parse_document(&tokens, &mut RecursionGuard::new(&mut builder, MAX_DEPTH), &mut error);
    match error {
        Some(error) => Err(describe(text, 0, &error)),
        None => Ok(builder),
    }
}

/// Ends the process where the pieces of a text and the whole are not read alike.
// That is how a test fails, and how a fuzzer learns of it.
#[cfg(any(test, fuzzing))]
#[allow(clippy::panic)]
pub(crate) fn compare_readings(text: &str) {
    match (read(text), read_whole(text)) {
        (Ok(pieces), Ok(whole)) => {
            assert_eq!(pieces.nodes, whole.nodes, "{text:?}");
            assert_eq!(pieces.comments, whole.comments, "{text:?}");
            assert_eq!(pieces.refusals.all(), whole.refusals.all(), "{text:?}");
            assert_eq!(pieces.dotted, whole.dotted, "{text:?}");
        }
        (Err(pieces), Err(whole)) => assert_eq!(pieces, whole, "{text:?}"),
        (pieces, whole) => panic!("{text:?}: {:?} and {:?}", pieces.err(), whole.err()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What texts are made of, good and bad.
    const PIECES: &[&str] = &[
        "a",
        "b-1",
        "_",
        "1",
        "0",
        "01",
        "-1",
        "999999999999999999",
        "9999999999999999999",
        "true",
        "false",
        "trueish",
        "name",
        "\"x\"",
        "\"\"",
        "\"\"\"",
        "'x'",
        "''",
        "'''",
        "\"a\\n\"",
        "\"a\\q\"",
        "\"é\"",
        "'é\t'",
        "=",
        " = ",
        " = ",
        "=",
        ".",
        ",",
        ", ",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "#",
        " # x",
        "# é",
        "\u{1}",
        "\u{7f}",
        " ",
        "\t",
        "\n",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "\u{feff}",
        "\0",
        "é",
        "\"",
        "'",
        "\\",
        "2024-05-01T10:00:00Z",
        "0001-01-01T00:00:00Z",
        "2024-02-29T10:00:00Z",
        "2024-02-30T10:00:00Z",
        "2024-13-01T10:00:00Z",
        "2024-00-10T10:00:00Z",
        "2024-01-00T10:00:00Z",
        "2024-05-01T24:00:00Z",
        "2024-05-01T10:60:00Z",
        "2024-05-01T10:00:60Z",
        "2024-05-01t10:00:00z",
        "2024-05-01",
        "10:00:00",
        "1.5",
        "0x1f",
    ];

    /// Lines of texts.
    const LINES: &[&str] = &[
        "[[runners]]\n",
        "[runners.docker]\n",
        "  name = \"x\"\n",
        "  a = [\"b\", 'c']\n",
        "  a = [ ]\r\n",
        "a = [\n",
        "a = [1, 'b']\n",
        "a = {b = 1}\n",
        "a = {b = 1,\n}\n",
        "a.b = 1\n",
        "\"a\" = 1\n",
        "'a' = 1 # c\n",
        "a = '''\n",
        "a = \"\"\"\n[b]\n\"\"\"\n",
        "a = 5\n",
        "a = true # x\n",
        "a = ['b',]\n",
        "[a.b] # x\n",
        "\t[[ a ]]\n",
        "a = \"x\" # y\r\n",
        "\n",
        "# x\r\n",
        "b = 12\n",
        "c = 2024-05-01T10:00:00Z\n",
        "d = []\n",
        "e = ['', \"\" , ]\t\n",
        "f = '''x'''\n",
        "g=false\n",
    ];

    #[test]
    fn what_is_wrong_is_said_before_what_is_too_long() {
        let problem = |text: &str| {
            let error = read(text).err().expect("it is refused");
            (error.offset, error.problem.contains("words and signs"))
        };
        let long = "1,".repeat(MAX_TOKENS / 2);
        assert_eq!(problem(&format!("a = 1\nb = [{long}1]\n")), (6, true));
        assert_eq!(problem(&format!("a = 1\nb = [1,,{long}")), (13, false));
        // One that may be as long is read to its end.
        let long = "1,".repeat(UNCOUNTED);
        let read = read(&format!("b = [{long}1]\nc = 2\n")).map(|builder| builder.nodes.len());
        assert_eq!(read.ok(), Some(UNCOUNTED + 7));
        assert_eq!(problem(&format!("b = [{long}1,,]\n")), (5 + long.len() + 2, false));
    }

    proptest! {
        #![proptest_config(crate::property::cases(2000))]

        #[test]
        fn pieces_are_read_as_the_whole(
            pieces in prop::collection::vec(
                prop_oneof![prop::sample::select(PIECES), prop::sample::select(LINES)],
                0..24,
            ),
        ) {
            compare_readings(&pieces.concat());
        }
    }
}
