//! A runner whose change is planned, with what every kind of change asks of it: its auth document as it
//! stands, where that is, and the entries that the last one hides.

use super::RunnerChange;
use crate::auth::document::{AuthDocument, DocumentError};
use crate::auth::expansion::expand;
use crate::auth::key::few;
use crate::error::Error;
use crate::runner::auth_entry::{AuthEntries, AuthEntry};
use crate::runner::environment::Environment;
use crate::runner::{Config, Runner};
use crate::secret::Secret;
use crate::toml::text::Place;

pub(super) struct RunnerContext<'c, 't> {
    pub config: &'c Config<'t>,
    pub runner: &'c Runner<'t>,
    pub environment: Option<&'c Environment<'c, 't>>,
}

impl RunnerContext<'_, '_> {
    /// Parses the document of an entry to which something is added.
    pub fn parse_for_addition<'e>(
        &self,
        entry: &'e AuthEntry<'_>,
    ) -> Result<AuthDocument<'e>, Error> {
        let document = self.parse(entry)?;
        if let Some(second) = document.emptied_auths() {
            let problem = "has the member auths twice, and null empties the one before it: take one \
                           of the two out, or drop the document with --replace";
            return Err(self
                .invalid(entry, DocumentError { offset: second.start, problem: problem.into() }));
        }
        if let Some(place) = document.unwrapped_credentials().next() {
            let problem = "has credentials outside \"auths\", which GitLab Runner ignores: put \
                           {\"auths\": …} around them, or drop them with --replace";
            return Err(self.invalid(
                entry,
                DocumentError { offset: place.place.start, problem: problem.into() },
            ));
        }
        Ok(document)
    }

    /// Parses the document of an entry for a change: as it stands, with the places of its parts.
    pub fn parse<'e>(&self, entry: &'e AuthEntry<'_>) -> Result<AuthDocument<'e>, Error> {
        let text = entry.document();
        let document = self.parse_text(text).map_err(|error| {
            let whole = expand(text, |name| self.variable(name)).text;
            if *whole != *text && AuthDocument::parse_literal(&whole).is_ok() {
                let problem = "comes together only from other variables ($NAME), so no credential \
                               in it can be changed alone: change those variables, or drop the \
                               document with --replace";
                return self.invalid(entry, DocumentError { offset: 0, problem: problem.into() });
            }
            let DocumentError { offset, problem } = error;
            let problem = format!(
                "{problem}: fix it (doctor --fix may do that), drop it with set --replace, or take it \
                 out with remove --everything"
            );
            self.invalid(entry, DocumentError { offset, problem })
        })?;
        self.check_expanded(entry, text, &document)?;
        Ok(document)
    }

    pub fn parse_text<'x>(&self, text: &'x str) -> Result<AuthDocument<'x>, DocumentError> {
        AuthDocument::parse(text, |name| self.variable(name))
    }

    /// Takes the entries out that the last one hides: two would be misread again.
    pub fn take_out_hidden(
        &self,
        environment: &Environment<'_, '_>,
        entries: &AuthEntries<'_>,
        change: &mut RunnerChange,
    ) {
        let hidden = entries.hidden_numbers();
        if !hidden.is_empty() {
            change.edits.extend(environment.remove(&hidden));
            self.tell_hidden(entries, change);
        }
    }

    /// Says which entries go besides: who wrote them may think that they count.
    pub fn tell_hidden(&self, entries: &AuthEntries<'_>, change: &mut RunnerChange) {
        for entry in &entries.hidden {
            let document = self.parse_text(entry.document()).ok();
            let held = document.iter().flat_map(AuthDocument::entries);
            let held = few(held.map(|entry| &entry.key));
            let held = if held.is_empty() { held } else { format!(" ({held})") };
            change.warnings.push(format!(
                "line {}: an earlier auth entry is removed too{held}: the last one hides it, so \
                 GitLab Runner never used it",
                self.place(entry, 0).line
            ));
        }
    }

    pub fn variable(&self, name: &str) -> Option<Secret> {
        self.environment?.variable(name)
    }

    pub fn place(&self, entry: &AuthEntry<'_>, offset: usize) -> Place {
        let offset = offset.min(entry.document().len());
        self.config.text().place(entry.place(offset..offset).start)
    }

    pub fn invalid(&self, entry: &AuthEntry<'_>, error: DocumentError) -> Error {
        Error::InvalidAuthDocument {
            path: self.config.text().label().to_owned(),
            place: self.place(entry, error.offset),
            runner: self.config.title(self.runner),
            problem: error.problem,
        }
    }
}
