//! The arguments, as the help shows them.

// The help is read on a terminal, not as Markdown, and fields are named like their options.
#![allow(clippy::doc_markdown, clippy::struct_field_names)]

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use serde::Serialize;

use crate::auth::runner_version::RunnerVersion;
use crate::auth::source::{self, PasswordSource};
use crate::config_file;
use crate::doctor::Code;
use crate::error::Error;
use crate::runner::pull_policy::PullPolicy;
use crate::runner::selection::Selector;
use crate::secret::Secret;
use crate::toml::text::ConfigText;
use crate::yaml;

/// Gives the jobs of a GitLab Runner credentials for private registries.
///
/// Patches the DOCKER_AUTH_CONFIG entry of [[runners]] in config.toml and leaves every other byte
/// of the file as it was.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What those go on to who have read what the config says.
#[cfg(feature = "verify")]
const VERIFY: &str = "Nobody is asked: whether a registry accepts a credential, verify says.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add or update credentials of the selected runners
    #[command(after_help = "On a terminal it asks for what the arguments leave open: runners, \
                            registry, user, password. Escape goes a question back. With \
                            ACCESSIBLE=1 the questions are plain lines, as for a screen reader.")]
    Set(Set),
    /// Show the runners of a file and what each can pull from
    List(List),
    /// Say which credential each runner would use for an image, and why
    #[cfg_attr(feature = "verify", command(after_help = VERIFY))]
    Explain(Explain),
    /// Find what would make GitLab Runner ignore or misread a credential
    #[cfg_attr(feature = "verify", command(after_help = VERIFY))]
    Doctor(Doctor),
    /// Ask the registries whether they accept the credentials
    #[cfg(feature = "verify")]
    Verify(Verify),
    /// Remove credentials, or the whole auth entry
    #[command(
        after_help = "On a terminal it asks for what the arguments leave open: runners, and \
                            what goes."
    )]
    Remove(Remove),
    /// Print an auth document for another place, from a source or from a runner's entry
    Render(Render),
    /// Print what a shell needs to complete commands, runners and registries
    Completions(Completions),
    /// Print the manual page of a command, or write all pages into a folder
    Man(ManPages),
}

impl Arguments {
    /// Reads the words of a command line. Only the command that they call is set up, since all of them
    /// together cost more than a small config does.
    ///
    /// # Errors
    ///
    /// Those of `all`, which knows what else could be meant and has the help.
    pub fn read(
        words: &[OsString],
        all: impl FnOnce() -> clap::Command,
    ) -> Result<Self, clap::Error> {
        let mut ahead = words.iter().skip(1).filter_map(|word| word.to_str());
        let called = ahead.find_map(Command::alone);
        let root = clap::Command::new(env!("CARGO_PKG_NAME")).disable_help_subcommand(true);
        let alone = called.map(|called| Global::augment_args(root).subcommand(called));
        let read = |command: clap::Command| {
            // Nobody needs its memory before the process ends.
            let mut command = ManuallyDrop::new(command);
            Self::from_arg_matches_mut(&mut command.try_get_matches_from_mut(words)?)
        };
        // The first word that is called like a command may be the value of an option.
        alone.and_then(|alone| read(alone).ok()).map_or_else(|| read(all()), Ok)
    }
}

/// What gives a command its arguments.
type Augment = fn(clap::Command) -> clap::Command;

impl Command {
    /// The command with this name and its arguments, without the words for its help.
    fn alone(name: &str) -> Option<clap::Command> {
        let commands: &[(&str, Augment)] = &[
            ("set", Set::augment_args),
            ("list", List::augment_args),
            ("explain", Explain::augment_args),
            ("doctor", Doctor::augment_args),
            #[cfg(feature = "verify")]
            ("verify", Verify::augment_args),
            ("remove", Remove::augment_args),
            ("render", Render::augment_args),
            ("completions", Completions::augment_args),
            ("man", ManPages::augment_args),
        ];
        let (name, arguments) = commands.iter().find(|(known, _)| *known == name)?;
        Some(arguments(clap::Command::new(*name)))
    }

