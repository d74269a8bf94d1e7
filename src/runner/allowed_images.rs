//! `allowed_images` and `allowed_services`: which images a job may name.
//!
//! Source: GitLab Runner 19.4 (as of August 2026), `common/allowed_images.go`, and 12.9: without a pattern
//! every image is allowed; with some, one that fits none of them fails the job before anything is pulled.
//! The images that the config itself names are always allowed.

use crate::runner::table::keys_of;
use crate::runner::{Config, Runner};
use crate::toml::letter_case::same_key;
use crate::toml::syntax::NodeKind;

const KEYS: [&str; 2] = ["allowed_images", "allowed_services"];

/// Those of the two that hold a pattern.
pub(crate) fn restricted(config: &Config<'_>, runner: &Runner<'_>) -> Vec<&'static str> {
    let Some(table) = runner.executor().table() else { return Vec::new() };
    let syntax = config.syntax();
    let holds_one = |value| {
        syntax.node(value).kind == NodeKind::Array && syntax.children(value).next().is_some()
    };
    let mut held = [false; KEYS.len()];
    for found in keys_of(config, runner, table) {
        if let Some(number) = KEYS.iter().position(|key| same_key(&found.key, key)) {
            held[number] |= found.value.is_some_and(holds_one);
        }
    }
    let held = KEYS.into_iter().zip(held).filter(|(_, held)| *held);
    held.map(|(key, _)| key).collect()
}
