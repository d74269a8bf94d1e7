//! How a runner is called. The names in it are as they stand in the file: what goes to a terminal is
//! escaped where it is printed.

use super::Runner;

/// A runner's name and short token. The name is given, since it may have been cleaned of secrets.
pub(crate) fn title(name: &str, runner: &Runner<'_>) -> String {
    let name = if name.is_empty() { "(no name)" } else { name };
    let token = if runner.short_token().is_empty() { "no token" } else { runner.short_token() };
    [name, " (", token, ")"].concat()
}

/// [`title`] with the executor.
pub(crate) fn heading(name: &str, runner: &Runner<'_>) -> String {
    let title = title(name, runner);
    if runner.executor().name().is_empty() {
        title
    } else {
        [&title, ", ", runner.executor().shown()].concat()
    }
}

/// [`heading`] with GitLab's number for it, to choose by.
pub(crate) fn candidate(runner: &Runner<'_>) -> String {
    let id = runner.id().filter(|&id| id != 0).map_or(String::new(), |id| format!(", id {id}"));
    format!("{}{id}", heading(&runner.shown_name(), runner))
}
