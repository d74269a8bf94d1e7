//! What is printed, where, and in which colours.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::args::{Color, Format, Global};
use super::json;
use crate::error::Error;
use crate::redaction::diff::{Line, LineKind, sign};
use crate::toml::printable::printable;

#[derive(Serialize)]
struct Report {
    schema: u8,
    error: Problem,
}

#[derive(Serialize)]
struct Problem {
    code: &'static str,
    message: String,
}

/// Where reports go.
pub(super) struct Output {
    pub format: Format,
    pub quiet: bool,
    /// As a filter, standard output is for the config alone.
    filter: bool,
    color: Color,
}

impl Output {
    /// `writes` says whether the command changes the config.
    pub fn new(global: &Global, writes: bool) -> Self {
        Self {
            format: global.format,
            quiet: global.quiet,
            filter: writes && global.is_filter(),
            color: global.color,
        }
    }

    /// Prints a report.
    pub fn print(&self, text: &str) {
        if self.filter {
            write_to(io::stderr(), text);
        } else {
            write_to(io::stdout(), text);
        }
    }

    /// Prints the JSON report.
    pub fn json(&self, report: &impl Serialize) {
        match json::to_string(report) {
            Ok(text) => self.print(&format!("{text}\n")),
            Err(error) => write_to(io::stderr(), &format!("error: {error}\n")),
        }
    }

    /// Says something on standard error beside what goes to standard output.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            write_to(io::stderr(), &format!("{text}\n"));
        }
    }

    /// Writes over the line that tells how far a command is, on standard error.
    #[cfg(feature = "verify")]
    pub fn progress(text: &str) {
        write_to(io::stderr(), text);
    }

    /// Prints an error to standard error, or as JSON in place of the report.
    pub fn error(&self, error: &Error) {
        let message = printable(&error.to_string());
        if self.format == Format::Json {
            self.json(&Report { schema: 1, error: Problem { code: error.code(), message } });
        } else {
            write_to(io::stderr(), &format!("error: {message}\n"));
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
        if !(if terminal { self.colors_on_terminal() } else { self.colors() }) {
            return crate::redaction::diff::to_text(lines);
        }
        let mut out = String::new();
        for line in lines {
            let style = style(line.kind);
            out.push_str(&format!("{style}{}", sign(line.kind)));
            for (changed, piece) in &line.pieces {
                if *changed {
                    let marked = style.invert();
                    out.push_str(&format!("{marked}{piece}{marked:#}{style}"));
                } else {
                    out.push_str(piece);
                }
            }
            out.push_str(&format!("{style:#}\n"));
        }
        out
    }
}

fn colors_are_wanted() -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_some_and(|name| name != "dumb")
}

fn style(kind: LineKind) -> Style {
    match kind {
        LineKind::File => Style::new().bold(),
        LineKind::Hunk => AnsiColor::Cyan.on_default(),
        LineKind::Context => Style::new(),
        LineKind::Removed => AnsiColor::Red.on_default(),
        LineKind::Added => AnsiColor::Green.on_default(),
    }
}

/// An error as JSON on standard output, for arguments that could not be read.
pub(super) fn json_error(error: &Error) {
    let problem = Problem { code: error.code(), message: printable(&error.to_string()) };
    if let Ok(text) = json::to_string(&Report { schema: 1, error: problem }) {
        write_to(io::stdout(), &format!("{text}\n"));
    }
}

/// Writes what is of no use when it does not arrive whole.
pub(super) fn to_stdout(bytes: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(not_written)
}

/// Standard output didn't take what it should.
pub(super) fn not_written(cause: io::Error) -> Error {
    Error::NotWritable { path: "standard output".into(), step: "writing", cause, advice: None }
}

/// Writes; a reader that went away is no failure of what was done.
fn write_to(mut stream: impl Write, text: &str) {
    drop(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()));
}
