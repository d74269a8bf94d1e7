//! The arguments, as the help shows them.

// The help is read on a terminal, not as Markdown, and fields are named like their options.
#![allow(clippy::doc_markdown, clippy::struct_field_names)]

mod reading;
mod selection;
mod source;
mod writing;

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;

use crate::auth::runner_version::RunnerVersion;
use crate::config_file::{self, ConfigFile};
use crate::doctor::Code;
use crate::error::Error;
use crate::runner::pull_policy::PullPolicy;
use crate::toml::text::ConfigText;
use crate::yaml;

pub(super) use selection::Selection;
pub(super) use source::Source;
pub(super) use writing::Writing;

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

impl Command {
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
    #[arg(long, global = true, value_name = "MIB", default_value_t = ConfigFile::LARGEST >> 20,
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

impl Set {
    /// Whether there is more to do than to set the pull policy.
    pub fn stores_credentials(&self) -> bool {
        self.pull_policies.is_empty() || self.source.is_given() || self.replace
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
    /// Also trust the certificate authorities in this PEM file (repeatable)
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
    /// Write the pages of all commands into this folder, which is made where it is missing
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
