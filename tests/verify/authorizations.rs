//! Who is told which credential, when many ends are asked in one run.

use std::collections::BTreeSet;

use serde_json::json;

use crate::command::{Setup, basic};
use crate::ends::{End, Reply, Seen};
use crate::proxies::Proxy;

/// An end that asks for a password, and then sends whoever shows one to another place.
fn sends_on(location: String) -> End {
    End::start(move |seen| match seen.authorization() {
        Some(_) => Reply::status(307).with("Location", location.clone()),
        None => Reply::challenge("Basic realm=x"),
    })
}

fn wants_token_of(realm: &str) -> End {
    let challenge = format!("Bearer realm=\"{realm}\",service=\"x\"");
    End::start(move |seen| match seen.authorization() {
        Some("Bearer t0ken-of-b") => Reply::ok("{}"),
        _ => Reply::challenge(challenge.clone()),
    })
}

#[test]
fn each_credential_reaches_its_registry_and_realm_and_nobody_else() {
    let stranger = End::start_at("127.0.0.3", |_| |_: &Seen| Reply::ok("{}"));
    let realm = End::start_at("127.0.0.2", |_| {
        |seen: &Seen| match seen.authorization() {
            Some(who) if who == basic("b", "pw-of-b") => {
                Reply::ok(json!({"token": "t0ken-of-b"}).to_string())
            }
            _ => Reply::status(401),
        }
    });
    let plain = End::start(|seen| match seen.authorization() {
        Some(who) if who == basic("a", "pw-of-a") => Reply::ok("{}"),
        _ => Reply::challenge("Basic realm=x"),
    });
    let token = wants_token_of(&format!("http://{}/token", realm.host));
    let moved = sends_on(format!("http://{}/v2/", stranger.host));
    let moved_realm = sends_on(format!("http://{}/token", stranger.host));
    let token_of_moved = wants_token_of(&format!("http://{}/token", moved_realm.host));
    // An address that is for documentation: nothing may be sent there.
    let unsafe_realm = wants_token_of("http://192.0.2.1/token");
    let proxy = Proxy::start("");
    let credentials = [
        (plain.host.as_str(), "a", "pw-of-a"),
        (&token.host, "b", "pw-of-b"),
        (&moved.host, "c", "pw-of-c"),
        (&token_of_moved.host, "d", "pw-of-d"),
        (&unsafe_realm.host, "e", "pw-of-e"),
        ("registry.test", "f", "pw-of-f"),
    ];
    let setup = Setup::with(&credentials)
        .variable("HTTPS_PROXY", format!("http://proxy-user:pw-of-proxy@{}", proxy.host));
    let images: Vec<_> =
        credentials.iter().map(|(host, ..)| format!("--image={host}/group/app:1")).collect();
    let run = setup.verify(&images.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(run.status, 6, "{}", run.stdout);
    let told = |end: &End| -> BTreeSet<String> {
        end.seen().iter().filter_map(|seen| seen.authorization().map(str::to_owned)).collect()
    };
    let only = |who: &[&str]| who.iter().map(|&who| who.to_owned()).collect::<BTreeSet<_>>();
    for (name, end, expected) in [
        ("plain", &plain, only(&[&basic("a", "pw-of-a")])),
        ("token", &token, only(&["Bearer t0ken-of-b"])),
        ("its realm", &realm, only(&[&basic("b", "pw-of-b")])),
        ("moved", &moved, only(&[&basic("c", "pw-of-c")])),
        ("token of a realm that moved", &token_of_moved, only(&[])),
        ("the realm that moved", &moved_realm, only(&[&basic("d", "pw-of-d")])),
        ("unsafe realm", &unsafe_realm, only(&[])),
        ("stranger", &stranger, only(&[])),
    ] {
        assert_eq!(told(end), expected, "{name}");
    }
    for seen in proxy.seen() {
        let own: Vec<_> =
            seen.lines().filter(|line| line.to_lowercase().contains("auth")).collect();
        let basic = basic("proxy-user", "pw-of-proxy");
        assert_eq!(own, [format!("Proxy-Authorization: {basic}")]);
    }
    assert!(!proxy.seen().is_empty());
}
