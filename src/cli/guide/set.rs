//! `set`: runners, registry, user, password.

use super::known::KnownRegistries;
use super::{Guide, Questionnaire, in_turn};
use crate::auth::credential::{Credential, check_username};
use crate::auth::registry::Registry;
use crate::auth::source::Login;
use crate::cli::args::Set;
#[cfg(feature = "verify")]
use crate::cli::output::Output;
use crate::cli::source::ask_password;
use crate::cli::terminal::Question;
use crate::error::Error;
use crate::plan::{Plan, Request};
use crate::secret::Secret;

/// What may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Runners,
    Registry,
    User,
    Password,
}

/// A conversation about a credential and those who get it.
pub(in crate::cli) struct SetGuide<'s> {
    guide: Guide<'s>,
    set: &'s Set,
    open: Vec<Open>,
    /// Whether everything has been answered once.
    over: bool,
    /// What is to be done, where only the runners are open.
    request: Option<Request>,
    registry: Option<Registry>,
    username: String,
    login: Option<Login>,
}

impl<'s> SetGuide<'s> {
    /// Begins one when something is open.
    pub fn open(guide: Guide<'s>, set: &'s Set) -> Result<Option<Self>, Error> {
        let source = &set.source;
        let credential = set.stores_credentials() && !set.source.delegate && source.leaves_open();
        let questions = [
            (Open::Runners, guide.is_ambiguous()),
            (Open::Registry, credential && source.registries.is_empty()),
            (Open::User, credential && source.usernames.is_empty()),
            (Open::Password, credential && source.password_sources().is_empty()),
        ];
        let open: Vec<_> =
            questions.into_iter().filter(|(_, open)| *open).map(|(what, _)| what).collect();
        if open.is_empty() {
            return Ok(None);
        }
        let request = if credential { None } else { Some(set.request()?) };
        let registry = match &source.registries[..] {
            [typed] if credential => Some(Registry::parse(typed)?),
            _ => None,
        };
        let username = source.usernames.first().cloned().unwrap_or_default();
        let (over, login) = (false, None);
        let mut guide = Self { guide, set, open, over, request, registry, username, login };
        guide.begin()?;
        Ok(Some(guide))
    }

    fn begin(&mut self) -> Result<(), Error> {
        if !self.username.is_empty() {
            check_username(&self.username)?;
        }
        self.guide.show_runners();
        if self.open[0] != Open::Runners && self.open[0] != Open::Registry {
            self.try_out()?;
        }
        Ok(())
    }

    /// `false` to go back.
    fn ask_for(&mut self, what: Open) -> Result<bool, Error> {
        match what {
            Open::Runners => {
                if !self.guide.pick_runners()? {
                    return Ok(false);
                }
                if !self.open.contains(&Open::Registry) {
                    self.try_out()?;
                }
            }
            Open::Registry => {
                let Some(registry) = self.ask_for_registry()? else { return Ok(false) };
                self.registry = Some(registry);
                self.try_out()?;
            }
            Open::User => {
                let Some(username) = self.ask_for_user()? else { return Ok(false) };
                self.username = username;
            }
            Open::Password => {
                let Some(registry) = self.registry.clone() else { return Ok(false) };
                let terminal = &mut *self.guide.terminal;
                let Some(login) = ask_password(terminal, &registry, &self.username)? else {
                    return Ok(false);
                };
                self.login = Some((registry, login));
            }
        }
        Ok(true)
    }

    fn ask_for_registry(&mut self) -> Result<Option<Registry>, Error> {
        let Guide { config, runners, .. } = &self.guide;
        let question = Question {
            text: "Registry",
            hint: "HOST[:PORT][/PATH]",
            answers: &KnownRegistries::of(config, runners).suggestions(),
        };
        let listed = self.guide.terminal.how_to_pick();
        let check = |typed: &str| {
            if typed.is_empty() {
                return Err(format!("type a registry, or {listed}"));
            }
            if typed.split('/').next().is_some_and(|host| host.contains('@')) {
                return Err("a registry holds no @; its user is the next question".to_owned());
            }
            Registry::parse(typed).map(drop).map_err(|problem| problem.to_string())
        };
        let typed = self.guide.terminal.ask(&question, None, check)?;
        typed.map(|typed| Registry::parse(&typed)).transpose()
    }

    fn ask_for_user(&mut self) -> Result<Option<String>, Error> {
        let known = KnownRegistries::of(self.guide.config, &self.guide.runners);
        let default = self.registry.as_ref().and_then(|registry| known.username(registry));
        let question = Question {
            text: "User",
            hint: "a pull-only account: every job on the runner can read its password",
            answers: &[],
        };
        let check = |typed: &str| {
            if typed.is_empty() {
                return Err("type the user that the registry knows".to_owned());
            }
            check_username(typed).map_err(|problem| problem.to_string())
        };
        self.guide.terminal.ask(&question, default, check)
    }

    /// Plans with a credential that stands for the real one: nobody is to type a password only to
    /// hear that the runner's auth document is broken, or that a helper answers for the registry.
    fn try_out(&self) -> Result<(), Error> {
        let Some(registry) = &self.registry else { return Ok(()) };
        let login = Credential::new("user", Secret::new("password".to_owned()))?;
        let request = self.set.storing(vec![(registry.clone(), login)]);
        Plan::make(self.guide.config, &self.guide.runners, &request).map(drop)
    }
}

impl Questionnaire for SetGuide<'_> {
    #[cfg(feature = "verify")]
    fn check(&self, request: &Request, output: &Output) -> Result<(), Error> {
        self.set.verify(request, output)
    }

    fn ask(&mut self) -> Result<Request, Error> {
        let open = self.open.clone();
        let from = if self.over { open.len() - 1 } else { 0 };
        in_turn(open.len(), from, |number| self.ask_for(open[number]))?;
        self.over = true;
        if let Some(request) = &self.request {
            return Ok(request.clone());
        }
        let login = match (&self.login, &self.registry) {
            (Some(login), _) => login.clone(),
            (None, Some(registry)) => self.set.source.login(registry.clone(), &self.username)?,
            (None, None) => return Err(Error::GivenUp),
        };
        // A source such as standard input can be read once.
        self.login = Some(login.clone());
        Ok(self.set.storing(vec![login]))
    }

    fn guide(&self) -> &Guide<'_> {
        &self.guide
    }
}
