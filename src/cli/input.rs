//! Where the config comes from: a file, or standard input.

use std::io;
use std::path::Path;

use super::args::Global;
use crate::config_file::{ConfigFile, read_whole, settle};
use crate::error::{Error, STANDARD_INPUT};
use crate::toml::text::ConfigText;

/// A config with the place it was read from.
pub(super) enum Input {
    File(ConfigFile),
    Stdin(ConfigText),
}

impl Input {
    pub fn read(global: &Global) -> Result<Self, Error> {
        Self::open(global, &global.path()?)
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
    pub fn open(global: &Global, path: &Path) -> Result<Self, Error> {
        if path != Path::new("-") {
            let file = ConfigFile::read(path, global.largest())?;
            let text = global.config_in(path, file.text())?;
            return Ok(Self::File(match text {
                Some(text) => file.with_text(text),
                None => file,
            }));
        }
        let label = STANDARD_INPUT;
        let bytes = read_whole(&mut io::stdin().lock(), global.largest())
            .map_err(|cause| Error::Unreadable { path: label.into(), cause })?;
        let whole = ConfigText::new(label, bytes);
        Ok(Self::Stdin(global.config_in(path, &whole)?.unwrap_or(whole)))
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
