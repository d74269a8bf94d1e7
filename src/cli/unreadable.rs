//! What can't be read, in words for what people mean by it.

use std::io;
use std::path::Path;

use super::args::{Arguments, Command, Selection, Source};
use crate::config_file::ROOT_CONFIG;
use crate::error::Error;
use crate::resolver::shell::option;

/// Endings of files that hold secrets or documents.
const ENDINGS: [&str; 12] = [
    "cfg", "conf", "env", "json", "key", "pass", "passwd", "password", "secret", "txt", "yaml",
    "yml",
];

/// The same error with what helps: where a config was looked for, or which option's file it is. What
/// is no path could be a secret in the wrong place, and is not repeated.
pub(super) fn explained(error: Error, arguments: &Arguments) -> Error {
    let (path, cause) = match error {
        Error::Unreadable { path, cause } => (path, cause),
        Error::InvalidToml { path, place, problem } => {
            let problem = format!("{problem}{}", more_of(&path, &problem, arguments));
            return Error::InvalidToml { path, place, problem };
        }
        error => return error,
    };
    let is_it = |file: &Path| file.display().to_string() == path && !is_path(file);
    let option = files(&arguments.command).into_iter().find(|(_, file)| is_it(file));
    let option = option.map(|(option, _)| option);
    let config = if arguments.global.config.is_some() { "--config" } else { "CONFIG_FILE" };
    if let Err(refused) = refuse_document(option.unwrap_or(config), &path) {
        return refused;
    }
    if let Some(option) = option {
        return Error::Unreadable { path: format!("the file that {option} names"), cause };
    }
    let global = &arguments.global;
    let default = global.config.is_none()
        && global.path().is_ok_and(|default| default.display().to_string() == path);
    if default && std::env::var_os("CONFIG_FILE").is_some_and(|value| !value.is_empty()) {
        return Error::Unreadable { path: format!("{path}, which $CONFIG_FILE names,"), cause };
    }
    if default && cause.kind() == io::ErrorKind::NotFound {
        let root = Path::new(ROOT_CONFIG);
        let elsewhere = path != ROOT_CONFIG && root.parent().is_some_and(Path::exists);
        return Error::ConfigNotFound { path, elsewhere };
    }
    Error::Unreadable { path, cause }
}

/// Refuses an auth document in the place of a path, without repeating it.
pub(super) fn refuse_document(named: &str, path: &str) -> Result<(), Error> {
    if !is_document(path) {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{named} takes the path of a file, or - for standard input; what was typed is now in the shell's \
         history: change the passwords in it"
    )))
}

/// The command that says more about broken TOML, where the parser alone has spoken.
fn more_of(path: &str, problem: &str, arguments: &Arguments) -> String {
    if problem == "this is JSON and not TOML" {
        return ": an auth document goes into a runner with set --auth-config".to_owned();
    }
    let global = &arguments.global;
    let told = !problem.starts_with("this is not TOML") || problem.contains(';');
    if told || global.is_filter() || matches!(arguments.command, Command::Doctor(_)) {
        return String::new();
    }
    let inside = global.yaml_path.as_deref().map(|inside| option("--yaml-path", inside));
    let config = option("-c", path);
    format!("; runner-auth doctor{config}{} says more", inside.unwrap_or_default())
}

/// The files that the options name.
fn files(command: &Command) -> Vec<(&'static str, &Path)> {
    let (selection, source) = match command {
        Command::Set(set) => (Some(&set.selection), Some(&set.source)),
        Command::Render(render) => (Some(&render.selection), Some(&render.source)),
        Command::Remove(remove) => (Some(&remove.selection), None),
        Command::List(list) => (Some(&list.selection), None),
        Command::Explain(explain) => (Some(&explain.selection), None),
        #[cfg(feature = "verify")]
        Command::Verify(verify) => (Some(&verify.selection), None),
        Command::Doctor(doctor) => (Some(&doctor.selection), None),
        _ => (None, None),
    };
    let tokens = selection.into_iter().flat_map(Selection::token_files);
    tokens.chain(source.into_iter().flat_map(Source::files)).collect()
}

/// Whether an auth document stands in the place of a path, with the name of its variable or without.
fn is_document(path: &str) -> bool {
    !Path::new(path).exists() && path.contains('{') && path.contains('"')
}

/// Whether this looks like a path, and not like a secret that was given in its place.
fn is_path(path: &Path) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let ending = path.extension().and_then(|ending| ending.to_str());
    path.exists()
        || folder.is_some_and(Path::is_dir)
        || ending.is_some_and(|ending| ENDINGS.contains(&ending.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_no_path() {
        for path in ["pasword.txt", "/etc/no-such-file", "auth.JSON", "./x", "Cargo.toml"] {
            assert!(is_path(Path::new(path)), "{path}");
        }
        for secret in ["hunter2", "glrt-t1_4qCqD8pEo.01.1a2b3c", "{\"auths\":{}}", "aGk/YQ=="] {
            assert!(!is_path(Path::new(secret)), "{secret}");
        }
    }
}