    /// Whether the command changes the config, so that `-c -` makes it a filter.
    pub fn writes(&self) -> bool {
        matches!(self, Self::Set(_) | Self::Remove(_))
    }
}

#[derive(Debug, Clone, Args)]
pub(super) struct Global {
    /// The config; `-` filters standard input to standard output [default: $CONFIG_FILE, then the
    /// file that GitLab Runner itself would read]
    #[arg(short, long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Where the config is in a YAML file, such as runners.config or write_files.0.content
    /// [default: runners.config, or config.toml in a ConfigMap or Secret]
    #[arg(long, global = true, value_name = "A.B.C")]
    pub yaml_path: Option<String>,
    /// How to report
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub format: Format,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value = "auto")]
    pub color: Color,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// The largest config, in MiB
    #[arg(long, global = true, value_name = "MIB", default_value_t = 64,
          value_parser = clap::value_parser!(u64).range(1..4096))]
    pub max_size: u64,
    /// Show passwords and tokens in what is printed
    #[arg(long, global = true)]
    pub show_secrets: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
    /// Of doctor alone: what GitLab shows as Code Quality
    CodeClimate,
    /// Of doctor alone: what code scanners read
    Sarif,
}

impl Format {
    /// Whether it only knows findings.
    pub fn is_review(self) -> bool {
        matches!(self, Self::CodeClimate | Self::Sarif)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Selecting runners")]
pub(super) struct Selection {
    /// The runner's name, exactly (repeatable)
    #[arg(short, long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// The runner's token: its first 8 or 9 characters, or all (repeatable)
    #[arg(short, long = "token", value_name = "TOKEN")]
    tokens: Vec<String>,
    /// A file with the whole token
    #[arg(long, value_name = "PATH")]
    token_file: Vec<PathBuf>,
    /// The runner's number in GitLab (repeatable)
    #[arg(long = "id", value_name = "N")]
    ids: Vec<i64>,
    /// Runners with this executor (repeatable)
    #[arg(long = "executor", value_name = "NAME")]
    executors: Vec<String>,
    /// Every runner that matches, or every runner
    #[arg(long)]
    all: bool,
}

impl Selection {
    /// Whether no runner is named.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
            && self.tokens.is_empty()
            && self.token_file.is_empty()
            && self.ids.is_empty()
            && self.executors.is_empty()
            && !self.all
    }

    /// The files that hold tokens.
    pub fn token_files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        self.token_file.iter().map(|file| ("--token-file", file.as_path()))
    }

    pub fn selector(&self) -> Result<Selector, Error> {
        let mut tokens: Vec<_> = self.tokens.iter().cloned().map(Secret::new).collect();
        for path in &self.token_file {
            let token = source::from_file(path)?;
            let token = token.expose().trim();
            if token.is_empty() {
                return Err(Error::InvalidSource {
                    source: path.display().to_string(),
                    place: None,
                    problem: "is empty and holds no token".into(),
                });
            }
            tokens.push(Secret::new(token.to_owned()));
        }
        Ok(Selector {
            names: self.names.clone(),
            tokens,
            ids: self.ids.clone(),
            executors: self.executors.clone(),
            all: self.all,
        })
    }
}

// Each flag is an option of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Args)]
#[command(next_help_heading = "Writing")]
pub(super) struct Writing {
    /// Write without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Show the diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Like --dry-run, but exit with 1 when something would change
    #[arg(long)]
    pub check: bool,
    /// Keep the old file under its name with this suffix
    #[arg(long, value_name = "SUFFIX", num_args = 0..=1, default_missing_value = ".bak",
          value_parser = backup_suffix)]
    pub backup: Option<String>,
    /// How long to wait for others, who hold the config's lock or keep changing it
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub lock_timeout: u64,
    /// Watch the file that long after the write, and write again when another program's rewrite has
    /// undone the change
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true,
          value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub settle: u64,
    /// Write also when the file's owner, mode or an extended attribute can't be kept
    #[arg(long)]
    pub force_attributes: bool,
    /// Lines of context in the diff
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub context: u16,
}

