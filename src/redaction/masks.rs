//! The places of a TOML text that are not shown.
//!
//! The rule denies by default: of string values only those of a short list of harmless keys are
//! shown, of an auth document only the names, and of comments only plain words.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use memchr::memchr3;

use super::Redaction;
use crate::auth::document::{StringKind, strings};
use crate::auth::registry::shown;
use crate::runner::auth_entry::is_auth_entry;
use crate::runner::element::Element;
use crate::runner::environment;
use crate::runner::known_secrets::LONGEST;
use crate::secret::{
    Secret, is_word, looks_generated, looks_like_secret, may_be_secret, names_a_secret, tokens_in,
};
use crate::toml::quoting::Quoted;
use crate::toml::syntax::{NodeId, NodeKind, Syntax};

/// Keys whose values are one of a few words.
const WORDS: &[&str] = &["executor", "shell", "pull_policy", "allowed_pull_policies", "log_level"];

/// The spans of a text that are not shown as they are, in the order of the text.
#[derive(Default)]
pub(super) struct Masks {
    spans: Vec<Mask>,
}

/// One of them.
pub(super) struct Mask {
    pub span: Range<usize>,
    pub secret: Secret,
    /// What is shown in its place, once that is known: it is asked for at each line of a secret of many.
    pub placeholder: OnceCell<String>,
}

impl Masks {
    /// What is masked of some blocks in the part that is shown, or more of them. The redaction knows the
    /// secrets that may stand in what somebody wrote by hand.
    pub fn of(
        redaction: &Redaction<'_>,
        syntax: &Syntax<'_>,
        blocks: Range<usize>,
        shown: &Range<usize>,
    ) -> Self {
        let mut walk = Walk { redaction, syntax, spans: Vec::new() };
        let blocks = &syntax.blocks()[blocks];
        for block in blocks {
            if let Some(header) = block.header() {
                walk.keys(header);
            }
            for pair in syntax.siblings(block.pairs()) {
                let span = syntax.node(pair).span();
                if span.start <= shown.end && span.end >= shown.start {
                    walk.pair(pair);
                }
            }
        }
        let comments = syntax.comments();
        let first = comments.partition_point(|comment| comment.end < shown.start);
        for comment in comments[first..].iter().take_while(|comment| comment.start < shown.end) {
            walk.comment(comment.clone());
        }
        walk.spans.sort_by_key(|mask| mask.span.start);
        Self { spans: walk.spans }
    }

    /// Those that touch a span.
    pub fn touching(&self, span: &Range<usize>) -> impl Iterator<Item = &Mask> {
        let first = self.spans.partition_point(|mask| mask.span.end <= span.start);
        let end = span.end;
        self.spans[first..].iter().take_while(move |mask| mask.span.start < end)
    }

    /// A span, widened to the whole of each mask that it touches.
    pub fn around(&self, span: Range<usize>) -> Range<usize> {
        let touched = |at: usize| {
            let mask = self.spans.get(self.spans.partition_point(|mask| mask.span.end <= at));
            mask.filter(|mask| mask.span.start < at)
        };
        let start = touched(span.start).map_or(span.start, |mask| mask.span.start);
        let end = touched(span.end).map_or(span.end, |mask| mask.span.end);
        start..end.max(start)
    }
}

/// Collects what is masked of a text.
struct Walk<'w, 't> {
    redaction: &'w Redaction<'w>,
    syntax: &'w Syntax<'t>,
    spans: Vec<Mask>,
}

impl Walk<'_, '_> {
    fn hide(&mut self, span: Range<usize>, secret: &str) {
        if !span.is_empty() {
            let secret = Secret::new(secret.to_owned());
            self.spans.push(Mask { span, secret, placeholder: OnceCell::new() });
        }
    }

    /// Hides the known secrets in a text that somebody wrote by hand. They are looked for in what an escape
    /// or a line end behind a backslash stands for; `place` tells where a piece of that stands.
    fn search(&mut self, text: &str, place: impl Fn(Range<usize>) -> Range<usize>) {
        for (span, secret) in self.redaction.secrets_in(text) {
            self.hide(place(span), secret.expose());
        }
    }

    fn comment(&mut self, comment: Range<usize>) {
        let text = &self.syntax.text()[comment.clone()];
        let body = text.trim_start_matches(['#', ' ', '\t']);
        let start = comment.end - body.len();
        if is_plain(body) {
            self.search(body, |piece| start + piece.start..start + piece.end);
        } else {
            self.hide(start..comment.end, body);
        }
    }

    fn pairs(&mut self, pairs: Range<NodeId>) {
        for pair in self.syntax.siblings(pairs) {
            self.pair(pair);
        }
    }

    fn pair(&mut self, pair: NodeId) {
        self.keys(pair);
        let syntax = self.syntax;
        let key = syntax.keys(pair).last().unwrap_or_default();
        // Nearly every key stands there in small letters.
        let lower = key.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
        let key = if lower { key } else { Cow::Owned(key.to_lowercase()) };
        self.value(&key, syntax.value(pair));
    }

