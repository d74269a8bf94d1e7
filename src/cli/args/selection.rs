//! Which runners are meant.

// The help is read on a terminal, not as Markdown, and fields are named like their options.
#![allow(clippy::doc_markdown, clippy::struct_field_names)]

use std::path::{Path, PathBuf};

use clap::Args;

use crate::auth::source;
use crate::error::Error;
use crate::runner::selection::Selector;
use crate::secret::Secret;

#[derive(Debug, Args)]
#[command(next_help_heading = "Selecting runners")]
pub(in crate::cli) struct Selection {
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
