//! `verify` and `set --verify` against real ends on this machine: Debian's `docker-registry` with and
//! without TLS, a token server, a proxy, ends that misbehave, and a Docker engine. Every `Authorization`
//! header that any end of a test receives is listed and checked.

#![cfg(feature = "verify")]
// A test may end by panicking and says what it saw.
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)]

mod authorizations;
mod certificates;
mod command;
mod credentials;
mod ends;
mod engine;
mod misbehaviour;
mod passwords;
mod proxies;
mod registry;
mod repeated;
mod tls;
mod tokens;
mod writing;