    /// The keys of a header or a pair: somebody may have taken a value for a key.
    fn keys(&mut self, id: NodeId) {
        let syntax = self.syntax;
        let keys = syntax.children(id).take_while(|&id| syntax.node(id).kind == NodeKind::Key);
        for (id, key) in keys.zip(syntax.keys(id)) {
            if may_be_secret(&key) || !self.redaction.secrets_in(&key).is_empty() {
                self.hide(syntax.node(id).span(), &key);
            }
        }
    }

    fn value(&mut self, key: &str, id: NodeId) {
        let syntax = self.syntax;
        let span = syntax.node(id).span();
        match syntax.node(id).kind {
            NodeKind::Array => {
                for child in syntax.children(id) {
                    self.value(key, child);
                }
            }
            NodeKind::InlineTable => self.pairs(id + 1..syntax.after(id)),
            _ => {
                let raw = &syntax.text()[span.clone()];
                let Some(encoding) = syntax.encoding(id) else {
                    // A time holds a colon, and a flag is one of two words.
                    let number = !raw.contains(':') && raw != "true" && raw != "false";
                    if number && (key == environment::KEY || names_a_secret(key)) {
                        self.hide(span, raw);
                    }
                    return;
                };
                let quoted = Quoted::decode(raw, encoding.into(), span.start);
                let text = quoted.text();
                match (key, harmless(key, text)) {
                    (environment::KEY, _) => self.element(&quoted),
                    ("image", true) => {}
                    (_, true) => self.search(text, |piece| quoted.place(piece)),
                    (_, false) => self.hide(quoted.place(0..text.len()), text),
                }
            }
        }
    }

    /// Masks the value of a variable; of an auth document only the values in it.
    fn element(&mut self, quoted: &Quoted<'_>) {
        let text = quoted.text();
        let start = Element::of(text).shown(text);
        let value = &text[start..];
        let document = strings(value).filter(|_| is_auth_entry(text));
        let Some((strings, end)) = document else {
            self.hide(quoted.place(start..text.len()), value);
            return;
        };
        for string in strings {
            let piece = &value[string.span.clone()];
            let decoded = string.decoded(value);
            let harmless = match string.kind {
                // Escapes could hide what it is.
                StringKind::Name => decoded.is_some_and(|name| shown(&name) == *name),
                StringKind::Helper => decoded.is_some_and(|name| is_helper(&name)),
                StringKind::User | StringKind::Value => false,
            };
            if !harmless {
                let quote = usize::from(piece.starts_with('"') && piece.len() > 1);
                let inner = string.span.start + quote..string.span.end - quote;
                let place = quoted.place(start + inner.start..start + inner.end);
                self.hide(place, &value[inner]);
            }
        }
        // What follows the object is ignored by the runner and unknown to us.
        if !value[end..].trim().is_empty() {
            self.hide(quoted.place(start + end..text.len()), &value[end..]);
        }
    }
}

/// Whether the value of a key is one of those that may be shown, and is what it should be.
fn harmless(key: &str, value: &str) -> bool {
    if value.len() > LONGEST || memchr3(b'\n', b'=', b'$', value.as_bytes()).is_some() {
        return false;
    }
    match key {
        "name" => shown(value) == value && tokens_in(value).next().is_none(),
        "url" => shown(value) == value,
        "image" => is_image(value),
        _ if WORDS.contains(&key) => is_word(value),
        _ => false,
    }
}

/// Whether an image is named as an image is: without a user or a query, and with a digest at most.
fn is_image(value: &str) -> bool {
    let name = value.split_once("@sha256:").map_or(value, |(name, _)| name);
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte);
    name.bytes().all(letter)
        && value[name.len()..]
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"@:".contains(&byte))
}

/// Whether a comment is plain words: no assignment, no quoted text, nothing that could be a secret
/// or says that one follows.
fn is_plain(comment: &str) -> bool {
    let prose = |letter: char| {
        letter.is_alphanumeric()
            || letter.is_whitespace()
            || ".,;:!?()[]<>'’-–—_/#*~+…".contains(letter)
    };
    comment.len() <= LONGEST
        && comment.chars().all(prose)
        && !quotes(comment)
        && !names_a_secret(comment)
        && !looks_like_secret(comment)
}

/// Whether a text holds a `'` that is no apostrophe.
fn quotes(text: &str) -> bool {
    let mut before = ' ';
    text.chars().any(|letter| {
        let quote = letter == '\'' && !before.is_alphabetic();
        before = letter;
        quote
    })
}

/// Whether the name of a credential helper looks like one.
fn is_helper(name: &str) -> bool {
    let letter =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    name.len() <= 40 && name.bytes().all(letter) && !looks_generated(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_shown_when_it_is_plain_words() {
        for comment in [
            "the fast one",
            "don't touch, see https://docs.gitlab.com/runner/",
            "[[runners]]",
            "läuft seit 2024-05-01 auf Debian 12",
            "",
        ] {
            assert!(is_plain(comment), "{comment}");
        }
        for comment in [
            "\"auth\": \"dTpw\"",
            "'x'",
            "password: x",
            "Bearer x",
            "Harbor12345",
            "c0mment = hidden",
            "u:p@r.io",
            "pa$$ is it",
            "https://u%3Ap%40r.io",
            "0123456789",
        ] {
            assert!(!is_plain(comment), "{comment}");
        }
    }
}
