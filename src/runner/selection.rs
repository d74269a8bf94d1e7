//! Which runners a command means.

use crate::error::Error;
use crate::runner::executor::Executor;
use crate::runner::label::candidate;
use crate::runner::near_name::near_name;
use crate::runner::{Config, Runner};
use crate::secret::Secret;

/// How runners are picked. Different kinds narrow, the same kind repeated widens.
///
/// ```
/// use runner_auth::{Config, ConfigText, Matches, Selector};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let text = ConfigText::new("config.toml", b"[[runners]]\nname = 'a'\n[[runners]]\nname = 'b'\n".to_vec());
/// let config = Config::parse(&text)?;
/// let named = Selector { names: vec!["b".to_owned()], ..Selector::default() };
/// assert_eq!(named.select(&config, Matches::One)?, [1]);
/// // Where nothing was asked for and one runner is meant, there has to be only one.
/// let open = Selector::default();
/// assert!(open.select(&config, Matches::One).is_err());
/// assert_eq!(open.select(&config, Matches::Any)?, [0, 1]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Selector {
    /// Exact names.
    pub names: Vec<String>,
    /// Tokens, short or whole.
    pub tokens: Vec<Secret>,
    /// GitLab's numbers.
    pub ids: Vec<i64>,
    /// Executors.
    pub executors: Vec<String>,
    /// Every match is meant, or every runner where nothing is named.
    pub all: bool,
}

/// Whether several runners may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matches {
    /// One runner is meant: writing commands, unless [`Selector::all`] is set.
    One,
    /// Any number from one: reading commands.
    Any,
}

impl Selector {
    /// The numbers of the runners that match, in the order of the file.
    ///
    /// # Errors
    ///
    /// [`Error::RunnerNotFound`] when none matches, also when one of several names, tokens or ids
    /// matches none; [`Error::RunnerAmbiguous`] when several match where one is meant. Both list
    /// the candidates.
    pub fn select(&self, config: &Config<'_>, matches: Matches) -> Result<Vec<usize>, Error> {
        let runners = config.runners();
        let path = config.text().label().to_owned();
        if runners.is_empty() && matches == Matches::Any && self.is_empty() {
            return Ok(Vec::new());
        }
        let candidate = |runner| candidate(config, runner);
        let not_found = |wanted: String| Error::RunnerNotFound {
            path: path.clone(),
            wanted,
            near: self.near(config),
            candidates: runners.iter().map(candidate).collect(),
        };
        let found: Vec<usize> =
            (0..runners.len()).filter(|&number| self.takes(&runners[number])).collect();
        let one = matches == Matches::One && !self.all;
        for (wanted, takes) in self.criteria() {
            let hits: Vec<_> = found.iter().filter(|&&number| takes(&runners[number])).collect();
            if hits.is_empty() && wanted == TOKEN {
                return Err(not_found(format!(
                    "{TOKEN} (the whole one, or its start as in this list)"
                )));
            }
            if hits.is_empty() {
                return Err(not_found(wanted));
            }
            if one && hits.len() > 1 {
                let candidates = hits.iter().map(|&&number| candidate(&runners[number]));
                return Err(Error::RunnerAmbiguous {
                    path,
                    wanted,
                    candidates: candidates.collect(),
                });
            }
        }
        if found.is_empty() {
            return Err(not_found(self.describe()));
        }
        // A name, token or id picks one each; nothing but an executor, or nothing at all, picks
        // the only runner there is.
        let named = !(self.names.is_empty() && self.tokens.is_empty() && self.ids.is_empty());
        if one && !named && found.len() > 1 {
            let candidates = found.iter().map(|&number| candidate(&runners[number])).collect();
            return Err(Error::RunnerAmbiguous { path, wanted: self.describe(), candidates });
        }
        Ok(found)
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty()
            && self.tokens.is_empty()
            && self.ids.is_empty()
            && self.executors.is_empty()
    }

    fn takes(&self, runner: &Runner<'_>) -> bool {
        let name = |name: &String| name == runner.name();
        let token = |token: &Secret| runner.has_token(token.expose());
        let executor = |executor: &String| executor == runner.executor().name();
        (self.names.is_empty() || self.names.iter().any(name))
            && (self.tokens.is_empty() || self.tokens.iter().any(token))
            && (self.ids.is_empty() || self.ids.iter().any(|&id| runner.id() == Some(id)))
            && (self.executors.is_empty() || self.executors.iter().any(executor))
    }

    /// Each name, token and id that was asked for.
    fn criteria(&self) -> Vec<Criterion<'_>> {
        let mut criteria: Vec<Criterion<'_>> = Vec::new();
        for name in &self.names {
            criteria.push((format!("the name '{name}'"), Box::new(move |r| r.name() == name)));
        }
        for token in &self.tokens {
            let wanted = TOKEN.to_owned();
            criteria.push((wanted, Box::new(move |r| r.has_token(token.expose()))));
        }
        for &id in &self.ids {
            criteria.push((format!("the id {id}"), Box::new(move |r| r.id() == Some(id))));
        }
        criteria
    }

    /// What may have been meant by a name or an executor that no runner has.
    fn near(&self, config: &Config<'_>) -> Option<String> {
        // No piece of a secret leads to the whole of it.
        let runners = config.runners();
        let names = runners.iter().filter(|runner| config.shown_name(runner) == runner.name());
        let names: Vec<_> = names.map(Runner::name).collect();
        let executors = runners.iter().map(Runner::executor);
        let executors = executors.filter(|executor| executor.shown() == executor.name());
        let executors: Vec<_> = executors.map(Executor::name).collect();
        let name = self.names.iter().find_map(|wanted| near_name(wanted, &names));
        let executor = || self.executors.iter().find_map(|wanted| near_name(wanted, &executors));
        name.or_else(executor).map(str::to_owned)
    }

    fn describe(&self) -> String {
        let executors = self.executors.iter().map(|name| format!("the executor '{name}'"));
        let criteria = self.criteria().into_iter().map(|(wanted, _)| wanted);
        criteria.chain(executors).collect::<Vec<_>>().join(" and ")
    }
}

/// A token is not repeated.
const TOKEN: &str = "the token that was given";

/// What was asked for, in the words of a message, and which runners have it.
type Criterion<'s> = (String, Box<dyn Fn(&Runner<'_>) -> bool + 's>);
