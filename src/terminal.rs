//! Asking a person on the terminal, also when standard input is something else.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::error::Error;
use crate::secret::Secret;

/// The terminal of a person who can be asked.
pub struct Terminal {
    tty: File,
}

impl Terminal {
    /// A person is there when standard error is a terminal and `/dev/tty` opens.
    #[must_use]
    pub fn open() -> Option<Self> {
        if !io::stderr().is_terminal() {
            return None;
        }
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        Some(Self { tty })
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

    /// Asks for a secret without showing it. Ctrl-C and an end of input give it up.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSource`] when the person gives up.
    pub fn ask_hidden(&mut self, prompt: &str) -> Result<Secret, Error> {
        let gone = |_| Error::InvalidSource("the terminal can't hide what is typed".to_owned());
        let before = tcgetattr(&self.tty).map_err(gone)?;
        let mut hidden = before.clone();
        // Signals are off as well, so that the terminal is put right before Ctrl-C ends anything.
        hidden.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(&self.tty, OptionalActions::Flush, &hidden).map_err(gone)?;
        self.show(prompt);
        let typed = self.read_hidden();
        // A terminal that went away has no modes to put right.
        let _ = tcsetattr(&self.tty, OptionalActions::Flush, &before);
        self.show("\n");
        typed.ok_or_else(|| Error::InvalidSource("no password was given".to_owned()))
    }

    fn read_hidden(&mut self) -> Option<Secret> {
        let mut typed = zeroize::Zeroizing::new(Vec::with_capacity(256));
        loop {
            let mut byte = [0];
            if self.tty.read(&mut byte).ok()? == 0 {
                return None;
            }
            match byte[0] {
                b'\r' | b'\n' => break,
                // Ctrl-C, Ctrl-D and Ctrl-backslash.
                3 | 4 | 28 => return None,
                // Backspace takes a character, which may be several bytes.
                8 | 127 => while typed.pop().is_some_and(|byte| (0x80..0xc0).contains(&byte)) {},
                // Ctrl-U takes the line.
                21 => typed.clear(),
                byte => typed.push(byte),
            }
        }
        String::from_utf8(std::mem::take(&mut *typed)).ok().map(Secret::new)
    }
}
