//! What status 0 of `set` promises: each version of GitLab Runner uses the new credential or asks the
//! helper, or a warning names those that don't. `DOCUMENTS` says how many random documents are tried (default
//! 4,000; CI tries 20,000).

use std::collections::BTreeMap;

use runner_auth::{
    Answer, Config, ConfigText, Credential, Match, Plan, Registry, Request, RunnerVersion, Secret,
    Verdict, resolve,
};

use serde_json::Value;

use crate::random::{Random, check};
use crate::support::auth_entry;

/// The first and the last version of each way to read a document.
const VERSIONS: &[&str] = &[
    "12.9", "13.3", "13.4", "13.5", "13.8", "13.9", "15.9", "15.10", "16.2", "16.3", "17.4",
    "17.5", "17.10", "17.11", "18.0", "18.1", "18.2", "18.3", "19.1", "19.2", "19.3",
];

const REGISTRIES: &[&str] =
    &["r.io", "r.io/ns", "R.io:5000", "docker.io", "localhost:5000", "r.io/ns/app", "10.0.0.1"];

const KEYS: &[&str] = &[
    "r.io",
    "R.IO",
    "https://r.io/v1/",
    "HTTPS://r.io/",
    "http://r.io",
    "https://R.io/v1/",
    "http://https://r.io",
    "r.io/",
    "r.io:443",
    "r.io:5000",
    "R.io:5000/",
    "r.io/ns",
    "R.io/ns:latest",
    "r.io/ns/app",
    "r.io/other",
    "docker.io",
    "index.docker.io",
    "https://index.docker.io/v1/",
    "https://docker.io/ns",
    "localhost:5000",
    "LOCALHOST:5000",
    "10.0.0.1",
    "q.io",
    "$HOST",
    "r.\\u0130o",
    "",
];

const CREDENTIALS: &[&str] = &[
    r#"{"auth": "b2xkOm9sZA=="}"#,
    r#"{"auth": "Y2k6czNjcmV0"}"#,
    r#"{"auth": "OnA="}"#,
    r#"{"auth": "no base64"}"#,
    r#"{"auth": "$B64"}"#,
    r#"{"auth": "$UNSET"}"#,
    r#"{"auth": "${CI_JOB_TOKEN}"}"#,
    r#"{"Auth": "b2xkOm9sZA==", "auth": null}"#,
    r#"{"username": "old", "password": "old"}"#,
    r#"{"auth": "b2xkOm9sZA==", "identitytoken": "x"}"#,
    r#"{"auth": "b2xkOm9sZA==", "email": 1}"#,
    r#"{"auth": "\ud800"}"#,
    "{}",
    "null",
];

const HELPERS: &[&str] = &["\"pass\"", "\"a/b\"", "\"\"", "null", "1", "\"$NAME\""];

const OTHERS: &[&str] = &[
    r#""HttpHeaders": {"a": "b"}"#,
    r#""HttpHeaders": []"#,
    r#""experimental": "enabled""#,
    r#""experimental": true"#,
    r#""features": {"buildkit": true}"#,
    r#""features": {"buildkit": "true"}"#,
    r#""plugins": {"a": {"b": "c"}}"#,
    r#""plugins": []"#,
    r#""aliases": {"a": 1}"#,
    r#""kubernetes": 1"#,
    r#""kubernetes": {"allNamespaces": "maybe"}"#,
    r#""stackOrchestrator": {}"#,
    r#""proxies": {"default": {"allProxy": 1}}"#,
    r#""credsStore": "pass""#,
    r#""credsStore": "a/b""#,
    r#""credsStore": """#,
    r#""unknown": [1, {"a": null}]"#,
    r#""Auths": null"#,
    r#""AuthS": {}"#,
    r#""AUTHS": {"r.io": {"auth": "b2xkOm9sZA=="}}"#,
    r#""credHelpers": null"#,
    r#""CredHelpers": {"x.io": "pass"}"#,
    r#""\ud800": 1"#,
];

