//! Who waits for a lock, how long, and what is said about it; and signals that come meanwhile.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

const CONFIG: &str = "[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n";

/// The command, started by a shell after something else.
fn set_after(script: &str, config: &Path, more: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{script}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_runner-auth")])
        .args(["set", "--yes", "-r", "r.io", "-u", "ci", "--password-env", "PASSWORD", "-c"])
        .arg(config)
        .args(more)
        .env("PASSWORD", "s3cret")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn locked(path: &Path) -> File {
    let file = File::open(path).unwrap();
    flock(&file, FlockOperation::LockExclusive).expect("nobody else has the lock");
    file
}

#[test]
fn who_holds_a_lock_is_named() {
    let folder = tempfile::tempdir().expect("a place to work");
    let config = folder.path().join("config.toml");
    fs::write(&config, CONFIG).unwrap();
    // The file's lock and the folder's. With few descriptors, which are not used up while it waits.
    for place in [&config, folder.path()] {
        let held = locked(place);
        for (timeout, script) in [("0", "true"), ("2", "ulimit -n 20")] {
            let start = Instant::now();
            let output = set_after(script, &config, &["--lock-timeout", timeout]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(5), "{said}");
            assert!(said.contains(&format!("has held its lock for {timeout} s")), "{said}");
            assert!(said.contains("--lock-timeout"), "{said}");
            let waited = start.elapsed();
            let least = Duration::from_secs(timeout.parse().unwrap());
            assert!(least <= waited && waited < least + Duration::from_secs(5), "{waited:?}");
            // Where the kernel tells, as it does for most file systems.
            let own = std::process::id();
            let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
            if locks.lines().any(|line| line.contains(&format!(" {own} "))) {
                assert!(said.contains(&format!("process {own} (")), "{said}\n{locks}");
            }
        }
        drop(held);
    }
    assert_eq!(fs::read_to_string(&config).unwrap(), CONFIG);
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let folder = tempfile::tempdir().expect("a place to work");
    let config = folder.path().join("config.toml");
    for (name, signal) in
        [("HUP", Signal::HUP), ("INT", Signal::INT), ("QUIT", Signal::QUIT), ("USR1", Signal::USR1)]
    {
        fs::write(&config, CONFIG).unwrap();
        let held = locked(&config);
        let mut child =
            set_after(&format!("trap '' {name}"), &config, &[]).spawn().expect("it starts");
        sleep(Duration::from_millis(300));
        kill_process(Pid::from_child(&child), signal).expect("it is there");
        sleep(Duration::from_millis(100));
        assert!(child.try_wait().unwrap().is_none(), "{name} has ended it");
        drop(held);
        assert!(child.wait().unwrap().success());
        assert!(fs::read_to_string(&config).unwrap().contains("r.io"));
    }
}
