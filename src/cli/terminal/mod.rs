//! Asking a person on the terminal, also when standard input is something else.

mod key;
mod line;
mod list;
mod plain;
mod raw;
mod screen;

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};

use crate::error::Error;
use crate::secret::Secret;
use key::Key;
use line::Line;
use list::List;
use raw::{Event, Raw, Size};
use screen::{Below, Kind, Screen, wrap};

/// As many suggestions are shown at once.
const SUGGESTIONS: usize = 6;

/// The keys that help with a list, with a line and its suggestions, and with a line.
const PICKING: &str = "space: mark, right: all, type: filter, Enter: go on, Esc: back";
const CHOOSING: &str = "down: pick one, Tab: take it over, Esc: back";
const TYPING: &str = "Esc: back";

/// As many picked answers are named; more are counted.
const NAMED: usize = 3;

/// The terminal of a person who can be asked.
///
/// Ctrl-C at a question, or a signal, puts the terminal right and then ends the process, as it does
/// elsewhere. Ctrl-Z stops it, and the question is there again when it goes on.
pub struct Terminal {
    tty: File,
    colors: bool,
    /// Whether it knows escape sequences, and the person wants them.
    escapes: bool,
}

/// What is asked for, and what helps to answer.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// The question itself.
    pub text: &'q str,
    /// What an answer is, shown below it; may be empty.
    pub hint: &'q str,
    /// The answers to pick from, or for [`Terminal::ask`] those that are suggested.
    pub answers: &'q [String],
}

impl Question<'_> {
    fn prompt(&self, default: Option<&str>) -> String {
        default.map_or_else(
            || format!("{}: ", self.text),
            |default| format!("{} [{default}]: ", self.text),
        )
    }
}

impl Terminal {
    /// A person is there when standard error is a terminal and `/dev/tty` opens.
    #[must_use]
    pub fn open() -> Option<Self> {
        io::stderr().is_terminal().then(Self::of_process).flatten()
    }

    /// The terminal of the process, wherever its standard streams lead.
    #[must_use]
    pub fn of_process() -> Option<Self> {
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        let is_set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = is_set("TERM").is_none_or(|name| name == "dumb");
        let escapes = !dumb && is_set("ACCESSIBLE").is_none();
        Some(Self { tty, colors: false, escapes })
    }

    /// Whether questions are asked in colours.
    #[must_use]
    pub fn in_colors(self, colors: bool) -> Self {
        Self { colors, ..self }
    }

