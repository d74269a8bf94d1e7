//! What is printed, where, and in which colours.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use anstyle::{AnsiColor, Style};
use rustix::fs::OFlags;
use serde::Serialize;

use super::args::{Color, Format, Global};
use super::report::ErrorReport;
use crate::error::Error;
use crate::escaped_json::to_string;
use crate::redaction::diff::{Line, LineKind, sign, text_length};
use crate::toml::printable::{acts, one_line, one_line_with_tabs};

/// Where reports go.
pub(super) struct Output {
    pub format: Format,
    pub quiet: bool,
    /// Whether a person asked for secrets.
    pub show_secrets: bool,
    /// As a filter, standard output is for the config alone.
    filter: bool,
    color: Color,
    /// Why a report did not arrive.
    lost: Cell<Option<io::Error>>,
    /// Where a report is kept in place of being printed.
    kept: Option<RefCell<String>>,
}

impl Output {
    /// `writes` says whether the command changes the config.
    pub fn new(global: &Global, writes: bool) -> Self {
        Self {
            format: global.format,
            quiet: global.quiet,
            show_secrets: global.show_secrets,
            filter: writes && global.is_filter(),
            color: global.color,
            lost: Cell::new(None),
            kept: None,
        }
    }

    /// One that keeps the JSON report for whoever called.
    pub fn kept() -> Self {
        let (format, color) = (Format::Json, Color::Never);
        let (lost, kept) = (Cell::new(None), Some(RefCell::default()));
        Self { format, quiet: false, show_secrets: false, filter: false, color, lost, kept }
    }

    /// The report that was kept.
    pub fn into_kept(self) -> String {
        self.kept.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Prints a report.
    pub fn print(&self, text: &str) {
        if let Some(kept) = &self.kept {
            kept.borrow_mut().push_str(text);
        } else if self.filter {
            write_to(io::stderr(), text);
        } else if let Err(cause) = try_write_to(io::stdout(), text)
            // A reader that went away wants no more of it.
            && cause.kind() != io::ErrorKind::BrokenPipe
        {
            self.lost.set(Some(cause));
        }
    }

    /// Prints the JSON report.
    pub fn json(&self, report: &impl Serialize) {
        match to_string(report, acts) {
            Ok(text) => self.print(&format!("{text}\n")),
            Err(error) => write_to(io::stderr(), &format!("error: {error}\n")),
        }
    }

    /// What kept a report from standard output.
    pub fn lost(&self) -> Option<Error> {
        self.lost.take().map(Error::OutputLost)
    }

    /// Says something on standard error beside what goes to standard output.
    pub fn note(&self, text: &str) {
        if !self.quiet && self.kept.is_none() {
            write_to(io::stderr(), &format!("{text}\n"));
        }
    }

    /// Writes over the line that tells how far a command is, on standard error.
    #[cfg(feature = "verify")]
    pub fn progress(text: &str) {
        write_to(io::stderr(), text);
    }

    /// Warns on standard error, also where reports are unwanted or have another form.
    pub fn warning_of_output(warning: &str) {
        write_to(io::stderr(), &format!("warning: {}\n", one_line(warning)));
    }

    /// Prints an error to standard error where standard output takes nothing.
    pub fn error_of_output(error: &Error) {
        write_to(io::stderr(), &format!("error: {}\n", error.printable()));
    }

    /// Prints an error to standard error, or as JSON in place of the report.
    pub fn error(&self, error: &Error) {
        if self.format == Format::Json {
            self.json(&ErrorReport::new(error));
            if self.lost().is_some() {
                Self::error_of_output(error);
            }
        } else {
            Self::error_of_output(error);
        }
    }

    /// Whether a report is shown in colours.
    pub fn colors(&self) -> bool {
        let shown =
            if self.filter { io::stderr().is_terminal() } else { io::stdout().is_terminal() };
        (shown || self.color == Color::Always) && self.colors_on_terminal()
    }

    /// Whether a question on the terminal is asked in colours.
    pub fn colors_on_terminal(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => colors_are_wanted(),
        }
    }

