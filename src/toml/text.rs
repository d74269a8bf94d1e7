//! The text of a `config.toml`: its bytes, its lines, and what it is called in messages.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use memchr::{memchr, memchr_iter, memrchr};
use zeroize::Zeroizing;

use crate::toml::edit::{self, Edit};
use crate::toml::enclosure::Enclosure;

/// A place in a text that a person can find: line and column, both counted from 1, the column in
/// characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The whole text of a config, as it was read.
///
/// GitLab Runner 12.9 and 14.7 accept bytes that are no UTF-8 (a Latin-1 comment), newer ones
/// refuse them. This crate keeps them: [`ConfigText::as_str`] is what the parser sees, with a `?`
/// in the place of each such byte, so that every span in it is also a span of the original bytes.
///
/// The text holds the tokens of every runner; it is wiped on drop.
///
/// ```
/// use runner_auth::{ConfigText, Edit, Place};
///
/// let text = ConfigText::new("config.toml", b"# caf\xe9\nlimit = 1\n".to_vec());
/// assert_eq!((text.label(), text.as_str()), ("config.toml", "# caf?\nlimit = 1\n"));
/// assert_eq!((text.is_utf8(), text.first_invalid_utf8()), (false, Some(5)));
/// assert_eq!(text.bytes(), b"# caf\xe9\nlimit = 1\n");
/// assert_eq!(text.place(7), Place { line: 2, column: 1 });
/// assert!(!text.has_byte_order_mark());
/// assert_eq!(text.patched(&[Edit::new(15..16, "2")]), b"# caf\xe9\nlimit = 2\n");
/// ```
pub struct ConfigText {
    label: String,
    text: Zeroizing<String>,
    original: Option<Zeroizing<Vec<u8>>>,
    /// The file around it, when it is not a file of its own.
    enclosure: Option<Enclosure>,
    /// How many line ends stand before each chunk.
    line_counts: OnceLock<Vec<usize>>,
    /// How many characters start before each chunk.
    character_counts: OnceLock<Vec<usize>>,
}

/// How many bytes are counted anew for each line and each column that is asked about: a list of all
/// lines would take a quarter of the memory that the text takes, and few are asked about.
const CHUNK: usize = 512;

impl ConfigText {
    /// Takes the bytes of a config. `label` is what messages call it, usually its path.
    #[must_use]
    pub fn new(label: impl Into<String>, bytes: Vec<u8>) -> Self {
        let (text, original) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let bytes = error.into_bytes();
                (readable(&bytes), Some(Zeroizing::new(bytes)))
            }
        };
        Self {
            label: label.into(),
            text: Zeroizing::new(text),
            original,
            enclosure: None,
            line_counts: OnceLock::new(),
            character_counts: OnceLock::new(),
        }
    }

    /// Takes a text that is a part of a file. Places are those of the file, and so are the bytes.
    pub(crate) fn enclosed(label: String, text: Zeroizing<String>, enclosure: Enclosure) -> Self {
        let enclosure = Some(enclosure);
        Self {
            label,
            text,
            original: None,
            enclosure,
            line_counts: OnceLock::new(),
            character_counts: OnceLock::new(),
        }
    }

    /// What messages call this text.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The text as the parser sees it, as long as the original in bytes when it is a file of its own.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The bytes of the file exactly as they were read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match (&self.enclosure, &self.original) {
            (Some(enclosure), _) => enclosure.file(),
            (None, Some(bytes)) => bytes,
            (None, None) => self.text.as_bytes(),
        }
    }

    /// The bytes of the file with edits of this text.
    #[must_use]
    pub fn patched(&self, edits: &[Edit]) -> Vec<u8> {
        match &self.enclosure {
            Some(enclosure) => enclosure.put_back(&self.text, edits),
            None => edit::splice(self.bytes(), edits),
        }
    }

    /// The text after edits, at the same place.
    pub(crate) fn edited(&self, edits: &[Edit]) -> Self {
        match &self.enclosure {
            Some(enclosure) => {
                let text = edit::splice_text(&self.text, edits).into_inner();
                Self::enclosed(self.label.clone(), text, enclosure.clone())
            }
            None => Self::new(self.label.clone(), edit::splice(self.bytes(), edits)),
        }
    }

    /// The file around this text; `None` when the text is a file of its own.
    pub(crate) fn enclosure(&self) -> Option<&Enclosure> {
        self.enclosure.as_ref()
    }

    /// Whether every byte belongs to valid UTF-8.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        self.original.is_none()
    }

    /// The first byte that belongs to no valid UTF-8.
    #[must_use]
    pub fn first_invalid_utf8(&self) -> Option<usize> {
        let bytes = self.original.as_ref()?;
        std::str::from_utf8(bytes).err().map(|error| error.valid_up_to())
    }

    /// Whether the text starts with a byte order mark, which GitLab Runner 12.9 and 14.7 refuse.
    #[must_use]
    pub fn has_byte_order_mark(&self) -> bool {
        self.text.starts_with('\u{feff}')
    }

    /// The line and column of a byte offset, in the file.
    #[must_use]
    pub fn place(&self, offset: usize) -> Place {
        let line = self.line_of(offset);
        let start = self.start_of_line(line, offset);
        let bytes = &self.text.as_bytes()[start..offset.clamp(start, self.text.len())];
        let column = if bytes.len() <= CHUNK {
            characters(bytes)
        } else {
            self.characters_before(offset) - self.characters_before(start)
        };
        let (line, column) = match &self.enclosure {
            Some(enclosure) => enclosure.place(line, column),
            None => (line, column),
        };
        Place { line: line + 1, column: column + 1 }
    }

    /// How many characters start before a byte. A line may be as long as the file, and be asked about
    /// often.
    fn characters_before(&self, offset: usize) -> usize {
        let counts = self.character_counts.get_or_init(|| self.counts(characters));
        self.count_before(offset, counts, characters)
    }

    /// The number of the line that holds a byte offset, counted from 0.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.count_before(offset, self.line_counts(), line_ends)
    }

    /// The bytes of a line, counted from 0, with its line end.
    pub(crate) fn line(&self, line: usize) -> Range<usize> {
        let start = self.line_start(line);
        let end = memchr(b'\n', &self.text.as_bytes()[start..]);
        start..end.map_or(self.text.len(), |end| start + end + 1)
    }

    /// How many lines there are; an empty last line does not count.
    pub(crate) fn line_count(&self) -> usize {
        let ends = self.count_before(self.text.len(), self.line_counts(), line_ends);
        ends + usize::from(!self.text.is_empty() && !self.text.ends_with('\n'))
    }

    /// The first byte of a line; the end of the text where there are not as many lines.
    pub(crate) fn line_start(&self, line: usize) -> usize {
        let Some(before) = line.checked_sub(1) else { return 0 };
        let counts = self.line_counts();
        // The last chunk before which there are fewer line ends holds the one that is looked for.
        let chunk = counts.partition_point(|&count| count <= before).saturating_sub(1);
        let known = counts.get(chunk).copied().unwrap_or_default();
        let rest = &self.text.as_bytes()[chunk * CHUNK..];
        let end = memchr_iter(b'\n', rest).nth(before - known);
        end.map_or(self.text.len(), |end| chunk * CHUNK + end + 1)
    }

    /// The first byte of the line that holds a byte offset and has this number.
    fn start_of_line(&self, line: usize, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        let near = offset.saturating_sub(CHUNK);
        let before = memrchr(b'\n', &self.text.as_bytes()[near..offset]);
        before.map_or_else(|| self.line_start(line), |end| near + end + 1)
    }

    fn line_counts(&self) -> &[usize] {
        self.line_counts.get_or_init(|| self.counts(line_ends))
    }

    /// How many of something there are before each chunk.
    fn counts(&self, count: impl Fn(&[u8]) -> usize) -> Vec<usize> {
        let mut sum = 0;
        let chunks = self.text.as_bytes().chunks(CHUNK).map(|chunk| {
            let before = sum;
            sum += count(chunk);
            before
        });
        chunks.collect()
    }

    /// How many of something there are before a byte.
    fn count_before(
        &self,
        offset: usize,
        counts: &[usize],
        count: impl Fn(&[u8]) -> usize,
    ) -> usize {
        let offset = offset.min(self.text.len());
        let chunk = (offset / CHUNK).min(counts.len().saturating_sub(1));
        let before = counts.get(chunk).copied().unwrap_or_default();
        before + count(&self.text.as_bytes()[chunk * CHUNK..offset])
    }
}

