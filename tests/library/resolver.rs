//! Which credential an image gets: the cases in `fixtures/resolver.json`, each with its reason,
//! answers recorded from GitLab Runner's own resolver where they are at hand, the changes from
//! version to version, and what must hold for every document.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use runner_auth::image_path;
use runner_auth::{Answer, Match, Resolution, Verdict, resolve};
use runner_auth::{Credential, RunnerVersion, Secret};
use runner_auth::{key_path, key_path_in};
use serde_json::{Value, json};

const LATEST: RunnerVersion = RunnerVersion::LATEST;

fn version(text: &str) -> RunnerVersion {
    RunnerVersion::parse(text).expect("a version")
}

fn auth(user: &str) -> Value {
    let login = Credential::new(user, Secret::new("p".into())).expect("a credential");
    json!({ "auth": login.encode().expose() })
}

/// A document with these keys; the first has the user `u0`, the next `u1`.
fn document<K: AsRef<str>>(keys: &[K]) -> String {
    let numbered = keys.iter().enumerate();
    let auths: serde_json::Map<_, _> = numbered
        .map(|(number, key)| (key.as_ref().to_owned(), auth(&format!("u{number}"))))
        .collect();
    json!({ "auths": auths }).to_string()
}

#[test]
fn an_explanation_may_go_to_another_thread() {
    fn goes<T: Send + Sync>() {}
    goes::<runner_auth::Explanation>();
}

fn winner(resolution: &Resolution) -> Option<&Match> {
    match &resolution.verdict {
        Verdict::Match(found) => Some(found),
        _ => None,
    }
}

fn user(found: &Match) -> &str {
    match &found.answer {
        Answer::User(user) => user,
        other => panic!("{other:?}"),
    }
}

fn read(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("the cases can be read");
    serde_json::from_str(&text).expect("the cases are JSON")
}

#[test]
fn each_case_has_its_reason() {
    let cases = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/resolver.json"));
    for case in &cases {
        let text = |name: &str| case[name].as_str();
        let why = text("why").expect("a reason");
        let image = text("image").expect("an image");
        let keys: Vec<&str> =
            case["keys"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let document = text("document").map_or_else(|| document(&keys), str::to_owned);
        let resolution = resolve(&document, image, LATEST);
        let found = winner(&resolution);
        assert_eq!(found.map(|found| found.key.as_str()), text("wins"), "{why}: {resolution:?}");
        assert_eq!(found.map(|found| found.path.as_str()), text("path"), "{why}");
        if let Some(found) = found {
            let number = keys.iter().position(|key| Some(*key) == text("wins")).unwrap_or(0);
            assert_eq!(user(found), format!("u{number}"), "{why}");
        }
        let near = resolution.near_misses.first().map(|miss| miss.key.as_str());
        assert_eq!(near, text("near"), "{why}: {:?}", resolution.near_misses);
    }
    println!("{} cases", cases.len());
    assert!(!cases.is_empty());
}

#[test]
fn recorded_answers_of_the_real_resolver_agree() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/explain-cases.json");
    if !path.exists() {
        println!("SKIPPED: there are no recorded answers at {}", path.display());
        assert!(std::env::var_os("CI").is_none(), "CI has the recorded answers");
        return;
    }
    let cases = read(&path);
    for case in &cases {
        let (document, image) = (case["auth"].as_str().unwrap(), case["image"].as_str().unwrap());
        let resolution = resolve(document, image, LATEST);
        let found = winner(&resolution);
        assert_eq!(found.map(|found| found.path.as_str()), case["path"].as_str(), "{case}");
        assert_eq!(found.map(user), case["username"].as_str(), "{case}");
    }
    println!("{} recorded answers", cases.len());
    assert!(!cases.is_empty());
}

