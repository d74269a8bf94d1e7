//! Asking a person on the terminal, also when standard input is something else.

mod watch;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _};

use inquire::error::InquireError;
use inquire::list_option::ListOption;
use inquire::ui::RenderConfig;
use inquire::validator::Validation;
use inquire::{CustomUserError, MultiSelect, Text};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGINT, SIGQUIT};

use crate::auth::secret::Secret;
use crate::config_file::interruption::end_by;
use crate::error::Error;
use watch::Watch;

/// The terminal of a person who can be asked.
///
/// Ctrl-C at a question, or a signal, puts the terminal right and then ends the process, as it does
/// elsewhere.
pub struct Terminal {
    tty: File,
    colors: bool,
}

/// What is asked for, and what helps to answer.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// The question itself.
    pub text: &'q str,
    /// How it is answered, shown below it.
    pub hint: &'q str,
    /// The answers to pick from, or for [`Terminal::ask`] those that are suggested.
    pub answers: &'q [String],
}

impl Terminal {
    /// A person is there when standard error is a terminal and `/dev/tty` opens.
    #[must_use]
    pub fn open() -> Option<Self> {
        if !io::stderr().is_terminal() {
            return None;
        }
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        Some(Self { tty, colors: false })
    }

    /// Whether questions are asked in colours.
    #[must_use]
    pub fn in_colors(self, colors: bool) -> Self {
        Self { colors, ..self }
    }

    /// Shows text to the person.
    pub fn show(&mut self, text: &str) {
        // A terminal that went away answers the question with an end of input.
        drop(self.tty.write_all(text.as_bytes()));
    }

    /// Asks a question that is answered with yes or no; anything but yes is no.
    pub fn confirm(&mut self, question: &str) -> bool {
        self.show(&format!("{question} [y/N] "));
        let mut answer = String::new();
        match BufReader::new(&self.tty).read_line(&mut answer) {
            Ok(0) | Err(_) => self.show("\n"),
            Ok(_) => {}
        }
        matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }

    /// Lets a person mark one or more answers with the arrow keys, and gives their numbers; `None`
    /// when the person gives up.
    ///
    /// # Errors
    ///
    /// [`Error::TerminalLost`] when the terminal went away.
    pub fn pick(&mut self, question: &Question<'_>) -> Result<Option<Vec<usize>>, Error> {
        let some = |picked: &[ListOption<&&String>]| -> Result<Validation, CustomUserError> {
            let none = "none is marked: the space bar marks one";
            Ok(if picked.is_empty() { Validation::Invalid(none.into()) } else { Validation::Valid })
        };
        let watch = Watch::begin(&self.tty);
        let picked = MultiSelect::new(question.text, question.answers.iter().collect())
            .with_help_message(question.hint)
            .with_formatter(&|picked| {
                let picked = picked.iter().map(|option| option.value.as_str());
                picked.collect::<Vec<_>>().join("; ")
            })
            .with_validator(some)
            .with_render_config(self.rendering())
            .raw_prompt();
        drop(watch);
        let picked = answered(picked)?;
        Ok(picked.map(|picked| picked.iter().map(|option| option.index).collect()))
    }

    /// Asks for a line of text that `check` accepts; an empty one stands for the default. `None` when
    /// the person gives up.
    ///
    /// # Errors
    ///
    /// [`Error::TerminalLost`] when the terminal went away.
    pub fn ask(
        &mut self,
        question: &Question<'_>,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<(), Error> + Clone,
    ) -> Result<Option<String>, Error> {
        let suggestions = |typed: &str| -> Result<Vec<String>, CustomUserError> {
            let fits = |answer: &&String| answer.contains(typed.trim());
            Ok(question.answers.iter().filter(fits).cloned().collect())
        };
        let valid = move |typed: &str| -> Result<Validation, CustomUserError> {
            Ok(match check(typed.trim()) {
                Ok(()) => Validation::Valid,
                Err(error) => Validation::Invalid(error.into()),
            })
        };
        let mut prompt = Text::new(question.text)
            .with_help_message(question.hint)
            .with_autocomplete(suggestions)
            .with_validator(valid)
            .with_render_config(self.rendering());
        prompt.default = default;
        let watch = Watch::begin(&self.tty);
        let typed = prompt.prompt();
        drop(watch);
        Ok(answered(typed)?.map(|typed| typed.trim().to_owned()))
    }

