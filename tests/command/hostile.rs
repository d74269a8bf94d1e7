//! Input that nobody writes by hand: an answer or a clear error, in bounded memory, and never a
//! crash.

use std::fs;
use std::process::Command;

/// What a process may take of memory, in bytes: many times the largest file.
const MEMORY: usize = 3 << 30;

const ENTRY: &str =
    "  environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \"dTpw\"}}}']\n";

fn commands() -> Vec<Vec<&'static str>> {
    let set = ["set", "-r", "new.io", "-u", "ci", "--password-env", "PASSWORD", "-n", "one"];
    vec![
        vec!["list", "-n", "one"],
        vec!["doctor", "-n", "one"],
        vec!["explain", "r.io/app", "-n", "one"],
        [&set[..], &["--dry-run"]].concat(),
        [&set[..], &["--yes"]].concat(),
        vec!["remove", "-n", "one", "-r", "r.io", "--yes"],
    ]
}

/// Runs every command on a config; each ends with one of these statuses.
fn run(config: &[u8], statuses: &[i32]) {
    let folder = tempfile::tempdir().expect("a place to work");
    let path = folder.path().join("config.toml");
    for command in commands() {
        fs::write(&path, config).unwrap();
        let output = Command::new("prlimit")
            .arg(format!("--as={MEMORY}"))
            .arg(env!("CARGO_BIN_EXE_runner-auth"))
            .args(&command)
            .env("CONFIG_FILE", &path)
            .env("PASSWORD", "s3cret")
            .output()
            .expect("prlimit runs");
        let said = String::from_utf8_lossy(&output.stderr);
        let status = output.status.code().unwrap_or_else(|| panic!("{command:?}: {output:?}"));
        assert!(statuses.contains(&status), "{command:?} ends with {status}: {said:.300}");
        assert!(!said.contains("panicked"), "{command:?}: {said}");
        if status > 2 {
            assert_eq!(fs::read(&path).unwrap(), config, "{command:?} wrote all the same");
        }
    }
}

fn config(middle: &str) -> Vec<u8> {
    format!("[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n{middle}").into_bytes()
}

#[test]
fn what_is_too_deep_is_refused_or_read() {
    let deep = |open: &str, close: &str, depth: usize| {
        format!("  x = {}{}\n", open.repeat(depth), close.repeat(depth))
    };
    run(&config(&deep("[", "]", 1_000_000)), &[1, 3]);
    run(&config(&deep("{a = ", "}", 100_000)), &[1, 3]);
    run(&config(&format!("  {}a = 1\n", "a.".repeat(100_000))), &[1, 3]);
    run(&config(&format!("[{}a]\n", "a.".repeat(100_000))), &[0, 1, 3]);
    let json = |open: &str, close: &str| {
        let depth = 20_000;
        let document =
            format!(r#"{{"auths": {{}}, "x": {}1{}}}"#, open.repeat(depth), close.repeat(depth));
        config(&format!("  environment = ['DOCKER_AUTH_CONFIG={document}']\n"))
    };
    run(&json("{\"a\": ", "}"), &[0, 1, 3]);
    run(&json("[", "]"), &[0, 1, 3]);
}

#[test]
fn odd_bytes_are_refused_or_kept() {
    run(&config("  # \0\n"), &[0, 1, 3]);
    run(&[0; 4096], &[1, 3]);
    run(b"\xff\xfe[\0[\0r\0", &[1, 3]);
    run(b"", &[0, 1, 3, 4]);
    run(&config("  x = \"\u{202e}\u{feff}\"\n"), &[0, 1]);
}

#[test]
fn long_lines_and_large_files_are_read() {
    let line = "x".repeat(10 << 20);
    run(&config(&format!("{ENTRY}  # {line}\n")), &[0, 1]);
    run(&config(&format!("{ENTRY}  y = \"{line}\"\n")), &[0, 1]);
    run(
        &config(&format!(
            "  environment = ['DOCKER_AUTH_CONFIG={{\"auths\": {{\"r.io\": {{\"auth\": \"{line}\"}}}}}}']\n"
        )),
        &[0, 1, 3],
    );
    // Almost as many comments as a config may have, 64 MiB.
    let comment = format!("  # {}\n", "x".repeat(1020));
    run(&config(&format!("{ENTRY}{}", comment.repeat(63 << 10))), &[0, 1]);
}

/// What is refused is not kept in pieces first: they take many times its size.
#[test]
fn signs_without_an_end_take_no_more_memory_than_they_are_long() {
    let length = 50 << 20;
    let folder = tempfile::tempdir().expect("a place to work");
    let path = folder.path().join("config.toml");
    for (start, piece) in
        [("", "."), ("a", ".a"), ("a = ", "["), ("a = [", "1,"), ("a = [\n", "'A=1',\n")]
    {
        fs::write(&path, start.to_owned() + &piece.repeat(length / piece.len())).unwrap();
        // One that was written a moment ago would be read again.
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        for command in [&["list"][..], &["doctor"]] {
            let output = Command::new("prlimit")
                .arg(format!("--as={}", 2 * length))
                .arg(env!("CARGO_BIN_EXE_runner-auth"))
                .args(command)
                .env("CONFIG_FILE", &path)
                .output()
                .expect("prlimit runs");
            let said =
                String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            let expected = if command[0] == "list" { 3 } else { 1 };
            assert_eq!(output.status.code(), Some(expected), "{start}{piece}: {said}");
        }
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let folder = tempfile::tempdir().expect("a place to work");
    let path = folder.path().join("config.toml");
    // Nothing but a hole.
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    for command in commands() {
        let output = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
            .args(&command)
            .env("CONFIG_FILE", &path)
            .env("PASSWORD", "s3cret")
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{command:?}: {said}");
        assert!(said.contains("it has 1048576 MiB"), "{command:?}: {said}");
        assert!(said.contains("--max-size"), "{command:?}: {said}");
    }
}

#[test]
fn a_hundred_thousand_runners_are_read() {
    let mut text = String::from_utf8(config(ENTRY)).unwrap();
    for number in 0..100_000 {
        text.push_str(&format!("[[runners]]\n  name = \"r{number}\"\n  executor = \"docker\"\n"));
    }
    run(text.as_bytes(), &[0, 1]);
}

/// A column as wide as its longest word would make each row as long, and no number is as wide as that.
#[test]
fn a_long_name_makes_no_other_row_long() {
    let folder = tempfile::tempdir().expect("a place to work");
    let path = folder.path().join("config.toml");
    let runner = |name: &str| {
        let document = r#"{"auths": {"127.0.0.1:1": {"auth": "dTpw"}}}"#;
        format!(
            "[[runners]]\n  name = '{name}'\n  url = '{name}'\n  executor = 'docker'\n  \
             environment = ['DOCKER_AUTH_CONFIG={document}']\n"
        )
    };
    let long = "long ".repeat(20_000);
    let text = format!("{}{}", runner(&long), runner("short").repeat(100));
    fs::write(&path, &text).unwrap();
    for command in ["list", "verify"] {
        let mut run = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
        let output = run.arg(command).env("CONFIG_FILE", &path).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 6)), "{command}: {said}");
        assert!(output.stdout.len() < 300_000, "{command}: {} bytes", output.stdout.len());
    }
}
