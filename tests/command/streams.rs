//! Output that does not arrive.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
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

/// The status says what became of the file, and standard error that nobody was told.
#[test]
fn a_change_whose_report_is_lost_is_still_one() {
    let folder = tempfile::tempdir().expect("a place to work");
    let config = folder.path().join("config.toml");
    let path = config.to_str().unwrap();
    let set = ["set", "-c", path, "-r", "r.io", "-u", "ci", "--password-env", "PASSWORD"];
    for (options, status, words, written) in [
        (&["--yes"][..], 0, "config.toml was written, but the report is lost", true),
        (
            &["--yes", "--format", "json"],
            0,
            "config.toml was written, but the report is lost",
            true,
        ),
        (&["--dry-run"], 5, "error: can't write to standard output", false),
        (&["--check"], 1, "config.toml is as it was, but the report is lost", false),
        (&["-c", "missing.toml", "--format", "json"], 2, "error: ", false),
        (&["-n", "nobody", "--format", "json"], 4, "error: ", false),
    ] {
        fs::write(&config, CONFIG).unwrap();
        let arguments = [&set[..], options].concat();
        let output = run(&config, ">/dev/full", &arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{options:?}: {said}");
        assert!(said.contains(words), "{options:?}: {said}");
        assert_eq!(fs::read_to_string(&config).unwrap() != CONFIG, written, "{options:?}");
        // Nobody listens at all.
        fs::write(&config, CONFIG).unwrap();
        for closed in [">&- 2>&-", ">/dev/full 2>/dev/full", "2>&-"] {
            let output = run(&config, closed, &arguments);
            assert!(output.status.code().is_some_and(|code| code < 100), "{closed}: {output:?}");
        }
    }
}

#[test]
fn everybody_who_can_read_the_config_is_told_of_before_and_after_a_write() {
    let folder = tempfile::tempdir().expect("a place to work");
    let config = folder.path().join("config.toml");
    fs::write(&config, CONFIG).unwrap();
    let path = config.to_str().unwrap();
    let set = ["set", "-c", path, "-r", "r.io", "-u", "ci", "--password-env", "PASSWORD"];
    for (mode, words) in [
        (0o644, "everybody on this machine can read this file (mode 0644)"),
        (0o660, "its whole group can change this file (mode 0660)"),
        (0o640, ""),
    ] {
        fs::set_permissions(&config, fs::Permissions::from_mode(mode)).unwrap();
        for option in ["--dry-run", "--check", "--yes"] {
            fs::write(&config, CONFIG).unwrap();
            let output = run(&config, "", &[&set[..], &[option]].concat());
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let warned = said.contains(&format!("loose-permissions: {words}"));
            assert_eq!(warned, !words.is_empty(), "{mode:o} {option}: {said}");
            assert_eq!(said.contains(&format!("chmod u=rw,go= {path}")), warned, "{said}");
        }
        // What is there already is no reason to warn at each run of a playbook.
        let output = run(&config, "", &[&set[..], &["--yes"]].concat());
        assert!(!String::from_utf8_lossy(&output.stdout).contains("warning"), "{output:?}");
    }
}
