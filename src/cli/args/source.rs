//! Where credentials come from.

// The help is read on a terminal, not as Markdown, and fields are named like their options.
#![allow(clippy::doc_markdown, clippy::struct_field_names)]

use std::path::{Path, PathBuf};

use clap::Args;

use crate::auth::source::PasswordSource;
use crate::secret::Secret;

/// Where credentials come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Credentials")]
pub(in crate::cli) struct Source {
    /// The registry (repeatable, each with its own --username and password option, in order; with
    /// --from-docker-config only those registries)
    #[arg(short, long = "registry", value_name = "HOST[:PORT][/PATH]")]
    pub registries: Vec<String>,
    /// The user; without a password option the password is asked for (repeatable)
    #[arg(short, long = "username", id = "username", value_name = "NAME")]
    pub usernames: Vec<String>,
    #[command(flatten)]
    password: Password,
    /// What docker login or podman login left, helpers and stores included [default:
    /// $DOCKER_CONFIG/config.json, ~/.docker/config.json, then podman's auth.json]
    #[arg(long, value_name = "PATH", num_args = 0..=1,
          conflicts_with_all = ["username", "password", "auth_config"])]
    // Without the option, with it alone, and with a path.
    #[allow(clippy::option_option)]
    pub from_docker_config: Option<Option<PathBuf>>,
    /// A whole auth document, or a Kubernetes dockerconfigjson Secret, merged; `-` is standard
    /// input
    #[arg(long, value_name = "PATH", conflicts_with_all = ["registries", "username", "password"])]
    pub auth_config: Option<PathBuf>,
    /// Ask docker-credential-NAME for the credential of --registry now, and store the answer
    #[arg(long, value_name = "NAME", conflicts_with_all = [
        "username", "password", "auth_config", "from_docker_config"])]
    pub credential_helper: Option<String>,
    /// Store no answer: let GitLab Runner ask the helper at each job, for --registry or, without
    /// it, for every registry
    #[arg(long, requires = "credential_helper")]
    pub delegate: bool,
    /// How long a credential helper has for an answer, and each registry with --verify
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// What another program has given in place of options.
    #[arg(skip)]
    pub given: Given,
}

/// Secrets that came with a request, for which there are no options.
#[derive(Debug, Default)]
pub(in crate::cli) struct Given {
    pub password: Option<Secret>,
    /// A whole auth document.
    pub document: Option<Secret>,
}

#[derive(Debug, Args)]
#[group(id = "password", multiple = false)]
#[command(next_help_heading = "Credentials")]
struct Password {
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Read the password from a file; `-` is standard input (repeatable)
    #[arg(long, value_name = "PATH")]
    password_file: Vec<PathBuf>,
    /// Read the password from an environment variable (repeatable)
    #[arg(long, value_name = "VAR")]
    password_env: Vec<String>,
}

impl Source {
    /// The files that the options name.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let passwords = self.password.password_file.iter().map(|file| ("--password-file", file));
        let document = self.auth_config.iter().map(|file| ("--auth-config", file));
        let logins = self.from_docker_config.iter().flatten();
        let logins = logins.map(|file| ("--from-docker-config", file));
        passwords.chain(document).chain(logins).map(|(option, file)| (option, file.as_path()))
    }

    /// Whether there is any option of a source.
    pub fn is_given(&self) -> bool {
        !self.registries.is_empty()
            || !self.usernames.is_empty()
            || !self.password_sources().is_empty()
            || self.given.document.is_some()
            || self.from_docker_config.is_some()
            || self.auth_config.is_some()
            || self.credential_helper.is_some()
    }

    /// Whether a person could say what is missing: the registry, the user or the password.
    pub fn leaves_open(&self) -> bool {
        let elsewhere = self.from_docker_config.is_some()
            || self.auth_config.is_some()
            || self.credential_helper.is_some()
            || self.given.document.is_some();
        let complete = !self.usernames.is_empty() && !self.password_sources().is_empty();
        !elsewhere && (self.registries.is_empty() || (self.registries.len() == 1 && !complete))
    }

    /// Where the passwords come from, in the order of the registries.
    pub fn password_sources(&self) -> Vec<PasswordSource> {
        if let Some(password) = &self.given.password {
            return vec![PasswordSource::Given(password.clone())];
        }
        let Password { password_stdin, password_file, password_env } = &self.password;
        if *password_stdin {
            return vec![PasswordSource::Stdin];
        }
        let file = |path: &PathBuf| {
            if path.as_os_str() == "-" {
                PasswordSource::Stdin
            } else {
                PasswordSource::File(path.clone())
            }
        };
        let variables = password_env.iter().cloned().map(PasswordSource::Variable);
        password_file.iter().map(file).chain(variables).collect()
    }
}