fn object(random: &mut Random, values: &[&str], most: usize) -> String {
    let members: Vec<_> = (0..random.below(most + 1))
        .map(|_| format!("\"{}\": {}", random.pick(KEYS), random.pick(values)))
        .collect();
    format!("{{{}}}", members.join(", "))
}

fn document(random: &mut Random) -> String {
    let mut members = vec![format!("\"auths\": {}", object(random, CREDENTIALS, 4))];
    if random.below(4) == 0 {
        // Mostly a good one, so that not each of them cancels.
        let names = if random.below(3) > 0 { &HELPERS[..1] } else { HELPERS };
        members.push(format!("\"credHelpers\": {}", object(random, names, 2)));
    }
    for _ in 0..random.below(3) / 2 * 2 + random.below(2) {
        members.push(random.pick(OTHERS).to_owned());
    }
    let at = random.below(members.len());
    members.rotate_left(at);
    format!("{{{}}}{}", members.join(", "), random.pick(&["", "", "", " trailing"]))
}

fn config(document: &str) -> String {
    format!(
        "[[runners]]\n  name = \"r\"\n  executor = \"docker\"\n  environment = ['B64=b2xkOm9sZA==', \
         'HOST=R.io', 'NAME=pass', 'DOCKER_AUTH_CONFIG={document}']\n"
    )
}

