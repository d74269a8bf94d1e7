//! Where the credentials of `set` and `render` come from, as the arguments say.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::Source;
use crate::auth::credential::{self, Credential};
use crate::auth::registry::Registry;
use crate::auth::source::credential_helper::CredentialHelper;
use crate::auth::source::{self, Login, PasswordSource};
use crate::cli::terminal::Terminal;
use crate::error::Error;

impl Source {
    /// Whether a credential comes on standard input.
    pub fn reads_stdin(&self) -> bool {
        self.password_source() == Some(PasswordSource::Stdin)
            || [
                self.auth_config.as_deref(),
                self.from_docker_config.iter().flatten().next().map(PathBuf::as_path),
            ]
            .contains(&Some(Path::new("-")))
    }

    /// The helper that is to be asked at each job, with its registry, in place of credentials.
    pub fn delegation(&self) -> Result<Option<(String, Option<Registry>)>, Error> {
        if !self.delegate {
            return Ok(None);
        }
        let registry = match &self.registries[..] {
            [] => None,
            [typed] => Some(Registry::parse(typed)?),
            _ => return Err(Error::Usage("--delegate takes one --registry, or none".into())),
        };
        Ok(self.helper()?.map(|helper| (helper.name().to_owned(), registry)))
    }

    fn helper(&self) -> Result<Option<CredentialHelper>, Error> {
        let name = self.credential_helper.as_deref();
        // Some name the program itself.
        let name = name.map(|name| name.strip_prefix("docker-credential-").unwrap_or(name));
        name.map(|name| CredentialHelper::new(name, self.timeout())).transpose()
    }

    /// The credentials. A person is asked for a password that no option gives.
    pub fn logins(&self) -> Result<Vec<Login>, Error> {
        if let Some(path) = &self.auth_config {
            return source::auth_document(path);
        }
        let registries: Vec<_> =
            self.registries.iter().map(|typed| Registry::parse(typed)).collect::<Result<_, _>>()?;
        if let Some(path) = &self.from_docker_config {
            return source::docker_config(path.as_deref(), &registries, self.timeout());
        }
        let [registry] = &registries[..] else {
            let problem = match (registries.is_empty(), &self.credential_helper) {
                (true, Some(_)) => {
                    "--credential-helper asks for one registry: name it with --registry, or let \
                     GitLab Runner ask for every one with --delegate"
                }
                (true, None) => {
                    "no credential is given: name --registry and --username, or a source such as \
                     --from-docker-config, --auth-config or --credential-helper"
                }
                (false, _) => {
                    "one --registry takes one credential: several are for --from-docker-config"
                }
            };
            return Err(Error::Usage(problem.into()));
        };
        if let Some(helper) = self.helper()? {
            return Ok(vec![(registry.clone(), helper.get(registry.key())?)]);
        }
        let Some(username) = &self.username else {
            return Err(Error::Usage("no user is given: name one with --username".into()));
        };
        Ok(vec![self.login(registry.clone(), username)?])
    }

    /// The credential of a user for a registry. A person is asked for a password that no option
    /// gives.
    pub fn login(&self, registry: Registry, username: &str) -> Result<Login, Error> {
        credential::check_username(username)?;
        // A person at the terminal types it: nobody is to see it there.
        if self.password_source() == Some(PasswordSource::Stdin)
            && io::stdin().is_terminal()
            && let Some(mut terminal) = Terminal::of_process()
        {
            let credential = ask_password(&mut terminal, &registry, username)?;
            return Ok((registry, credential.ok_or(Error::GivenUp)?));
        }
        if let Some(source) = self.password_source() {
            return Ok((registry, Credential::new(username, source.read()?)?));
        }
        let Some(mut terminal) = Terminal::open() else {
            return Err(Error::Usage(
                "no password is given and nobody can be asked: add --password-stdin, \
                 --password-file or --password-env"
                    .into(),
            ));
        };
        let credential = ask_password(&mut terminal, &registry, username)?;
        Ok((registry, credential.ok_or(Error::GivenUp)?))
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
