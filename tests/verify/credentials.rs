//! Where the credentials come from: helpers, stores, variables, broken documents.

use serde_json::json;

use crate::command::{PASSWORD, Setup, basic, encoded};
use crate::ends::{End, Reply};

fn end() -> End {
    End::start(|seen| match seen.authorization() {
        Some(who) if who == basic("ci", PASSWORD) => Reply::ok("{}"),
        _ => Reply::challenge("Basic realm=x"),
    })
}

/// A helper that knows one registry.
fn helper(setup: &Setup, name: &str, registry: &str, user: &str, secret: &str) {
    let answer = json!({"ServerURL": registry, "Username": user, "Secret": secret});
    let list = json!({registry: user});
    let script = format!(
        "#!/bin/sh\nread -r asked\ncase \"$1 $asked\" in\n'get {registry}') echo '{answer}' ;;\n\
         'list '*) echo '{list}' ;;\n*) echo 'credentials not found in native keychain'; exit 1 ;;\nesac\n"
    );
    setup.put(&format!("docker-credential-{name}"), &script, 0o755);
}

#[test]
fn a_helper_is_asked_as_the_runner_would() {
    let end = end();
    let setup = Setup::with_document(&json!({
        "auths": {&end.host: {"auth": encoded("ci", "wrong")}},
        "credHelpers": {&end.host: "test"},
    }));
    helper(&setup, "test", &end.host, "ci", PASSWORD);
    let run = setup.verify(&[]);
    assert_eq!((run.results(), run.status), (vec!["accepted".to_owned()], 0), "{}", run.stdout);
    let found = run.json()["runners"][0]["credentials"][0].clone();
    assert_eq!(
        found,
        json!({"registry": end.host, "username": "ci", "helper": "test", "result": "accepted"})
    );
    // What the helper answers instead of was not sent.
    assert_eq!(
        end.lines(),
        ["GET /v2/ -".to_owned(), format!("GET /v2/ {}", basic("ci", PASSWORD))]
    );
}

/// It would give root's keys, and the other user picks whom they are sent to.
#[test]
fn no_helper_is_asked_for_another_users_config() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED: this needs root");
        return;
    }
    for names in [json!({"credHelpers": {"127.0.0.1:1": "test"}}), json!({"credsStore": "test"})] {
        let setup = Setup::with_document(&names);
        helper(&setup, "test", "127.0.0.1:1", "ci", PASSWORD);
        assert_eq!(setup.verify(&[]).results(), ["unreachable not-connected"]);
        std::os::unix::fs::chown(setup.path("config.toml"), Some(1234), None).expect("root may");
        let run = setup.verify(&[]);
        assert_eq!(run.results(), ["unreachable credential-helper"]);
        assert!(run.message().contains("run verify as that user"), "{}", run.message());
    }
}

#[test]
fn a_store_is_asked_for_what_it_lists() {
    let (listed, beside) = (end(), end());
    let setup = Setup::with_document(&json!({
        "auths": {
            &listed.host: {"auth": encoded("ci", "wrong")},
            &beside.host: {"auth": encoded("ci", PASSWORD)},
        },
        "credsStore": "test",
    }));
    helper(&setup, "test", &listed.host, "ci", PASSWORD);
    let image = format!("{}/app", listed.host);
    let run = setup.verify(&["--image", &image]);
    assert_eq!(run.results()[..2], ["accepted", "accepted"], "{}", run.stdout);
    let found = run.json()["runners"][0]["images"][0].clone();
    assert_eq!(
        (found["helper"].as_str(), found["registry"].as_str()),
        (Some("test"), Some(&*listed.host))
    );
}

