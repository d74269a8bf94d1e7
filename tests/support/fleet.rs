//! Configs and auth documents of any size.

/// A runner as `gitlab-runner register` leaves it, with a credential; `benches/instructions` reads it
/// as well.
const RUNNER: &str = include_str!("../../benches/runner.toml");

/// A config with this many runners, each with a token, a credential and sections of its own.
pub fn config(runners: usize) -> String {
    let mut out = "concurrent = 10\n".to_owned();
    for number in 0..runners {
        let runner = RUNNER
            .replace("NUMBER", &number.to_string())
            .replace("TOKEN", &token(number))
            .replace("DOCUMENT", &document(number..number + 1));
        out.push_str(&runner);
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
