//! What is left of a password when a command ends: nothing in its memory, its arguments or a core
//! dump. `strace` holds the process back at its last call, and its memory is read.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use memchr::memmem;

use crate::support;

const PASSWORD: &str = "Qx7-very-secret-Zk9";
/// The base64 of `ci:` and the password.
const AUTH: &str = "Y2k6UXg3LXZlcnktc2VjcmV0LVprOQ==";
const TOKEN: &str = "glrt-abcdefghiTheRestOfTheToken";

/// Starts a command that is held back at its end, and waits until it is there.
// Where it never gets there, the test ends without waiting for it.
#[allow(clippy::zombie_processes)]
fn held_back(folder: &Path, arguments: &[&str]) -> (Child, u32) {
    let child = Command::new("strace")
        .args(["-qq", "-o"])
        .arg(folder.join("trace"))
        .args(["-e", "trace=exit_group", "-e", "inject=exit_group:delay_enter=2000000"])
        .arg(env!("CARGO_BIN_EXE_runner-auth"))
        .args(arguments)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .stdin(File::open(folder.join("password")).expect("a password"))
        .stdout(Stdio::null())
        .spawn()
        .expect("strace runs");
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < Duration::from_secs(10), "it never ends");
        sleep(Duration::from_millis(50));
        let Ok(text) = fs::read_to_string(&children) else { continue };
        let Some(pid) = text.split_whitespace().next().and_then(|pid| pid.parse().ok()) else {
            continue;
        };
        let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
        if call.starts_with(&format!("{} ", libc::SYS_exit_group)) {
            return (child, pid);
        }
    }
}

/// How often each of the words is in the memory that a process can write.
fn found(pid: u32, words: &[&str]) -> Vec<usize> {
    let memory = File::open(format!("/proc/{pid}/mem")).expect("root can read it");
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("it has maps");
    let mut counts = vec![0; words.len()];
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let range = map.split(' ').next().and_then(|range| range.split_once('-')).expect("a range");
        let (start, end) = (u64::from_str_radix(range.0, 16), u64::from_str_radix(range.1, 16));
        let (start, end) = (start.unwrap(), end.unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        if memory.read_exact_at(&mut bytes, start).is_err() {
            continue;
        }
        for (word, count) in words.iter().zip(&mut counts) {
            // The process is held back for two seconds, and a loop of these tests takes one of them.
            *count += memmem::find_iter(&bytes, word).count();
        }
    }
    counts
}

#[test]
fn nothing_is_left_in_memory() {
    if !support::sees_into_processes() {
        return;
    }
    let folder = tempfile::tempdir().expect("a place to work");
    let config = folder.path().join("config.toml");
    let text = format!("[[runners]]\n  name = \"visible-name\"\n  token = \"{TOKEN}\"\n");
    let password = folder.path().join("password");
    fs::write(&password, PASSWORD).unwrap();
    let (config, file) = (config.to_str().unwrap(), password.to_str().unwrap());
    let set = ["set", "-c", config];
    let (login, user) = (["-r", "r.io"], ["-u", "ci"]);
    let left = folder.path().join("config.json");
    fs::write(&left, format!(r#"{{"auths": {{"r.io": {{"auth": "{AUTH}"}}}}}}"#)).unwrap();
    let left = left.to_str().unwrap();
    let helper = folder.path().join("docker-credential-script");
    let answer = format!(r#"{{"ServerURL": "r.io", "Username": "ci", "Secret": "{PASSWORD}"}}"#);
    fs::write(&helper, format!("#!/bin/sh\ncat > /dev/null\necho '{answer}'\n")).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o700)).unwrap();
    for source in [
        &[&login[..], &user, &["--password-stdin", "--yes"]].concat()[..],
        &[&login[..], &user, &["--password-file", file, "--yes"]].concat(),
        &[&login[..], &user, &["--password-stdin", "--dry-run"]].concat(),
        &["--auth-config", left, "--yes"],
        &["--from-docker-config", left, "--yes"],
        &[&login[..], &["--credential-helper", "script", "--yes"]].concat(),
    ] {
        fs::write(config, &text).unwrap();
        let (mut child, pid) = held_back(folder.path(), &[&set[..], source].concat());
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let counts = found(pid, &[PASSWORD, AUTH, TOKEN, "--"]);
        assert!(child.wait().unwrap().success());
        assert!(!String::from_utf8_lossy(&arguments).contains(PASSWORD));
        let core = limits.lines().find(|line| line.starts_with("Max core file size"));
        let zero = core.is_some_and(|line| line.split_whitespace().nth(4) == Some("0"));
        assert!(zero, "core dumps are on: {core:?}");
        assert_eq!(counts[..3], [0, 0, 0], "{source:?}: password, auth, token");
        // The search finds what is there: the arguments.
        assert!(counts[3] > 0, "the memory was not read");
    }
}
