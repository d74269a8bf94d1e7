//! The command line: it reads arguments, calls the library and talks.

mod args;
mod change;
mod input;
mod list;
mod output;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::error::Error;
use args::{Arguments, Command};
use output::Output;

/// Runs the command that the process was called with.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed pipe must not turn help into a failure.
            drop(error.print());
            let fine = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if fine { 0 } else { 2 });
        }
    };
    let output = Output::new(&arguments.global);
    match command(&arguments, &output) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.exit_status())
        }
    }
}

fn command(arguments: &Arguments, output: &Output) -> Result<u8, Error> {
    match &arguments.command {
        Command::Set(set) => change::set(&arguments.global, set, output),
        Command::Remove(remove) => change::remove(&arguments.global, remove, output),
        Command::List(list) => list::list(&arguments.global, list, output),
    }
}
