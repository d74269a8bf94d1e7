//! Questions on a terminal that knows no escape sequences, or for a person who hears it: each one
//! is printed once, line after line, and answered with a line.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};

use super::Question;
use crate::error::Error;
use crate::toml::printable::one_line;

/// What goes a question back, as Escape does elsewhere.
const BACK: &str = "<";

/// A line that was typed; `None` to go back.
///
/// # Errors
///
/// [`Error::GivenUp`] at the end of the input.
pub(super) fn line(mut tty: &File, prompt: &str) -> Result<Option<String>, Error> {
    show(tty, prompt);
    let mut typed = String::new();
    let read = BufReader::new(&mut tty).read_line(&mut typed);
    match read {
        Ok(0) => {
            show(tty, "\n");
            Err(Error::GivenUp)
        }
        // Not UTF-8, which no answer is.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Ok(Some("\u{fffd}".into()))
        }
        Err(_) => Err(Error::GivenUp),
        Ok(_) if typed.trim() == BACK || typed.contains('\x1b') => Ok(None),
        Ok(_) => Ok(Some(typed.trim().to_owned())),
    }
}

/// Asks for a line; the number of a suggestion stands for it.
pub(super) fn ask(
    tty: &File,
    question: &Question<'_>,
    default: Option<&str>,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<Option<String>, Error> {
    for (number, answer) in question.answers.iter().enumerate() {
        show(tty, &format!("  {}  {}\n", number + 1, one_line(answer)));
    }
    let numbers = if question.answers.is_empty() { "" } else { ", or a number of the list" };
    show(tty, &format!("{}{numbers}; {BACK} goes back\n", question.hint));
    loop {
        let Some(typed) = line(tty, &question.prompt(default))? else { return Ok(None) };
        let number: Option<usize> = typed.parse().ok().filter(|_| !question.answers.is_empty());
        let place = number.and_then(|number| number.checked_sub(1));
        let suggested = place.and_then(|place| question.answers.get(place));
        if number.is_some() && suggested.is_none() {
            show(tty, &no_number(question.answers.len()));
            continue;
        }
        let answer = match (suggested, default) {
            (Some(answer), _) => answer.clone(),
            (None, Some(default)) if typed.is_empty() => default.to_owned(),
            _ => typed,
        };
        match check(&answer) {
            Ok(()) => return Ok(Some(answer)),
            Err(problem) => show(tty, &format!("{problem}\n")),
        }
    }
}

/// Asks for numbers of a list.
pub(super) fn pick(tty: &File, question: &Question<'_>) -> Result<Option<Vec<usize>>, Error> {
    let list = |numbers: &[usize]| {
        for &number in numbers {
            show(tty, &format!("  {}  {}\n", number + 1, one_line(&question.answers[number])));
        }
    };
    let all: Vec<usize> = (0..question.answers.len()).collect();
    list(&all);
    let how = "Numbers with commas between them, or all; other text lists what holds it";
    show(tty, &format!("{how}; {BACK} goes back\n"));
    loop {
        let Some(typed) = line(tty, &question.prompt(None))? else { return Ok(None) };
        if typed == "all" {
            return Ok(Some(all));
        }
        if let Some(mut picked) = numbers(&typed, all.len()) {
            picked.sort_unstable();
            picked.dedup();
            return Ok(Some(picked));
        }
        let typed = typed.to_lowercase();
        let holds = |&&number: &&usize| question.answers[number].to_lowercase().contains(&typed);
        let fitting: Vec<usize> = all.iter().filter(holds).copied().collect();
        if typed.is_empty() || fitting.is_empty() {
            show(tty, &no_number(all.len()));
        } else {
            list(&fitting);
        }
    }
}

fn no_number(count: usize) -> String {
    format!("that is no number from 1 to {count}\n")
}

/// Numbers from 1 to `count`, counted from 0; `None` when there is anything else.
fn numbers(typed: &str, count: usize) -> Option<Vec<usize>> {
    let numbers = typed.split([',', ' ']).filter(|number| !number.is_empty());
    let numbers: Option<Vec<usize>> = numbers
        .map(|number| number.parse().ok().filter(|&number| (1..=count).contains(&number)))
        .map(|number: Option<usize>| number.map(|number| number - 1))
        .collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

fn show(mut tty: &File, text: &str) {
    // A terminal that went away answers the question with an end of input.
    drop(tty.write_all(text.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_list() {
        assert_eq!(numbers("1, 3", 3), Some(vec![0, 2]));
        assert_eq!(numbers("2", 3), Some(vec![1]));
        for typed in ["", "0", "4", "one", "1 x", ","] {
            assert_eq!(numbers(typed, 3), None, "{typed}");
        }
    }
}