#[derive(Debug, Args)]
pub(super) struct Set {
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub source: Source,
    /// Drop what the auth document held before, a broken one included
    #[arg(long, help_heading = "Credentials")]
    pub replace: bool,
    /// Store it under https://HOST, which GitLab Runner takes for the host and the Docker client in a
    /// job doesn't: a job can then push with its own docker login
    #[arg(long, help_heading = "Credentials")]
    pub runner_only: bool,
    /// Also set pull_policy, or only that (repeatable, in order; several need GitLab Runner 13.8,
    /// on kubernetes 13.11)
    #[arg(long = "pull-policy", value_name = "POLICY", help_heading = "Pulling images",
          value_delimiter = ',', value_parser = pull_policies())]
    pub pull_policies: Vec<PullPolicy>,
    #[command(flatten)]
    pub writing: Writing,
    /// Ask the registries first, and write nothing unless each accepts its credential
    #[cfg(feature = "verify")]
    #[arg(long, help_heading = "Asking registries")]
    pub verify: bool,
    #[cfg(feature = "verify")]
    #[command(flatten)]
    pub network: Network,
}

/// Where credentials come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Credentials")]
pub(super) struct Source {
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
pub(super) struct Given {
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

impl Set {
    /// Whether there is more to do than to set the pull policy.
    pub fn stores_credentials(&self) -> bool {
        self.pull_policies.is_empty() || self.source.is_given() || self.replace
    }
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

#[derive(Debug, Args)]
pub(super) struct Remove {
    #[command(flatten)]
    pub selection: Selection,
    /// A registry, in any spelling (repeatable)
    #[arg(short, long = "registry", value_name = "HOST[:PORT][/PATH]")]
    pub registries: Vec<String>,
    /// A credential helper, from every registry that asks it (repeatable)
    #[arg(long = "credential-helper", value_name = "NAME", id = "helpers")]
    pub helpers: Vec<String>,
    /// The credsStore
    #[arg(long = "credentials-store", id = "store")]
    pub store: bool,
    /// The whole auth entry, a broken one too
    #[arg(long, conflicts_with_all = ["registries", "helpers", "store"])]
    pub everything: bool,
    #[command(flatten)]
    pub writing: Writing,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The images, as `image:` in .gitlab-ci.yml names them; without one, those that the config itself
    /// names
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Answer as this version of GitLab Runner would
    #[arg(long, value_name = "X.Y[.Z]", default_value_t, value_parser = RunnerVersion::parse)]
    pub runner_version: RunnerVersion,
    #[command(flatten)]
    pub selection: Selection,
}

/// Asks the registries of the selected runners whether they accept the credentials.
///
/// Each registry is asked once for each credential, all of them side by side. Nothing is written, and a
/// credential goes to nobody but its registry and the realm that this registry names.
#[cfg(feature = "verify")]
#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    pub selection: Selection,
    /// Also ask for this image, with the credential that explain names (repeatable)
    #[arg(long = "image", value_name = "IMAGE", help_heading = "Images")]
    pub images: Vec<String>,
    /// Also ask for the images that the config names: image, helper_image and services
    #[arg(long = "images", help_heading = "Images")]
    pub named_images: bool,
    /// How long each registry has for its answers, and each credential helper
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
          help_heading = "Asking registries", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    #[command(flatten)]
    pub network: Network,
}

/// How registries are talked to.
#[cfg(feature = "verify")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Asking registries")]
pub(super) struct Network {
    /// Believe also certificates of these authorities, in PEM (repeatable)
    #[arg(long = "ca-file", value_name = "PATH")]
    pub ca_files: Vec<PathBuf>,
    /// Speak plain HTTP with this registry where it knows no TLS, and take any certificate of it
    /// (repeatable)
    #[arg(long = "insecure-registry", value_name = "HOST[:PORT]")]
    pub insecure_registries: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// The files to look at, in place of --config
    #[arg(value_name = "FILE", conflicts_with = "config")]
    pub files: Vec<PathBuf>,
    /// Mend what has one right remedy, and say what is left
    #[arg(long, help_heading = "Mending")]
    pub fix: bool,
    /// Mend findings with this code only (repeatable)
    #[arg(long, value_name = "CODE", requires = "fix", value_parser = codes(), hide_possible_values = true, help_heading = "Mending")]
    pub only: Vec<Code>,
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub writing: Writing,
}

fn codes() -> impl TypedValueParser<Value = Code> {
    let names = PossibleValuesParser::new(Code::ALL.iter().map(|code| code.name()));
    names.try_map(|name| Code::named(&name).ok_or("this is no code"))
}

/// `bak` is meant as `.bak`: `config.tomlbak` is what nobody wants.
// A parser of clap's may fail.
#[allow(clippy::unnecessary_wraps)]
fn backup_suffix(typed: &str) -> Result<String, std::convert::Infallible> {
    let bare = typed.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    Ok(if bare { format!(".{typed}") } else { typed.to_owned() })
}

fn pull_policies() -> impl TypedValueParser<Value = PullPolicy> {
    let names = PossibleValuesParser::new(PullPolicy::ALL.map(PullPolicy::name));
    names.try_map(|name| PullPolicy::parse(&name).ok_or("this is not a pull policy"))
}

/// Prints an auth document for another place, from a source or from a runner's entry.
///
/// Without a source the document is that of the selected runner. What is printed holds passwords.
#[derive(Debug, Args)]
pub(super) struct Render {
    /// What the document is for
    #[arg(long = "as", value_name = "FORM", value_enum, default_value = "json")]
    pub form: RenderForm,
    #[command(flatten)]
    pub selection: Selection,
    #[command(flatten)]
    pub source: Source,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RenderForm {
    /// Docker's config.json
    Json,
    /// A line that a shell can source
    Env,
    /// The environment of a [[runners]] table
    Toml,
    /// The variables of .gitlab-ci.yml
    GitlabCi,
    /// The env_vars of a runner for the Ansible role riemers.gitlab-runner
    EnvVars,
    /// The environment of a runner for the Puppet module puppet-gitlab_ci_runner
    Puppet,
}

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Args)]
pub(super) struct ManPages {
    /// The command; without it, the page of runner-auth itself
    pub command: Option<String>,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    pub into: Option<PathBuf>,
}

impl Global {
    /// Whether the config comes on standard input.
    pub fn is_filter(&self) -> bool {
        self.config.as_deref() == Some(Path::new("-"))
    }