    /// What takes a suggestion over: in lines there are no keys to move with.
    #[must_use]
    pub fn how_to_pick(&self) -> &'static str {
        if self.escapes { "pick one with the arrow keys" } else { "a number of the list" }
    }

    /// Shows text to the person.
    pub fn show(&mut self, text: &str) {
        // A terminal that went away answers the question with an end of input.
        drop(self.tty.write_all(text.as_bytes()));
    }

    /// Asks a question that is answered with yes or no; anything but yes is no. `None` to go back.
    ///
    /// # Errors
    ///
    /// [`Error::GivenUp`] when its input ended, [`Error::TerminalLost`] when it went away.
    pub fn confirm(&mut self, question: &str) -> Result<Option<bool>, Error> {
        let prompt = format!("{question} [y/N] ");
        let typed = if self.escapes {
            let mut screen = Screen::new(&self.tty, self.colors);
            let mut raw = Raw::begin(&self.tty, true)?;
            let mut typed = Line::default();
            loop {
                screen.paint(raw.size(), &prompt, &typed, &[]);
                match raw.event()? {
                    Event::Repaint => {}
                    Event::Key(Key::Enter) => break,
                    Event::Key(Key::Escape) => {
                        screen.close(raw.size(), &prompt, "");
                        return Ok(None);
                    }
                    Event::Key(Key::EndOfInput) if typed.text().is_empty() => {
                        screen.close(raw.size(), &prompt, "");
                        return Err(Error::GivenUp);
                    }
                    Event::Key(key) => drop(typed.edit(&key)),
                }
            }
            screen.close(raw.size(), &prompt, typed.text());
            Some(typed.text().to_owned())
        } else {
            plain::line(&self.tty, &prompt)?
        };
        Ok(typed.map(|typed| matches!(typed.trim().to_lowercase().as_str(), "y" | "yes")))
    }

    /// Lets a person pick answers from a list: those that are marked, or the one under the cursor.
    /// Gives their numbers; `None` to go back.
    ///
    /// # Errors
    ///
    /// [`Error::GivenUp`] when its input ended, [`Error::TerminalLost`] when it went away.
    pub fn pick(&mut self, question: &Question<'_>) -> Result<Option<Vec<usize>>, Error> {
        if !self.escapes {
            return plain::pick(&self.tty, question);
        }
        let mut screen = Screen::new(&self.tty, self.colors);
        let mut raw = Raw::begin(&self.tty, true)?;
        let mut list = List::new(question.answers);
        loop {
            let prompt = format!("{} ({}): ", question.text, list.counts());
            let size = raw.size();
            let hint = hint(question, PICKING, size);
            let rows = size.rows.saturating_sub(1 + hint.len()).max(1);
            let mut below: Vec<_> = list.window(rows).map(|answer| marked(&answer)).collect();
            if below.is_empty() {
                let text = "  nothing holds what you typed: Ctrl-U clears it".to_owned();
                below.push(Below { text, kind: Kind::Problem });
            }
            below.extend(hint);
            screen.paint(size, &prompt, list.filter(), &below);
            match raw.event()? {
                Event::Repaint => {}
                Event::Key(Key::Enter) => {
                    let picked = list.picked();
                    if !picked.is_empty() {
                        screen.close(raw.size(), &question.prompt(None), &named(&picked, question));
                        return Ok(Some(picked));
                    }
                }
                Event::Key(Key::Escape) => {
                    screen.close(raw.size(), &question.prompt(None), "");
                    return Ok(None);
                }
                Event::Key(Key::EndOfInput) if list.filter().text().is_empty() => {
                    screen.close(raw.size(), &question.prompt(None), "");
                    return Err(Error::GivenUp);
                }
                Event::Key(key) => list.edit(&key, rows),
            }
        }
    }

    /// Asks for a line of text that `check` accepts; an empty one stands for the default. `None` to
    /// go back.
    ///
    /// # Errors
    ///
    /// [`Error::GivenUp`] when its input ended, [`Error::TerminalLost`] when it went away.
    pub fn ask(
        &mut self,
        question: &Question<'_>,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<Option<String>, Error> {
        if !self.escapes {
            return plain::ask(&self.tty, question, default, check);
        }
        let mut screen = Screen::new(&self.tty, self.colors);
        let mut raw = Raw::begin(&self.tty, true)?;
        let prompt = question.prompt(default);
        let (mut typed, mut problem) = (Line::default(), None::<String>);
        // The suggestion under the cursor, if the person went there.
        let mut at = None::<usize>;
        loop {
            let size = raw.size();
            let holds = |answer: &&String| answer.contains(typed.text().trim());
            let fitting: Vec<&String> = question.answers.iter().filter(holds).collect();
            let below = suggestions(question, &fitting, at, problem.as_deref(), size);
            screen.paint(size, &prompt, &typed, &below);
            let Event::Key(key) = raw.event()? else { continue };
            problem = None;
            match key {
                Key::Escape => {
                    screen.close(size, &prompt, "");
                    return Ok(None);
                }
                Key::EndOfInput if typed.text().is_empty() => {
                    screen.close(size, &prompt, "");
                    return Err(Error::GivenUp);
                }
                Key::Down if !fitting.is_empty() => {
                    at = Some(at.map_or(0, |at| (at + 1) % fitting.len()));
                }
                Key::Up if !fitting.is_empty() => {
                    at = Some(at.filter(|&at| at > 0).unwrap_or(fitting.len()) - 1);
                }
                Key::Tab => {
                    if let Some(answer) = fitting.get(at.unwrap_or(0)) {
                        typed.replace(answer);
                    }
                    at = None;
                }
                Key::Enter => {
                    let picked = at.and_then(|at| fitting.get(at)).map(|answer| answer.as_str());
                    let answer = picked.unwrap_or(typed.text().trim());
                    let answer = if answer.is_empty() { default.unwrap_or(answer) } else { answer };
                    match check(answer) {
                        Ok(()) => {
                            screen.close(size, &question.prompt(None), answer);
                            return Ok(Some(answer.to_owned()));
                        }
                        Err(error) => problem = Some(error),
                    }
                }
                key => {
                    if typed.edit(&key) {
                        at = None;
                    }
                }
            }
        }
    }

    /// Asks for a secret without showing it, and again as long as `accept` refuses what was typed;
    /// gives what `accept` makes of it, or `None` to go back.
    ///
    /// # Errors
    ///
    /// [`Error::GivenUp`] when its input ended, [`Error::TerminalLost`] when it went away or can't
    /// hide what is typed.
    pub fn ask_hidden<A>(
        &mut self,
        prompt: &str,
        accept: impl Fn(Secret) -> Result<A, String>,
    ) -> Result<Option<A>, Error> {
        // It stays hidden all the while: fingers may be faster than the next prompt.
        let mut raw = Raw::begin(&self.tty, self.escapes)?;
        let show = |text: &str| {
            let mut tty = &self.tty;
            drop(tty.write_all(text.as_bytes()));
        };
        loop {
            show(prompt);
            let answer = match hidden_line(&mut raw, || show(&format!("\r{prompt}"))) {
                Ok(Some(Ok(secret))) => accept(secret),
                Ok(Some(Err(problem))) => Err(problem.to_owned()),
                Ok(None) => {
                    show("\n");
                    return Ok(None);
                }
                Err(error) => {
                    show("\n");
                    return Err(error);
                }
            };
            match answer {
                Ok(answer) => {
                    show("\n");
                    return Ok(Some(answer));
                }
                Err(problem) => show(&format!("\n{problem}\n")),
            }
        }
    }
}