/// The entry as the runner fills it; GitLab's own variables are left alone.
fn filled(document: &str) -> String {
    let values = [("$B64", "b2xkOm9sZA=="), ("$HOST", "R.io"), ("$NAME", "pass"), ("$UNSET", "")];
    values.iter().fold(document.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Whether a version uses `ci` with the new password for an image of the registry.
fn is_used(document: &str, registry: &Registry, version: RunnerVersion) -> bool {
    let image = format!("{}/0therwise/unnamed", registry.path());
    let new = |found: &Match| {
        found.answer == Answer::User("ci".into())
            && password_of(document, found.key.as_str()) == "new"
    };
    match resolve(document, &image, version).verdict {
        Verdict::Match(found) => new(&found),
        Verdict::AtRandom { keys, .. } => keys.iter().all(new),
        _ => false,
    }
}

/// The password under a key, as `serde_json` finds it; names of members count in any letter case.
fn password_of(document: &str, key: &str) -> String {
    let document = document.replace("\\ud800", "\\ufffd");
    let mut values = serde_json::Deserializer::from_str(&document).into_iter();
    let document: Value = values.next().expect("a value").expect("JSON");
    let named = |object: &Value, name: &str| -> Vec<Value> {
        let members = object.as_object().into_iter().flatten();
        let named =
            members.filter(|(found, value)| found.eq_ignore_ascii_case(name) && !value.is_null());
        named.map(|(_, value)| value.clone()).collect()
    };
    let mut auths = named(&document, "auths");
    auths.retain(|auths| auths.get(key).is_some());
    let entry = auths.pop().map(|auths| auths[key].clone()).unwrap_or_default();
    let auth = named(&entry, "auth").pop();
    let login = auth.as_ref().and_then(Value::as_str).and_then(Credential::decode);
    login.map_or_else(String::new, |login| login.password().expose().to_owned())
}

/// Whether a warning names a version: `up to 13.3`, `from 13.4 to 17.4`, `from 17.5 on`.
fn names(warning: &str, version: RunnerVersion) -> bool {
    let read = |text: &str| RunnerVersion::parse(text.trim_end_matches([',', ':'])).ok();
    let words: Vec<_> = warning.split(' ').collect();
    words.windows(3).any(|three| match three {
        ["up", "to", last] => read(last).is_some_and(|last| version <= last),
        ["from", first, "on"] => read(first).is_some_and(|first| version >= first),
        _ => false,
    }) || words.windows(4).any(|four| match four {
        ["from", first, "to", last] => read(first)
            .zip(read(last))
            .is_some_and(|(first, last)| (first..=last).contains(&version)),
        _ => false,
    })
}

/// Whether a version asks the helper for an image of the registry, or of any where none is named.
fn is_delegated(document: &str, registry: Option<&Registry>, version: RunnerVersion) -> bool {
    let host = registry.map_or("0therwise.example", |registry| registry.path());
    let helper = Answer::Helper("new-helper".into());
    let asked = |found: &Match| found.answer == helper;
    match resolve(document, &format!("{host}/0therwise/unnamed"), version).verdict {
        Verdict::Match(found) => asked(&found),
        Verdict::AtRandom { keys, .. } => keys.iter().all(asked),
        Verdict::Store(name) => registry.is_none() && name == "new-helper",
        _ => false,
    }
}

/// What a request asks for, and for which registry.
struct Wish {
    request: Request,
    registry: Option<Registry>,
    used: fn(&str, Option<&Registry>, RunnerVersion) -> bool,
}

impl Wish {
    fn login(random: &mut Random) -> Self {
        let registry = Registry::parse(random.pick(REGISTRIES)).expect("a registry");
        let login = Credential::new("ci", Secret::new("new".into())).expect("a credential");
        let logins = vec![(registry.clone(), login)];
        let replace = random.below(10) == 0;
        let request = Request::Set { logins, replace, pull_policies: Vec::new() };
        let used: fn(&str, Option<&Registry>, RunnerVersion) -> bool =
            |document, registry, version| {
                registry.is_some_and(|registry| is_used(document, registry, version))
            };
        Self { request, registry: Some(registry), used }
    }

    fn helper(random: &mut Random) -> Self {
        let registry = (random.below(8) > 0)
            .then(|| Registry::parse(random.pick(REGISTRIES)).expect("a registry"));
        let request = Request::Delegate {
            helper: "new-helper".into(),
            registries: registry.iter().cloned().collect(),
            replace: random.below(10) == 0,
            pull_policies: Vec::new(),
        };
        Self { request, registry, used: is_delegated }
    }
}

/// Plans random wishes for random documents, and compares what is said with what each version does.
fn compare(wish: fn(&mut Random) -> Wish) {
    let count = std::env::var("DOCUMENTS").ok().and_then(|count| count.parse().ok());
    let count = count.unwrap_or(4_000);
    let versions: Vec<_> =
        VERSIONS.iter().map(|version| RunnerVersion::parse(version).expect("a version")).collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    check(count, |random| {
        let before = document(random);
        let Wish { request, registry, used } = wish(random);
        let text = ConfigText::new("config.toml", config(&before).into_bytes());
        let config = Config::parse(&text).expect("a config");
        let Ok(plan) = Plan::make(&config, &[0], &request) else {
            *seen.entry("refused").or_default() += 1;
            return;
        };
        let after = filled(&auth_entry(&plan.apply(&config), 0).expect("an entry"));
        let warnings = &plan.runners()[0].warnings;
        let mut everywhere = true;
        for version in &versions {
            let used = used(&after, registry.as_ref(), *version);
            // That helpers may be refused is said of every one.
            let mut warnings = warnings.iter().filter(|warning| !warning.contains("may not run"));
            let named = warnings.any(|warning| names(warning, *version));
            assert!(
                used || named,
                "{version} does not use it for {registry:?}: {before}\n{after}\n{:?}",
                plan.runners()[0].warnings
            );
            everywhere &= used;
        }
        *seen.entry(if everywhere { "used everywhere" } else { "named" }).or_default() += 1;
    });
    println!("{count} documents: {seen:?}");
    for kind in ["refused", "used everywhere", "named"] {
        assert!(seen.get(kind).is_some_and(|seen| *seen > count / 100), "{seen:?}");
    }
}

#[test]
fn a_success_is_one_in_each_version_that_no_warning_names() {
    compare(Wish::login);
}

#[test]
fn a_helper_is_asked_by_each_version_that_no_warning_names() {
    compare(Wish::helper);
}
