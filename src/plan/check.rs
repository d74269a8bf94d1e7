//! What must hold of a new auth document before it is planned: it holds what was asked for, as GitLab
//! Runner will read it.

use super::RunnerContext;
use crate::auth::credential::Credential;
use crate::auth::document::{AuthDocument, DocumentError, undecodable};
use crate::auth::expansion::expand;
use crate::auth::registry::Registry;
use crate::auth::runner_version::RunnerVersion;
use crate::error::Error;
use crate::runner::auth_entry::AuthEntry;

impl RunnerContext<'_, '_> {
    /// Checks that the document after the change is one that GitLab Runner reads, and that it
    /// holds what was asked for.
    pub(super) fn check_result(
        &self,
        entry: &AuthEntry,
        before: &AuthDocument<'_>,
        text: &str,
        logins: Option<&[(Registry, Credential)]>,
    ) -> Result<(), Error> {
        let after = self.parse_result(entry, text)?;
        // What is only taken out can't make a broken document worse.
        if logins.is_some() {
            self.check_counts(entry, before, &after)?;
        }
        for (registry, login) in logins.unwrap_or_default() {
            let found = after.at_path(registry.path());
            if found.is_empty() || !found.iter().all(|entry| entry.holds(login)) {
                return Err(self.not_proved("the new auth document does not hold the credential"));
            }
        }
        let expected = before.entries().len() + logins.map_or(0, <[_]>::len);
        if after.entries().len() > expected {
            return Err(self.not_proved("the new auth document holds too much"));
        }
        Ok(())
    }

    /// Refuses an `auth` or a helper for which GitLab Runner would take nothing of what was added.
    pub(super) fn check_counts(
        &self,
        entry: &AuthEntry,
        before: &AuthDocument<'_>,
        after: &AuthDocument<'_>,
    ) -> Result<(), Error> {
        if let Some(broken) = after.undecodable(RunnerVersion::LATEST) {
            let old = before.entries().iter().find(|old| old.key == broken.key);
            let offset = old.map_or(0, |old| before.key_place(old).start);
            let problem = format!(
                "{}, and GitLab Runner drops the whole document for it: set that registry too, or \
                 take it out with remove --registry",
                undecodable(broken)
            );
            return Err(self.invalid(entry, DocumentError { offset, problem }));
        }
        if let Some(helper) = after.cancelling(RunnerVersion::LATEST) {
            let old = before.helpers().iter().rfind(|old| old.key == helper.key);
            let offset = old.map_or(0, |old| before.helper_place(old).start);
            let problem = format!(
                "{}: take it out with remove --registry, or drop the document with --replace",
                helper.why_it_cancels()
            );
            return Err(self.invalid(entry, DocumentError { offset, problem }));
        }
        Ok(())
    }

    pub(super) fn parse_result<'x>(
        &self,
        entry: &AuthEntry,
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
        entry: &AuthEntry,
        text: &str,
        document: &AuthDocument<'_>,
    ) -> Result<(), Error> {
        let whole = expand(text, |name| self.variable(name)).text;
        let agrees =
            || AuthDocument::parse_literal(&whole).is_ok_and(|whole| whole.agrees_with(document));
        if whole == text || agrees() {
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
