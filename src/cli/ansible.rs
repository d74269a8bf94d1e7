//! The Ansible module `runner_auth.gitlab.docker_auth`: this program under that name.
//!
//! Ansible copies a binary module to the host and runs it with the path of a file that holds the
//! options as JSON; the answer is one JSON object on standard output. The options become those of
//! `set` or `remove`, and the report of that command becomes the answer. Nobody is asked anything,
//! and no option comes back in the answer: Ansible prints answers and keeps them.
//!
//! Source: Ansible's developer guide, "Binary modules", and `_execute_module` in
//! `lib/ansible/plugins/action/__init__.py` of ansible-core 2.19.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use serde_json::{Map, Value, json};

use super::args::{Arguments, Command};
use super::output::Output;
use super::{command, help, without_values};
use crate::auth::source;
use crate::error::Error;
use crate::escaped_json::escaped;
use crate::exit_status::ExitStatus;
use crate::secret::Secret;
use crate::toml::printable::acts;

/// What the file of the module is called on a host, perhaps with an architecture behind it.
const NAME: &str = "docker_auth";

/// The file with the options, when this process is the module.
pub(super) fn options_file() -> Option<PathBuf> {
    let words: Vec<_> = std::env::args_os().collect();
    let [own, file] = &words[..] else { return None };
    let own = Path::new(own).file_name()?.to_str()?;
    // Newer versions of Ansible put this before every name.
    own.strip_prefix("AnsiballZ_").unwrap_or(own).starts_with(NAME).then(|| PathBuf::from(file))
}

/// Does what the options say, and answers.
pub(super) fn run(file: &Path) -> ExitCode {
    let (answer, status) = match source::from_file(file).and_then(|text| answer(&text)) {
        Ok(answer) => (answer, ExitStatus::Done),
        Err(error) => {
            let answer = json!({
                "failed": true,
                "changed": false,
                "code": error.code(),
                "msg": error.to_string(),
            });
            (answer, error.exit_status())
        }
    };
    // Ansible shows it to a person, and names in it are as they stand in the config.
    super::output::answer(&escaped(&answer.to_string(), acts));
    ExitCode::from(status)
}

/// What Ansible itself adds to the options.
struct Task {
    check: bool,
    diff: bool,
}

fn answer(text: &Secret) -> Result<Value, Error> {
    let parsed: Result<Map<String, Value>, _> = serde_json::from_str(text.expose());
    let mut options = Options(parsed.map_err(|_| wrong("the options are no JSON object"))?);
    let task =
        Task { check: options.flag("_ansible_check_mode")?, diff: options.flag("_ansible_diff")? };
    let mut words = vec!["runner-auth".to_owned(), verb(&mut options)?.to_owned()];
    let (password, document) = options.secrets()?;
    options.words(&mut words)?;
    options.end()?;
    // Nobody is asked.
    words.push("--yes".to_owned());
    if task.check {
        words.push("--dry-run".to_owned());
    }
    let words: Vec<_> = words.into_iter().map(OsString::from).collect();
    let mut arguments = Arguments::read(&words, help::command).map_err(|mut error| {
        // A variable may have gone into the wrong option: no value is repeated at all.
        let hidden = ContextValue::String("<hidden>".to_owned());
        error.insert(ContextKind::InvalidValue, hidden);
        let text = without_values(error).render().to_string();
        let line = text.lines().next().unwrap_or_default();
        wrong(line.trim_start_matches("error: "))
    })?;
    if let Command::Set(set) = &mut arguments.command {
        set.source.given.password = password;
        set.source.given.document = document;
        if set.stores_credentials() && set.source.leaves_open() {
            return Err(wrong(
                "a credential is missing: give registry, username and password, or auth_config, or \
                 credential_helper",
            ));
        }
    }
    let output = Output::kept();
    command(&arguments, &output)?;
    let report = serde_json::from_str(&output.into_kept());
    let mut report: Map<String, Value> = report.unwrap_or_default();
    for name in ["schema", "command", "written"] {
        report.remove(name);
    }
    let shown = report.remove("diff").filter(|_| task.diff);
    if let Some(shown) = shown.filter(|text| text.as_str() != Some("")) {
        report.insert("diff".to_owned(), json!({ "prepared": shown }));
    }
    Ok(Value::Object(report))
}

