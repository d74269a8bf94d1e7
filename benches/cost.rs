//! What each step of a run costs, in time and memory, for configs of several sizes.
//!
//! `cargo bench` measures; `cargo test --all-targets` runs each step once, on a small config.

// A benchmark may end by panicking.
#![allow(clippy::expect_used)]

#[path = "../tests/support/fleet.rs"]
mod fleet;

use std::time::Duration;

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher, black_box};
use runner_auth::diff::diff;
use runner_auth::resolve;
use runner_auth::{Circumstances, Diagnosis};
use runner_auth::{
    Config, ConfigText, Credential, Plan, Redaction, Registry, Request, RunnerVersion, Secret,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// How many runners or registries; unoptimized code is only run, not measured.
const SIZES: &[usize] = if cfg!(debug_assertions) { &[10] } else { &[10, 1_000, 10_000, 100_000] };

fn main() {
    // The largest configs need a second for each sample.
    divan::Divan::default().max_time(Duration::from_secs(3)).config_with_args().main();
}

fn text(runners: usize) -> ConfigText {
    ConfigText::new("config.toml", fleet::config(runners).into_bytes())
}

fn plan(config: &Config<'_>, runners: &[usize]) -> Plan {
    let login = Credential::new("ci", Secret::new("s3cret".to_owned())).expect("a credential");
    let logins = vec![(Registry::parse("r.example.com").expect("a registry"), login)];
    let request = Request::Set { logins, replace: false, pull_policies: Vec::new() };
    Plan::make(config, runners, &request).expect("a plan")
}

/// The headers, keys and values of a config, and its runners.
#[divan::bench(args = SIZES)]
fn index(bencher: Bencher<'_, '_>, runners: usize) {
    let text = text(runners);
    bencher
        .counter(BytesCount::of_str(text.as_str()))
        .bench(|| Config::parse(black_box(&text)).expect("a config"));
}

/// A credential for one runner: this doesn't depend on the others.
#[divan::bench(args = SIZES)]
fn plan_one(bencher: Bencher<'_, '_>, runners: usize) {
    let text = text(runners);
    let config = Config::parse(&text).expect("a config");
    bencher.bench(|| plan(&config, &[runners / 2]));
}

/// A credential for every runner.
#[divan::bench(args = SIZES)]
fn plan_all(bencher: Bencher<'_, '_>, runners: usize) {
    let text = text(runners);
    let config = Config::parse(&text).expect("a config");
    let all: Vec<_> = (0..runners).collect();
    bencher.counter(BytesCount::of_str(text.as_str())).bench(|| plan(&config, &all));
}

/// The diff of a change of one runner, without the secrets of all of them.
#[divan::bench(args = SIZES)]
fn redacted_diff(bencher: Bencher<'_, '_>, runners: usize) {
    let text = text(runners);
    let config = Config::parse(&text).expect("a config");
    let plan = plan(&config, &[runners / 2]);
    bencher.counter(BytesCount::of_str(text.as_str())).bench(|| {
        let mut redaction = Redaction::new(false);
        redaction.learn_config(&config);
        diff(&config, &plan, &redaction, 3)
    });
}

/// The findings in a config.
#[divan::bench(args = SIZES)]
fn doctor(bencher: Bencher<'_, '_>, runners: usize) {
    let text = text(runners);
    let circumstances = Circumstances {
        path: Some("config.toml"),
        mode: Some(0o600),
        has_helper: &|_| false,
        now: std::time::SystemTime::UNIX_EPOCH,
    };
    bencher
        .counter(BytesCount::of_str(text.as_str()))
        .bench_local(|| Diagnosis::new(&text, &circumstances));
}

/// The credential for an image, out of a document with many registries.
#[divan::bench(args = SIZES)]
fn resolver(bencher: Bencher<'_, '_>, registries: usize) {
    let document = fleet::document(0..registries);
    bencher
        .counter(BytesCount::of_str(&document))
        .bench(|| resolve(&document, "r5.io/group/app:1.0", RunnerVersion::LATEST));
}
