//! A registry that wants tokens, and the realm that gives them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::command::{PASSWORD, Setup, basic};
use crate::ends::{End, Reply, Seen};

/// A token that says who it is for.
fn token(subject: &str) -> String {
    let claims = URL_SAFE_NO_PAD.encode(json!({ "sub": subject }).to_string());
    format!("e30.{claims}.c2ln")
}

/// A realm that knows `ci`, and gives tokens to nobody else.
fn realm() -> End {
    End::start(|seen| match seen.authorization() {
        Some(who) if who == basic("ci", PASSWORD) => {
            Reply::ok(json!({"token": token("ci"), "expires_in": 300}).to_string())
        }
        _ => Reply::Answer(
            401,
            Vec::new(),
            json!({"details": "incorrect username or password"}).to_string(),
        ),
    })
}

/// A registry that takes the tokens of a realm; it has the image `group/app:1`, and `secret/app` is
/// for somebody else.
fn registry(realm: &str) -> End {
    let challenge = format!("Bearer realm=\"http://{realm}/token?x=y\",service=\"the registry\"");
    End::start(move |seen: &Seen| {
        if seen.authorization() != Some(&format!("Bearer {}", token("ci"))) {
            return Reply::challenge(challenge.clone());
        }
        match seen.path.as_str() {
            "/v2/" | "/v2/group/app/manifests/1" => Reply::ok("{}"),
            path if path.starts_with("/v2/secret/") => Reply::Answer(
                403,
                Vec::new(),
                json!({"errors": [{"code": "DENIED", "message": "requested access to the resource is denied"}]})
                    .to_string(),
            ),
            _ => Reply::status(404),
        }
    })
}

#[test]
fn a_token_is_fetched_with_the_credential_and_shown_to_the_registry() {
    let realm = realm();
    let registry = registry(&realm.host);
    let run = Setup::with(&[(&registry.host, "ci", PASSWORD)]).verify(&[]);
    assert_eq!((run.results(), run.status), (vec!["accepted".to_owned()], 0), "{}", run.stdout);
    let bearer = format!("Bearer {}", token("ci"));
    assert_eq!(registry.lines(), ["GET /v2/ -".to_owned(), format!("GET /v2/ {bearer}")]);
    assert_eq!(
        realm.lines(),
        [
            format!(
                "GET /token?x=y&account=ci&service=the%20registry&client_id=runner-auth {}",
                basic("ci", PASSWORD)
            ),
            "GET /token?x=y&service=the%20registry&client_id=runner-auth -".to_owned(),
        ]
    );
}

#[test]
fn a_refusal_of_the_realm_is_told_in_its_words() {
    let realm = realm();
    let registry = registry(&realm.host);
    let setup = Setup::with(&[(&registry.host, "ci", "wrong")]);
    let run = setup.verify(&["--image", &format!("{}/group/app:1", registry.host)]);
    // The image is not asked for: the realm might shut the user out.
    assert_eq!(run.results(), ["refused wrong-credential", "refused wrong-credential"]);
    assert_eq!((run.message().as_str(), run.status), ("incorrect username or password", 1));
    assert_eq!(realm.seen().len(), 1);
    assert_eq!(registry.lines(), ["GET /v2/ -"]);
}

#[test]
fn a_wrong_password_a_missing_permission_and_a_missing_image_are_told_apart() {
    let realm = realm();
    let registry = registry(&realm.host);
    let setup = Setup::with(&[(&registry.host, "ci", PASSWORD)]);
    let image = |name: &str| format!("{}/{name}", registry.host);
    let (there, secret, missing) = (image("group/app:1"), image("secret/app"), image("group/no:1"));
    let run = setup.verify(&["--image", &there, "--image", &secret, "--image", &missing]);
    assert_eq!(
        run.results(),
        ["accepted", "accepted", "refused no-permission", "refused no-such-image"]
    );
    let message = run.json()["runners"][0]["images"][1]["message"].to_string();
    assert_eq!(message, "\"denied: requested access to the resource is denied\"");
    let paths: Vec<_> = realm.seen().iter().map(|seen| seen.path.clone()).collect();
    assert!(
        paths.iter().any(|path| path.contains("scope=repository%3Agroup%2Fapp%3Apull")),
        "{paths:?}"
    );
    let asked = registry.seen();
    let manifest = asked.iter().find(|seen| seen.path == "/v2/group/app/manifests/1").expect("one");
    assert_eq!(manifest.method, "HEAD");
    let accept = manifest.header("accept").expect("a header");
    for kind in ["oci.image.index", "oci.image.manifest", "manifest.list.v2", "manifest.v2"] {
        assert!(accept.contains(kind), "{accept}");
    }
}

#[test]
fn a_credential_with_a_path_is_asked_for_that_path() {
    let realm = realm();
    let registry = registry(&realm.host);
    let key = format!("{}/group/app", registry.host);
    let run = Setup::with(&[(&key, "ci", PASSWORD)]).verify(&[]);
    assert_eq!(run.results(), ["accepted"]);
    let first = realm.seen()[0].path.clone();
    assert!(first.contains("&scope=repository%3Agroup%2Fapp%3Apull&"), "{first}");
}

