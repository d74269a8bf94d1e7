//! Configs and auth documents of any size.

use std::fmt::Write as _;

/// A config with this many runners, each with a token, a credential and a section of its own.
pub fn config(runners: usize) -> String {
    let mut out = "concurrent = 10\n".to_owned();
    for number in 0..runners {
        write!(
            out,
            r#"
[[runners]]
  name = "runner-{number}"
  url = "https://gitlab.example.com/"
  id = {number}
  token = "{}"
  executor = "docker"
  environment = ['DOCKER_AUTH_CONFIG={}']
  [runners.docker]
    image = "alpine:latest"
    volumes = ["/cache"]
"#,
            token(number),
            document(number..number + 1)
        )
        .expect("a string takes all");
    }
    out
}

/// The token of a runner.
pub fn token(number: usize) -> String {
    format!("glrt-{number:020}")
}

/// An auth document with the registries of these numbers.
pub fn document(registries: std::ops::Range<usize>) -> String {
    let entries: Vec<_> = registries
        .map(|number| format!(r#""r{number}.io": {{"auth": "dXNlcjpwYXNzd29yZA=="}}"#))
        .collect();
    format!(r#"{{"auths": {{{}}}}}"#, entries.join(", "))
}