#[test]
fn a_helper_that_fails_is_told() {
    let end = end();
    let setup = Setup::with_document(&json!({"credHelpers": {&end.host: "missing"}}));
    let run = setup.verify(&["--image", &format!("{}/app", end.host)]);
    assert_eq!(run.results(), vec!["unreachable credential-helper"; 2]);
    assert_eq!(run.status, 6);
    assert_eq!(end.lines(), [""; 0]);
    let notes = run.json()["runners"][0]["notes"].to_string();
    assert!(notes.contains("drops the whole auth document"), "{notes}");
    // A store that can't be asked stands for every registry.
    let setup = Setup::with_document(&json!({"credsStore": "missing"}));
    let run = setup.verify(&["--image", &format!("{}/app", end.host)]);
    assert_eq!(run.results(), vec!["unreachable credential-helper"; 2]);
    let report = run.json();
    let notes = report["runners"][0]["notes"].as_array().expect("notes");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(end.lines(), [""; 0]);
}

#[test]
fn the_entry_is_read_as_the_runner_reads_it() {
    let end = end();
    let document =
        json!({"auths": {&end.host: {"auth": "$LOGIN"}, "q.test": {"auth": "$CI_LOGIN"}}});
    let setup = Setup::new(&format!(
        "[[runners]]\nname = \"one\"\nexecutor = \"docker\"\nenvironment = ['DOCKER_AUTH_CONFIG={{}}', \
         'LOGIN={}', 'DOCKER_AUTH_CONFIG={document}']\n",
        encoded("ci", PASSWORD)
    ));
    let run = setup.verify(&[]);
    assert_eq!(run.results(), ["accepted"], "{}", run.stdout);
    let notes = run.json()["runners"][0]["notes"].to_string();
    assert!(notes.contains("the credential for q.test holds a variable"), "{notes}");
}

#[test]
fn a_document_that_the_runner_drops_is_an_answer() {
    let end = end();
    let setup = Setup::with_document(&json!({"auths": {&end.host: {"auth": "not base64"}}}));
    let run = setup.verify(&[]);
    assert_eq!(run.status, 1);
    let problem = run.json()["runners"][0]["problem"].to_string();
    assert!(problem.contains("not padded base64"), "{problem}");
    assert_eq!(end.lines(), [""; 0]);
    let text = setup.run(&["verify"]);
    assert!(text.stdout.contains("see doctor"), "{}", text.stdout);
}

#[test]
fn an_image_gets_the_credential_that_explain_names() {
    let end = End::start(|seen| match seen.authorization() {
        Some(who) if who == basic("for-app", "one-s3cret") => Reply::ok("{}"),
        Some(who) if who == basic("ci", PASSWORD) && seen.path == "/v2/" => Reply::ok("{}"),
        Some(_) => Reply::status(403),
        None => Reply::challenge("Basic realm=x"),
    });
    let path = format!("{}/group/app", end.host);
    let setup = Setup::with(&[(&end.host, "ci", PASSWORD), (&path, "for-app", "one-s3cret")]);
    let (own, other) = (format!("{path}:1"), format!("{}/group/other:1", end.host));
    let run = setup.verify(&["--image", &own, "--image", &other]);
    assert_eq!(run.results(), ["accepted", "accepted", "accepted", "refused no-permission"]);
    for (image, at) in [(&own, 0), (&other, 1)] {
        let explained = setup.run(&["explain", "--format", "json", image]);
        let explained = explained.json();
        let explained = &explained["runners"][0]["match"]["registry"];
        assert_eq!(run.json()["runners"][0]["images"][at]["registry"], *explained);
    }
}

#[test]
fn wrong_words_are_refused_before_anything_is_asked() {
    let end = end();
    let setup = Setup::with(&[(&end.host, "ci", PASSWORD)]);
    for (arguments, status) in [
        (&["--image", "No Image"][..], 2),
        (&["--image", "https://r.test/app"], 2),
        (&["--timeout", "0"], 2),
        (&["--name", "nobody"], 4),
        (&["--insecure-registry", "a b"], 3),
    ] {
        let run = setup.verify(arguments);
        assert_eq!(run.status, status, "{arguments:?}: {}", run.stdout);
    }
    assert_eq!(end.lines(), [""; 0]);
}
