//! The public API of the library, as it was recorded: whoever changes it sees so in the diff of that record. And an
//! example for each item of it.
//!
//! rustdoc gives the API as JSON, which it does in a stable toolchain only when told to behave like a nightly one. That is
//! told to rustdoc alone: where Cargo hears of it too, it builds every library anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use public_api::PublicItem;
use serde_json::Value;

/// Records the API in place of comparing it.
const UPDATE: &str = "UPDATE_API";

#[test]
fn the_public_api_is_the_recorded_one() {
    let Some(api) = api() else { return };
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/library/api.txt");
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&recorded, &api).expect("the record can be written");
    }
    let recorded = fs::read_to_string(recorded).expect("the record");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (was, is) = (lines(&recorded), lines(&api));
    let gone = was.iter().filter(|line| !is.contains(line)).map(|line| format!("-{line}\n"));
    let come = is.iter().filter(|line| !was.contains(line)).map(|line| format!("+{line}\n"));
    let changes: String = gone.chain(come).collect();
    assert!(was == is, "the API has changed; if that is meant, set {UPDATE}=1:\n{changes}");
}

#[test]
fn every_public_item_stands_in_an_example() {
    let Some(json) = rustdoc_json() else { return };
    let text = fs::read_to_string(json).expect("it was made");
    let index: Value = serde_json::from_str(&text).expect("JSON");
    let items = items(json);
    let described: Vec<_> =
        items.iter().map(|item| Described::new(item, &index["index"])).collect();
    let all: String = described.iter().map(|item| item.examples.as_str()).collect();
    let inside = described.iter().filter(|item| !["impl", "of a trait"].contains(&&*item.kind));
    let by_path: BTreeMap<_, _> = inside.map(|item| (item.path.as_str(), item)).collect();
    let mut missing = Vec::new();
    let mut count = 0;
    for item in &described {
        let Described { path, kind, examples } = item;
        let (around, name) = path.rsplit_once("::").unwrap_or(("", path));
        // A type is shown by whatever gives or takes it; a function where somebody looks for it: at
        // its type, or at the module around that.
        let shown = match kind.as_str() {
            "struct" | "enum" | "type_alias" => !examples.is_empty() || names(&all, name),
            "function" | "assoc_const" | "constant" => {
                !examples.is_empty()
                    || above(around).any(|around| {
                        by_path.get(around).is_some_and(|item| names(&item.examples, name))
                    })
            }
            // Fields and variants are read where their type is; modules hold the rest.
            _ => continue,
        };
        count += 1;
        if !shown {
            missing.push(path.as_str());
        }
    }
    println!("{count} items");
    assert!(count > 150, "items are found");
    assert!(missing.is_empty(), "no example shows\n{}", missing.join("\n"));
}

/// An item of the API: where it is found, what it is, and the code of its examples.
struct Described {
    path: String,
    kind: String,
    examples: String,
}

impl Described {
    fn new(item: &PublicItem, index: &Value) -> Self {
        let found = &index[item.id().0.to_string()];
        let kind = found["inner"].as_object().and_then(|inner| inner.keys().next());
        let mut kind = kind.cloned().unwrap_or_default();
        let inherent = |found: &Value| found["inner"]["impl"]["trait"].is_null();
        // What a trait asks for is described there.
        if item.parent_id().is_some_and(|id| !inherent(&index[id.0.to_string()])) {
            "of a trait".clone_into(&mut kind);
        }
        let docs = found["docs"].as_str().unwrap_or_default();
        // Every other piece between the fences is code.
        let examples: String = docs.split("```").skip(1).step_by(2).collect();
        Self { path: path(&item.to_string()), kind, examples }
    }
}

/// The path in a line of the API: without what stands before it, its generics and its arguments.
fn path(line: &str) -> String {
    let start = line.find("runner_auth").unwrap_or_default();
    let mut depth = 0_usize;
    let plain = line[start..].chars().filter(|letter| {
        match letter {
            '<' => depth += 1,
            '>' => {
                depth = depth.saturating_sub(1);
                return false;
            }
            _ => {}
        }
        depth == 0
    });
    let plain: String = plain.collect();
    let end = plain.find(|letter: char| !letter.is_alphanumeric() && !"_:".contains(letter));
    plain[..end.unwrap_or(plain.len())].trim_end_matches(':').to_owned()
}

/// A path, and the paths that it lies in, without the crate's own.
fn above(path: &str) -> impl Iterator<Item = &str> {
    let paths = std::iter::successors(Some(path), |path| Some(path.rsplit_once("::")?.0));
    paths.filter(|path| path.contains("::"))
}

/// Whether code holds a name as a word.
fn names(code: &str, name: &str) -> bool {
    let letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    code.match_indices(name).any(|(at, _)| {
        !code[..at].ends_with(letter) && !code[at + name.len()..].starts_with(letter)
    })
}

/// A line for each public item; `None`, said aloud, where there is no cargo.
fn api() -> Option<String> {
    let lines: Vec<_> = items(rustdoc_json()?).iter().map(ToString::to_string).collect();
    Some(lines.join("\n") + "\n")
}

fn items(json: &Path) -> Vec<PublicItem> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build();
    api.expect("JSON of a known version").into_items().collect()
}

/// What rustdoc says of the library; `None`, said aloud, where there is no cargo.
fn rustdoc_json() -> Option<&'static Path> {
    static JSON: OnceLock<Option<PathBuf>> = OnceLock::new();
    JSON.get_or_init(make_rustdoc_json).as_deref()
}

fn make_rustdoc_json() -> Option<PathBuf> {
    let version = Command::new("cargo").arg("--version").output();
    if !version.is_ok_and(|version| version.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "cargo is needed");
        println!("SKIPPED: there is no cargo");
        return None;
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The folder of this build: its libraries are there already.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the folder of the build");
    let built = Command::new("cargo")
        .args(["rustdoc", "--quiet", "--lib", "--locked", "--target-dir"])
        .arg(target)
        .args(["--", "-Zunstable-options", "--output-format=json", "--cap-lints=allow"])
        .current_dir(project)
        .env("RUSTDOC", project.join("tests/library/rustdoc-of-nightly"))
        .output()
        .expect("cargo starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(target.join("doc/runner_auth.json"))
}
