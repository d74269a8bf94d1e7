//! What a change of a config must keep, checked with a TOML library that this crate doesn't use.

// Each test takes what it needs.
#![allow(dead_code, clippy::print_stdout)]

use std::fs;
use std::path::Path;
use std::process::Command;

use runner_auth::{
    Config, ConfigText, Credential, Plan, Pull, PullPolicy, Registry, Removal, Request, Secret,
};
use serde_json::Value as Json;
use toml_edit::{DocumentMut, Item, Value};

pub mod fleet;

/// The configs of fixtures/ and, where it is there, of the corpus: name and content.
pub fn configs() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["fixtures", "../shared/corpus"] {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            println!("SKIPPED: there is no {folder}");
            assert!(std::env::var_os("CI").is_none(), "CI has {folder}");
            continue;
        };
        let files = entries.map(|entry| entry.expect("a folder can be listed").path());
        found.extend(files.filter(|path| path.extension() == Some("toml".as_ref())).map(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            (name, fs::read(path).expect("a file can be read"))
        }));
    }
    assert!(!found.is_empty());
    found.sort();
    found
}

/// Whether this runs as root; a test that needs it skips else.
pub fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("SKIPPED: this needs root");
        assert!(std::env::var_os("CI").is_none(), "CI runs as root");
    }
    root
}

/// The command keeps its memory to itself: only root sees into it, and only for root does `strace` see
/// the names of files.
pub fn sees_into_processes() -> bool {
    let strace = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    let root = rustix::process::geteuid().is_root();
    let works = root && strace.is_ok_and(|status| status.success());
    if !works {
        println!("SKIPPED: this needs root and strace");
        assert!(std::env::var_os("CI").is_none(), "CI has both");
    }
    works
}

pub const PREFIX: &str = "DOCKER_AUTH_CONFIG=";

pub fn set(registry: &str, password: &str) -> Request {
    let login = Credential::new("ci", Secret::new(password.to_owned())).expect("a credential");
    Request::Set {
        logins: vec![(Registry::parse(registry).expect("a registry"), login)],
        replace: false,
        pull_policies: Vec::new(),
    }
}

/// A request that sets these pull policies and no credential.
pub fn pull(policies: &[PullPolicy]) -> Request {
    Request::Set { logins: Vec::new(), replace: false, pull_policies: policies.to_vec() }
}

/// Pull policies beside the credentials of a request.
pub fn and_pull(mut request: Request, policies: &[PullPolicy]) -> Request {
    if let Request::Set { pull_policies, .. } = &mut request {
        *pull_policies = policies.to_vec();
    }
    request
}

/// Whether a runner's executor has pull policies.
pub fn has_policy(config: &Config<'_>, number: usize) -> bool {
    matches!(config.runners()[number].executor().pull(), Pull::Runner | Pull::Kubelet)
}

pub fn remove(registry: &str) -> Request {
    Request::Remove(Removal { registries: vec![Registry::named(registry)], ..Removal::default() })
}

/// The patched bytes, after the checks that hold for every change: bytes outside the edits stay,
/// the other runners and keys mean the same, the other entries too, the pull policies are those
/// that were asked for, a second run does nothing.
pub fn change(before: &[u8], selected: &[usize], request: &Request) -> Vec<u8> {
    let text = ConfigText::new("config.toml", before.to_vec());
    let config = Config::parse(&text).unwrap_or_else(|error| panic!("{error}\n{}", lossy(before)));
    let plan = Plan::make(&config, selected, request)
        .unwrap_or_else(|error| panic!("{error}\n{}", lossy(before)));
    let after = plan.apply(&config);
    check_bytes(before, &after, &plan);
    let (mut old, mut new) = (meaning(before), meaning(&after));
    for &number in selected {
        if let Request::Set { logins, pull_policies, .. } = request {
            check_policies(&mut old, &mut new, number, pull_policies);
            if logins.is_empty() {
                continue;
            }
        }
        let (old, new) = (take(&mut old, number), take(&mut new, number));
        assert_eq!(old.others, new.others, "other entries changed:\n{}", lossy(&after));
        if !plan.edits().is_empty() {
            assert!(new.auth.len() <= 1 || new.auth == old.auth, "{}", lossy(&after));
        }
    }
    assert_eq!(old, new, "the meaning changed elsewhere:\n{}\n{}", lossy(before), lossy(&after));
    let text = ConfigText::new("config.toml", after.clone());
    let config = Config::parse(&text).expect("the result parses");
    let again = Plan::make(&config, selected, request).expect("a second run works");
    assert!(!again.changes(), "a second run changes something:\n{}", lossy(&after));
    after
}

fn check_bytes(before: &[u8], after: &[u8], plan: &Plan) {
    let (mut old, mut new) = (0, 0);
    for edit in plan.edits() {
        let kept = edit.span.start - old;
        assert_eq!(before[old..old + kept], after[new..new + kept]);
        old = edit.span.end;
        new += kept + edit.text.expose().len();
    }
    assert_eq!(before[old..], after[new..]);
}

