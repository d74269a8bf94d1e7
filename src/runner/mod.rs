//! The `[[runners]]` of a config.
//!
//! GitLab Runner reads the file with BurntSushi/toml (v0.3.1 up to 15.8, v1.2 to v1.4 from 15.9,
//! v1.6 from 18.9): keys match without regard to letter case, an exact match first; of two keys
//! that differ only in case one wins at random.
//!
//! This room knows where a runner and its keys stand and what they mean. It does not know how a
//! change is planned, shown or written.

pub(crate) mod allowed_helpers;
pub(crate) mod allowed_images;
pub(crate) mod auth_entry;
pub(crate) mod element;
pub(crate) mod environment;
pub(crate) mod executor;
mod finder;
pub(crate) mod known_keys;
pub(crate) mod known_secrets;
pub(crate) mod label;
pub(crate) mod layout;
pub(crate) mod named_images;
mod near_name;
pub(crate) mod pod_pull_secrets;
pub mod pull_policy;
pub mod refusal;
pub(crate) mod selection;
pub(crate) mod table;
pub mod token;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use crate::auth::credential::Credential;
use crate::error::Error;
use crate::runner::executor::Executor;
use crate::runner::finder::{Finder, TwoSpellings};
use crate::runner::known_secrets::KnownSecrets;
use crate::secret::{HIDDEN, Secret, covered, is_wordy, looks_like_secret, tokens_in};
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{NodeId, Syntax, SyntaxError};
use crate::toml::text::ConfigText;

/// A config with its runners. It borrows the text it was read from.
///
/// ```
/// use runner_auth::{Config, ConfigText, Credential, Secret};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let text = ConfigText::new("config.toml", b"[[runners]]\n  name = 'docker hunter2!'\n".to_vec());
/// let mut config = Config::parse(&text)?;
/// let runner = &config.runners()[0];
/// assert_eq!((runner.name(), &*config.title(runner)), ("docker hunter2!", "docker hunter2!"));
/// config.learn(&Credential::new("ci", Secret::from("hunter2!"))?);
/// assert_eq!(config.title(&config.runners()[0]), "docker <hidden>");
/// # Ok(())
/// # }
/// ```
pub struct Config<'t> {
    text: &'t ConfigText,
    syntax: Syntax<'t>,
    runners: Vec<Runner<'t>>,
    /// The secrets in it and in what comes, from the first text on that could hold one: to learn them costs more
    /// than to read the file, and most names and comments are plain words.
    known: OnceLock<KnownSecrets>,
    /// Credentials that are on their way into it.
    coming: Vec<Credential>,
}

/// One `[[runners]]` entry.
///
/// ```
/// use runner_auth::{Config, ConfigText, Runner};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let text = "[[runners]]\nid = 7\nname = 'ours'\ntoken = 'glrt-4qCqD8pEoxyzAbCdEf12'\nurl = 'https://gitlab.example.com/'\nexecutor = 'docker'\n";
/// let text = ConfigText::new("config.toml", text.as_bytes().to_vec());
/// let config = Config::parse(&text)?;
/// let runner: &Runner = &config.runners()[0];
/// assert_eq!((runner.id(), runner.name(), config.title(runner)), (Some(7), "ours", "ours".to_owned()));
/// assert_eq!((runner.short_token(), runner.executor().name()), ("4qCqD8pEo", "docker"));
/// assert!(runner.has_token("4qCqD8pEo") && runner.url().starts_with("https://"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Runner<'t> {
    name: Cow<'t, str>,
    token: Cow<'t, str>,
    url: Cow<'t, str>,
    executor: Executor,
    id: Option<i64>,
    place: RunnerPlace,
}

/// Where a runner's own keys stand.
#[derive(Debug, Clone)]
pub(crate) struct RunnerPlace {
    /// The block with the header, or the one with the inline array.
    pub block: usize,
    /// The inline table, when it is one of `runners = [{…}]`.
    pub inline: Option<NodeId>,
    /// Which of the elements of the inline array it is.
    pub element: usize,
    /// The pairs.
    pub pairs: Range<NodeId>,
    /// The header's or the inline table's first byte.
    pub offset: usize,
}

