//! `set --verify` writes what the registry accepts, and nothing else.

use std::fs;
use std::time::SystemTime;

use serde_json::json;

use crate::command::{PASSWORD, Setup, basic, encoded};
use crate::ends::{End, Reply};

const CONFIG: &str = "[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n";

fn end() -> End {
    End::start(|seen| match seen.authorization() {
        Some(who) if who == basic("ci", PASSWORD) => Reply::ok("{}"),
        _ => Reply::challenge("Basic realm=x"),
    })
}

fn modified(setup: &Setup) -> SystemTime {
    fs::metadata(setup.path("config.toml")).expect("the config").modified().expect("a time")
}

fn set<'a>(host: &'a str, variable: &'a str) -> Vec<&'a str> {
    vec!["set", "--yes", "--verify", "-r", host, "-u", "ci", "--password-env", variable]
}

#[test]
fn what_is_accepted_is_written() {
    let end = end();
    let setup = Setup::new(CONFIG);
    let run = setup.run(&set(&end.host, "PASSWORD"));
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(setup.config().contains(&encoded("ci", PASSWORD)));
    assert_eq!(
        end.lines(),
        ["GET /v2/ -".to_owned(), format!("GET /v2/ {}", basic("ci", PASSWORD))]
    );
}

#[test]
fn what_is_refused_unproved_or_not_asked_is_not_written() {
    let (strict, open) = (end(), End::start(|_| Reply::ok("{}")));
    for (host, password, status, code, expected) in [
        (&*strict.host, "wr0ng-password", 1, "credential-refused", "refuses the credential"),
        (&open.host, PASSWORD, 1, "credential-refused", "lets anybody in"),
        ("127.0.0.1:1", PASSWORD, 6, "registry-unreachable", "could not be asked"),
    ] {
        let setup = Setup::new(CONFIG).variable("OTHER", password);
        let before = modified(&setup);
        for extra in [&[][..], &["--dry-run"], &["--check"]] {
            let run = setup.run(&[&set(host, "OTHER")[..], extra].concat());
            assert_eq!(run.status, status, "{}", run.stderr);
            assert!(run.stderr.contains("nothing was written: "), "{}", run.stderr);
            assert!(run.stderr.contains(expected), "{}", run.stderr);
            assert!(!run.stderr.contains(password), "{}", run.stderr);
            assert_eq!((setup.config().as_str(), modified(&setup)), (CONFIG, before));
        }
        let run = setup.run(&[&set(host, "OTHER")[..], &["--format", "json"]].concat());
        assert_eq!(run.json()["error"]["code"].as_str(), Some(code));
    }
}

#[test]
fn a_refusal_counts_before_what_is_not_reached() {
    let end = end();
    let setup = Setup::new(CONFIG);
    let document = json!({"auths": {
        "127.0.0.1:1": {"auth": encoded("ci", PASSWORD)},
        &end.host: {"auth": encoded("ci", "wr0ng-password")},
    }});
    setup.put("auth.json", &document.to_string(), 0o600);
    let run = setup.run(&["set", "--yes", "--verify", "--auth-config", "auth.json"]);
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert_eq!(setup.config(), CONFIG);
}

#[test]
fn a_delegated_helper_is_asked_first() {
    let end = end();
    let setup = Setup::new(CONFIG);
    let answer = json!({"ServerURL": end.host, "Username": "ci", "Secret": PASSWORD});
    setup.put(
        "docker-credential-test",
        &format!("#!/bin/sh\ncat >/dev/null\necho '{answer}'\n"),
        0o755,
    );
    let delegate = ["set", "--yes", "--verify", "--credential-helper", "test", "--delegate"];
    let run = setup.run(&[&delegate[..], &["-r", &end.host]].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(setup.config().contains("credHelpers"));
    let run = setup.run(&delegate);
    assert_eq!(run.status, 2, "{}", run.stderr);
}
