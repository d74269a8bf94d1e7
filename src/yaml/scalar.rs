//! The scalar that holds a config, and the bytes of the file behind it.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use saphyr_parser::ScalarStyle;
use zeroize::Zeroizing;

use super::invalid;
use super::search::{ConfigScalar, Encoding, place};
use crate::error::Error;
use crate::toml::enclosure::{Enclosure, Form};
use crate::toml::text::ConfigText;

/// The config in a scalar of the file.
pub(super) fn open(
    file: &ConfigText,
    found: &ConfigScalar,
    path: Option<&str>,
) -> Result<ConfigText, Error> {
    let refuse = |problem: &str| invalid(file.label(), Some(place(found.span.start)), problem);
    let path = path.map(str::to_owned);
    match (found.encoding, found.style) {
        (Encoding::Packed, _) => Err(refuse(
            "the config is packed (encoding): only plain text and base64 can be patched",
        )),
        (Encoding::Base64, ScalarStyle::Literal | ScalarStyle::Folded) => {
            Err(refuse("base64 of a config must stand on one line, behind its key"))
        }
        (Encoding::Base64, _) => {
            base64(file, found, path).ok_or_else(|| refuse("this is no base64 of a config"))
        }
        (Encoding::Plain, _) if found.tagged => {
            Err(refuse("the config has a tag (!…): write it as a literal block (|) without one"))
        }
        (Encoding::Plain, ScalarStyle::Literal) => literal(file, found, path).ok_or_else(|| {
            refuse("the lines of this block can't be told from its blanks: give it one indentation")
        }),
        (Encoding::Plain, ScalarStyle::Folded) => Err(refuse(
            "the config is a folded block (>), whose lines YAML joins, which breaks TOML: write it \
             as a literal block (|)",
        )),
        (Encoding::Plain, _) => Err(refuse(
            "the config stands here in quotes or bare: write it as a literal block (|), of which \
             each line can keep its bytes",
        )),
    }
}

/// A block with each line as it stands, its blanks cut.
fn literal(file: &ConfigText, found: &ConfigScalar, path: Option<String>) -> Option<ConfigText> {
    let (line, column) = (found.span.start.line().checked_sub(1)?, found.span.start.col());
    let block = if found.has_properties {
        // The place is that of the anchor or tag: the block starts on one of the next lines.
        let lines = (line + 1..file.line_count()).filter(|&line| !is_empty(line_of(file, line)));
        let starts = lines.take(2).flat_map(|line| {
            (1..=blanks(line_of(file, line))).rev().map(move |indent| (line, indent))
        });
        starts
            .map(|(line, indent)| BlockScalar::cut(file, line, indent))
            .find(|block| block.is(found))
    } else {
        Some(BlockScalar::cut(file, line, column)).filter(|block| block.is(found))
    };
    let BlockScalar { text, leads, indent, line, span } = block?;
    let form = Form::Indented { indent, leads };
    let bytes = Zeroizing::new(file.bytes().to_vec());
    let enclosure = Enclosure::new(bytes, span, line, form, path);
    Some(ConfigText::enclosed(file.label().to_owned(), text, enclosure))
}

fn line_of(file: &ConfigText, line: usize) -> &str {
    &file.as_str()[file.line(line)]
}

fn is_empty(line: &str) -> bool {
    line.trim_matches([' ', '\r', '\n']).is_empty()
}

fn blanks(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The lines of a literal block, from its first line that is not empty to its last.
struct BlockScalar {
    text: Zeroizing<String>,
    leads: Vec<usize>,
    indent: usize,
    line: usize,
    span: Range<usize>,
}

impl BlockScalar {
    fn cut(file: &ConfigText, line: usize, indent: usize) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(file.as_str().len()));
        let mut leads = Vec::new();
        let mut kept = (0, 0);
        let start = if line < file.line_count() { file.line(line).start } else { 0 };
        let mut end = start;
        for number in line..file.line_count() {
            let here = line_of(file, number);
            let blanks = blanks(here).min(indent);
            if blanks < indent && !is_empty(here) {
                break;
            }
            leads.push(blanks);
            text.push_str(&here[blanks..]);
            // Empty lines at the end belong to the block by its chomping, but not to the config.
            if !is_empty(here) {
                kept = (text.len(), leads.len());
                end = file.line(number).end;
            }
        }
        text.truncate(kept.0);
        leads.truncate(kept.1);
        Self { text, leads, indent, line, span: start..end }
    }

    /// Whether this is what YAML reads there.
    fn is(&self, found: &ConfigScalar) -> bool {
        let own = Zeroizing::new(self.text.replace("\r\n", "\n"));
        // Empty lines before and after it stay outside.
        let value = found.value.trim_start_matches('\n');
        own.trim_end_matches([' ', '\n']) == value.trim_end_matches([' ', '\n'])
    }
}

/// A word of base64, decoded.
fn base64(file: &ConfigText, found: &ConfigScalar, path: Option<String>) -> Option<ConfigText> {
    let (start, end) = (found.span.start, found.span.end);
    let number = start.line().checked_sub(1)?;
    let column = start.col();
    if start.line() != end.line() {
        return None;
    }
    let span = file.line(number);
    let line = &file.as_str()[span.clone()];
    // A byte order mark stands before the first column.
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    let lead = span.end - line.len();
    let word = line.chars().take(column).map(char::len_utf8).sum::<usize>();
    let at = lead + word + line[word..].find(found.value.as_str())?;
    let text = STANDARD.decode(found.value.as_bytes()).ok()?;
    let text = Zeroizing::new(String::from_utf8(text).ok()?);
    let form = Form::Base64 { column, keys: found.path.clone() };
    let bytes = Zeroizing::new(file.bytes().to_vec());
    let enclosure = Enclosure::new(bytes, at..at + found.value.len(), number, form, path);
    Some(ConfigText::enclosed(file.label().to_owned(), text, enclosure))
}
