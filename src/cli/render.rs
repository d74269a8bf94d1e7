//! `render`: an auth document for another place.

use std::io::{self, IsTerminal as _};

use serde::Serialize;

use super::args::{Format, Global, Render, RenderForm};
use super::input::Input;
use super::output::{Output, to_stdout};
use super::report::Report;
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::resolver::rendering::{Form, Rendering};
use crate::runner::Config;
use crate::runner::selection::Matches;

#[derive(Serialize)]
struct Body<'r> {
    r#as: RenderForm,
    rendered: &'r str,
}

pub(super) fn render(
    global: &Global,
    render: &Render,
    output: &Output,
) -> Result<ExitStatus, Error> {
    let rendering = rendering(global, render)?;
    let form = match render.form {
        RenderForm::Json => Form::Json,
        RenderForm::Env => Form::Env,
        RenderForm::Toml => Form::Toml,
        RenderForm::GitlabCi => Form::GitlabCi,
        RenderForm::EnvVars => Form::EnvVars,
        RenderForm::Puppet => Form::Puppet,
    };
    let text = rendering.write(form);
    if io::stdout().is_terminal() {
        output.note("This contains passwords in plain text.");
    }
    if output.format == Format::Json {
        let rendered = text.expose();
        output.json(&Report::new("render", Body { r#as: render.form, rendered }));
        return Ok(ExitStatus::Done);
    }
    to_stdout(text.expose().as_bytes())?;
    Ok(ExitStatus::Done)
}

/// From a source, or without one from the selected runner.
fn rendering(global: &Global, render: &Render) -> Result<Rendering, Error> {
    let source = &render.source;
    if source.is_given() {
        if !render.selection.is_empty() || global.config.is_some() {
            return Err(Error::Usage(
                "render takes a credential source or a runner's entry, not both: leave one of them \
                 out"
                .into(),
            ));
        }
        return Ok(match source.delegation()? {
            Some((helper, registries)) => Rendering::of_helper(&helper, &registries),
            None => Rendering::of_logins(&source.logins()?),
        });
    }
    let selector = render.selection.selector()?;
    if selector.all {
        return Err(Error::Usage("render prints the document of one runner: name it".into()));
    }
    let input = Input::read(global)?;
    let config = Config::parse(input.text())?;
    let selected = selector.select(&config, Matches::One)?;
    match selected[..] {
        [number] => Rendering::of_runner(&config, &config.runners()[number]),
        _ => Err(Error::Usage("render prints the document of one runner: name one".into())),
    }
}
