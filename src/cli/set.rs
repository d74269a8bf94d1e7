//! `set`: credentials from a source, from a person, or left to a helper.

use super::args::{Global, Set};
use super::change::{change, check_writing, converse};
use super::guide::{Guide, SetGuide};
use super::output::Output;
use crate::auth::source::Login;
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::plan::Request;

pub(super) fn set(global: &Global, set: &Set, output: &Output) -> Result<ExitStatus, Error> {
    if set.source.reads_stdin() && global.is_filter() {
        return Err(Error::Usage(
            "standard input can't be the config and a credential at once: give one of them as a \
             file"
                .into(),
        ));
    }
    check_writing(global, &set.writing)?;
    let selector = set.selection.selector()?;
    let asked = Guide::open(global, &set.writing, &selector, output, |guide| {
        let Some(mut guide) = SetGuide::open(guide, set)? else { return Ok(None) };
        converse(global, "set", &mut guide, &set.writing, output).map(Some)
    })?;
    if let Some(status) = asked {
        return Ok(status);
    }
    // A helper, a registry or who writes to standard input may take long: the config is read after that.
    let request = set.request()?;
    #[cfg(feature = "verify")]
    set.verify(&request, output)?;
    change(global, "set", &selector, &request, &set.writing, output)
}

impl Set {
    /// What the arguments ask for. A person is asked for a password that no option gives.
    pub fn request(&self) -> Result<Request, Error> {
        if let Some((helper, registries)) = self.source.delegation()? {
            if self.runner_only {
                return Err(Error::Usage(
                    "--runner-only is for credentials: the Docker client in a job asks no helper of \
                     the runner's entry"
                        .into(),
                ));
            }
            let (replace, pull_policies) = (self.replace, self.pull_policies.clone());
            return Ok(Request::Delegate { helper, registries, replace, pull_policies });
        }
        let logins = if self.stores_credentials() { self.source.logins()? } else { Vec::new() };
        Ok(self.storing(logins))
    }

    /// With `--verify`, asks the registries whether they accept the credentials.
    #[cfg(feature = "verify")]
    pub fn verify(&self, request: &Request, output: &Output) -> Result<(), Error> {
        if self.verify { super::verify::before_writing(self, request, output) } else { Ok(()) }
    }

    /// The request to store credentials.
    pub fn storing(&self, mut logins: Vec<Login>) -> Request {
        if self.runner_only {
            let alone = |(registry, login): Login| (registry.for_the_runner_alone(), login);
            logins = logins.into_iter().map(alone).collect();
        }
        Request::Set { logins, replace: self.replace, pull_policies: self.pull_policies.clone() }
    }
}