/// How many characters start in some bytes.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

fn line_ends(bytes: &[u8]) -> usize {
    memchr_iter(b'\n', bytes).count()
}

impl fmt::Debug for ConfigText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigText({:?}, {} bytes)", self.label, self.text.len())
    }
}

/// The text with a `?` for each byte that is no UTF-8, so that offsets stay the same.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf8_keep_their_place() {
        let text = ConfigText::new("x", b"# caf\xe9 \xff\xfe\nname = 1".to_vec());
        assert!(!text.is_utf8());
        assert_eq!(text.as_str(), "# caf? ??\nname = 1");
        assert_eq!(text.bytes(), b"# caf\xe9 \xff\xfe\nname = 1");
    }

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = ConfigText::new("x", "a\r\n\u{e4}b\n".as_bytes().to_vec());
        assert_eq!(text.place(0), Place { line: 1, column: 1 });
        assert_eq!(text.place(5), Place { line: 2, column: 2 });
        let long = "\u{e4}".repeat(CHUNK) + "\n" + &"\u{e4}b".repeat(CHUNK);
        let text_of_chunks = ConfigText::new("x", long.into_bytes());
        assert_eq!(text_of_chunks.place(5 * CHUNK + 1), Place { line: 2, column: 2 * CHUNK + 1 });
        assert_eq!(text.place(7), Place { line: 3, column: 1 });
        assert_eq!(text.line_count(), 2);
        assert_eq!(text.line(1), 3..7);
    }

    #[test]
    fn lines_are_found_in_every_chunk() {
        for line in
            ["", "x", "a line of some length", &"x".repeat(CHUNK - 1), &"x".repeat(2 * CHUNK)]
        {
            for end in ["", "\n", "last"] {
                let bytes =
                    [[line].repeat(3000 / (line.len() + 1) + 3).join("\n").as_str(), end].concat();
                let text = ConfigText::new("x", bytes.clone().into_bytes());
                let mut start = 0;
                for (number, line) in bytes.split_inclusive('\n').enumerate() {
                    assert_eq!(text.line(number), start..start + line.len());
                    assert_eq!(text.line_of(start), number);
                    assert_eq!(text.line_of(start + line.len() - 1), number);
                    start += line.len();
                }
                assert_eq!(text.line_count(), bytes.lines().count());
                assert_eq!(
                    text.line(text.line_count() + usize::from(end == "\n")).end,
                    bytes.len()
                );
            }
        }
    }
}