impl<'t> Config<'t> {
    /// Parses a config and finds its runners.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidToml`] when GitLab Runner could not load it either, and [`Error::KeyTwice`]
    /// when `runners` stands there in two spellings.
    pub fn parse(text: &'t ConfigText) -> Result<Self, Error> {
        match Self::parse_all(text)? {
            (config, None) => Ok(config),
            (_, Some(twice)) => Err(twice),
        }
    }

    /// The same, with the runners under every spelling of `runners`; where there is a second one,
    /// the [`Error::KeyTwice`] that says so comes along.
    pub(crate) fn parse_all(text: &'t ConfigText) -> Result<(Self, Option<Error>), Error> {
        let invalid = |error| invalid(text, error);
        let syntax = Syntax::of_config(text).map_err(invalid)?;
        let (runners, twice) = Finder::new(&syntax).find().map_err(invalid)?;
        let twice = twice.map(|TwoSpellings { key, first, second }| Error::KeyTwice {
            path: text.label().to_owned(),
            key,
            first: text.place(first),
            second: text.place(second),
        });
        let (known, coming) = (OnceLock::new(), Vec::new());
        Ok((Self { text, syntax, runners, known, coming }, twice))
    }

    /// The text that was parsed.
    #[must_use]
    pub fn text(&self) -> &'t ConfigText {
        self.text
    }

    /// The runners, in the order of the file.
    #[must_use]
    pub fn runners(&self) -> &[Runner<'t>] {
        &self.runners
    }

    /// Looks for what a credential holds, too, in what is shown of the config from now on.
    pub fn learn(&mut self, credential: &Credential) {
        self.coming.push(credential.clone());
        self.known = OnceLock::new();
    }

    /// Where secrets of the config stand in a text that somebody wrote freely, in its order: of two that
    /// share letters the later one only with those of its own.
    pub(crate) fn secrets_in(&self, text: &str) -> Vec<(Range<usize>, &Secret)> {
        // No known secret is wordy, and every piece of a wordy text is.
        if is_wordy(text) {
            return Vec::new();
        }
        let known = self.known.get_or_init(|| KnownSecrets::new(&self.syntax, &self.coming));
        let mut found = Vec::new();
        let mut hidden = 0;
        for (at, _) in text.char_indices() {
            let longest = known.find(&text[at..]);
            let end = longest.map_or(at, |secret| at + secret.expose().len());
            if let Some(secret) = longest.filter(|_| end > hidden) {
                found.push((at.max(hidden)..end, secret));
                hidden = end;
            }
        }
        found
    }

    /// The name of a runner as it may be shown, where no number tells its secrets from others.
    pub(crate) fn shown_name<'r>(&'r self, runner: &'r Runner<'_>) -> Cow<'r, str> {
        runner.name_with(self.secrets_in(runner.name()), |_| HIDDEN.to_owned())
    }

    /// How messages call a runner: its name without what is a secret in this config, or its short token
    /// where it has none.
    #[must_use]
    pub fn title(&self, runner: &Runner<'_>) -> String {
        label::called(self.shown_name(runner).into_owned(), runner)
    }

    pub(crate) fn syntax(&self) -> &Syntax<'t> {
        &self.syntax
    }

    /// The runner that a block with a header belongs to: the last one before it, when the header is below
    /// `runners`.
    pub(crate) fn runner_of_block(&self, block: usize) -> Option<usize> {
        let header = self.syntax.blocks()[block].header()?;
        let below = self.syntax.keys(header).next().is_some_and(|key| same_key(&key, "runners"));
        let after = self.runners.partition_point(|runner| runner.place.block <= block);
        let last = after.checked_sub(1).filter(|_| below)?;
        self.runners[last].place.inline.is_none().then_some(last)
    }
}

impl fmt::Debug for Config<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Config({:?}, {:?})", self.text, self.runners)
    }
}

