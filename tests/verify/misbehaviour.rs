//! Ends that do what no registry should, and what a credential must not be sent to.

use std::time::Duration;

use serde_json::json;

use crate::command::{PASSWORD, Run, Setup, basic};
use crate::ends::{End, Reply, Seen};

fn ask(end: &End, arguments: &[&str]) -> Run {
    Setup::with(&[(&end.host, "ci", PASSWORD)]).verify(arguments)
}

/// The one answer, with status 6.
fn unreachable(run: &Run) -> String {
    assert_eq!(run.status, 6, "{}", run.stdout);
    let results = run.results();
    assert_eq!(results.len(), 1);
    results[0].strip_prefix("unreachable ").expect("unreachable").to_owned()
}

/// The time limit of a second, and what starting a process takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(4);

#[test]
fn silence_and_slow_bytes_end_with_the_timeout() {
    let slow = |text: &str| text.as_bytes().to_vec();
    let header = "HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm=\"x\"\r\n";
    let endless_header = format!("{header}X-Long: {}", "y".repeat(6000));
    let body = format!("{header}Content-Length: 600\r\n\r\n{}", "z".repeat(600));
    let ends = [
        End::start(|_| Reply::Hang),
        End::start(move |_| Reply::Drip(slow(&endless_header))),
        End::start(move |_| Reply::Drip(slow(&body))),
    ];
    for end in &ends {
        let run = ask(end, &["--timeout", "1"]);
        assert_eq!(unreachable(&run), "timeout");
        assert!(run.message().contains("within 1 s"), "{}", run.message());
        assert!(run.took < LIMIT, "{:?}", run.took);
        assert!(end.seen().iter().all(|seen| seen.authorization().is_none()));
    }
}

#[test]
fn registries_are_waited_for_side_by_side() {
    let ends: Vec<_> = (0..16).map(|_| End::start(|_| Reply::Hang)).collect();
    let credentials: Vec<_> = ends.iter().map(|end| (end.host.as_str(), "ci", PASSWORD)).collect();
    let run = Setup::with(&credentials).verify(&["--timeout", "1"]);
    assert_eq!(run.results(), vec!["unreachable timeout"; 16]);
    assert!(run.took < LIMIT, "{:?}", run.took);
}

#[test]
fn what_is_no_registry_is_told() {
    let no_type = |body: &'static str| End::start(move |_| Reply::ok(body));
    for (end, expected) in [
        (End::start(|_| Reply::Raw(b"\x00\xff garbage \r\n\r\n".to_vec())), "not-a-registry"),
        (End::start(|_| Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())), "not-a-registry"),
        (no_type("<html>welcome</html>"), "not-a-registry"),
        (End::start(|_| Reply::status(404)), "not-a-registry"),
        (End::start(|_| Reply::status(403)), "not-a-registry"),
        (End::start(|_| Reply::status(401)), "not-a-registry"),
        (End::start(|_| Reply::challenge("Digest realm=x, nonce=y")), "not-a-registry"),
        (End::start(|_| Reply::status(503)), "server-error"),
        (End::start(|_| Reply::Raw(Vec::new())), "not-connected"),
    ] {
        let run = ask(&end, &[]);
        assert_eq!(unreachable(&run), expected, "{}", run.stdout);
        assert!(end.seen().iter().all(|seen| seen.authorization().is_none()));
    }
}

#[test]
fn a_registry_that_wants_fewer_questions_is_told_from_a_refusal() {
    let end = End::start(|_| Reply::status(429).with("Retry-After", "37"));
    let run = ask(&end, &[]);
    assert_eq!(unreachable(&run), "rate-limited");
    assert!(run.message().ends_with("ask again in a minute"), "{}", run.message());
    assert!(run.took < LIMIT, "it does not wait for that: {:?}", run.took);
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let challenge = "HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm=\"x\"\r\n";
    let ends = [
        End::start(move |_| {
            Reply::Endless(format!("{challenge}Content-Length: 5368709120\r\n\r\n"))
        }),
        End::start(move |_| Reply::Endless(format!("{challenge}\r\n"))),
        End::start(move |_| Reply::Endless(format!("{challenge}X-Long: "))),
    ];
    for end in &ends {
        let run = ask(end, &[]);
        assert_eq!(unreachable(&run), "not-a-registry", "{}", run.stdout);
    }
    // Nor is a token.
    let realm = End::start(|_| Reply::Endless("HTTP/1.1 200 X\r\n\r\n{\"token\":\"".to_owned()));
    let challenge = format!("Bearer realm=\"http://{}/\"", realm.host);
    let end = End::start(move |_| Reply::challenge(challenge.clone()));
    assert_eq!(unreachable(&ask(&end, &[])), "not-a-registry");
}

