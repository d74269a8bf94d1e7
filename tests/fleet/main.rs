//! Many machines: the tools that people have for them run the command for real.
//!
//! The tools are looked for in `target/fleet/TOOL/bin`, where `packaging/fleet-tools` installs them, and
//! in the `PATH`.

// A test may end by panicking and says what it saw.
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)]

mod ansible;
mod containers;
mod puppet;
mod review;
mod salt;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What must not stand in any output, log, report or cache.
const PASSWORD: &str = "Harbor-pass-12345";
/// The same in the auth document, without its end, which depends on what stands before.
const PASSWORD_IN_BASE64: &str = "SGFyYm9yLXBhc3MtMTIz";
/// The token of the runner in the configs, without what may be shown of it.
const TOKEN: &str = "xyzAbCdEf12";

const CONFIG: &str = "# by hand\nconcurrent = 4\n\n[[runners]]\n  name = \"devops-runner\" # ours\n  url = \
                      \"https://gitlab.example.com/\"\n  token = \"glrt-4qCqD8pEoxyzAbCdEf12\"\n  \
                      executor = \"docker\"\n  [runners.docker]\n    image = \"alpine\"\n";

/// The line that comes into the config.
fn entry(user: &str) -> String {
    let auth = base64(&format!("{user}:{PASSWORD}"));
    format!(
        "  environment = ['DOCKER_AUTH_CONFIG={{\"auths\": {{\"registry.example.com\": {{\"auth\": \"{auth}\"}}}}}}']\n"
    )
}

fn base64(text: &str) -> String {
    let mut child = Command::new("base64");
    let output = run(child.args(["-w0"]), Some(text));
    String::from_utf8(output.stdout).expect("base64 is ASCII")
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of one of the blocks in this language on a page.
fn block(page: &str, language: &str, number: usize) -> String {
    let text = std::fs::read_to_string(project(page)).expect("a page");
    let start = format!("\n```{language}\n");
    let found = text.split(&start).nth(number + 1).and_then(|rest| rest.split("```").next());
    found.unwrap_or_else(|| panic!("{page} has no block {number} of {language}")).to_owned()
}

/// A text as a YAML parser reads it; `None`, said aloud, where there is none.
fn yaml(text: &str) -> Option<Value> {
    use std::io::Write as _;
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
    let mut python = Command::new("python3");
    python.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = python.spawn().and_then(|mut child| {
        // Without the library it ends before it has read.
        drop(child.stdin.take().map(|mut stdin| stdin.write_all(text.as_bytes())));
        child.wait_with_output()
    });
    let output = output.ok().filter(|output| output.status.success());
    if output.is_none() {
        println!("SKIPPED: there is no python3 with yaml");
        assert!(std::env::var_os("CI").is_none(), "CI has both");
    }
    output.map(|output| serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// Where a program is; a test that can't find it says so.
fn tool(place: &str, name: &str) -> Option<PathBuf> {
    let own = project("target/fleet").join(place).join("bin").join(name);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places =
        std::iter::once(own).chain(std::env::split_paths(&path).map(|dir| dir.join(name)));
    let found = places.find(|path| path.is_file());
    if found.is_none() {
        println!("SKIPPED: there is no {name}");
        assert!(std::env::var_os("CI").is_none(), "CI has {name}");
    }
    found
}

/// Runs a command to its end.
fn run(command: &mut Command, input: Option<&str>) -> Output {
    use std::io::Write as _;
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    if let Some(input) = input {
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    }
    child.wait_with_output().expect("it ends")
}

/// What a command says, and that no secret is in it.
fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    no_secret("the output", &text);
    text
}

fn no_secret(what: &str, text: &str) {
    for secret in [PASSWORD, PASSWORD_IN_BASE64, TOKEN] {
        assert!(!text.contains(secret), "{what} holds {secret}:\n{text}");
    }
}

/// Looks for secrets in every file below a folder but those with these names.
fn no_secret_below(folder: &Path, but: &[&str]) {
    let mut folders = vec![folder.to_owned()];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for found in std::fs::read_dir(&folder).expect("a folder") {
            let path = found.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_symlink() || but.contains(&name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                let bytes = std::fs::read(&path).expect("a file");
                no_secret(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
                count += 1;
            }
        }
    }
    assert!(count > 0, "{} has files", folder.display());
}