/// The effective auth document of a runner.
pub fn document(config: &[u8], runner: usize) -> Option<Json> {
    let mut meaning = meaning(config);
    let entries = take(&mut meaning, runner);
    entries.auth.last().map(|entry| serde_json::from_str(entry).expect("the document is JSON"))
}

/// The auth document of a runner that counts, as it stands.
pub fn auth_entry(config: &[u8], runner: usize) -> Option<String> {
    take(&mut meaning(config), runner).auth.pop()
}

/// Whether a runner has an auth entry.
pub fn has_auth_entry(config: &[u8], runner: usize) -> bool {
    auth_entry(config, runner).is_some()
}

/// Whether a runner has an `environment` with nothing in it.
pub fn has_empty_environment(config: &[u8], runner: usize) -> bool {
    let mut meaning = meaning(config);
    let runners = find(&mut meaning, "runners").expect("there are runners");
    let found = find(&mut runners[runner], "environment");
    found.is_some_and(|found| found.as_array().is_some_and(Vec::is_empty))
}

/// Compares the pull policies of a runner with the wanted ones, and takes them out of both.
fn check_policies(old: &mut Json, new: &mut Json, number: usize, wanted: &[PullPolicy]) {
    if wanted.is_empty() {
        return;
    }
    let (had_table, _) = take_policies(old, number);
    let (_, found) = take_policies(new, number);
    let wanted: Vec<_> = wanted.iter().map(|policy| policy.name()).collect();
    match found.expect("there is a pull policy") {
        Json::Array(found) => assert_eq!(found, wanted),
        found => assert_eq!([found], wanted[..]),
    }
    if !had_table {
        let (runner, table) = table(new, number);
        let left = runner.remove(&table).expect("the table was made");
        assert_eq!(left, Json::Object(serde_json::Map::new()), "the new table holds more");
    }
}

/// Whether a runner has the table of its executor, and the pull policies taken out of it.
fn take_policies(config: &mut Json, number: usize) -> (bool, Option<Json>) {
    let (runner, table) = table(config, number);
    let Some(found) = runner.get_mut(&table).and_then(Json::as_object_mut) else {
        return (false, None);
    };
    let key = found.keys().find(|key| key.eq_ignore_ascii_case("pull_policy")).cloned();
    (true, key.and_then(|key| found.remove(&key)))
}

/// A runner, and the key of its executor's table as it is spelled there.
fn table(config: &mut Json, number: usize) -> (&mut serde_json::Map<String, Json>, String) {
    let runners = find(config, "runners").expect("there are runners");
    let executor = find(&mut runners[number], "executor").expect("an executor").clone();
    let table = if executor == "kubernetes" { "kubernetes" } else { "docker" };
    let runner = runners[number].as_object_mut().expect("a runner is a table");
    let spelled = runner.keys().find(|key| key.eq_ignore_ascii_case(table)).cloned();
    (runner, spelled.unwrap_or_else(|| table.to_owned()))
}

struct Entries {
    auth: Vec<String>,
    others: Vec<String>,
}

/// Takes the `environment` of a runner out of a config's meaning.
fn take(config: &mut Json, runner: usize) -> Entries {
    let runners = find(config, "runners").expect("there are runners");
    let runner = runners[runner].as_object_mut().expect("a runner is a table");
    let key = runner.keys().find(|key| key.eq_ignore_ascii_case("environment")).cloned();
    let value = key.and_then(|key| runner.remove(&key)).unwrap_or(Json::Array(Vec::new()));
    let entries = value.as_array().expect("environment is an array").iter();
    let entries = entries.map(|entry| entry.as_str().expect("of strings").to_owned());
    let (auth, others) = entries.partition::<Vec<_>, _>(|entry| entry.starts_with(PREFIX));
    let auth = auth.iter().map(|entry| entry[PREFIX.len()..].to_owned()).collect();
    Entries { auth, others }
}

fn find<'j>(table: &'j mut Json, name: &str) -> Option<&'j mut Json> {
    let table = table.as_object_mut()?;
    table.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn meaning(config: &[u8]) -> Json {
    let text = lossy(config);
    let text = text.trim_start_matches('\u{feff}');
    let document: DocumentMut = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    item(document.as_item())
}

fn item(found: &Item) -> Json {
    match found {
        Item::None => Json::Null,
        Item::Value(found) => value(found),
        Item::Table(table) => {
            table.iter().map(|(key, found)| (key.to_owned(), item(found))).collect()
        }
        Item::ArrayOfTables(tables) => tables
            .iter()
            .map(|table| {
                table.iter().map(|(key, found)| (key.to_owned(), item(found))).collect::<Json>()
            })
            .collect(),
    }
}

fn value(found: &Value) -> Json {
    match found {
        Value::String(text) => Json::from(text.value().replace("\r\n", "\n")),
        Value::Array(array) => array.iter().map(value).collect(),
        Value::InlineTable(table) => {
            table.iter().map(|(key, found)| (key.to_owned(), value(found))).collect()
        }
        Value::Integer(number) => Json::from(*number.value()),
        Value::Float(number) => Json::from(number.value().to_bits()),
        Value::Boolean(found) => Json::from(*found.value()),
        Value::Datetime(date) => Json::from(format!("{:?}", date.value())),
    }
}

pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
