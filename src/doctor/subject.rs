//! What the checks of a document look at: the auth entry that counts, and the document in it with the
//! way back to the file.

use std::ops::Range;

use super::remedy::{Remedies, Remedy};
use super::{Circumstances, Code, Finding};
use crate::auth::document::AuthDocument;
use crate::runner::Config;
use crate::runner::auth_entry::{AuthEntries, AuthEntry};
use crate::runner::environment::Environment;
use crate::toml::edit::Edit;

/// The auth entry of a runner that counts.
pub(super) struct Subject<'e> {
    pub config: &'e Config<'e>,
    pub number: usize,
    pub environment: &'e Environment<'e, 'e>,
    /// The entries that it hides.
    pub hidden: Vec<AuthEntry<'e>>,
    pub entry: AuthEntry<'e>,
    pub circumstances: &'e Circumstances<'e>,
    pub remedy: Remedy<'e>,
}

impl<'e> Subject<'e> {
    pub fn of(
        config: &'e Config<'e>,
        number: usize,
        environment: &'e Environment<'e, 'e>,
        circumstances: &'e Circumstances<'e>,
        remedies: &'e Remedies<'e>,
    ) -> Option<Self> {
        let AuthEntries { counts: entry, hidden } = environment.auth()?;
        let remedy = remedies.of(number);
        Some(Self { config, number, environment, hidden, entry, circumstances, remedy })
    }

    pub fn finding(
        &self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding::new(self.config.text(), code, span, message, advice).of_runner(self.number)
    }

    /// Edits of the document as it stands in the entry, as edits of the file. `None` for a text that
    /// its quotes can't hold.
    pub fn edits(&self, edits: &[Edit]) -> Option<Vec<Edit>> {
        edits.iter().map(|edit| self.entry.try_edit(edit)).collect()
    }

    /// The edit that makes another document of it, which leaves what is the same in both.
    pub fn rewrite(&self, document: &str) -> Option<Vec<Edit>> {
        self.edits(&[difference(self.entry.document(), document)])
    }
}

/// The one edit that makes `new` of `old`, without what both begin and end with.
fn difference(old: &str, new: &str) -> Edit {
    let equal = |(old, new): &(char, char)| old == new;
    let length = |pairs: usize, letters: &mut dyn Iterator<Item = char>| -> usize {
        letters.take(pairs).map(char::len_utf8).sum()
    };
    let same = old.chars().zip(new.chars()).take_while(equal).count();
    let start = length(same, &mut old.chars());
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let same = old_rest.chars().rev().zip(new_rest.chars().rev()).take_while(equal).count();
    let end = length(same, &mut old_rest.chars().rev());
    Edit::new(start..old.len() - end, &new_rest[..new_rest.len() - end])
}

/// A document with the way back to the file.
pub(super) struct Examined<'d> {
    pub subject: &'d Subject<'d>,
    pub document: AuthDocument<'d>,
    /// Whether the document stands in the file as it is; else it comes out of other variables, and
    /// only the entry can be pointed at.
    pub exact: bool,
}

impl Examined<'_> {
    pub fn span(&self, piece: Range<usize>) -> Range<usize> {
        if self.exact {
            self.subject.entry.place(piece)
        } else {
            self.subject.environment.span(self.subject.entry.number)
        }
    }

    pub fn finding(
        &self,
        code: Code,
        piece: Range<usize>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        self.subject.finding(code, self.span(piece), message, advice)
    }

    /// Edits of the document as edits of the file; `None` where the document does not stand there
    /// as it is.
    pub fn edits(&self, edits: &[Edit]) -> Option<Vec<Edit>> {
        self.exact.then(|| self.subject.edits(edits)).flatten()
    }

    /// The line of a key.
    pub fn line(&self, key: &str) -> usize {
        let piece = self.document.place_of(key).unwrap_or(0..0);
        self.subject.config.text().place(self.span(piece).start).line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_edited() {
        for (old, new, span, text) in [
            ("abc", "abc", 3..3, ""),
            ("abc", "axc", 1..2, "x"),
            ("aa", "aaa", 2..2, "a"),
            ("'x'", "x", 0..3, "x"),
            ("\u{e4}b", "\u{e5}b", 0..2, "\u{e5}"),
        ] {
            assert!(difference(old, new) == Edit::new(span, text), "{old} {new}");
        }
    }
}
