//! Where the credentials of `set` and `render` come from, as the arguments say.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::Source;
use crate::auth::credential::{self, Credential};
use crate::auth::registry::Registry;
use crate::auth::source::credential_helper::{self, CredentialHelper};
use crate::auth::source::{self, Login, PasswordSource};
use crate::cli::terminal::Terminal;
use crate::count::counted;
use crate::error::Error;

impl Source {
    /// Whether a credential comes on standard input.
    pub fn reads_stdin(&self) -> bool {
        self.password_sources().contains(&PasswordSource::Stdin)
            || [
                self.auth_config.as_deref(),
                self.from_docker_config.iter().flatten().next().map(PathBuf::as_path),
            ]
            .contains(&Some(Path::new("-")))
    }

    /// The helper that is to be asked at each job, with its registries, in place of credentials. It
    /// need not be in this `PATH`: the runner's may be another one.
    pub fn delegation(&self) -> Result<Option<(String, Vec<Registry>)>, Error> {
        let Some(name) = self.helper_name().filter(|_| self.delegate) else {
            return Ok(None);
        };
        credential_helper::check_name(name)?;
        Ok(Some((name.to_owned(), self.registries()?)))
    }

    fn registries(&self) -> Result<Vec<Registry>, Error> {
        self.registries.iter().map(|typed| Registry::parse(typed)).collect()
    }

    /// Some name the program itself.
    fn helper_name(&self) -> Option<&str> {
        self.credential_helper.as_deref().map(credential_helper::bare_name)
    }

    fn helper(&self) -> Result<Option<CredentialHelper>, Error> {
        let name = self.helper_name();
        name.map(|name| CredentialHelper::new(name, self.timeout())).transpose()
    }

    /// The credentials. A person is asked for a password that no option gives.
    pub fn logins(&self) -> Result<Vec<Login>, Error> {
        if let Some(text) = &self.given.document {
            return source::auth_document_in("auth_config", text);
        }
        if let Some(path) = &self.auth_config {
            return source::auth_document(path);
        }
        let registries = self.registries()?;
        if let Some(path) = &self.from_docker_config {
            return source::docker_config(path.as_deref(), &registries, self.timeout());
        }
        if registries.is_empty() {
            let problem = match &self.credential_helper {
                Some(_) => {
                    "--credential-helper asks for one registry: name it with --registry, or let \
                     GitLab Runner ask for every one with --delegate"
                }
                None if self.usernames.len() + self.password_sources().len() > 0 => {
                    "no registry is given: name one with --registry"
                }
                None => {
                    "no credential is given: name --registry and --username, or a source such as \
                     --from-docker-config, --auth-config or --credential-helper"
                }
            };
            return Err(Error::Usage(problem.into()));
        }
        if let Some(helper) = self.helper()? {
            let asked = registries.iter();
            return asked
                .map(|registry| Ok((registry.clone(), helper.get(registry.key())?)))
                .collect();
        }
        self.paired(registries)
    }

    /// Each registry with its user and its password, in the order of the arguments.
    fn paired(&self, registries: Vec<Registry>) -> Result<Vec<Login>, Error> {
        let usernames = &self.usernames[..];
        let passwords = self.password_sources();
        let several = registries.len() > 1;
        let users = match usernames {
            [] => return Err(Error::Usage("no user is given: name one with --username".into())),
            [one] => vec![one; registries.len()],
            each => each.iter().collect(),
        };
        if users.len() != registries.len() || (several && passwords.len() != registries.len()) {
            return Err(Error::Usage(format!(
                "{} with {} and {}: give each --registry its own \
                 --username, and its own --password-file or --password-env, in the same order",
                counted(registries.len(), "registry"),
                counted(usernames.len(), "user"),
                counted(passwords.len(), "password")
            )));
        }
        if passwords.len() > registries.len() {
            return Err(Error::Usage("one --registry takes one password".into()));
        }
        let mut logins: Vec<Login> = Vec::new();
        let mut passwords = passwords.into_iter();
        for (registry, username) in registries.into_iter().zip(users) {
            if logins.iter().any(|(other, _)| other.path() == registry.path()) {
                return Err(Error::Usage(format!("--registry {registry} is given twice")));
            }
            logins.push(login(registry, username, passwords.next())?);
        }
        Ok(logins)
    }

    /// The credential of a user for the one registry.
    pub fn login(&self, registry: Registry, username: &str) -> Result<Login, Error> {
        login(registry, username, self.password_sources().into_iter().next())
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// Asks for a password without showing it; `None` to go back.
pub(super) fn ask_password(
    terminal: &mut Terminal,
    registry: &Registry,
    username: &str,
) -> Result<Option<Credential>, Error> {
    let question = format!("Password of {username} for {registry}: ");
    terminal.ask_hidden(&question, |password| {
        if password.expose().is_empty() {
            return Err("the password is empty: type it again".to_owned());
        }
        Credential::new(username, password).map_err(|problem| problem.to_string())
    })
}

/// The credential of a user for a registry. A person is asked for a password that no option gives, or
/// that would be typed where everybody sees it.
fn login(
    registry: Registry,
    username: &str,
    password: Option<PasswordSource>,
) -> Result<Login, Error> {
    credential::check_username(username)?;
    let asked = |mut terminal: Terminal| {
        let credential = ask_password(&mut terminal, &registry, username)?;
        credential.ok_or(Error::GivenUp)
    };
    let credential = match password {
        Some(PasswordSource::Stdin) if io::stdin().is_terminal() => match Terminal::of_process() {
            Some(terminal) => asked(terminal)?,
            None => Credential::new(username, PasswordSource::Stdin.read()?)?,
        },
        Some(source) => Credential::new(username, source.read()?)?,
        None => {
            let Some(terminal) = Terminal::open() else {
                return Err(Error::Usage(
                    "no password is given and nobody can be asked: add --password-stdin, \
                     --password-file or --password-env"
                        .into(),
                ));
            };
            asked(terminal)?
        }
    };
    Ok((registry, credential))
}
