//! `list`: the runners and what each can pull from.

use serde::Serialize;

use super::args::{Format, Global, List};
use super::columns::Columns;
use super::input::Input;
use super::output::Output;
use super::report::{Report, RunnerLabel, RunnersBody, redaction};
use crate::auth::registry::without_user;
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::resolver::listing::{self, Listed};
use crate::runner::Config;
use crate::runner::selection::{Matches, Selector};
use crate::toml::printable::one_line;

#[derive(Serialize)]
struct RunnerReport {
    #[serde(flatten)]
    label: RunnerLabel,
    /// GitLab's number, where the file has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    url: String,
    credentials: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub(super) fn list(global: &Global, list: &List, output: &Output) -> Result<ExitStatus, Error> {
    let selector = list.selection.selector()?;
    let (input, runners) =
        Input::read_settled(global, |input| runners(input, &selector, global.show_secrets))?;
    let text = input.text();
    if output.format == Format::Json {
        output.json(&Report::new("list", RunnersBody::new(text, runners)));
    } else if runners.is_empty() {
        output.print(&format!("{} has no [[runners]] entry.\n", one_line(text.label())));
    } else {
        output.print(&table(&runners));
    }
    Ok(ExitStatus::Done)
}

fn runners(
    input: &Input,
    selector: &Selector,
    show_secrets: bool,
) -> Result<Vec<RunnerReport>, Error> {
    let config = Config::parse(input.text())?;
    let redaction = redaction(&config, show_secrets);
    let mut runners = Vec::new();
    for number in selector.select(&config, Matches::Any)? {
        let runner = &config.runners()[number];
        let (credentials, problem) = match listing::credentials(&config, runner)? {
            Ok(credentials) => (credentials, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        runners.push(RunnerReport {
            label: RunnerLabel::new(runner, &redaction),
            id: runner.id().filter(|&id| id != 0),
            url: redaction.clean(&without_user(runner.url())).into_owned(),
            credentials,
            problem,
        });
    }
    Ok(runners)
}

/// The runners in columns, a line for each registry.
fn table(runners: &[RunnerReport]) -> String {
    let heading = ["NAME", "TOKEN", "ID", "EXECUTOR", "URL"].map(str::to_owned);
    let mut rows = vec![(heading, "REGISTRY".to_owned())];
    for runner in runners {
        let mut registries: Vec<String> = runner.credentials.iter().map(registry).collect();
        registries.extend(runner.problem.clone());
        if registries.is_empty() {
            registries.push("-".to_owned());
        }
        for (number, registry) in registries.into_iter().enumerate() {
            let first = |text: &str| {
                if number == 0 { one_line(text).into_owned() } else { String::new() }
            };
            let cells = [
                first(if runner.label.name.is_empty() { "-" } else { &runner.label.name }),
                first(&runner.label.short_token),
                first(&runner.id.map_or("-".to_owned(), |id| id.to_string())),
                first(&runner.label.executor),
                first(&runner.url),
            ];
            rows.push((cells, one_line(&registry).into_owned()));
        }
    }
    let columns = Columns::of(rows.iter().map(|(cells, _)| cells));
    rows.iter().map(|(cells, registry)| columns.line(cells, registry)).collect()
}

/// A registry with its user, or the helper that answers for it.
pub(super) fn registry(listed: &Listed) -> String {
    match (&listed.helper, &listed.username) {
        (Some(helper), _) => format!("{} (asks docker-credential-{helper})", listed.registry),
        (None, Some(user)) => format!("{} ({user})", listed.registry),
        (None, None) => format!("{} (user not known)", listed.registry),
    }
}
