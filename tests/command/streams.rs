//! Output that does not arrive.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const CONFIG: &str = "[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n";

/// The command with its output led elsewhere by a shell.
fn run(config: &Path, redirection: &str, arguments: &[&str]) -> Output {
    Command::new("sh")
        .args(["-c", &format!("exec \"$@\" {redirection}"), "sh"])
        .arg(env!("CARGO_BIN_EXE_runner-auth"))
        .args(arguments)
        .env("CONFIG", config)
        .env("PASSWORD", "s3cret")
        .stdin(Stdio::null())
        .output()
        .expect("it runs")
}

#[test]
fn a_filter_whose_output_is_lost_says_so() {
    let folder = tempfile::tempdir().expect("a place to work");
    let config = folder.path().join("config.toml");
    fs::write(&config, CONFIG).unwrap();
    let set = ["set", "-c", "-", "-r", "r.io", "-u", "ci", "--password-env", "PASSWORD"];
    let nothing = ["remove", "-c", "-", "-r", "r.io"];
    for arguments in [&set[..], &nothing] {
        for lost in [">&-", ">/dev/full"] {
            let output = run(&config, &format!("<\"$CONFIG\" {lost}"), arguments);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(5), "{lost}: {said}");
            assert!(said.contains("standard output"), "{said}");
            assert!(!said.contains("is on standard output"), "{said}");
        }
        // Whoever only wants to know whether it works.
        let output = run(&config, "<\"$CONFIG\" >/dev/null", arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

#[test]
fn a_report_that_is_lost_is_no_success() {
    let folder = tempfile::tempdir().expect("a place to work");
    let config = folder.path().join("config.toml");
    fs::write(&config, CONFIG).unwrap();
    let path = config.to_str().unwrap();
    let commands: [&[&str]; 4] = [
        &["list", "-c", path],
        &["list", "--format", "json", "-c", path],
        &["explain", "r.io/a", "-c", path],
        &["doctor", "-c", path],
    ];
    for arguments in commands {
        let output = run(&config, ">/dev/full", arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        assert!(said.contains("standard output") && said.contains("no space left"), "{said}");
        // A reader that wants no more of it is none.
        let mut child = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}
