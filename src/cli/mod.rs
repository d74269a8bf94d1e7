//! The command line: it reads arguments, calls the library and talks.
//!
//! Nothing else prints or asks. What is decided here is only how to say it.

mod ansible;
mod args;
mod change;
mod columns;
mod completions;
mod doctor;
mod explain;
mod fix;
mod guide;
mod hardening;
mod help;
mod image;
mod input;
mod list;
mod man;
mod oddities;
mod output;
mod preview;
mod remove;
mod render;
mod report;
mod review;
mod set;
mod source;
mod terminal;
mod unreadable;
mod usage;
#[cfg(feature = "verify")]
mod verify;

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::config_file::interruption::end_by;
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::toml::printable::one_line;
use args::{Arguments, Command};
use output::Output;

/// Runs the command that the process was called with.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     runner_auth::run()
/// }
/// ```
#[must_use]
pub fn run() -> ExitCode {
    hardening::protect();
    if let Some(status) = completions::answer() {
        return status;
    }
    if let Some(file) = ansible::options_file() {
        return ansible::run(&file);
    }
    let words: Vec<_> = std::env::args_os().collect();
    let arguments = match Arguments::read(&words, help::command) {
        Ok(arguments) => arguments,
        Err(error) => return refused(error),
    };
    let output = Output::new(&arguments.global, arguments.command.writes());
    match command(&arguments, &output) {
        Ok(status) => match output.lost() {
            Some(error) => {
                Output::error_of_output(&error);
                ExitCode::from(error.exit_status())
            }
            None => ExitCode::from(status),
        },
        Err(error) => {
            let error = unreadable::explained(error, &arguments);
            output.error(&error);
            if let Error::Interrupted { signal, .. } = error {
                end_by(signal);
            }
            ExitCode::from(error.exit_status())
        }
    }
}

/// What only takes words of a list, versions or small numbers: nobody puts a secret there. `--id` is
/// not among them, since a token is what people try there.
const HARMLESS: [&str; 12] = [
    "--as",
    "--color",
    "--context",
    "--format",
    "--lock-timeout",
    "--max-size",
    "--only",
    "--pull-policy",
    "--runner-version",
    "--settle",
    "--timeout",
    "<SHELL>",
];

/// An error of arguments in which no value is repeated that could be a password, since one may stand
/// in the wrong place.
fn without_values(mut error: clap::Error) -> clap::Error {
    let hidden = || ContextValue::String("<hidden>".to_owned());
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.split(' ').next().unwrap_or_default(),
        _ => "",
    };
    let harmless = HARMLESS.contains(&argument);
    let value = match error.get(ContextKind::InvalidValue) {
        // Without a value there is nothing to hide.
        Some(ContextValue::String(value)) if harmless || value.is_empty() => {
            ContextValue::String(one_line(value).into_owned())
        }
        _ => hidden(),
    };
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(found)))
            if !found.starts_with('-') =>
        {
            error.insert(ContextKind::InvalidArg, hidden());
        }
        (ErrorKind::TooManyValues | ErrorKind::ValueValidation | ErrorKind::InvalidValue, _) => {
            error.insert(ContextKind::InvalidValue, value);
        }
        _ => {}
    }
    error
}

/// Help, the version, or arguments that don't fit.
fn refused(error: clap::Error) -> ExitCode {
    let fine = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let words: Vec<_> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let advice = usage::advice(&error, &words);
    let mut error = without_values(error);
    // How to pass an option as an image or a file: nobody means that.
    error.remove(ContextKind::Suggested);
    let json = words.iter().any(|word| word == "--format=json")
        || words.windows(2).any(|two| two[0] == "--format" && two[1] == "json");
    if json && !fine {
        let text = error.render().to_string();
        let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        output::json_error(&Error::Usage(advice.unwrap_or_else(|| line.to_owned())));
    } else if let Some(advice) = advice {
        Output::error_of_output(&Error::Usage(advice));
    } else {
        // A closed pipe must not turn help into a failure.
        drop(error.print());
    }
    ExitCode::from(if fine { ExitStatus::Done } else { ExitStatus::Usage })
}

fn command(arguments: &Arguments, output: &Output) -> Result<ExitStatus, Error> {
    if output.format.is_review() && !matches!(arguments.command, Command::Doctor(_)) {
        return Err(Error::Usage(
            "--format code-climate and --format sarif are for doctor: this command has text and json"
                .into(),
        ));
    }
    match &arguments.command {
        Command::Set(set) => set::set(&arguments.global, set, output),
        Command::Remove(remove) => remove::remove(&arguments.global, remove, output),
        Command::List(list) => list::list(&arguments.global, list, output),
        Command::Explain(explain) => explain::explain(&arguments.global, explain, output),
        #[cfg(feature = "verify")]
        Command::Verify(verify) => verify::verify(&arguments.global, verify, output),
        Command::Doctor(doctor) => doctor::doctor(&arguments.global, doctor, output),
        Command::Render(render) => render::render(&arguments.global, render, output),
        Command::Completions(completions) => completions::completions(completions),
        Command::Man(pages) => man::man(pages),
    }
}
