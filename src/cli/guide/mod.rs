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
use crate::exit_status::ExitStatus;
use crate::plan::Request;
use crate::runner::Config;
use crate::runner::selection::{Matches, Selector};
use crate::toml::printable::one_line;
pub(super) use remove::RemoveGuide;
pub(super) use set::SetGuide;

/// A conversation that ends with a request.
pub(super) trait Questionnaire {
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
    fn guide(&self) -> &Guide<'_>;
}

/// A person at a terminal, and the config that they see: it is parsed once for all that they are asked.
pub(super) struct Guide<'g> {
    terminal: &'g mut Terminal,
    pub input: &'g Input,
    pub config: &'g Config<'g>,
    show_secrets: bool,
    /// The runners to pick from, where the arguments mean one and fit several.
    candidates: Vec<usize>,
    /// The runners that are meant: their numbers in the config.
    pub runners: Vec<usize>,
}

impl Guide<'_> {
    /// Looks for a person, and begins to talk; `None` when there is nobody, or nothing to ask. With
    /// `--yes` or `--check`, and in a filter, a script runs the command: it gets an error in place of a
    /// question.
    pub fn open(
        global: &Global,
        writing: &Writing,
        selector: &Selector,
        output: &Output,
        mut talk: impl FnMut(Guide<'_>) -> Result<Option<ExitStatus>, Error>,
    ) -> Result<Option<ExitStatus>, Error> {
        if writing.yes || writing.check || global.is_filter() {
            return Ok(None);
        }
        let Some(terminal) = Terminal::open() else { return Ok(None) };
        let mut terminal = terminal.in_colors(output.colors_on_terminal());
        // What goes wrong in the talk is no reason to read the file again, and to ask again.
        let (_, end) = Input::read_settled(global, |input| {
            let config = &Config::parse(input.text())?;
            let (runners, candidates) = match selector.select(config, Matches::One) {
                Ok(runners) => (runners, Vec::new()),
                Err(Error::RunnerAmbiguous { .. }) => {
                    let all = Selector { all: true, ..selector.clone() };
                    (Vec::new(), all.select(config, Matches::One)?)
                }
                Err(error) => return Err(error),
            };
            let (terminal, show_secrets) = (&mut terminal, global.show_secrets);
            Ok(talk(Guide { terminal, input, config, show_secrets, candidates, runners }))
        })?;
        end
    }

    /// Whether a person is to pick the runners.
    fn is_ambiguous(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// Says which runners are meant, where nobody is asked.
    fn show_runners(&mut self) {
        if self.is_ambiguous() {
            return;
        }
        let redaction = redaction(self.config, self.show_secrets);
        for &number in &self.runners {
            let runner = heading(&self.config.runners()[number], &redaction);
            self.terminal.show(&format!("Runner: {}\n", one_line(&runner)));
        }
    }

    /// Asks which runners are meant; `false` to go back.
    fn pick_runners(&mut self) -> Result<bool, Error> {
        let runners = self.candidates.iter().map(|&number| &self.config.runners()[number]);
        let redaction = redaction(self.config, self.show_secrets);
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
