//! Each directory in `tests/cases/COMMAND` is one run of the command and one test with that name: `args` (a line
//! each), `before.toml` or `before.yaml`, and what must come of it: `after.toml` (absent when the file stays as it was), `stdout`,
//! `stderr` (absent when empty) and `status` (absent for 0). `{config}` stands for the config's path. `stdin` holds
//! what is piped in. A case that writes is run a second time on what it wrote, and must change nothing.
//!
//! `cargo test --test cases crlf` runs those with `crlf` in the name. `UPDATE_CASES=1 cargo test --test cases`
//! records what the command does: read the difference before committing it.

// A test may end by panicking and says what it saw.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

/// What the runs must not print: the passwords, tokens and variables planted in the cases.
const SECRETS: &[&str] = &[
    "Harbor12345",
    "SGFyYm9y",
    "xyzAbCdEf12",
    "0ld-passw0rd",
    "b2xkOjBsZC1w",
    "other-variable-value",
    "c0mment-secret",
    "url-passw0rd",
    "s3-secret-key",
    "bm90LWEt",
    "SecretInText",
    "do$llar-passw0rd",
];

struct Outcome {
    after: Vec<u8>,
    stdout: String,
    stderr: String,
    status: i32,
    /// Whether the modification time moved.
    touched: bool,
}

/// A file of a case with the ending that its config has.
fn with_ending(case: &Path, name: &str) -> String {
    let ending = if case.join("before.yaml").exists() { "yaml" } else { "toml" };
    format!("{name}.{ending}")
}

fn run(case: &Path, directory: &Path) -> Outcome {
    let name = with_ending(case, "config");
    let config = directory.join(&name);
    let before = case.join(with_ending(case, "before"));
    fs::copy(before, &config).expect("a case has a config");
    // As private as the real one, whatever the umask of the clone was.
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).expect("a mode can be set");
    let modified = || fs::metadata(&config).expect("the config is there").modified().ok();
    let stamp = modified();
    let arguments = fs::read_to_string(case.join("args")).expect("a case has args");
    let arguments = arguments.lines().map(|line| line.replace("{config}", &name));
    let mut child = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("PASSWORD", "Harbor12345")
        .env("CONFIG_FILE", &name)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let input = fs::read(case.join("stdin")).unwrap_or_default();
    // A command that refuses its arguments closes standard input unread.
    drop(child.stdin.take().expect("stdin is piped").write_all(&input));
    let output = child.wait_with_output().expect("the command ends");
    Outcome {
        after: fs::read(&config).expect("the config is still there"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
        status: output.status.code().expect("no signal"),
        touched: modified() != stamp,
    }
}

/// Compares with the recorded file, or records it; an absent file stands for `default`.
fn check(case: &Path, name: &str, found: &[u8], default: &[u8], failures: &mut Vec<String>) {
    let path = case.join(name);
    if std::env::var_os("UPDATE_CASES").is_some() {
        if found == default {
            drop(fs::remove_file(&path));
        } else {
            fs::write(&path, found).expect("the case can be written");
        }
        return;
    }
    let expected = fs::read(&path).unwrap_or_else(|_| default.to_vec());
    if expected != found {
        failures.push(format!(
            "{}/{name}:\n--- expected\n{}\n--- found\n{}",
            case.display(),
            String::from_utf8_lossy(&expected),
            String::from_utf8_lossy(found)
        ));
    }
}

fn gives_what_is_recorded(case: &Path) -> Result<(), Failed> {
    let mut failures = Vec::new();
    let directory = tempfile::tempdir().expect("a place to work");
    let outcome = run(case, directory.path());
    let before = fs::read(case.join(with_ending(case, "before"))).expect("a case has a config");
    if outcome.touched != (outcome.after != before) {
        failures.push("the modification time does not go with the change".to_owned());
    }
    check(case, &with_ending(case, "after"), &outcome.after, &before, &mut failures);
    check(case, "stdout", outcome.stdout.as_bytes(), b"", &mut failures);
    check(case, "stderr", outcome.stderr.as_bytes(), b"", &mut failures);
    check(case, "status", format!("{}\n", outcome.status).as_bytes(), b"0\n", &mut failures);
    let filter = arguments(case).contains("\n-\n");
    let printed = if filter { outcome.stderr } else { outcome.stdout + &outcome.stderr };
    for secret in SECRETS {
        if printed.contains(secret) {
            failures.push(format!("it prints {secret}"));
        }
    }
    let left = fs::read_dir(directory.path()).expect("the folder is there").count();
    let backup = directory.path().join(with_ending(case, "config") + ".bak").exists();
    if left != 1 + usize::from(backup) {
        failures.push("it leaves litter".to_owned());
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n\n").into()) }
}

fn changes_nothing_the_second_time(case: &Path) -> Result<(), Failed> {
    let again = tempfile::tempdir().expect("a place to work");
    for name in ["args", "stdin"] {
        drop(fs::copy(case.join(name), again.path().join(name)));
    }
    let after = case.join(with_ending(case, "after"));
    fs::copy(&after, again.path().join(with_ending(case, "before"))).expect("a copy");
    let directory = tempfile::tempdir().expect("a place to work");
    let outcome = run(again.path(), directory.path());
    let expected = fs::read(&after).expect("a case that writes has its result");
    // `doctor --fix` ends with 1 both times where an error is left that it can't mend.
    let status = fs::read_to_string(case.join("status")).unwrap_or_else(|_| "0\n".to_owned());
    if format!("{}\n", outcome.status) != status {
        return Err(
            format!("the second run ends with {}:\n{}", outcome.status, outcome.stderr).into()
        );
    }
    if outcome.touched || outcome.after != expected {
        return Err("the second run writes".into());
    }
    Ok(())
}

fn arguments(case: &Path) -> String {
    fs::read_to_string(case.join("args")).expect("a case has args")
}

/// The folders in a folder, by name.
fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).expect("a folder can be listed");
    let mut found: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    found
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut trials = Vec::new();
    for case in folders(&root).iter().flat_map(|command| folders(command)) {
        let name = case.strip_prefix(&root).expect("a case is below").display().to_string();
        if case.join(with_ending(&case, "after")).exists() && arguments(&case).contains("--yes") {
            let case = case.clone();
            let again = move || changes_nothing_the_second_time(&case);
            trials.push(Trial::test(format!("{name} again"), again));
        }
        trials.push(Trial::test(name, move || gives_what_is_recorded(&case)));
    }
    assert!(!trials.is_empty(), "there are cases");
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
