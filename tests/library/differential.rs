//! The result as the TOML library reads it that GitLab Runner uses (Go's BurntSushi/toml).

use std::fs;
use std::path::{Path, PathBuf};

use crate::go;
use crate::support::{and_pull, pull, remove, set};
use runner_auth::PullPolicy::{Always, IfNotPresent};
use runner_auth::{Config, ConfigText, Plan, Request};

/// The configs of the project: the fixtures, and what each case starts from.
fn configs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).expect("a folder of the project");
        entries.map(|entry| entry.expect("a folder can be listed").path())
    };
    let commands = ["list", "set", "remove", "explain", "doctor", "render"];
    let cases = commands.iter().filter(|command| root.join("tests/cases").join(command).is_dir());
    let cases = cases.flat_map(|command| list(&format!("tests/cases/{command}")));
    // Some cases start from a YAML file.
    let befores = cases.map(|case| case.join("before.toml")).filter(|before| before.exists());
    list("fixtures").filter(|path| path.is_file()).chain(befores).collect()
}

/// Patches one runner of a config and keeps both texts; `None` when nothing changes.
fn pair(text: &ConfigText, runner: usize, request: &Request, folder: &Path) -> Option<String> {
    let config = Config::parse(text).ok()?;
    let plan = Plan::make(&config, &[runner], request).ok().filter(Plan::changes)?;
    let number = fs::read_dir(folder).expect("the folder is there").count();
    let (before, after) = (folder.join(number.to_string()), folder.join(format!("{number}.after")));
    fs::write(&before, text.bytes()).expect("a file can be written");
    fs::write(&after, plan.apply(&config)).expect("a file can be written");
    let policies = match request {
        Request::Set { pull_policies, .. } => {
            pull_policies.iter().map(|policy| policy.name()).collect::<Vec<_>>().join(",")
        }
        _ => String::new(),
    };
    Some(format!("{}\t{}\t{runner}\t{policies}\n", before.display(), after.display()))
}

#[test]
fn the_library_of_gitlab_runner_agrees() {
    let Some(program) = go::build("tests/library/compare.go") else { return };
    let folder = tempfile::tempdir().expect("a place to work");
    let texts = folder.path().join("texts");
    fs::create_dir(&texts).expect("a place to work");
    let mut pairs = String::new();
    for path in configs() {
        let text = ConfigText::new("config.toml", fs::read(path).expect("a config"));
        // Debian's version of the library refuses both.
        if text.has_byte_order_mark() || !text.is_utf8() {
            continue;
        }
        let runners = Config::parse(&text).map_or(0, |config| config.runners().len());
        let requests = [
            set("new.io", "s3cret"),
            set("r.io", "s3cret"),
            remove("r.io"),
            pull(&[IfNotPresent]),
            and_pull(set("new.io", "s3cret"), &[Always, IfNotPresent]),
        ];
        for request in requests.iter().chain([&Request::RemoveEntry]) {
            pairs.extend((0..runners).filter_map(|runner| pair(&text, runner, request, &texts)));
        }
    }
    println!("{}", program.run(&pairs));
}
