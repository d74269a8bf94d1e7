//! The safe write: faults, rivals, and what must stay of the file.

// A test may end by panicking and says what it saw.
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)]

mod attackers;
mod faults;
mod locks;
mod rivals;
mod safe_write;
#[path = "../support/mod.rs"]
mod support;
