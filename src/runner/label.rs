//! How a runner is called, on one line.

use super::Runner;
use crate::toml::printable::one_line;

/// A runner's name and short token. The name is given, since it may have been cleaned of secrets.
pub(crate) fn title(name: &str, runner: &Runner<'_>) -> String {
    let name = if name.is_empty() { "(no name)" } else { name };
    let token = if runner.short_token().is_empty() { "no token" } else { runner.short_token() };
    one_line(&format!("{name} ({token})"))
}

/// [`title`] with the executor.
pub(crate) fn heading(name: &str, runner: &Runner<'_>) -> String {
    let title = title(name, runner);
    if runner.executor().name().is_empty() {
        title
    } else {
        one_line(&format!("{title}, {}", runner.executor().shown()))
    }
}

/// [`heading`] with GitLab's number for it, to choose by.
pub(crate) fn candidate(runner: &Runner<'_>) -> String {
    let id = runner.id().filter(|&id| id != 0).map_or(String::new(), |id| format!(", id {id}"));
    format!("{}{id}", heading(&runner.shown_name(), runner))
}