    fn rendering(&self) -> RenderConfig<'static> {
        if self.colors { RenderConfig::default_colored() } else { RenderConfig::empty() }
    }

    /// Asks for a secret without showing it, and again as long as `accept` refuses what was typed;
    /// gives what `accept` makes of it, or `None` when the person gives up.
    ///
    /// # Errors
    ///
    /// [`Error::TerminalLost`] when the terminal can't hide what is typed.
    pub fn ask_hidden<A>(
        &mut self,
        prompt: &str,
        accept: impl Fn(Secret) -> Result<A, Error>,
    ) -> Result<Option<A>, Error> {
        let gone = |_| Error::TerminalLost("the terminal can't hide what is typed");
        let watch = Watch::begin(&self.tty);
        let before = tcgetattr(&self.tty).map_err(gone)?;
        let mut hidden = before.clone();
        // Signals are off as well, so that the terminal is put right before Ctrl-C ends anything.
        hidden.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(&self.tty, OptionalActions::Flush, &hidden).map_err(gone)?;
        // It stays hidden all the while: fingers may be faster than the next prompt.
        let typed = loop {
            self.show(prompt);
            let problem = match self.read_hidden() {
                Ok(Typed::Line(secret)) => match accept(secret) {
                    Ok(answer) => break Typed::Line(answer),
                    Err(problem) => problem,
                },
                Ok(Typed::Key(signal)) => break Typed::Key(signal),
                Ok(Typed::End) => break Typed::End,
                Err(problem) => problem,
            };
            self.show(&format!("\n{problem}\n"));
        };
        // A terminal that went away has no modes to put right.
        let _ = tcsetattr(&self.tty, OptionalActions::Flush, &before);
        drop(watch);
        self.show("\n");
        match typed {
            Typed::Line(answer) => Ok(Some(answer)),
            Typed::Key(signal) => {
                end_by(signal);
                Ok(None)
            }
            Typed::End => Ok(None),
        }
    }

    /// One line; an error when it is not only characters.
    fn read_hidden(&mut self) -> Result<Typed<Secret>, Error> {
        let refuse = |problem| Err(Error::InvalidPassword(problem));
        let mut typed = zeroize::Zeroizing::new(Vec::with_capacity(256));
        loop {
            let mut byte = [0];
            if !matches!(self.tty.read(&mut byte), Ok(1)) {
                return Ok(Typed::End);
            }
            match byte[0] {
                b'\r' | b'\n' => break,
                // Ctrl-C, Ctrl-backslash and Ctrl-D.
                3 => return Ok(Typed::Key(SIGINT)),
                28 => return Ok(Typed::Key(SIGQUIT)),
                4 => return Ok(Typed::End),
                // Backspace takes a character, which may be several bytes.
                8 | 127 => while typed.pop().is_some_and(|byte| (0x80..0xc0).contains(&byte)) {},
                // Ctrl-U takes the line.
                21 => typed.clear(),
                byte => typed.push(byte),
            }
        }
        match String::from_utf8(std::mem::take(&mut *typed)) {
            // Ctrl-Z and the arrow keys would end up in the password, unseen.
            Ok(text) if text.contains(char::is_control) => {
                drop(zeroize::Zeroizing::new(text));
                refuse(
                    "there was a key in it that is no character, such as an arrow: type it again",
                )
            }
            Ok(text) => Ok(Typed::Line(Secret::new(text))),
            Err(error) => {
                drop(zeroize::Zeroizing::new(error.into_bytes()));
                refuse("what was typed is not UTF-8: type it again")
            }
        }
    }
}

/// How a hidden line ended.
enum Typed<L> {
    Line(L),
    /// With a key that sends this signal.
    Key(i32),
    End,
}

/// The answer; `None` when the person gave up.
fn answered<A>(answer: Result<A, InquireError>) -> Result<Option<A>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(InquireError::OperationCanceled) => Ok(None),
        Err(InquireError::OperationInterrupted) => {
            // The terminal has been put right already.
            end_by(SIGINT);
            Ok(None)
        }
        Err(_) => Err(Error::TerminalLost("the terminal can't be asked any more")),
    }
}
