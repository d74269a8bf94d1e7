//! TOML as bytes with places: what stands where, and edits of spans.
//!
//! This room knows TOML and the layouts that people give it. It does not know what a runner, a
//! registry or a credential is.

pub(crate) mod bracketed;
pub mod edit;
pub(crate) mod enclosure;
pub mod letter_case;
pub(crate) mod lines;
pub(crate) mod printable;
pub(crate) mod quoting;
pub(crate) mod syntax;
pub(crate) mod table;
pub(crate) mod text;