    /// A diff as text, in colours when whoever reads it sees them.
    pub fn diff(&self, lines: &[Line], terminal: bool) -> String {
        let colors = if terminal { self.colors_on_terminal() } else { self.colors() };
        let mut out = String::with_capacity(text_length(lines));
        for line in lines {
            let (text, line_end) = without_return(&line.text);
            if !colors {
                out.push_str(sign(line.kind));
                out.push_str(&printable(line.kind, text));
                out.push_str(line_end);
                continue;
            }
            let style = style(line.kind);
            out.push_str(&format!("{style}{}", sign(line.kind)));
            let mut left = text;
            for (changed, piece) in line.pieces() {
                let (piece, rest) = left.split_at(piece.len().min(left.len()));
                left = rest;
                let piece = printable(line.kind, piece);
                if changed {
                    let marked = style.invert();
                    out.push_str(&format!("{marked}{piece}{marked:#}{style}"));
                } else {
                    out.push_str(&piece);
                }
            }
            out.push_str(&format!("{style:#}{line_end}"));
        }
        out
    }
}

/// A piece of a diff's line without what a terminal would act on.
fn printable(kind: LineKind, piece: &str) -> Cow<'_, str> {
    // The name of a file has no reason to hold a tab.
    if kind == LineKind::File { one_line(piece) } else { one_line_with_tabs(piece) }
}

/// A diff's line and its line end. A carriage return is a part of the patch, and right before the end of the
/// line a terminal has nothing to write over.
fn without_return(line: &str) -> (&str, &str) {
    line.strip_suffix('\r').map_or((line, "\n"), |line| (line, "\r\n"))
}

fn colors_are_wanted() -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_some_and(|name| name != "dumb")
}

fn style(kind: LineKind) -> Style {
    match kind {
        LineKind::File => Style::new().bold(),
        LineKind::Hunk => AnsiColor::Cyan.on_default(),
        LineKind::Context | LineKind::NoLineEnd => Style::new(),
        LineKind::Removed => AnsiColor::Red.on_default(),
        LineKind::Added => AnsiColor::Green.on_default(),
    }
}

/// An error as JSON on standard output, for arguments that could not be read.
pub(super) fn json_error(error: &Error) {
    if let Ok(text) = to_string(&ErrorReport::new(error), acts)
        && try_write_to(io::stdout(), &format!("{text}\n")).is_err()
    {
        Output::error_of_output(error);
    }
}

/// Prints the answer to a program that called this one.
pub(super) fn answer(text: &str) {
    write_to(io::stdout(), &format!("{text}\n"));
}

/// Writes what is of no use when it does not arrive whole.
pub(super) fn to_stdout(bytes: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(Error::OutputLost)
}

/// Writes the config of a filter, whose standard output must lead somewhere.
pub(super) fn filtered(bytes: &[u8]) -> Result<(), Error> {
    if was_closed(io::stdout()).unwrap_or(false) {
        return Err(Error::OutputLost(io::Error::other("it is closed")));
    }
    to_stdout(bytes)
}

/// Whether a stream was closed when the process started: the standard library then opens the null
/// device in its place, for reading as well, which a redirection to it is not.
fn was_closed(stream: impl AsFd) -> io::Result<bool> {
    let null = rustix::fs::stat("/dev/null")?;
    let found = rustix::fs::fstat(&stream)?;
    let access = rustix::fs::fcntl_getfl(&stream)? & OFlags::RWMODE;
    Ok(found.st_rdev == null.st_rdev && found.st_mode == null.st_mode && access == OFlags::RDWR)
}

/// Writes; a reader that went away is no failure of what was done.
fn write_to(stream: impl Write, text: &str) {
    drop(try_write_to(stream, text));
}

fn try_write_to(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes()).and_then(|()| stream.flush())
}