/// The command that brings about the wanted state.
fn verb(options: &mut Options) -> Result<&'static str, Error> {
    match options.text("state")?.as_deref() {
        None | Some("present") => Ok("set"),
        Some("absent") => {
            let registry = options.0.get("registry").is_some_and(|value| !value.is_null());
            let helper = options.0.get("credential_helper").is_some_and(|value| !value.is_null());
            if !registry && !helper {
                options.0.insert("everything".to_owned(), Value::Bool(true));
            }
            Ok("remove")
        }
        Some(_) => Err(wrong("state is present or absent")),
    }
}

fn wrong(problem: &str) -> Error {
    Error::Usage(problem.to_owned())
}

/// The options that are not used yet.
struct Options(Map<String, Value>);

impl Options {
    /// An option that is there; `null` is what Ansible makes of one that is left out.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn flag(&mut self, name: &str) -> Result<bool, Error> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(Value::String(word)) => match word.to_ascii_lowercase().as_str() {
                "yes" | "true" | "on" | "1" => Ok(true),
                "no" | "false" | "off" | "0" | "" => Ok(false),
                _ => Err(wrong(&format!("{name} is true or false"))),
            },
            Some(_) => Err(wrong(&format!("{name} is true or false"))),
        }
    }

    /// One word, which may be a number.
    fn text(&mut self, name: &str) -> Result<Option<String>, Error> {
        let value = self.take(name);
        value
            .map(|value| word(value).ok_or_else(|| wrong(&format!("{name} is a string"))))
            .transpose()
    }

    /// One word or several.
    fn list(&mut self, name: &str) -> Result<Vec<String>, Error> {
        let words = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(words)) => words.into_iter().map(word).collect(),
            Some(value) => word(value).map(|word| vec![word]),
        };
        words.ok_or_else(|| wrong(&format!("{name} is a string or a list of strings")))
    }

    /// The password and the auth document, which are no words of a command.
    fn secrets(&mut self) -> Result<(Option<Secret>, Option<Secret>), Error> {
        let password = self.text("password")?.map(Secret::new);
        let document = match self.take("auth_config") {
            None => None,
            Some(Value::String(text)) => Some(Secret::new(text)),
            Some(value @ Value::Object(_)) => Some(Secret::new(value.to_string())),
            Some(_) => return Err(wrong("auth_config is a dictionary or a string")),
        };
        Ok((password, document))
    }

    /// The options as those of the command line.
    fn words(&mut self, words: &mut Vec<String>) -> Result<(), Error> {
        const LISTS: [(&str, &str); 6] = [
            ("name", "name"),
            ("token", "token"),
            ("id", "id"),
            ("executor", "executor"),
            ("registry", "registry"),
            ("pull_policy", "pull-policy"),
        ];
        const TEXTS: [(&str, &str); 5] = [
            ("config", "config"),
            ("yaml_path", "yaml-path"),
            ("username", "username"),
            ("credential_helper", "credential-helper"),
            ("timeout", "timeout"),
        ];
        const FLAGS: [(&str, &str); 7] = [
            ("all", "all"),
            ("delegate", "delegate"),
            ("replace", "replace"),
            ("runner_only", "runner-only"),
            ("verify", "verify"),
            ("force_attributes", "force-attributes"),
            ("everything", "everything"),
        ];
        for (name, option) in LISTS {
            words.extend(self.list(name)?.iter().map(|word| format!("--{option}={word}")));
        }
        for (name, option) in TEXTS {
            words.extend(self.text(name)?.map(|word| format!("--{option}={word}")));
        }
        for (name, option) in FLAGS {
            words.extend(self.flag(name)?.then(|| format!("--{option}")));
        }
        match self.take("backup") {
            Some(Value::String(suffix)) if suffix.starts_with('.') => {
                words.push(format!("--backup={suffix}"));
            }
            Some(value) => {
                self.0.insert("backup".to_owned(), value);
                words.extend(self.flag("backup")?.then(|| "--backup".to_owned()));
            }
            None => {}
        }
        Ok(())
    }

    /// What is left must be Ansible's own.
    fn end(self) -> Result<(), Error> {
        let mut unknown = self.0.into_iter().filter(|(name, _)| !name.starts_with("_ansible_"));
        match unknown.next() {
            Some((name, _)) => Err(wrong(&format!("there is no option {name}"))),
            None => Ok(()),
        }
    }
}

fn word(value: Value) -> Option<String> {
    match value {
        Value::String(word) => Some(word),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
