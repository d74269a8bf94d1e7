//! What of a config may be shown, and placeholders for the rest.
//!
//! The rule denies by default: of string values only those of a short list of harmless keys are
//! shown. Placeholders are numbered in the order in which secrets appear; equal secrets have equal
//! numbers, and a number says nothing about its secret.

pub mod diff;
pub(crate) mod excerpt;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

use crate::auth::credential::Credential;
use crate::auth::document::{AuthDocument, StringKind};
use crate::auth::secret::Secret;
use crate::runner::Config;
use crate::runner::environment::{VARIABLE, is_auth_entry};
use crate::toml::quoting::Quoted;
use crate::toml::syntax::{NodeId, NodeKind, Syntax};

/// Keys whose string values are shown.
const HARMLESS: &[&str] = &[
    "name",
    "executor",
    "image",
    "shell",
    "url",
    "pull_policy",
    "allowed_pull_policies",
    "log_level",
];

/// A secret shorter than this is masked where it is a whole value, not where it is a part of a
/// word: `a` is in every other word.
const SHORTEST_PART: usize = 4;

/// Gives out placeholders.
pub struct Redaction {
    show: bool,
    numbers: RefCell<HashMap<Secret, usize>>,
    /// Secrets that are masked wherever they appear, sorted.
    known: Vec<Secret>,
    /// The first bytes of these, as numbers: few texts that are shown begin like a secret.
    starts: Vec<u32>,
}

impl Redaction {
    /// Hides secrets, or shows them when the person asked for it.
    #[must_use]
    pub fn new(show_secrets: bool) -> Self {
        Self {
            show: show_secrets,
            numbers: RefCell::default(),
            known: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// Masks what a credential holds wherever it appears.
    pub fn learn_credential(&mut self, credential: &Credential) {
        self.add_credential(credential);
        self.sort();
    }

    /// Learns the secrets that a config holds: tokens, the values of variables, passwords.
    pub fn learn_config(&mut self, config: &Config<'_>) {
        if self.show {
            return;
        }
        let syntax = config.syntax();
        for block in syntax.blocks() {
            self.learn_pairs(syntax, block.pairs.clone());
        }
        self.sort();
    }

    /// Adds a secret; [`Redaction::find`] needs [`Redaction::sort`] after the last one.
    fn add(&mut self, secret: &str) {
        if let Some(start) = start(secret) {
            self.starts.push(start);
            self.known.push(Secret::new(secret.to_owned()));
        }
    }

    fn add_credential(&mut self, credential: &Credential) {
        self.add(credential.password().expose());
        for (_, secret) in credential.members() {
            self.add(secret.expose());
        }
    }

    fn sort(&mut self) {
        self.known.sort_by(|one, other| one.expose().cmp(other.expose()));
        self.known.dedup();
        self.starts.sort_unstable();
        self.starts.dedup();
    }

    /// The longest known secret at the start of a text.
    fn find(&self, text: &str) -> Option<&Secret> {
        if self.show || self.starts.binary_search(&start(text)?).is_err() {
            return None;
        }
        // All that `head` starts with sorts before it, and whatever sorts between the two starts
        // the same way.
        let mut head = text.as_bytes();
        loop {
            let after = self.known.partition_point(|secret| secret.expose().as_bytes() <= head);
            let nearest = &self.known[after.checked_sub(1)?];
            let same = nearest.expose().bytes().zip(head).take_while(|(a, b)| a == *b).count();
            if same == nearest.expose().len() {
                return Some(nearest);
            }
            if same < SHORTEST_PART {
                return None;
            }
            head = &head[..same];
        }
    }

    fn learn_pairs(&mut self, syntax: &Syntax<'_>, pairs: Range<NodeId>) {
        for pair in syntax.siblings(pairs) {
            let key = syntax.keys(pair).last().unwrap_or_default().to_lowercase();
            self.learn_value(syntax, &key, syntax.value(pair));
        }
    }

    fn learn_value(&mut self, syntax: &Syntax<'_>, key: &str, id: NodeId) {
        match syntax.node(id).kind {
            NodeKind::Array => {
                for child in syntax.children(id) {
                    self.learn_value(syntax, key, child);
                }
            }
            NodeKind::InlineTable => self.learn_pairs(syntax, id + 1..syntax.after(id)),
            _ if !syntax.is_string(id) => {}
            _ => {
                let value = syntax.string(id);
                if let Some((name, value)) = value.split_once('=').filter(|_| key == "environment")
                {
                    self.learn_variable(name, value);
                } else if names_a_secret(key) {
                    self.add(&value);
                }
            }
        }
    }

    fn learn_variable(&mut self, name: &str, value: &str) {
        if name == VARIABLE {
            let Ok(document) = AuthDocument::parse_literal(value) else {
                return;
            };
            for string in document.strings() {
                // A password in a URL that somebody used as a key.
                if string.kind == StringKind::Name
                    && let Some((url, _)) = value[string.span.clone()].split_once('@')
                    && let Some((_, login)) = url.split_once("://")
                {
                    self.add(login.split_once(':').map_or(login, |(_, password)| password));
                }
                if string.kind == StringKind::Value {
                    let text = value[string.span].trim_matches('"');
                    self.add(text);
                    if let Some(credential) = Credential::decode(text) {
                        self.add_credential(&credential);
                    }
                }
            }
        } else if names_a_secret(&name.to_lowercase()) || (value.len() >= 8 && !is_host(value)) {
            self.add(value);
        }
    }

    /// The placeholder of a secret.
    fn placeholder(&self, secret: &str) -> String {
        let mut numbers = self.numbers.borrow_mut();
        let next = numbers.len() + 1;
        let number = *numbers.entry(Secret::new(secret.to_owned())).or_insert(next);
        format!("<hidden-{number}>")
    }

    /// Text that may be shown but for the secrets in it; control characters can't reach a terminal.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(letter) = text[at..].chars().next() {
            if let Some(secret) = self.find(&text[at..]) {
                out.push_str(&self.placeholder(secret.expose()));
                at += secret.expose().len();
                continue;
            }
            match letter {
                '\t' => out.push('\t'),
                letter if letter.is_control() => out.extend(letter.escape_default()),
                letter => out.push(letter),
            }
            at += letter.len_utf8();
        }
        out
    }