#[test]
fn a_redirect_does_not_carry_the_credential_to_another_host() {
    let other = End::start_at("127.0.0.2", |_| |_: &Seen| Reply::ok("{}"));
    let elsewhere = format!("http://{}/v2/", other.host);
    // The registry sends on whoever shows a password.
    let location = elsewhere.clone();
    let end = End::start(move |seen| match seen.authorization() {
        Some(_) => Reply::status(307).with("Location", location.clone()),
        None => Reply::challenge("Basic realm=x"),
    });
    assert_eq!(unreachable(&ask(&end, &[])), "redirected");
    assert_eq!(other.lines(), [""; 0]);
    // It sends on nobody in particular, and the other host wants a credential.
    let other = End::start_at("127.0.0.2", |_| |_: &Seen| Reply::challenge("Basic realm=x"));
    let location = format!("http://{}/v2/", other.host);
    let end = End::start(move |_| Reply::status(302).with("Location", location.clone()));
    assert_eq!(unreachable(&ask(&end, &[])), "redirected");
    assert_eq!(other.lines(), ["GET /v2/ -"]);
    // The realm sends on.
    let other =
        End::start_at("127.0.0.2", |_| |_: &Seen| Reply::ok(json!({"token": "t"}).to_string()));
    let location = format!("http://{}/", other.host);
    let realm = End::start(move |_| Reply::status(308).with("Location", location.clone()));
    let challenge = format!("Bearer realm=\"http://{}/\"", realm.host);
    let end = End::start(move |_| Reply::challenge(challenge.clone()));
    assert_eq!(unreachable(&ask(&end, &[])), "redirected");
    assert_eq!(other.lines(), [""; 0]);
}

#[test]
fn a_manifest_may_move_but_the_credential_stays() {
    let other = End::start_at("127.0.0.2", |_| |_: &Seen| Reply::ok("{}"));
    let location = format!("http://{}/stored", other.host);
    let end = End::start(move |seen| match (seen.authorization(), seen.path.as_str()) {
        (None, _) => Reply::challenge("Basic realm=x"),
        (Some(_), "/v2/") => Reply::ok("{}"),
        (Some(_), _) => Reply::status(307).with("Location", location.clone()),
    });
    let run = ask(&end, &["--image", &format!("{}/app", end.host)]);
    assert_eq!(run.results(), ["accepted", "accepted"], "{}", run.stdout);
    assert_eq!(other.lines(), ["HEAD /stored -"]);
}

#[test]
fn a_redirect_at_home_is_followed_but_not_for_ever() {
    let end = End::start(|seen| match (seen.authorization(), seen.path.as_str()) {
        (None, _) => Reply::challenge("Basic realm=x"),
        (Some(_), "/v2/") => Reply::status(308).with("Location", "/moved/v2/"),
        (Some(_), _) => Reply::ok("{}"),
    });
    assert_eq!(ask(&end, &[]).results(), ["accepted"]);
    let who = basic("ci", PASSWORD);
    assert_eq!(
        end.lines(),
        ["GET /v2/ -".into(), format!("GET /v2/ {who}"), format!("GET /moved/v2/ {who}")]
    );
    let end = End::start(|_| Reply::status(302).with("Location", "/v2/"));
    assert_eq!(unreachable(&ask(&end, &[])), "redirected");
    assert_eq!(end.seen().len(), 6);
    let end = End::start(|_| Reply::status(302));
    assert_eq!(unreachable(&ask(&end, &[])), "redirected");
}

#[test]
fn a_realm_gets_the_password_only_where_nobody_listens() {
    // Addresses that are for documentation: nothing is sent to them.
    for realm in [
        "http://192.0.2.1/token",
        "http://realm.test/token",
        "ftp://192.0.2.1/",
        "no url",
        "http://ci:x@127.0.0.1/",
    ] {
        let challenge = format!("Bearer realm=\"{realm}\"");
        let end = End::start(move |_| Reply::challenge(challenge.clone()));
        assert_eq!(unreachable(&ask(&end, &[])), "unsafe-realm", "{realm}");
        assert_eq!(end.lines(), ["GET /v2/ -"]);
    }
    // Another host on this machine may be a realm, and is told nothing but what is for it.
    let realm = End::start_at("127.0.0.2", |_| {
        |_: &Seen| Reply::ok(json!({"token": "a-t0ken"}).to_string())
    });
    let challenge = format!("Bearer realm=\"http://{}/token\"", realm.host);
    let end = End::start(move |seen| match seen.authorization() {
        Some("Bearer a-t0ken") => Reply::ok("{}"),
        _ => Reply::challenge(challenge.clone()),
    });
    ask(&end, &[]);
    let who = basic("ci", PASSWORD);
    assert_eq!(
        realm.lines(),
        [
            format!("GET /token?account=ci&client_id=runner-auth {who}"),
            "GET /token?client_id=runner-auth -".to_owned()
        ]
    );
    for line in end.lines() {
        assert!(line.ends_with(" -") || line.ends_with(" Bearer a-t0ken"), "{line}");
    }
}

#[test]
fn a_token_is_not_printed_when_it_comes_back() {
    // A token of the realm; `repeated` has the password.
    let realm = End::start(|_| Reply::ok(json!({"token": "t0ken-of-the-realm"}).to_string()));
    let challenge = format!("Bearer realm=\"http://{}/\"", realm.host);
    let end = End::start(move |seen| match seen.authorization() {
        Some(who) => Reply::Answer(401, Vec::new(), who.to_owned()),
        None => Reply::challenge(challenge.clone()),
    });
    let run = ask(&end, &[]);
    assert_eq!(run.message(), "<hidden>");
}

#[test]
fn control_characters_of_a_registry_do_not_reach_a_terminal() {
    let body = json!({"message": "a\u{1b}[2Jb\nc"}).to_string();
    let end = End::start(move |seen| match seen.authorization() {
        Some(_) => Reply::Answer(401, Vec::new(), body.clone()),
        None => Reply::challenge("Basic realm=x"),
    });
    let run = Setup::with(&[(&end.host, "ci", PASSWORD)]).run(&["verify", "--show-secrets"]);
    assert!(run.stdout.contains("a\\u{1b}[2Jb\\nc"), "{}", run.stdout);
}
