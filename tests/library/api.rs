//! The public API of the library, as it was recorded: whoever changes it sees so in the diff of that record.
//!
//! rustdoc gives the API as JSON, which it does in a stable toolchain only when told to behave like a nightly one. That is
//! told to rustdoc alone: where Cargo hears of it too, it builds every library anew.

use std::fs;
use std::path::Path;
use std::process::Command;

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

/// A line for each public item; `None`, said aloud, where there is no cargo.
fn api() -> Option<String> {
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
    let api = public_api::Builder::from_rustdoc_json(target.join("doc/runner_auth.json"))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .expect("JSON of a known version");
    let lines: Vec<_> = api.items().map(ToString::to_string).collect();
    Some(lines.join("\n") + "\n")
}