    /// What is masked in a parsed text.
    pub(crate) fn masks(&self, syntax: &Syntax<'_>, block: usize) -> Masks {
        self.masks_of(syntax, block..block + 1)
    }

    /// What is masked in some blocks.
    pub(crate) fn masks_of(&self, syntax: &Syntax<'_>, blocks: Range<usize>) -> Masks {
        let mut masks = Masks::default();
        if self.show {
            return masks;
        }
        let blocks = &syntax.blocks()[blocks];
        for block in blocks {
            self.mask_pairs(syntax, block.pairs.clone(), &mut masks);
        }
        let start = blocks.first().map_or(0, |block| block.span.start);
        let end = blocks.last().map_or(0, |block| block.span.end);
        let comments = syntax.comments();
        let first = comments.partition_point(|comment| comment.start < start);
        for comment in comments[first..].iter().take_while(|comment| comment.start < end) {
            let text = &syntax.text()[comment.clone()];
            if text.contains('=') || (text.contains("://") && text.contains('@')) {
                let start = comment.start + 1 + usize::from(text.starts_with("# "));
                masks.add(start.min(comment.end)..comment.end, text.trim_start_matches(['#', ' ']));
            }
        }
        masks.spans.sort_by_key(|mask| mask.span.start);
        masks
    }

    fn mask_pairs(&self, syntax: &Syntax<'_>, pairs: Range<NodeId>, masks: &mut Masks) {
        for pair in syntax.siblings(pairs) {
            let key = syntax.keys(pair).last().unwrap_or_default().to_lowercase();
            self.mask_value(syntax, &key, syntax.value(pair), masks);
        }
    }

    fn mask_value(&self, syntax: &Syntax<'_>, key: &str, id: NodeId, masks: &mut Masks) {
        let span = syntax.node(id).span();
        match syntax.node(id).kind {
            NodeKind::Array => {
                for child in syntax.children(id) {
                    self.mask_value(syntax, key, child, masks);
                }
            }
            NodeKind::InlineTable => {
                self.mask_pairs(syntax, id + 1..syntax.after(id), masks);
            }
            _ if !syntax.is_string(id) => {}
            _ => {
                let value = syntax.string(id);
                if HARMLESS.contains(&key) && harmless_text(&value) {
                    return;
                }
                let Some(encoding) = syntax.encoding(id) else {
                    return;
                };
                let raw = &syntax.text()[span.clone()];
                let quoted = Quoted::decode(raw, encoding.into(), span.start);
                if key == "environment" {
                    mask_entry(&quoted, masks);
                } else {
                    masks.add(quoted.place(0..value.len()), &value);
                }
            }
        }
    }

    /// A piece of a text as it may be shown.
    pub(crate) fn show(&self, text: &str, span: Range<usize>, masks: &Masks) -> String {
        let mut out = String::new();
        let mut at = span.start;
        let first = masks.spans.partition_point(|mask| mask.span.end <= span.start);
        for mask in &masks.spans[first..] {
            if mask.span.start >= span.end {
                break;
            }
            let start = mask.span.start.max(at);
            out.push_str(&self.clean(&text[at..start]));
            let end = mask.span.end.min(span.end);
            // A line end inside a secret of several lines stays a line end.
            if text[start..end].trim_matches(['\r', '\n']).is_empty() {
                at = end;
                continue;
            }
            out.push_str(&self.placeholder(mask.secret.expose()));
            at = end;
        }
        out.push_str(&self.clean(text[at..span.end].trim_end_matches(['\r', '\n'])));
        out
    }
}

/// What is masked around places of one text, for places that follow each other.
pub(crate) struct MasksAround<'s, 't> {
    redaction: &'s Redaction,
    syntax: &'s Syntax<'t>,
    /// The block that was asked for last.
    last: Option<(usize, Masks)>,
}