    /// The most bytes that a config may have.
    pub fn largest(&self) -> u64 {
        self.max_size << 20
    }

    /// The config in what was read from a path: the whole, or what a YAML file has in it.
    pub fn config_in(&self, path: &Path, text: &ConfigText) -> Result<Option<ConfigText>, Error> {
        if self.yaml_path.is_none() && !yaml::is_yaml(path) {
            return Ok(None);
        }
        yaml::config_in_yaml(text, self.yaml_path.as_deref()).map(Some)
    }

    pub fn path(&self) -> Result<PathBuf, Error> {
        self.config.clone().map_or_else(config_file::default_path, Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn a_command_alone_has_the_arguments_that_it_has_beside_the_others() {
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name();
            let alone = Command::alone(name).unwrap_or_else(|| panic!("{name}"));
            let listed = |command: &clap::Command| {
                let arguments: Vec<_> =
                    command.get_arguments().map(|it| format!("{it:?}")).collect();
                let groups: Vec<_> = command.get_groups().map(|it| format!("{it:?}")).collect();
                (arguments, groups)
            };
            assert_eq!(listed(&alone), listed(command), "{name}");
        }
        assert!(Command::alone("help").is_none());
    }

    #[test]
    fn a_value_that_is_called_like_a_command_calls_none() {
        let read = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(OsString::from).collect();
            Arguments::read(&words, Arguments::command)
        };
        let read_list = read(&["runner-auth", "-c", "set", "list", "-n", "set"]).unwrap();
        assert!(matches!(read_list.command, Command::List(_)));
        assert_eq!(read_list.global.config, Some("set".into()));
        // All commands are asked what else could be meant.
        let refused = read(&["runner-auth", "list", "--everything"]).unwrap_err().to_string();
        let all =
            Arguments::command().try_get_matches_from(["runner-auth", "list", "--everything"]);
        assert_eq!(refused, all.unwrap_err().to_string());
    }
}