#[test]
fn a_group_for_which_no_token_is_given_is_no_wrong_password() {
    let realm = End::start(|seen| match seen.authorization() {
        Some(_) if !seen.path.contains("scope=") => {
            Reply::ok(json!({"token": token("ci")}).to_string())
        }
        _ => Reply::status(403),
    });
    let registry = registry(&realm.host);
    let key = format!("{}/group", registry.host);
    let run = Setup::with(&[(&key, "ci", PASSWORD)]).verify(&[]);
    assert_eq!(run.results(), ["accepted"]);
    let advice = run.json()["runners"][0]["credentials"][0]["advice"].to_string();
    assert!(advice.contains("may be a group of images"), "{advice}");
}

#[test]
fn a_realm_that_gives_tokens_to_anybody_proves_nothing() {
    let realm = End::start(|_| Reply::ok(json!({"access_token": "for-anybody"}).to_string()));
    let registry = End::start_at("127.0.0.1", |_| {
        let challenge = format!("Bearer realm=\"http://{}/token\"", realm.host);
        move |seen: &Seen| match seen.authorization() {
            Some("Bearer for-anybody") => Reply::ok("{}"),
            _ => Reply::challenge(challenge.clone()),
        }
    });
    let run = Setup::with(&[(&registry.host, "ci", "anything")]).verify(&[]);
    assert_eq!((run.results(), run.status), (vec!["anonymous".to_owned()], 0));
    // Docker Hub lets anybody in as well, but its tokens say who they are for.
    let realm = Arc::new(End::start(|seen| {
        let subject = if seen.authorization().is_some() { "ci" } else { "" };
        Reply::ok(json!({"token": token(subject)}).to_string())
    }));
    let registry = End::start_at("127.0.0.1", |_| {
        let challenge = format!("Bearer realm=\"http://{}/token\"", realm.host);
        move |seen: &Seen| match seen.authorization() {
            Some(_) => Reply::ok("{}"),
            None => Reply::challenge(challenge.clone()),
        }
    });
    let run = Setup::with(&[(&registry.host, "ci", PASSWORD)]).verify(&[]);
    assert_eq!(run.results(), ["accepted"]);
}

#[test]
fn an_identity_token_is_exchanged() {
    let realm = End::start(|seen| {
        let known = seen.body.contains("refresh_token=1dentity-t0ken");
        match seen.method.as_str() {
            "POST" if known => Reply::ok(json!({"access_token": token("ci")}).to_string()),
            "POST" => Reply::Answer(
                400,
                Vec::new(),
                json!({"error": "invalid_grant", "error_description": "token expired"}).to_string(),
            ),
            _ => Reply::status(401),
        }
    });
    let registry = registry(&realm.host);
    let with = |identity: &str| {
        let entry = json!({"auths": {&registry.host: {"identitytoken": identity}}});
        Setup::with_document(&entry).verify(&[])
    };
    let run = with("1dentity-t0ken");
    assert_eq!((run.results(), run.status), (vec!["accepted".to_owned()], 0), "{}", run.stdout);
    let form = &realm.seen()[0];
    assert_eq!((form.method.as_str(), form.path.as_str()), ("POST", "/token?x=y"));
    assert_eq!(
        form.body,
        "grant_type=refresh_token&service=the%20registry&client_id=runner-auth&refresh_token=1dentity-t0ken"
    );
    assert_eq!(form.authorization(), None);
    let run = with("another");
    assert_eq!(
        (run.results(), run.message()),
        (vec!["refused wrong-credential".into()], "token expired".into())
    );
}

#[test]
fn a_registry_token_is_sent_as_it_is() {
    let realm = realm();
    let registry = registry(&realm.host);
    let entry = json!({"auths": {&registry.host: {"registrytoken": token("ci")}}});
    let run = Setup::with_document(&entry).verify(&[]);
    assert_eq!(run.results(), ["accepted"], "{}", run.stdout);
    let who: Vec<_> = realm.seen().iter().map(|seen| seen.authorization().is_some()).collect();
    assert_eq!(who, [false], "the realm is asked only whether anybody gets a token");
}

#[test]
fn several_challenges_in_one_header() {
    let realm = realm();
    let end = End::start_at("127.0.0.1", |_| {
        let challenge = format!(
            "Negotiate, Basic realm=\"a, b\", Bearer realm=\"http://{}/token\"",
            realm.host
        );
        move |seen: &Seen| match seen.authorization() {
            Some(who) if who == format!("Bearer {}", token("ci")) => Reply::ok("{}"),
            _ => Reply::challenge(challenge.clone()),
        }
    });
    let run = Setup::with(&[(&end.host, "ci", PASSWORD)]).verify(&[]);
    assert_eq!(run.results(), ["accepted"]);
    assert_eq!(end.lines().len(), 2);
}