impl Runner<'_> {
    /// The name (`--description` of `gitlab-runner register`); empty when there is none. Names
    /// need not be unique.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name with something else in place of each known secret and of each token in it: some people name
    /// a runner after its token, or an old one.
    pub(crate) fn name_with(
        &self,
        known: Vec<(Range<usize>, &Secret)>,
        cover: impl Fn(&Secret) -> String,
    ) -> Cow<'_, str> {
        let name = &*self.name;
        let named = name.contains(&*self.token) && looks_like_secret(&self.token);
        let own = named.then(|| name.match_indices(&*self.token));
        let own = own.into_iter().flatten().map(|(at, found)| at..at + found.len());
        let tokens = own.chain(tokens_in(name)).map(|span| (span.clone(), name[span].into()));
        let known = known.into_iter().map(|(span, secret)| (span, secret.clone()));
        let mut secrets: Vec<(_, Secret)> = known.chain(tokens).collect();
        secrets.sort_by_key(|(span, _)| (span.start, Reverse(span.end)));
        covered(name, secrets, cover)
    }

    /// The first nine characters of the token, as GitLab's pages show them.
    #[must_use]
    pub fn short_token(&self) -> &str {
        token::short(&self.token)
    }

    /// Whether a short or whole token names this runner.
    #[must_use]
    pub fn has_token(&self, given: &str) -> bool {
        token::is(&self.token, given)
    }

    /// The URL of the GitLab instance.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What runs its jobs.
    #[must_use]
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    /// GitLab's number for it (GitLab Runner 15.3 and later write one).
    #[must_use]
    pub fn id(&self) -> Option<i64> {
        self.id
    }

    pub(crate) fn place(&self) -> &RunnerPlace {
        &self.place
    }
}

/// Shows what a listing shows, not the token.
impl fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is a secret elsewhere in the config is not known here.
        let name = self.name_with(Vec::new(), |_| HIDDEN.to_owned());
        write!(f, "Runner({name:?}, {}, {})", self.short_token(), self.executor)
    }
}

/// The problem, with its cause where a template expression stands on that line.
fn with_template(text: &ConfigText, offset: usize, problem: String) -> String {
    if !text.as_str()[text.line(text.line_of(offset))].contains("{{") {
        return problem;
    }
    format!(
        "{problem}; a template expression ({{{{ … }}}}) can only stay inside a string, without the \
         quotes of that string in it: give the config as it is rendered (helm template)"
    )
}

/// The error that says where a config is no TOML that GitLab Runner reads.
pub(crate) fn invalid(text: &ConfigText, error: SyntaxError) -> Error {
    let SyntaxError { offset, mut problem, first } = error;
    if let Some(first) = first {
        problem.push_str(&format!("; the first one is on line {}", text.place(first).line));
    }
    let problem = with_template(text, offset, problem);
    Error::InvalidToml { path: text.label().to_owned(), place: text.place(offset), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>, Error> {
        let text = ConfigText::new("config.toml", text.as_bytes().to_vec());
        let config = Config::parse(&text)?;
        Ok(config.runners().iter().map(|runner| runner.name().to_owned()).collect())
    }

    #[test]
    fn runners_are_found_in_every_form() -> Result<(), Error> {
        for text in [
            "[[runners]]\nname = 'a'\n[runners.docker]\nname = 'x'\n[other]\n[[runners]]\nname = 'b'\n",
            "[[Runners]]\nName = 'a'\n[[Runners]]\nNAME = \"\\u0062\"\n",
            "runners = [{name = 'a'}, {docker.image = 'x', name = 'b'}]\n",
            "[[ \"runners\" ]]\n'name' = 'a'\n[['runners']]\nNAME = 'x'\nname = 'b'\n",
        ] {
            assert_eq!(names(text)?, ["a", "b"], "{text}");
        }
        Ok(())
    }

    #[test]
    fn what_is_no_array_of_tables_is_refused() {
        for text in [
            "[runners]\n",
            "runners = 1\n",
            "runners.a = 1\n",
            "runners = [1]\n",
            "runners = []\nrunners = []\n",
        ] {
            assert!(matches!(names(text), Err(Error::InvalidToml { .. })), "{text}");
        }
        for text in ["[[runners]]\n[[Runners]]\n", "runners = []\n[[RUNNERS]]\n"] {
            assert!(matches!(names(text), Err(Error::KeyTwice { .. })), "{text}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let text = "[[runners]]\nname = 'a'\ntoken = 'abcdefghiISASECRET'\n";
        let text = ConfigText::new("config.toml", text.as_bytes().to_vec());
        let shown = format!("{:?}", Config::parse(&text));
        assert!(shown.contains("abcdefghi") && !shown.contains("SECRET"), "{shown}");
    }
}
