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
use masks::{Cover, Hidden, Mask, Masks};

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

    /// A text that somebody wrote freely into the file, such as a name, without the known secrets in
    /// it.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        // No known secret is wordy, and every piece of a wordy text is.
        if is_wordy(text) {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(letter) = text[at..].chars().next() {
            if let Some(secret) = self.find(&text[at..]) {
                out.push_str(&self.placeholder(secret));
                at += secret.expose().len();
            } else {
                out.push(letter);
                at += letter.len_utf8();
            }
        }
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
        if self.show { Masks::default() } else { Masks::of(syntax, blocks, shown) }
    }

    /// A piece of one line of a text as it may be shown. Its letters are as they stand there: what goes to
    /// a terminal is escaped where it is printed.
    fn show(&self, text: &str, span: Range<usize>, masks: &Masks) -> String {
        let mut out = String::with_capacity(span.len());
        let mut at = span.start;
        for Mask { span: mask, cover } in masks.touching(&span) {
            let piece = mask.start.max(at)..mask.end.min(span.end);
            out.push_str(&text[at..piece.start]);
            at = piece.end;
            match cover {
                // A line end inside a secret of several lines stays a line end.
                Cover::Placeholder(_)
                    if text[piece.clone()].trim_matches(['\r', '\n']).is_empty() => {}
                Cover::Placeholder(Hidden { secret, placeholder }) => {
                    out.push_str(placeholder.get_or_init(|| self.placeholder(secret)));
                }
                Cover::Search => out.push_str(&self.clean(&text[piece])),
            }
        }
        out.push_str(text[at..span.end].trim_end_matches(['\r', '\n']));
        out
    }
}