/// A line that nobody sees, or what is wrong with it; `None` to go back.
fn hidden_line(
    raw: &mut Raw<'_>,
    repaint: impl Fn(),
) -> Result<Option<Result<Secret, &'static str>>, Error> {
    let refuse = |problem| Ok(Some(Err(problem)));
    let mut typed = Line::default();
    let (mut text, mut several) = (true, false);
    loop {
        match raw.event()? {
            // A resize may have moved the prompt, which is no reason to print it again.
            Event::Repaint => repaint(),
            Event::Key(Key::Enter) if several => {
                return refuse(
                    "that was more than one line, and only one can be typed: give a password of \
                     several lines as a file, with --password-file",
                );
            }
            Event::Key(Key::Enter) if !text => {
                return refuse("what was typed is not UTF-8: type it again");
            }
            Event::Key(Key::Enter) => return Ok(Some(Ok(Secret::new(typed.text().to_owned())))),
            Event::Key(Key::Escape) => return Ok(None),
            Event::Key(Key::EndOfInput) if typed.text().is_empty() => return Err(Error::GivenUp),
            Event::Key(key) => {
                text &= key != Key::NotText;
                several |= matches!(&key, Key::Paste(pasted) if line::is_several_lines(pasted));
                typed.edit(&key);
                if typed.text().is_empty() && key == Key::CutToStart {
                    (text, several) = (true, false);
                }
            }
        }
    }
}

/// What stands below a question with suggestions.
fn suggestions(
    question: &Question<'_>,
    fitting: &[&String],
    at: Option<usize>,
    problem: Option<&str>,
    size: Size,
) -> Vec<Below> {
    let last = match problem {
        Some(problem) => wrap(problem, size.columns.saturating_sub(1), size.rows.min(6) / 2)
            .into_iter()
            .map(|text| Below { text, kind: Kind::Problem })
            .collect(),
        None if question.answers.is_empty() => hint(question, TYPING, size),
        None => hint(question, CHOOSING, size),
    };
    let rows = size.rows.saturating_sub(1 + last.len()).min(SUGGESTIONS);
    let start = at.map_or(0, |at| (at + 1).saturating_sub(rows));
    let shown = fitting.iter().enumerate().skip(start).take(rows);
    let mut below: Vec<_> = shown
        .map(|(place, answer)| {
            let here = at == Some(place);
            row(if here { "> " } else { "  " }, answer, here)
        })
        .collect();
    below.extend(last);
    below
}

/// What an answer is and which keys help. It takes one row of a low window, and at most two of any.
fn hint(question: &Question<'_>, keys: &str, size: Size) -> Vec<Below> {
    let rows = match size.rows {
        0..3 => return Vec::new(),
        3..10 => 1,
        _ => 2,
    };
    let text = match question.hint {
        "" => keys.to_owned(),
        hint => format!("{hint}; {keys}"),
    };
    let rows = wrap(&text, size.columns.saturating_sub(1), rows).into_iter();
    rows.map(|text| Below { text, kind: Kind::Hint }).collect()
}

/// What was picked, in one line.
fn named(picked: &[usize], question: &Question<'_>) -> String {
    if picked.len() > NAMED {
        return format!("{} of {}", picked.len(), question.answers.len());
    }
    let names = picked.iter().map(|&number| question.answers[number].as_str());
    names.collect::<Vec<_>>().join("; ")
}

/// A row of a list, with its mark.
fn marked(answer: &list::Row<'_>) -> Below {
    let mark = if answer.marked { "[x] " } else { "[ ] " };
    let cursor = if answer.here { "> " } else { "  " };
    row(&format!("{cursor}{mark}"), answer.text, answer.here)
}

fn row(before: &str, text: &str, here: bool) -> Below {
    let kind = if here { Kind::Here } else { Kind::Answer };
    Below { text: format!("{before}{text}"), kind }
}
