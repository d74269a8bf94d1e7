//! The library without the command: properties, and answers compared with those of other programs.

// A test may end by panicking and says what it saw.
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)]

mod api;
mod corpus;
mod differential;
mod go;
mod house;
mod lookup;
mod properties;
mod random;
mod resolver;
mod stored;
#[path = "../support/mod.rs"]
mod support;
mod toml;
mod use_by_version;
