//! The `runner-auth` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    runner_auth::cli::run()
}