impl<'s, 't> MasksAround<'s, 't> {
    pub fn new(redaction: &'s Redaction, syntax: &'s Syntax<'t>) -> Self {
        Self { redaction, syntax, last: None }
    }

    /// What is masked in the block that holds a byte offset.
    pub fn at(&mut self, offset: usize) -> &Masks {
        let block = self.syntax.block_at(offset);
        let last = self.last.take().filter(|(number, _)| *number == block);
        let masks = last.unwrap_or_else(|| (block, self.redaction.masks(self.syntax, block)));
        &self.last.insert(masks).1
    }
}

/// The spans of a text that are not shown.
#[derive(Default)]
pub(crate) struct Masks {
    spans: Vec<Mask>,
}

struct Mask {
    span: Range<usize>,
    secret: Secret,
}

impl Masks {
    /// A span, widened to the whole of each mask that it touches.
    pub(crate) fn around(&self, span: Range<usize>) -> Range<usize> {
        let touched = |at: usize| {
            let mask = self.spans.get(self.spans.partition_point(|mask| mask.span.end <= at));
            mask.filter(|mask| mask.span.start < at)
        };
        let start = touched(span.start).map_or(span.start, |mask| mask.span.start);
        let end = touched(span.end).map_or(span.end, |mask| mask.span.end);
        start..end.max(start)
    }

    fn add(&mut self, span: Range<usize>, secret: &str) {
        if !span.is_empty() {
            self.spans.push(Mask { span, secret: Secret::new(secret.to_owned()) });
        }
    }
}

/// Masks the value of a variable; of an auth document only the values in it.
fn mask_entry(quoted: &Quoted, masks: &mut Masks) {
    let text = quoted.text();
    let start = text.find('=').map_or(0, |at| at + 1);
    let value = &text[start..];
    let document = AuthDocument::parse_literal(value);
    let Ok(document) = document
        .as_ref()
        .map_err(|_| ())
        .and_then(|document| if is_auth_entry(text) { Ok(document) } else { Err(()) })
    else {
        masks.add(quoted.place(start..text.len()), value);
        return;
    };
    let mut end = 0;
    for string in document.strings() {
        let piece = &value[string.span.clone()];
        end = end.max(string.span.end);
        let secret = match string.kind {
            StringKind::Name => piece.contains('@') || piece.contains('='),
            StringKind::Helper => false,
            StringKind::User | StringKind::Value => true,
        };
        if secret {
            let quote = usize::from(piece.starts_with('"') && piece.len() > 1);
            let inner = string.span.start + quote..string.span.end - quote;
            let piece = &value[inner.clone()];
            masks.add(quoted.place(start + inner.start..start + inner.end), piece);
        }
    }
    // What follows the object is ignored by the runner and unknown to us.
    let tail = document.end().max(end);
    if !value[tail..].trim().is_empty() {
        masks.add(quoted.place(start + tail..text.len()), &value[tail..]);
    }
}

/// The first bytes of a text, if it is long enough for a secret.
fn start(text: &str) -> Option<u32> {
    text.as_bytes().first_chunk::<SHORTEST_PART>().map(|bytes| u32::from_be_bytes(*bytes))
}

/// Whether the value of a harmless key is what it should be: one line, no user in a URL, nothing
/// that could be a query with a token.
fn harmless_text(value: &str) -> bool {
    let url = value.contains("://");
    !value.contains(['\n', '=', '$']) && (!url || !value.contains(['@', '?', '#']))
}

/// Whether the value of a variable with a harmless name is a host, perhaps with a path: hiding it
/// wherever it appears would hide the registry that everything is about.
fn is_host(value: &str) -> bool {
    let (name, top) =
        value.split('/').next().unwrap_or_default().rsplit_once('.').unwrap_or(("", ""));
    let top = top.split(':').next().unwrap_or_default();
    !name.is_empty()
        && top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_lowercase())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:/".contains(&byte))
}

/// Whether a key or variable with this name (in lower case) holds a secret.
fn names_a_secret(name: &str) -> bool {
    const PARTS: &[&str] = &["pass", "secret", "token", "key", "auth", "cred", "pwd"];
    PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Secrets that begin with one another, and every short text of their letters.
    #[test]
    fn the_longest_secret_is_found() {
        let secrets =
            ["abab", "ababa", "ababaaa", "ababab", "abb", "bbbb", "bbbbabb", "bbbbb", "aaaa"];
        let mut redaction = Redaction::new(false);
        for secret in secrets {
            redaction.add(secret);
        }
        redaction.sort();
        let mut hits = 0;
        for length in 0..10 {
            for number in 0..1_u32 << length {
                let letters = (0..length).map(|at| if number >> at & 1 == 0 { 'a' } else { 'b' });
                let text: String = letters.collect();
                let starting = secrets.iter().filter(|secret| text.starts_with(**secret));
                let longest = starting
                    .filter(|secret| secret.len() >= SHORTEST_PART)
                    .max_by_key(|secret| secret.len());
                let found = redaction.find(&text).map(Secret::expose);
                assert_eq!(found, longest.copied(), "{text}");
                hits += usize::from(found.is_some());
            }
        }
        assert!(hits > 100);
    }
}
