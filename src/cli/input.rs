//! Where the config comes from: a file, or standard input.

use std::io::{self, Read as _};
use std::path::Path;

use super::args::Global;
use crate::config_file::{ConfigFile, settle};
use crate::error::Error;
use crate::toml::text::ConfigText;

/// A config with the place it was read from.
pub(super) enum Input {
    File(ConfigFile),
    Stdin(ConfigText),
}

impl Input {
    pub fn read(global: &Global) -> Result<Self, Error> {
        Self::open(&global.path()?)
    }

    /// Reads the config and makes something of it; a file that may be half written is read again.
    pub fn read_settled<R>(
        global: &Global,
        make: impl FnMut(&Self) -> Result<R, Error>,
    ) -> Result<(Self, R), Error> {
        let fresh = |input: &Self| input.file().is_some_and(ConfigFile::is_fresh);
        settle(Self::read(global)?, || Self::read(global), fresh, make)
    }

    /// Reads a file; `-` is standard input.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if path != Path::new("-") {
            return Ok(Self::File(ConfigFile::read(path)?));
        }
        let label = "standard input";
        let mut bytes = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|cause| Error::Unreadable { path: label.into(), cause })?;
        Ok(Self::Stdin(ConfigText::new(label, bytes)))
    }

    pub fn file(&self) -> Option<&ConfigFile> {
        match self {
            Self::File(file) => Some(file),
            Self::Stdin(_) => None,
        }
    }

    pub fn text(&self) -> &ConfigText {
        match self {
            Self::File(file) => file.text(),
            Self::Stdin(text) => text,
        }
    }
}
