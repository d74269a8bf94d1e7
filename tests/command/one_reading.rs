//! Six commands read an auth entry, and no two of them may contradict each other.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

/// What an auth entry comes to for the registry `r.io`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    /// Nothing stands there, or nothing for this registry.
    Nothing,
    /// The user `ci`.
    User,
    /// A credential that is known only in a job.
    Open,
    /// A helper's answer.
    Helper,
    /// The document is dropped, or every source is.
    Dropped,
}
use Comes::{Dropped, Helper, Nothing, Open, User};

/// `ci:s3cret` and `old:s3cret`, and what decodes to no user and password.
const GOOD: &str = "Y2k6czNjcmV0";
const OLD: &str = "b2xkOnMzY3JldA==";
const BAD: &str = "bm90LWEtY3JlZGVudGlhbA==";

fn table() -> Vec<(&'static str, String, Comes)> {
    let auths = |members: &str| format!(r#"["DOCKER_AUTH_CONFIG={{\"auths\":{{{members}}}}}"]"#);
    let member = |key: &str, auth: &str| format!(r#"\"{key}\":{{\"auth\":\"{auth}\"}}"#);
    let both = |first: &str, second: &str| {
        auths(&format!("{},{}", member("r.io", first), member("r.io", second)))
    };
    let whole = |json: &str| format!("['DOCKER_AUTH_CONFIG={json}']");
    vec![
        ("no entry", "['OTHER=x']".into(), Nothing),
        ("an empty value", whole(""), Nothing),
        ("a blank value", whole(" "), Nothing),
        ("no members", whole("{}"), Nothing),
        ("no credentials", whole(r#"{"auths":{}}"#), Nothing),
        ("a credential", auths(&member("r.io", GOOD)), User),
        ("another registry", auths(&member("q.io", GOOD)), Nothing),
        (
            "capitals in a member",
            whole(&format!(r#"{{"Auths":{{"r.io":{{"AUTH":"{GOOD}"}}}}}}"#)),
            User,
        ),
        ("a key twice, the last one good", both(BAD, GOOD), User),
        ("a key twice, the last one broken", both(GOOD, BAD), Dropped),
        ("a key twice, both good", both(OLD, GOOD), User),
        (
            "a hidden entry that is broken",
            format!(
                r"['DOCKER_AUTH_CONFIG={{', {}]",
                &auths(&member("r.io", GOOD))[1..].trim_end_matches(']')
            ),
            User,
        ),
        (
            "a good entry that is hidden",
            format!(
                r"[{}, 'DOCKER_AUTH_CONFIG={{']",
                &auths(&member("r.io", GOOD))[1..].trim_end_matches(']')
            ),
            Dropped,
        ),
        ("no JSON", whole("{auths}"), Dropped),
        ("a member of another type", whole(r#"{"auths":[]}"#), Dropped),
        ("an auth that can't be decoded", auths(&member("r.io", BAD)), Dropped),
        (
            "another's auth that can't be decoded",
            auths(&format!("{},{}", member("r.io", GOOD), member("q.io", BAD))),
            Dropped,
        ),
        ("a variable of a job", auths(&member("r.io", "$CI_FOO")), Open),
        (
            "a variable of the runner",
            format!(
                "['B64={GOOD}', {}]",
                &auths(&member("r.io", "$B64"))[1..].trim_end_matches(']')
            ),
            User,
        ),
        (
            "an empty store",
            whole(&format!(r#"{{"auths":{{"r.io":{{"auth":"{GOOD}"}}}},"credsStore":""}}"#)),
            User,
        ),
        ("a helper", whole(r#"{"credHelpers":{"r.io":"pass"}}"#), Helper),
        ("a helper twice", whole(r#"{"credHelpers":{"r.io":"a/b","r.io":"pass"}}"#), Helper),
        (
            "a helper's name with a slash",
            whole(&format!(
                r#"{{"auths":{{"r.io":{{"auth":"{GOOD}"}}}},"credHelpers":{{"q.io":"a/b"}}}}"#
            )),
            Dropped,
        ),
        ("a helper without a name", whole(r#"{"credHelpers":{"r.io":""}}"#), Dropped),
    ]
}

struct Run {
    status: i32,
    json: Json,
}

fn run(folder: &Path, arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
        .args(arguments)
        .args(["-c", "config.toml", "--format", "json"])
        .current_dir(folder)
        .env_clear()
        .env("PASSWORD", "n3w")
        .output()
        .expect("the command runs");
    Run {
        status: output.status.code().expect("no signal"),
        json: serde_json::from_slice(&output.stdout).unwrap_or_default(),
    }
}

fn list(folder: &Path) -> Comes {
    let found = run(folder, &["list"]);
    assert_eq!(found.status, 0);
    let runner = &found.json["runners"][0];
    if !runner["problem"].is_null() {
        return Dropped;
    }
    let credentials = runner["credentials"].as_array().expect("credentials");
    match credentials.iter().find(|credential| credential["registry"] == "r.io") {
        None => Nothing,
        Some(credential) if !credential["helper"].is_null() => Helper,
        Some(credential) if credential["username"].is_null() => Open,
        Some(credential) => {
            assert_eq!(credential["username"], "ci");
            User
        }
    }
}

fn explain(folder: &Path) -> Comes {
    let found = run(folder, &["explain", "r.io/app"]);
    let runner = &found.json["runners"][0];
    let matched = &runner["match"];
    if !runner["problem"].is_null() || !runner["cancelled_by"].is_null() {
        assert_eq!(found.status, 1);
        return Dropped;
    }
    if matched.is_null() {
        return Nothing;
    }
    match (&matched["username"], &matched["helper"]) {
        (Json::Null, Json::Null) => Open,
        (Json::Null, _) => Helper,
        (user, _) => {
            assert_eq!(user, "ci");
            User
        }
    }
}

fn doctor(folder: &Path) -> bool {
    let found = run(folder, &["doctor"]);
    let findings = found.json["runners"][0]["findings"].as_array().expect("findings").clone();
    let drops = ["invalid-json", "undecodable-auth", "bad-helper-name"];
    findings.iter().any(|finding| {
        finding["level"] == "error" && drops.iter().any(|code| finding["code"] == *code)
    })
}

#[test]
fn six_commands_agree_about_an_entry() {
    let mut wrong = Vec::new();
    for (what, environment, comes) in table() {
        let place = tempfile::tempdir().expect("a place to work");
        let config = format!(
            "[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n  environment = {environment}\n"
        );
        let write = || fs::write(place.path().join("config.toml"), &config).expect("a config");
        write();
        let mut check = |command: &str, found: Comes, expected: Comes| {
            if found != expected {
                wrong.push(format!("{what}: {command} says {found:?}, right is {expected:?}"));
            }
        };
        check("list", list(place.path()), comes);
        check("explain", explain(place.path()), comes);
        let doctor = if doctor(place.path()) { Dropped } else { comes };
        check("doctor", doctor, comes);
        // A document is rendered unless it is dropped or open; where there is none that is said.
        let rendered = run(place.path(), &["render", "--as", "json", "--name", "one"]);
        let text = rendered.json["rendered"].as_str().unwrap_or("null");
        let document: Json = serde_json::from_str(text).expect("JSON is rendered");
        let found = match (rendered.status, &document["auths"]["r.io"]["auth"]) {
            (0, auth) if *auth == GOOD => User,
            (0, _) if document["credHelpers"]["r.io"] == "pass" => Helper,
            (0, _) => Nothing,
            _ if rendered.json["error"]["code"] == "nothing-to-render" => Nothing,
            _ if comes == Open => Open,
            _ => Dropped,
        };
        check("render", found, comes);
        // What is dropped can't be added to, and with it goes when everything is to go.
        let set = run(
            place.path(),
            &["set", "--yes", "-r", "new.io", "-u", "ci", "--password-env", "PASSWORD"],
        );
        let found = if set.status == 3 { Dropped } else { comes };
        check("set", found, comes);
        if set.status == 0 {
            let explained = run(place.path(), &["explain", "new.io/app"]);
            assert_eq!(explained.json["runners"][0]["match"]["username"], "ci", "{what}");
        }
        write();
        let removed = run(place.path(), &["remove", "--yes", "--registry", "r.io"]);
        let found = match (removed.status, &removed.json["runners"][0]["credentials"][0]) {
            (3, _) => Dropped,
            (_, Json::Null) => Nothing,
            (_, credential) if credential["registry"] == "r.io" => comes,
            _ => Nothing,
        };
        // What can be read may be taken out, also of a document that the runner drops for it.
        if comes != Dropped {
            check("remove", found, comes);
            assert_eq!(removed.status, 0, "{what}");
            assert_eq!(list(place.path()), Nothing, "{what}: after remove");
        } else if removed.status == 0 && found != Nothing {
            assert_ne!(explain(place.path()), User, "{what}: after remove");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
