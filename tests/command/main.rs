//! The command as a person or a program runs it: its words, its files and the tools beside it.

// A test may end by panicking and says what it saw.
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)]

mod completions;
mod config_path;
mod docs;
mod doctor;
mod growth;
mod hostile;
mod json_values;
mod logins;
mod man;
mod memory;
mod one_reading;
mod patch;
mod pictures;
mod redaction;
mod rendering;
mod review;
mod rotation;
mod screens;
mod secrets;
mod sources;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
mod yaml;
