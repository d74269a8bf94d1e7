//! What of a config may be shown, and placeholders for the rest.
//!
//! Two rules: a place of the file is shown only when it can hold no secret ([`masks`]), and in what
//! people write freely (names, comments) secrets that stand elsewhere in the file are looked for
//! ([`known`]). The words of this program, image references, registries and what a person typed are
//! never searched: a password that is one of those words would be told by the gap.
//!
//! Placeholders are numbered in the order in which secrets appear; equal secrets have equal
//! numbers, and a number says nothing about its secret.
//!
//! This room knows the config, the plan and the places in them. It does not print.

pub mod diff;
mod environment;
pub(crate) mod excerpt;
mod known;
mod masks;

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::Range;

use crate::auth::credential::Credential;
use crate::runner::{Config, Runner};
use crate::secret::Secret;
use crate::toml::syntax::Syntax;
use known::{KnownSecrets, is_wordy};
use masks::{Mask, Masks};

/// Gives out placeholders.
///
/// ```
/// use runner_auth::{Config, ConfigText, Credential, Redaction, Secret};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let text = ConfigText::new("config.toml", b"[[runners]]\n  token = 'glrt-0123456789abcdef'\n".to_vec());
/// let config = Config::parse(&text)?;
/// let mut redaction = Redaction::new(false);
/// redaction.learn_config(&config);
/// redaction.learn_credential(&Credential::new("ci", Secret::from("hunter2!"))?);
/// assert_eq!(redaction.clean("once hunter2! was enough"), "once <hidden-1> was enough");
/// # Ok(())
/// # }
/// ```
pub struct Redaction<'c> {
    show: bool,
    numbers: RefCell<HashMap<Secret, usize>>,
    credentials: KnownSecrets,
    configs: Vec<&'c Config<'c>>,
    /// The secrets of the configs, from the first text on that could hold one: to learn them costs more
    /// than to read the file, and most names and comments are plain words.
    of_configs: OnceCell<KnownSecrets>,
}

impl<'c> Redaction<'c> {
    /// Hides secrets, or shows them when the person asked for it.
    #[must_use]
    pub fn new(show_secrets: bool) -> Self {
        Self {
            show: show_secrets,
            numbers: RefCell::default(),
            credentials: KnownSecrets::default(),
            configs: Vec::new(),
            of_configs: OnceCell::new(),
        }
    }

    /// Looks for what a credential holds from now on.
    pub fn learn_credential(&mut self, credential: &Credential) {
        if !self.show {
            self.credentials.learn_credential(credential);
        }
    }

    /// Looks for the secrets that a config holds: tokens, the values of variables, passwords.
    pub fn learn_config(&mut self, config: &'c Config<'c>) {
        if !self.show {
            self.configs.push(config);
            self.of_configs = OnceCell::new();
        }
    }

    /// The longest known secret at the start of a text.
    fn find(&self, text: &str) -> Option<&Secret> {
        let of_configs = self.of_configs.get_or_init(|| {
            let mut known = KnownSecrets::default();
            self.configs.iter().for_each(|config| known.learn_config(config));
            known
        });
        let found = [self.credentials.find(text), of_configs.find(text)];
        found.into_iter().flatten().max_by_key(|secret| secret.expose().len())
    }

    /// The placeholder of a secret.
    fn placeholder(&self, secret: &Secret) -> String {
        let mut numbers = self.numbers.borrow_mut();
        let next = numbers.len() + 1;
        let known = numbers.get(secret).copied();
        let number = known.unwrap_or_else(|| *numbers.entry(secret.clone()).or_insert(next));
        format!("<hidden-{number}>")
    }

    /// Where known secrets stand in a text, in its order: of two that share letters the later one only with
    /// those of its own.
    fn secrets_in(&self, text: &str) -> Vec<(Range<usize>, &Secret)> {
        // No known secret is wordy, and every piece of a wordy text is.
        if self.show || is_wordy(text) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut hidden = 0;
        for (at, _) in text.char_indices() {
            if let Some(secret) = self.find(&text[at..]) {
                let end = at + secret.expose().len();
                if end > hidden {
                    found.push((at.max(hidden)..end, secret));
                    hidden = end;
                }
            }
        }
        found
    }

    /// A text that somebody wrote freely into the file, such as a name, without the known secrets in
    /// it.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (span, secret) in self.secrets_in(text) {
            out.push_str(&text[at..span.start]);
            out.push_str(&self.placeholder(secret));
            at = span.end;
        }
        out.push_str(&text[at..]);
        out
    }

    /// The name of a runner: some people call one by its token, or by an old one.
    pub(crate) fn name(&self, runner: &Runner<'_>) -> String {
        if self.show {
            return runner.name().to_owned();
        }
        let rest = |text| Cow::Owned(self.clean(text));
        runner.name_with(rest, |token| self.placeholder(&token.into())).into_owned()
    }

    /// What is masked in some blocks of a parsed text, as far as it touches what is shown of them.
    fn masks(&self, syntax: &Syntax<'_>, blocks: Range<usize>, shown: &Range<usize>) -> Masks {
        if self.show { Masks::default() } else { Masks::of(self, syntax, blocks, shown) }
    }

    /// A piece of one line of a text as it may be shown. Its letters are as they stand there: what goes to
    /// a terminal is escaped where it is printed.
    fn show(&self, text: &str, span: Range<usize>, masks: &Masks) -> String {
        let mut out = String::with_capacity(span.len());
        let mut at = span.start;
        for Mask { span: mask, secret, placeholder } in masks.touching(&span) {
            let piece = mask.start.max(at)..mask.end.min(span.end);
            out.push_str(&text[at..piece.start]);
            at = piece.end;
            // A line end inside a secret of several lines stays a line end.
            if !text[piece].trim_matches(['\r', '\n']).is_empty() {
                out.push_str(placeholder.get_or_init(|| self.placeholder(secret)));
            }
        }
        out.push_str(text[at..span.end].trim_end_matches(['\r', '\n']));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::text::ConfigText;

    #[test]
    fn of_secrets_that_share_letters_none_is_shown() {
        let text = "[[runners]]\nenvironment = ['A_KEY=tr0ub4dor-3', 'B_KEY=dor-3-h0rses', 'C_KEY=ub4dor']\n";
        let text = ConfigText::new("config.toml", text.as_bytes().to_vec());
        let config = Config::parse(&text).unwrap();
        let mut redaction = Redaction::new(false);
        redaction.learn_config(&config);
        let clean = |text| redaction.clean(text);
        assert_eq!(clean("a tr0ub4dor-3-h0rses b"), "a <hidden-1><hidden-2> b");
        assert_eq!(clean("xub4dor-3-h0rses"), "x<hidden-3><hidden-2>");
        assert_eq!(clean("no h0rses"), "no h0rses");
    }
}
