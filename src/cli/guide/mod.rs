//! What the arguments leave open is asked on the terminal, one question after the other and back
//! again.

mod known;
mod remove;
mod set;

use super::args::{Global, Writing};
use super::input::Input;
use super::output::Output;
use super::report::{heading, redaction};
use super::terminal::{Question, Terminal};
use crate::error::Error;
use crate::plan::Request;
use crate::runner::Config;
use crate::runner::selection::{Matches, Selector};
use crate::toml::printable::one_line;
pub(super) use remove::RemoveGuide;
pub(super) use set::SetGuide;

/// A conversation that ends with a request.
pub(super) trait Conversation {
    /// Asks what is open; when it is called again, the last question first.
    ///
    /// # Errors
    ///
    /// [`Error::GivenUp`] when the person goes back behind the first question.
    fn ask(&mut self) -> Result<Request, Error>;

    /// Checks a request before it is shown.
    ///
    /// # Errors
    ///
    /// Those of what it asks.
    fn check(&self, _request: &Request, _output: &Output) -> Result<(), Error> {
        Ok(())
    }

    /// The config, and the runners that are meant.
    fn guide(&self) -> &Guide;
}

/// A person at a terminal, and the config that they see.
pub(super) struct Guide {
    terminal: Terminal,
    pub input: Input,
    show_secrets: bool,
    /// The runners to pick from, where the arguments mean one and fit several.
    candidates: Vec<usize>,
    /// The runners that are meant: their numbers in the config.
    pub runners: Vec<usize>,
}

impl Guide {
    /// Looks for a person. With `--yes` or `--check`, and in a filter, a script runs the command: it
    /// gets an error in place of a question.
    pub fn open(
        global: &Global,
        writing: &Writing,
        selector: &Selector,
        output: &Output,
    ) -> Result<Option<Self>, Error> {
        if writing.yes || writing.check || global.is_filter() {
            return Ok(None);
        }
        let Some(terminal) = Terminal::open() else { return Ok(None) };
        let terminal = terminal.in_colors(output.colors_on_terminal());
        let (input, (runners, candidates)) = Input::read_settled(global, |input| {
            let config = Config::parse(input.text())?;
            match selector.select(&config, Matches::One) {
                Ok(runners) => Ok((runners, Vec::new())),
                Err(Error::RunnerAmbiguous { .. }) => {
                    let all = Selector { all: true, ..selector.clone() };
                    Ok((Vec::new(), all.select(&config, Matches::One)?))
                }
                Err(error) => Err(error),
            }
        })?;
        let show_secrets = global.show_secrets;
        Ok(Some(Self { terminal, input, show_secrets, candidates, runners }))
    }

    /// Whether a person is to pick the runners.
    fn is_ambiguous(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// Says which runners are meant, where nobody is asked.
    fn show_runners(&mut self) -> Result<(), Error> {
        if self.is_ambiguous() {
            return Ok(());
        }
        let config = Config::parse(self.input.text())?;
        let redaction = redaction(&config, self.show_secrets);
        for &number in &self.runners {
            let runner = heading(&config.runners()[number], &redaction);
            self.terminal.show(&format!("Runner: {}\n", one_line(&runner)));
        }
        Ok(())
    }

    /// Asks which runners are meant; `false` to go back.
    fn pick_runners(&mut self) -> Result<bool, Error> {
        let config = Config::parse(self.input.text())?;
        let runners = self.candidates.iter().map(|&number| &config.runners()[number]);
        let redaction = redaction(&config, self.show_secrets);
        let answers: Vec<_> = runners.map(|runner| heading(runner, &redaction)).collect();
        let question = Question { text: "Runners", hint: "", answers: &answers };
        let picked = self.terminal.pick(&question)?;
        if let Some(picked) = &picked {
            self.runners = picked.iter().map(|&place| self.candidates[place]).collect();
        }
        Ok(picked.is_some())
    }
}

/// Asks so many questions from one on; `false` as an answer goes one back.
fn in_turn(
    count: usize,
    from: usize,
    mut ask: impl FnMut(usize) -> Result<bool, Error>,
) -> Result<(), Error> {
    let mut number = from;
    while number < count {
        if ask(number)? {
            number += 1;
        } else {
            number = number.checked_sub(1).ok_or(Error::GivenUp)?;
        }
    }
    Ok(())
}
