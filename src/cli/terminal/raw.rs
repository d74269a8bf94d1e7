//! A terminal that gives each key as it is pressed, and is put right again whatever ends that.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read as _, Write as _};

use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize,
    tcsetattr,
};
use signal_hook::consts::{SIGINT, SIGQUIT};

use super::key::{self, Key};
use crate::config_file::interruption::{Interruption, end_by};
use crate::error::Error;

/// How long a read waits for a key, in tenths of a second: so long may a signal or another size of
/// the window go unnoticed, and so long after it an Escape is no other key.
const PAUSE: u8 = 1;

/// What makes a terminal say what is pasted, and what ends that.
const MARK_PASTES: &[u8] = b"\x1b[?2004h";
const NO_MARKS: &[u8] = b"\x1b[?2004l";

/// Takes away the row of the cursor and those below it.
const CLEAR: &[u8] = b"\r\x1b[J";

/// Rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub rows: usize,
    pub columns: usize,
}

/// What happened.
pub(super) enum Event {
    Key(Key),
    /// The window has another size, or the terminal was somebody else's meanwhile.
    Repaint,
}

/// The terminal while a question is open. Nothing is echoed.
pub(super) struct Raw<'t> {
    tty: &'t File,
    before: Termios,
    during: Termios,
    /// Whether the terminal knows escape sequences.
    escapes: bool,
    interruption: Option<Interruption>,
    /// Bytes that are read and not yet keys.
    bytes: VecDeque<u8>,
    size: Size,
}

impl<'t> Raw<'t> {
    /// What was typed before the question is shown is no answer to it, and is dropped.
    pub fn begin(tty: &'t File, escapes: bool) -> Result<Self, Error> {
        // Before the modes change: a signal must find somebody who puts them right.
        let interruption = Some(Interruption::hold());
        let before = tcgetattr(tty).map_err(gone)?;
        let mut during = before.clone();
        // The keys that send signals are read, so that the terminal is put right before them.
        during.local_modes -=
            LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
        during.input_modes -= InputModes::ICRNL | InputModes::IXON;
        during.special_codes[SpecialCodeIndex::VMIN] = 0;
        during.special_codes[SpecialCodeIndex::VTIME] = PAUSE;
        let size = size(tty);
        let raw = Self { tty, before, during, escapes, interruption, bytes: VecDeque::new(), size };
        raw.set_up()?;
        Ok(raw)
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// Waits for a key. Ctrl-Z stops the process here, Ctrl-C and signals end it.
    pub fn event(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(signal) = self.interruption.as_ref().and_then(Interruption::pending) {
                return Err(self.end(signal));
            }
            let now = size(self.tty);
            if now != self.size {
                self.size = now;
                return Ok(Event::Repaint);
            }
            let Some(first) = self.next_byte() else {
                // Nothing within the pause, or nothing ever again.
                tcgetattr(self.tty).map_err(gone)?;
                continue;
            };
            match key::read(first, || self.next_byte()) {
                Key::Interrupt => return Err(self.end(SIGINT)),
                Key::Quit => return Err(self.end(SIGQUIT)),
                Key::Suspend => {
                    // The shell's words shall not stand among those of the question.
                    self.write(if self.escapes { CLEAR } else { b"\n" });
                    self.put_right();
                    // As the terminal does it: a shell waits for all processes of a pipeline.
                    let _ = kill_current_process_group(Signal::TSTP);
                    self.set_up()?;
                    return Ok(Event::Repaint);
                }
                key => return Ok(Event::Key(key)),
            }
        }
    }

    fn next_byte(&mut self) -> Option<u8> {
        if self.bytes.is_empty() {
            let mut read = zeroize::Zeroizing::new([0; 256]);
            let count = self.tty.read(&mut *read).unwrap_or(0);
            self.bytes.extend(&read[..count]);
        }
        self.bytes.pop_front()
    }

    fn set_up(&self) -> Result<(), Error> {
        tcsetattr(self.tty, OptionalActions::Flush, &self.during).map_err(gone)?;
        self.escape(MARK_PASTES);
        Ok(())
    }

    fn put_right(&self) {
        self.escape(NO_MARKS);
        // A terminal that went away has no modes to put right. What was typed behind the answer
        // is not the next one.
        let _ = tcsetattr(self.tty, OptionalActions::Flush, &self.before);
    }

    fn escape(&self, sequence: &[u8]) {
        if self.escapes {
            self.write(sequence);
        }
    }

    fn write(&self, bytes: &[u8]) {
        let mut tty = self.tty;
        drop(tty.write_all(bytes));
    }

    /// Ends the process as the signal would have.
    fn end(&mut self, signal: i32) -> Error {
        self.put_right();
        self.write(b"\n");
        self.interruption = None;
        end_by(signal);
        Error::GivenUp
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        self.bytes.iter_mut().for_each(|byte| *byte = 0);
        if let Some(interruption) = self.interruption.take() {
            self.put_right();
            if let Some(signal) = interruption.pending() {
                drop(interruption);
                end_by(signal);
            }
        }
    }
}

fn size(tty: &File) -> Size {
    let found = tcgetwinsize(tty).ok();
    let number = |number: u16, usual| if number == 0 { usual } else { usize::from(number) };
    Size {
        rows: number(found.map_or(0, |size| size.ws_row), 24),
        columns: number(found.map_or(0, |size| size.ws_col), 80),
    }
}

fn gone(_: rustix::io::Errno) -> Error {
    Error::TerminalLost("the terminal can't be asked any more")
}
