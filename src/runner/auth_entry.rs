//! A runner's auth entry: which one counts, and what GitLab Runner makes of it.
//!
//! Every command that wants to know what a runner can pull with asks here, so that no two of them
//! can give different answers.

use std::ops::Range;

use crate::auth::document::{AuthDocument, Reading};
use crate::auth::expansion::{Expanded, Value, expand, holds_predefined};
use crate::auth::runner_version::RunnerVersion;
use crate::runner::environment::Environment;
use crate::secret::Secret;
use crate::toml::edit::Edit;
use crate::toml::quoting::Quoted;

/// The variable that holds the auth document.
pub(crate) const VARIABLE: &str = "DOCKER_AUTH_CONFIG";

/// A `DOCKER_AUTH_CONFIG=…` string.
pub(crate) struct AuthEntry<'t> {
    /// Its number in the `environment` array.
    pub number: usize,
    quoted: Quoted<'t>,
}

/// The auth entries of a runner that has one.
pub(crate) struct AuthEntries<'t> {
    /// The last one, which counts.
    pub counts: AuthEntry<'t>,
    /// Those before it, which it hides.
    pub hidden: Vec<AuthEntry<'t>>,
}

impl AuthEntries<'_> {
    /// The numbers of the hidden ones in the `environment` array.
    pub fn hidden_numbers(&self) -> Vec<usize> {
        self.hidden.iter().map(|entry| entry.number).collect()
    }
}

impl<'t> Environment<'_, 't> {
    /// The auth entries; of several the last one counts.
    pub fn auth(&self) -> Option<AuthEntries<'t>> {
        let numbers = self.values().enumerate().filter(|(_, entry)| is_auth_entry(entry));
        let entries = numbers
            .filter_map(|(number, _)| Some(AuthEntry { number, quoted: self.quoted(number)? }));
        let mut hidden: Vec<_> = entries.collect();
        let counts = hidden.pop()?;
        Some(AuthEntries { counts, hidden })
    }
}

impl AuthEntry<'_> {
    /// The auth document as it stands, before expansion.
    pub fn document(&self) -> &str {
        &self.quoted.text()[VARIABLE.len() + 1..]
    }

    /// Where a piece of the document stands in the file.
    pub fn place(&self, piece: Range<usize>) -> Range<usize> {
        let start = VARIABLE.len() + 1;
        self.quoted.place(piece.start + start..piece.end + start)
    }

    /// An edit of the document as an edit of the file.
    pub fn edit(&self, edit: &Edit) -> Edit {
        Edit::new(self.place(edit.span.clone()), self.quoted.encode(edit.text.expose()))
    }

    /// The same for a text that anybody may have written; `None` where the entry's quotes can't hold
    /// it.
    pub fn try_edit(&self, edit: &Edit) -> Option<Edit> {
        self.quoted.can_hold(edit.text.expose()).then(|| self.edit(edit))
    }

    /// The document as the runner gets it: with the other variables filled in.
    pub fn fill(&self, environment: &Environment<'_, '_>) -> Filled {
        let Expanded { text, values, unknown } =
            expand(self.document(), |name| environment.variable(name));
        let as_written = *text == *self.document();
        Filled { text: text.into_secret(), values, unset: !unknown.is_empty(), as_written }
    }

    /// Where a byte of the filled document stands in the file. Where variables were filled in, the
    /// whole document stands for it.
    pub fn place_of(&self, filled: &Filled, offset: usize) -> Range<usize> {
        let length = self.document().len();
        if filled.as_written {
            let offset = offset.min(length.saturating_sub(1));
            self.place(offset..(offset + 1).min(length))
        } else {
            self.place(0..length)
        }
    }

    /// The document as it stands in the file, with the places of its parts; `None` where it says
    /// something else than `read`, because variables bring in more than values.
    pub fn as_written(
        &self,
        environment: &Environment<'_, '_>,
        read: &AuthDocument<'_>,
    ) -> Option<AuthDocument<'_>> {
        let written = AuthDocument::parse(self.document(), |name| environment.variable(name));
        written.ok().filter(|written| written.agrees_with(read))
    }
}

/// An auth document whose variables are filled in.
pub(crate) struct Filled {
    text: Secret,
    /// What was filled in.
    values: Vec<Value>,
    /// Whether it holds a variable (`$NAME`) that neither the runner sets nor GitLab: it becomes
    /// nothing, unless a job sets it.
    pub unset: bool,
    /// Whether it stands in the file as it is.
    pub as_written: bool,
}

impl Filled {
    /// Whether it holds a variable that GitLab sets for each job, such as `$CI_REGISTRY`: what comes
    /// of it can't be told here.
    pub fn is_open(&self) -> bool {
        holds_predefined(self.text.expose())
    }

    /// What this version of GitLab Runner makes of it.
    pub fn read(&self, version: RunnerVersion) -> Reading<'_> {
        Reading::of(self.text.expose(), &self.values, version)
    }
}

/// Whether an entry sets the variable: GitLab Runner splits at the first `=` and trims nothing.
pub(crate) fn is_auth_entry(entry: &str) -> bool {
    entry.split_once('=').is_some_and(|(name, _)| name == VARIABLE)
}

/// Whether a name is the variable's but for blanks, letter case and its separators.
pub(crate) fn is_like_variable(name: &str) -> bool {
    let name = name.trim();
    let name = name.strip_prefix("export ").unwrap_or(name);
    let letters = |text: &str| -> String {
        text.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).collect()
    };
    letters(name).eq_ignore_ascii_case(&letters(VARIABLE))
}

/// A new auth entry. Single quotes take JSON as it is, in every version of TOML.
pub(crate) fn new_entry(document: &str) -> Secret {
    Secret::concat(&["'", VARIABLE, "=", document, "'"])
}

/// The auth entry with this document, decoded.
pub(crate) fn entry_with(document: &str) -> Secret {
    Secret::concat(&[VARIABLE, "=", document])
}
