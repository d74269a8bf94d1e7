//! `set --verify`: nothing is written unless the registries accept it.

use std::time::Duration;

use super::{Progress, told};
use crate::auth::source::Login;
use crate::auth::source::credential_helper::CredentialHelper;
use crate::cli::args::Set;
use crate::cli::output::Output;
use crate::error::Error;
use crate::plan::Request;
use crate::registry_client::RegistryAnswer;
use crate::verification::verify_logins;

/// Asks the registries about the credentials of a request, and fails unless each is accepted.
pub(in crate::cli) fn before_writing(
    set: &Set,
    request: &Request,
    output: &Output,
) -> Result<(), Error> {
    let timeout = Duration::from_secs(set.source.timeout);
    let settings = set.network.settings(timeout)?;
    let handed_over;
    let logins: &[Login] = match request {
        Request::Set { logins, .. } => logins,
        Request::Delegate { helper, registries, .. } if !registries.is_empty() => {
            let helper = CredentialHelper::new(helper, timeout)?;
            let asked = registries.iter();
            handed_over = asked
                .map(|registry| Ok((registry.clone(), helper.get(registry.key())?)))
                .collect::<Result<Vec<Login>, Error>>()?;
            &handed_over
        }
        _ => &[],
    };
    if logins.is_empty() {
        return Err(Error::Usage(
            "--verify needs a credential to ask with: name its registry, or leave --verify out"
                .into(),
        ));
    }
    let progress = Progress::begin(output, logins.len());
    let answers = verify_logins(logins, &settings, |done| progress.show(done));
    progress.end();
    let mut unreachable = None;
    for ((registry, _), answer) in logins.iter().zip(&answers) {
        let said = |what: &str| {
            let told = told(answer, output.show_secrets);
            let advice = told.advice.map_or(String::new(), |advice| format!(" ({advice})"));
            let message = told.message.map_or(String::new(), |message| format!(": {message}"));
            format!("{} {what}{message}{advice}", registry.path())
        };
        match answer {
            RegistryAnswer::Accepted { .. } => {}
            RegistryAnswer::Refused(_) => {
                return Err(Error::CredentialRefused(said("refuses the credential")));
            }
            RegistryAnswer::Anonymous => {
                return Err(Error::CredentialRefused(said(
                    "lets anybody in, which proves nothing of the credential; leave --verify out to \
                     write it all the same",
                )));
            }
            RegistryAnswer::Unreachable(_) => {
                let said = said("could not be asked");
                unreachable = unreachable.or(Some(Error::RegistryUnreachable(said)));
            }
        }
    }
    unreachable.map_or(Ok(()), Err)
}
