//! What must hold of a new auth document before it is planned: it holds what was asked for and nothing
//! else. What each version of GitLab Runner makes of it is asked in `use_by_version`.

use super::runner_context::RunnerContext;
use crate::auth::credential::Credential;
use crate::auth::document::{AuthDocument, DocumentError};
use crate::auth::expansion::expand;
use crate::auth::registry::Registry;
use crate::error::Error;
use crate::runner::auth_entry::AuthEntry;

impl RunnerContext<'_, '_> {
    /// Checks that the document after the change can be read, and that it holds what was asked for.
    pub(super) fn check_result<'x>(
        &self,
        entry: &AuthEntry<'_>,
        before: &AuthDocument<'_>,
        text: &'x str,
        logins: &[(Registry, Credential)],
    ) -> Result<AuthDocument<'x>, Error> {
        let after = self.parse_result(entry, text)?;
        for (registry, login) in logins {
            let found = after.at_path(registry.path());
            if found.is_empty() || !found.iter().all(|entry| entry.holds(login)) {
                return Err(self.not_proved("the new auth document does not hold the credential"));
            }
        }
        let expected = before.entries().len() + logins.len();
        if after.entries().len() > expected {
            return Err(self.not_proved("the new auth document holds too much"));
        }
        Ok(after)
    }

    pub(super) fn parse_result<'x>(
        &self,
        entry: &AuthEntry<'_>,
        text: &'x str,
    ) -> Result<AuthDocument<'x>, Error> {
        let document = self
            .parse_text(text)
            .map_err(|_| self.not_proved("the new auth document does not parse"))?;
        self.check_expanded(entry, text, &document)?;
        Ok(document)
    }

    /// The runner expands the text before it reads the JSON: a value with quotes or braces in it, or
    /// a `${` that swallows some, could make another document than the one that stands here.
    pub(super) fn check_expanded(
        &self,
        entry: &AuthEntry<'_>,
        text: &str,
        document: &AuthDocument<'_>,
    ) -> Result<(), Error> {
        let whole = expand(text, |name| self.variable(name)).text;
        let agrees =
            || AuthDocument::parse_literal(&whole).is_ok_and(|whole| whole.agrees_with(document));
        if *whole == *text || agrees() {
            return Ok(());
        }
        let problem = "becomes another document once its variables ($NAME) are filled in: change \
                       those variables, or drop the document with --replace";
        Err(self.invalid(entry, DocumentError { offset: 0, problem: problem.into() }))
    }

    pub(super) fn not_proved(&self, difference: &str) -> Error {
        Error::NotProved {
            path: self.config.text().label().to_owned(),
            difference: difference.to_owned(),
        }
    }
}
