//! `remove`: runners, and what goes from them.

use super::{Guide, Questionnaire, in_turn};
use crate::auth::registry::Registry;
use crate::cli::args::Remove;
use crate::cli::list;
use crate::cli::terminal::Question;
use crate::error::Error;
use crate::plan::{Removal, Request};
use crate::resolver::listing;

/// A conversation about what is taken out.
pub(in crate::cli) struct RemoveGuide<'r> {
    guide: Guide<'r>,
    /// What the arguments ask for.
    named: Option<Request>,
    picked: Option<Request>,
    over: bool,
}

impl<'r> RemoveGuide<'r> {
    /// Begins one when something is open.
    pub fn open(mut guide: Guide<'r>, remove: &Remove) -> Option<Self> {
        let named = remove.request();
        if named.is_some() && !guide.is_ambiguous() {
            return None;
        }
        guide.show_runners();
        Some(Self { guide, named, picked: None, over: false })
    }

    /// Asks what goes; `false` to go back.
    fn pick_credentials(&mut self) -> Result<bool, Error> {
        let config = self.guide.config;
        let mut registries: Vec<String> = Vec::new();
        let mut answers = Vec::new();
        for &number in &self.guide.runners {
            // Of a broken document only the whole can go.
            let listed = listing::credentials(config, &config.runners()[number])?;
            for listed in listed.unwrap_or_default() {
                if listed.registry != "*" && !registries.contains(&listed.registry) {
                    answers.push(list::registry(&listed));
                    registries.push(listed.registry);
                }
            }
        }
        answers.push("the whole auth entry".to_owned());
        let question = Question { text: "Remove", hint: "", answers: &answers };
        let Some(picked) = self.guide.terminal.pick(&question)? else { return Ok(false) };
        self.picked = Some(if picked.contains(&registries.len()) {
            Request::RemoveEntry
        } else {
            let picked = picked.iter().map(|&number| Registry::named(&registries[number]));
            Request::Remove(Removal { registries: picked.collect(), ..Removal::default() })
        });
        Ok(true)
    }
}

impl Questionnaire for RemoveGuide<'_> {
    fn ask(&mut self) -> Result<Request, Error> {
        let (runners, credentials) = (self.guide.is_ambiguous(), self.named.is_none());
        let count = usize::from(runners) + usize::from(credentials);
        let from = if self.over { count - 1 } else { 0 };
        in_turn(count, from, |number| {
            if runners && number == 0 { self.guide.pick_runners() } else { self.pick_credentials() }
        })?;
        self.over = true;
        self.named.clone().or_else(|| self.picked.clone()).ok_or(Error::GivenUp)
    }

    fn guide(&self) -> &Guide<'_> {
        &self.guide
    }
}