/// What this crate says, in the words in which the answers of GitLab Runner were recorded.
fn given(document: &str, image: &str, version: RunnerVersion) -> Value {
    let user = |found: &Match| match &found.answer {
        Answer::User(user) => format!("user:{user}"),
        Answer::Empty => "user:".to_owned(),
        Answer::Helper(name) => format!("user:from-{name}"),
        other => panic!("{other:?}"),
    };
    match resolve(document, image, version).verdict {
        Verdict::Match(found) => json!(user(&found)),
        Verdict::AtRandom { keys: found, .. } => {
            let mut users: Vec<_> = found.iter().map(user).collect();
            users.sort();
            json!(users)
        }
        // The store that was asked lists none of these.
        Verdict::NoMatch | Verdict::Store(_) | Verdict::Dropped { .. } => json!("none"),
        Verdict::Cancelled { .. } => json!("cancelled"),
    }
}

#[test]
fn each_version_gives_what_its_resolver_gave() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/resolver-versions.json");
    let text = fs::read_to_string(path).expect("the answers can be read");
    let recorded: Value = serde_json::from_str(&text).expect("the answers are JSON");
    let list = |name: &str| recorded[name].as_array().expect("a list").clone();
    let mut wrong = Vec::new();
    for case in &list("cases") {
        let text = |name: &str| case[name].as_str().expect("a text");
        for (number, known) in list("versions").iter().enumerate() {
            let known = version(known.as_str().expect("a version"));
            let found = given(text("document"), text("image"), known);
            // A process that ends gives no credential either.
            let gave = match &case["gave"][number] {
                Value::String(gave) if gave == "panic" => &json!("none"),
                gave => gave,
            };
            if found != *gave {
                wrong.push(format!("{}, {known}: {found} and not {gave}", text("why")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(list("cases").len() > 40 && list("versions").len() > 5);
}

#[test]
fn keys_become_paths() {
    for (key, path) in [
        ("my.HOST/With/Path", "my.host/With/Path"),
        ("my.host:5000/ns/image:latest", "my.host:5000/ns/image"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io", "index.docker.io"),
        ("https://my.host/v1/something", "my.host"),
    ] {
        assert_eq!(key_path(key), path);
    }
    assert_eq!(key_path_in("index.docker.io", version("17.4")), "docker.io");
}

#[test]
fn each_version_has_its_rules() {
    // A document, an image, a version, and who wins: a key, `None`, or several at random.
    let plain = r#"{"auths": {"r.io": {"username": "u", "password": "p"}}}"#;
    let no_user = r#"{"auths": {"r.io": {"auth": "OnA="}}}"#;
    let bad_name = r#"{"auths": {"r.io": {"auth": "dTpw"}}, "credHelpers": {"q.io": "a/b"}}"#;
    let two = document(&["r.io", "https://r.io"]);
    let paths = document(&["r.io/ns", "r.io"]);
    let upper = document(&["R.io"]);
    let http = document(&["http://r.io"]);
    let twice = document(&["http://https://r.io"]);
    let dead = document(&["index.docker.io"]);
    let local = document(&["localhost"]);
    let half = r#"{"\ud800": 1, "auths": {"r.io": {"auth": "dTpw"}}}"#;
    let half_auth = r#"{"auths": {"q.io": {"auth": "\ud800"}, "r.io": {"auth": "dTpw"}}}"#;
    let experimental = r#"{"experimental": true, "auths": {"r.io": {"auth": "dTpw"}}}"#;
    let features = r#"{"features": {"a": true}, "auths": {"r.io": {"auth": "dTpw"}}}"#;
    let emptied = r#"{"auths": {"r.io": {"auth": "dTpw"}}, "Auths": null}"#;
    let joined = r#"{"auths": {"r.io": {"auth": "dTpw"}}, "Auths": {"q.io": {}}}"#;
    let mended = r#"{"auths": {"r.io": {"auth": "dTpw"}}, "credHelpers": {"q.io": "a/b"},
        "CredHelpers": {"q.io": "pass"}}"#;
    let cleared = r#"{"auths": {"r.io": {"auth": "dTpw"}}, "credHelpers": {"q.io": "a/b"},
        "CredHelpers": null}"#;
    let dotted = document(&["\u{130}.io"]);
    let table: &[(&str, &str, &str, &[&str])] = &[
        // Half a surrogate pair is a character in Go, and no base64.
        (half, "r.io/app", "19.3", &["r.io"]),
        (half_auth, "r.io/app", "19.3", &[]),
        // Docker's members change: experimental goes with 29 (19.2), features comes with 27 (17.11).
        (experimental, "r.io/app", "19.1", &[]),
        (experimental, "r.io/app", "19.2", &["r.io"]),
        (features, "r.io/app", "17.10", &["r.io"]),
        (features, "r.io/app", "17.11", &[]),
        // A later null empties a map, a later object comes to it.
        (emptied, "r.io/app", "19.3", &[]),
        (joined, "r.io/app", "19.3", &["r.io"]),
        (mended, "r.io/app", "19.3", &["r.io"]),
        (cleared, "r.io/app", "19.3", &["r.io"]),
        // Letters are lowered one by one.
        (&dotted, "i.io/app", "19.3", &["\u{130}.io"]),
        // The host of a key in any letter case: 13.4.
        (&upper, "r.io/app", "13.3", &[]),
        (&upper, "R.io/app", "13.3", &["R.io"]),
        (&upper, "r.io/app", "13.4", &["R.io"]),
        // One scheme after the other: 13.4.
        (&twice, "r.io/app", "13.3", &[]),
        (&twice, "r.io/app", "13.4", &["http://https://r.io"]),
        // The host of an image in any letter case: 17.5.
        (&upper, "R.io/app", "13.4", &[]),
        (&upper, "R.io/app", "17.4", &[]),
        (&upper, "R.io/app", "17.5", &["R.io"]),
        // A helper's name that cancels all: 13.5.
        (bad_name, "r.io/app", "13.4", &[]),
        (bad_name, "r.io/app", "13.5", &[]),
        // User and password in the clear: 13.9.
        (plain, "r.io/app", "13.8", &["r.io (empty)"]),
        (plain, "r.io/app", "13.9", &["r.io"]),
        // An empty user drops the document: 15.10.
        (no_user, "r.io/app", "15.9", &["r.io"]),
        (no_user, "r.io/app", "15.10", &[]),
        // Paths, and the index of Docker Hub without a scheme: 17.5.
        (&paths, "r.io/ns/app", "17.4", &["r.io", "r.io/ns"]),
        (&paths, "r.io/ns/app", "17.5", &["r.io/ns"]),
        (&dead, "nginx", "17.4", &["index.docker.io"]),
        (&dead, "nginx", "17.5", &[]),
        // http:// as a scheme: not from 17.5 to 18.0.
        (&http, "r.io/app", "17.4", &["http://r.io"]),
        (&http, "r.io/app", "17.5", &[]),
        (&http, "r.io/app", "18.0", &[]),
        (&http, "r.io/app", "18.1", &["http://r.io"]),
        // Which of two keys wins, and localhost in any letter case: 18.3.
        (&two, "r.io/app", "18.2", &["https://r.io", "r.io"]),
        (&two, "r.io/app", "18.3", &["https://r.io"]),
        (&local, "LOCALHOST/app", "18.2", &[]),
        (&local, "LOCALHOST/app", "18.3", &["localhost"]),
    ];
    for (document, image, at, expected) in table {
        let resolution = resolve(document, image, version(at));
        let found: Vec<String> = match &resolution.verdict {
            Verdict::Match(found) if found.answer == Answer::Empty => {
                vec![format!("{} (empty)", found.key.as_str())]
            }
            Verdict::Match(found) => vec![found.key.as_str().to_owned()],
            Verdict::AtRandom { keys: found, .. } => {
                found.iter().map(|found| found.key.as_str().to_owned()).collect()
            }
            _ => Vec::new(),
        };
        assert_eq!(found, *expected, "{document} {image} {at}: {resolution:?}");
    }
}

#[test]
fn helpers_answer_before_auths() {
    let document = r#"{"auths": {"r.io": {"auth": "dTpw"}}, "credHelpers": {"r.io": "pass"}}"#;
    let resolution = resolve(document, "r.io/app", LATEST);
    let found = winner(&resolution).expect("a match");
    assert_eq!(found.answer, Answer::Helper("pass".into()));
    assert_eq!(resolution.losers.len(), 1);
    let document = r#"{"auths": {"r.io": {"auth": "dTpw"}}, "credsStore": "pass"}"#;
    let resolution = resolve(document, "q.io/app", LATEST);
    assert_eq!(resolution.verdict, Verdict::Store("pass".into()));
}

#[test]
fn a_member_without_auth_takes_its_path_with_an_empty_credential() {
    for member in ["{}", "null", r#"{"email": "a@b"}"#] {
        let document =
            format!(r#"{{"auths": {{"r.io/ns": {member}, "r.io": {{"auth": "dTpw"}}}}}}"#);
        let resolution = resolve(&document, "r.io/ns/app", LATEST);
        let found = winner(&resolution).expect("a match");
        assert_eq!((found.key.as_str(), &found.answer), ("r.io/ns", &Answer::Empty));
        assert!(!resolution.has_credential());
    }
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,6}\\.io", "[a-z]{1,6}\\.io:[0-9]{2,4}", Just("localhost".to_owned())]
}

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec("[a-z0-9]{1,4}", 1..4).prop_map(|parts| parts.join("/"))
}

fn key() -> impl Strategy<Value = String> {
    (prop_oneof![Just(""), Just("https://"), Just("http://")], host(), proptest::option::of(path()))
        .prop_map(|(scheme, host, path)| match path {
            Some(path) => format!("{scheme}{host}/{path}"),
            None => format!("{scheme}{host}"),
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_letter_case_of_a_host_never_matters(host in host(), path in path(), keys in proptest::collection::vec(key(), 0..5)) {
        let mut keys = keys;
        keys.push(host.clone());
        let document = document(&keys);
        let lower = resolve(&document, &format!("{host}/{path}"), LATEST);
        let upper = resolve(&document, &format!("{}/{path}", host.to_uppercase()), LATEST);
        prop_assert!(winner(&lower).is_some());
        prop_assert_eq!(lower, upper);
        prop_assert_eq!(key_path(&host.to_uppercase()), key_path(&host));
    }

    #[test]
    fn a_longer_key_changes_no_other_image(host in host(), ns in path(), other in path(), keys in proptest::collection::vec(key(), 0..5)) {
        let image = format!("{host}/{other}");
        let longer = format!("{host}/{ns}/below");
        prop_assume!(!format!("{image}/").starts_with(&format!("{longer}/")));
        let before = document(&keys);
        let with = [&keys[..], std::slice::from_ref(&longer)].concat();
        let after = document(&with);
        let before = resolve(&before, &image, LATEST);
        let after = resolve(&after, &image, LATEST);
        prop_assert_eq!(winner(&before), winner(&after));
    }

    #[test]
    fn a_tag_makes_no_difference(host in host(), path in path(), tag in "[a-z0-9.]{1,8}", keys in proptest::collection::vec(key(), 0..5)) {
        let document = document(&keys);
        let image = format!("{host}/{path}");
        let bare = resolve(&document, &image, LATEST);
        let tagged = resolve(&document, &format!("{image}:{tag}"), LATEST);
        let digest = resolve(&document, &format!("{image}:{tag}@sha256:0f"), LATEST);
        prop_assert_eq!(&bare, &tagged);
        prop_assert_eq!(&bare, &digest);
    }

    #[test]
    fn any_text_gets_an_answer(document in ".{0,200}", image in ".{0,60}", major in 13u16..20, minor in 0u16..12) {
        let version = version(&format!("{major}.{minor}"));
        let resolution = resolve(&document, &image, version);
        prop_assert_eq!(&resolution.image_path, &image_path(&image, version));
        prop_assert_eq!(resolution.candidates.first(), Some(&resolution.image_path));
    }
}
