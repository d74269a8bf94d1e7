//! `man`: the manual pages.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::args::ManPages;
use super::help;
use super::output::to_stdout;
use crate::config_file::safe_write::man_page;
use crate::error::Error;
use crate::exit_status::ExitStatus;

/// When the version was made, which whoever builds a package says.
const DATE: &str = match option_env!("RUNNER_AUTH_DATE") {
    Some(date) => date,
    None => "",
};

/// Prints the page of a command, or writes all into a folder.
pub(super) fn man(pages: &ManPages) -> Result<ExitStatus, Error> {
    // Built, so that each command knows its whole name and the options that all have.
    let mut all = help::command().disable_help_subcommand(true);
    all.build();
    if let Some(folder) = &pages.into {
        fs::create_dir_all(folder).map_err(|cause| {
            let is_file = cause.kind() == io::ErrorKind::AlreadyExists;
            not_created(folder, if is_file { io::ErrorKind::NotADirectory.into() } else { cause })
        })?;
        for command in all.get_subcommands().chain([&all]) {
            let name = format!("{}.1", title(command));
            let text = page(command, &all).map_err(Error::OutputLost)?;
            man_page::place(folder, &name, &text)
                .map_err(|cause| not_created(&folder.join(&name), cause))?;
        }
        return Ok(ExitStatus::Done);
    }
    let command = match &pages.command {
        None => &all,
        Some(name) => all.find_subcommand(name).ok_or_else(|| {
            let known: Vec<_> = all.get_subcommands().map(Command::get_name).collect();
            Error::Usage(format!("there is no such command; the commands are {}", known.join(", ")))
        })?,
    };
    to_stdout(&page(command, &all).map_err(Error::OutputLost)?)?;
    Ok(ExitStatus::Done)
}

fn not_created(path: &Path, cause: io::Error) -> Error {
    Error::NotCreated { path: path.display().to_string(), cause }
}

/// `runner-auth`, or `runner-auth-set`.
fn title(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn page(command: &Command, all: &Command) -> io::Result<Vec<u8>> {
    // Examples and statuses have sections of their own here.
    let plain = command.clone().after_help(None::<&str>);
    let version = all.get_version().unwrap_or_default();
    let man = Man::new(plain);
    let mut out = Vec::new();
    let name = title(command).to_uppercase();
    writeln!(out, ".TH {name} 1 \"{DATE}\" \"runner-auth {version}\" \"User Commands\"")?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    let mut rest = Roff::default();
    let name = if command.has_subcommands() { "" } else { command.get_name() };
    rest.control("SH", ["EXAMPLES"]);
    for (number, (what, line)) in help::examples(name).iter().enumerate() {
        if number > 0 {
            rest.control("PP", []);
        }
        rest.text([roman(format!("{what}:"))]);
        rest.control("RS", ["4"]).control("nf", []).text([bold(*line)]);
        rest.control("fi", []).control("RE", []);
    }
    rest.control("SH", ["EXIT STATUS"]);
    for status in ExitStatus::ALL {
        let number = bold(status.number().to_string());
        rest.control("TP", []).text([number]).text([roman(status.meaning())]);
    }
    rest.control("SH", ["FILES"]);
    for (file, meaning) in [
        ("/etc/gitlab-runner/config.toml", "the config that is read as root"),
        ("~/.gitlab-runner/config.toml", "the config that is read as another user"),
    ] {
        rest.control("TP", []).text([bold(file)]).text([roman(meaning)]);
    }
    rest.control("SH", ["ENVIRONMENT"]);
    for (variable, meaning) in [
        ("CONFIG_FILE", "the config, in place of those"),
        ("DOCKER_CONFIG", "the folder of Docker's config.json, for --from-docker-config"),
        ("NO_COLOR", "no colours, if it is not empty"),
        (
            "ACCESSIBLE",
            "if it is not empty, questions are plain lines and numbered lists, as for a screen \
             reader and with TERM=dumb",
        ),
    ] {
        rest.control("TP", []).text([bold(variable)]).text([roman(meaning)]);
    }
    rest.control("SH", ["SEE ALSO"]);
    let others =
        all.get_subcommands().chain([all]).map(title).filter(|each| *each != title(command));
    let mut others: Vec<_> = others.map(|each| format!("{each}(1)")).collect();
    others.sort();
    rest.text([roman(others.join(", "))]);
    rest.to_writer(&mut out)?;
    Ok(tidy(&String::from_utf8_lossy(&out)).into_bytes())
}

/// Without the breaks around an empty line and the blanks at line ends, which say nothing.
fn tidy(page: &str) -> String {
    let page = page.replace(".br\n\n.br\n", ".sp\n");
    let lines: Vec<_> = page.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}
