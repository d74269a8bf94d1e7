//! What of a config may be shown, and placeholders for the rest.
//!
//! Two rules: a place of the file is shown only when it can hold no secret ([`masks`]), and in what
//! people write freely (names, comments) secrets that stand elsewhere in the file are looked for, which
//! [`Config`] knows. The words of this program, image references, registries and what a person typed are
//! never searched: a password that is one of those words would be told by the gap.
//!
//! Placeholders are numbered in the order in which secrets appear; equal secrets have equal
//! numbers, and a number says nothing about its secret.
//!
//! This room knows the config, the plan and the places in them. It does not print.

pub mod diff;
pub(crate) mod excerpt;
mod masks;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

use crate::runner::{Config, Runner, label};
use crate::secret::{Secret, covered};
use crate::toml::syntax::Syntax;
use masks::{Mask, Masks};

/// Gives out placeholders.
///
/// ```
/// use runner_auth::{Config, ConfigText, Credential, Redaction, Secret};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let text = ConfigText::new("config.toml", b"[[runners]]\n  token = 'glrt-0123456789abcdef'\n".to_vec());
/// let mut config = Config::parse(&text)?;
/// config.learn(&Credential::new("ci", Secret::from("hunter2!"))?);
/// let mut redaction = Redaction::new(false);
/// redaction.learn_config(&config);
/// assert_eq!(redaction.clean("once hunter2! was enough"), "once <hidden-1> was enough");
/// # Ok(())
/// # }
/// ```
pub struct Redaction<'c> {
    show: bool,
    numbers: RefCell<HashMap<Secret, usize>>,
    config: Option<&'c Config<'c>>,
}

impl<'c> Redaction<'c> {
    /// Hides secrets, or shows them when the person asked for it.
    #[must_use]
    pub fn new(show_secrets: bool) -> Self {
        Self { show: show_secrets, numbers: RefCell::default(), config: None }
    }

    /// Looks for the secrets that a config holds (tokens, the values of variables, passwords), and for those
    /// that it was told of.
    pub fn learn_config(&mut self, config: &'c Config<'c>) {
        self.config = Some(config);
    }

    /// The placeholder of a secret.
    fn placeholder(&self, secret: &Secret) -> String {
        let mut numbers = self.numbers.borrow_mut();
        let next = numbers.len() + 1;
        let known = numbers.get(secret).copied();
        let number = known.unwrap_or_else(|| *numbers.entry(secret.clone()).or_insert(next));
        format!("<hidden-{number}>")
    }

    /// Where known secrets stand in a text, in its order.
    fn secrets_in(&self, text: &str) -> Vec<(Range<usize>, &Secret)> {
        self.config.filter(|_| !self.show).map_or_else(Vec::new, |config| config.secrets_in(text))
    }

    /// A text that somebody wrote freely into the file, such as a name, without the known secrets in
    /// it.
    #[must_use]
    pub fn clean<'s>(&self, text: &'s str) -> Cow<'s, str> {
        covered(text, self.secrets_in(text), |secret| self.placeholder(secret))
    }

    /// The name of a runner: some people call one by its token, or by an old one.
    pub(crate) fn name(&self, runner: &Runner<'_>) -> String {
        if self.show {
            return runner.name().to_owned();
        }
        let known = self.secrets_in(runner.name());
        runner.name_with(known, |secret| self.placeholder(secret)).into_owned()
    }

    /// How a report calls a runner: its name, or its short token where it has none.
    pub(crate) fn title(&self, runner: &Runner<'_>) -> String {
        label::called(self.name(runner), runner)
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

    #[test]
    fn a_secret_in_a_name_that_begins_or_ends_as_a_token_is_hidden_whole() {
        for name in
            ["s3,glpat-0123456789ab;x4", "x glpat-0123456789ab;x4y5z6", "Xk7mQz4Lw9Rt2Vb8,end"]
        {
            let secret = name.trim_start_matches("x ");
            let text = format!("[[runners]]\nname = '{name}'\nmy_token = '{secret}'\n");
            let text = ConfigText::new("config.toml", text.into_bytes());
            let config = Config::parse(&text).unwrap();
            let mut redaction = Redaction::new(false);
            redaction.learn_config(&config);
            let runner = &config.runners()[0];
            let before = &name[..name.len() - secret.len()];
            assert_eq!(redaction.name(runner), format!("{before}<hidden-1>"));
            assert_eq!(config.title(runner), format!("{before}<hidden>"));
        }
    }
}
