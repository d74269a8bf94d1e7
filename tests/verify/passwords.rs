//! A real registry that asks for a user and a password.

use std::process::Command;

use serde_json::json;

use crate::command::{PASSWORD, Setup, basic, there};
use crate::ends::{End, Reply};
use crate::registry::Registry;

#[test]
fn a_password_is_accepted_or_refused() {
    let Some(registry) = Registry::start(None, true) else { return };
    let run = Setup::with(&[(&registry.host, "ci", PASSWORD)]).verify(&[]);
    assert_eq!((run.results(), run.status), (vec!["accepted".to_owned()], 0), "{}", run.stderr);
    let run = Setup::with(&[(&registry.host, "ci", "wrong")]).verify(&[]);
    assert_eq!((run.results(), run.status), (vec!["refused wrong-credential".to_owned()], 1));
    assert_eq!(run.message(), "unauthorized: authentication required");
    // A refusal counts before what can't be reached.
    let gone = Setup::with(&[("127.0.0.1:1", "ci", PASSWORD), (&registry.host, "ci", "wrong")]);
    assert_eq!(gone.verify(&[]).status, 1);
    let gone = Setup::with(&[("127.0.0.1:1", "ci", PASSWORD), (&registry.host, "ci", PASSWORD)]);
    let run = gone.verify(&[]);
    assert_eq!(
        (run.results(), run.status),
        (vec!["unreachable not-connected".into(), "accepted".into()], 6)
    );
}

#[test]
fn an_image_is_there_or_not() {
    let Some(registry) = Registry::start(None, true) else { return };
    registry.push("group/app", "1.0", PASSWORD);
    let setup = Setup::with(&[(&registry.host, "ci", PASSWORD)]);
    let image = format!("{}/group/app:1.0", registry.host);
    let missing = format!("{}/group/app:2.0", registry.host);
    let run = setup.verify(&["--image", &image, "--image", &missing]);
    assert_eq!(run.results(), ["accepted", "accepted", "refused no-such-image"]);
    assert_eq!(run.status, 1);
    let report = run.json();
    let found = &report["runners"][0]["images"][0];
    assert_eq!(
        *found,
        json!({"image": image, "registry": registry.host, "username": "ci", "result": "accepted"})
    );
    // Nobody in particular is not let in.
    let nobody = Setup::new("[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n");
    let run = nobody.verify(&["--image", &image]);
    assert_eq!((run.results(), run.status), (vec!["refused no-credential".to_owned()], 1));
    let run = nobody.verify(&[]);
    assert_eq!((run.results(), run.status), (Vec::<String>::new(), 0));
}

#[test]
fn the_images_that_the_config_names() {
    let Some(registry) = Registry::start(None, true) else { return };
    registry.push("job", "1", PASSWORD);
    registry.push("service", "1", PASSWORD);
    let host = &registry.host;
    let document = json!({"auths": {host: {"auth": crate::command::encoded("ci", PASSWORD)}}});
    let setup = Setup::new(&format!(
        "[[runners]]\nname = \"one\"\nexecutor = \"docker\"\nenvironment = ['DOCKER_AUTH_CONFIG={document}']\n\
         [runners.docker]\nimage = \"{host}/job:1\"\nhelper_image = \"{host}/helper:1\"\n\
         [[runners.docker.services]]\nname = \"{host}/service:1\"\n\
         [[runners.docker.services]]\nname = \"{host}/$NAME:1\"\n"
    ));
    let run = setup.verify(&["--images"]);
    assert_eq!(run.results(), ["accepted", "accepted", "refused no-such-image", "accepted"]);
    let notes = run.json()["runners"][0]["notes"].to_string();
    assert!(notes.contains("services holds a variable"), "{notes}");
}

#[test]
fn a_registry_that_lets_anybody_in_proves_nothing() {
    let Some(registry) = Registry::start(None, false) else { return };
    registry.push("app", "1", PASSWORD);
    let setup = Setup::with(&[(&registry.host, "ci", PASSWORD)]);
    let run = setup.verify(&["--image", &format!("{}/app:1", registry.host)]);
    assert_eq!(
        (run.results(), run.status),
        (vec!["anonymous".to_owned(), "anonymous".to_owned()], 0)
    );
    let text = setup.run(&["verify"]);
    assert!(text.stdout.contains("lets anybody in, so this proves nothing"), "{}", text.stdout);
    // It was never shown the password.
    assert!(!registry.log().contains("ci:"));
}

#[test]
fn one_credential_is_asked_once_for_all_runners() {
    let end = End::start(|seen| match seen.authorization() {
        Some(_) => Reply::ok("{}"),
        None => Reply::challenge("Basic realm=\"test\""),
    });
    let document = json!({"auths": {&end.host: {"auth": crate::command::encoded("ci", PASSWORD)}}});
    let runner = |name: usize| {
        format!(
            "[[runners]]\nname = \"r{name}\"\nexecutor = \"docker\"\nenvironment = \
             ['DOCKER_AUTH_CONFIG={document}']\n"
        )
    };
    let setup = Setup::new(&(0..50).map(runner).collect::<String>());
    let run = setup.verify(&[]);
    assert_eq!(run.status, 0);
    assert_eq!(run.json()["runners"].as_array().expect("runners").len(), 50);
    let who = basic("ci", PASSWORD);
    assert_eq!(end.lines(), ["GET /v2/ -".to_owned(), format!("GET /v2/ {who}")]);
    let text = setup.run(&["verify"]);
    assert!(text.stdout.contains("r0, r1, r2, 47 more\n1 accepted.\n"), "{}", text.stdout);
    assert_eq!(text.stderr, "", "there is no progress without a terminal");
}

#[test]
fn on_a_terminal_it_tells_how_far_it_is() {
    if !there("script") {
        return;
    }
    let end = End::start(|seen| match seen.authorization() {
        Some(_) => Reply::ok("{}"),
        None => Reply::challenge("Basic realm=\"test\""),
    });
    let setup = Setup::with(&[(&end.host, "ci", PASSWORD)]);
    let shown = |options: &str| {
        let command = format!("{} verify {options}", env!("CARGO_BIN_EXE_runner-auth"));
        let output = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env("CONFIG_FILE", setup.path("config.toml"))
            .output()
            .expect("script runs");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let text = shown("");
    for part in ["\rAsking 1 registry, 0 answered", "\rAsking 1 registry, 1 answered", "\rRESULT"] {
        assert!(text.contains(part), "{text:?}");
    }
    for options in ["--quiet", "--format json"] {
        assert!(!shown(options).contains("Asking"), "{options}");
    }
}
