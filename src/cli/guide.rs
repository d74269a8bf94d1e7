//! The guided way of `set`: what the arguments leave open is asked on the terminal.

use super::args::{Global, Set};
use super::input::Input;
use super::output::Output;
use super::report::{heading, redaction};
use crate::auth::credential::{Credential, check_username};
use crate::auth::registry::Registry;
use crate::auth::secret::Secret;
use crate::auth::source::{self, Login};
use crate::cli::terminal::{Question, Terminal};
use crate::error::Error;
use crate::plan::{Plan, Request};
use crate::redaction::Redaction;
use crate::resolver::listing::{self, Listed};
use crate::runner::Config;
use crate::runner::selection::{Matches, Selector};

/// Registries that many people use, suggested after those that are known from the files.
const COMMON: [&str; 4] = ["docker.io", "ghcr.io", "quay.io", "registry.gitlab.com"];

/// What a person has answered.
pub(super) struct Answers {
    pub login: Login,
    /// The runners, where the arguments don't select them.
    pub picked: Option<Picked>,
}

/// The runners that a person has picked.
pub(super) struct Picked {
    /// The config in which they were shown.
    pub input: Input,
    /// Their numbers in it.
    pub runners: Vec<usize>,
}

/// A conversation with a person.
pub(super) struct Guide {
    terminal: Terminal,
}

impl Guide {
    /// Begins one when something is missing and a person is there. With `--yes` or `--check`, and in
    /// a filter, a script runs the command: it gets an error.
    pub fn open(global: &Global, set: &Set, output: &Output) -> Option<Self> {
        let script = set.writing.yes || set.writing.check || global.is_filter();
        if script || !set.source.leaves_open() {
            return None;
        }
        Some(Self { terminal: Terminal::open()?.in_colors(output.colors_on_terminal()) })
    }

    pub fn ask(
        mut self,
        global: &Global,
        set: &Set,
        selector: &Selector,
    ) -> Result<Answers, Error> {
        let (input, selected) = Input::read_settled(global, |input| select(input, set, selector))?;
        let config = Config::parse(input.text())?;
        let redaction = redaction(&config, global.show_secrets);
        let picked = selected.is_none();
        let runners = match selected {
            Some(runners) => {
                for &number in &runners {
                    let runner = heading(&config.runners()[number], &redaction);
                    self.terminal.show(&format!("Runner: {runner}\n"));
                }
                runners
            }
            None => self.runners(&config, &redaction)?,
        };
        let known = Known::of(&config, &runners);
        let registry = match &set.source.registries[..] {
            [typed] => Registry::parse(typed)?,
            _ => self.registry(&known)?,
        };
        try_out(&config, &runners, set, &registry)?;
        let username = match &set.source.username {
            Some(username) => username.clone(),
            None => self.username(&known, &registry)?,
        };
        let login = set.source.login(registry, &username)?;
        let picked = picked.then_some(Picked { input, runners });
        Ok(Answers { login, picked })
    }

    fn runners(&mut self, config: &Config<'_>, redaction: &Redaction) -> Result<Vec<usize>, Error> {
        let runners: Vec<_> =
            config.runners().iter().map(|runner| heading(runner, redaction)).collect();
        let question = Question {
            text: "Runners:",
            hint: "up, down: move; space: mark; right: mark all; type to filter; Enter: go on",
            answers: &runners,
        };
        self.terminal.pick(&question)?.ok_or(Error::GivenUp)
    }

    fn registry(&mut self, known: &Known) -> Result<Registry, Error> {
        let question = Question {
            text: "Registry:",
            hint: "type HOST[:PORT][/PATH], or pick one with the arrow keys",
            answers: &known.suggestions(),
        };
        let check = |typed: &str| Registry::parse(typed).map(drop);
        Registry::parse(&self.terminal.ask(&question, None, check)?.ok_or(Error::GivenUp)?)
    }

    fn username(&mut self, known: &Known, registry: &Registry) -> Result<String, Error> {
        let question = Question {
            text: "User:",
            hint: "one that can only pull: every job on the runner can read its password",
            answers: &[],
        };
        let answer = self.terminal.ask(&question, known.username(registry), check_username)?;
        answer.ok_or(Error::GivenUp)
    }
}

/// The runners that the arguments select; `None` when a person is to pick from several.
fn select(input: &Input, set: &Set, selector: &Selector) -> Result<Option<Vec<usize>>, Error> {
    let config = Config::parse(input.text())?;
    let nothing_said = set.selection.is_empty() && !set.source.is_given();
    if nothing_said && config.runners().len() > 1 {
        return Ok(None);
    }
    selector.select(&config, Matches::One).map(Some)
}

/// Plans with a credential that stands for the real one: nobody is to type a password only to hear
/// that the runner's auth document is broken, or that a helper answers for the registry.
fn try_out(
    config: &Config<'_>,
    runners: &[usize],
    set: &Set,
    registry: &Registry,
) -> Result<(), Error> {
    let login = Credential::new("user", Secret::new("password".to_owned()))?;
    let request = Request::Set {
        logins: vec![(registry.clone(), login)],
        replace: set.replace,
        pull_policies: set.pull_policies.clone(),
    };
    Plan::make(config, runners, &request).map(drop)
}

/// The registries that are known already, with their users.
struct Known(Vec<(Registry, Option<String>)>);

impl Known {
    /// Those of the picked runners, of the others, and those that a login left.
    fn of(config: &Config<'_>, picked: &[usize]) -> Self {
        let numbers = 0..config.runners().len();
        let others = numbers.filter(|number| !picked.contains(number));
        let listed = picked.iter().copied().chain(others).flat_map(|number| {
            // A broken document suggests nothing.
            let found = listing::credentials(config, &config.runners()[number]);
            found.ok().and_then(Result::ok).unwrap_or_default()
        });
        let in_file = listed.filter_map(|Listed { registry, username, helper }| {
            Some((Registry::parse(&registry).ok().filter(|_| helper.is_none())?, username))
        });
        Self(in_file.chain(source::logged_in()).collect())
    }

    fn suggestions(&self) -> Vec<String> {
        let known = self.0.iter().map(|(registry, _)| registry.path());
        let mut all: Vec<String> = Vec::new();
        for path in known.chain(COMMON) {
            if !all.iter().any(|other| other == path) {
                all.push(path.to_owned());
            }
        }
        all
    }

    /// The user that is known for a registry; one that is no answer could mislead a terminal.
    fn username(&self, registry: &Registry) -> Option<&str> {
        let same = self.0.iter().filter(|(known, _)| known.path() == registry.path());
        let mut users = same.filter_map(|(_, username)| username.as_deref());
        users.find(|user| check_username(user).is_ok())
    }
}
