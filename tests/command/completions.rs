//! Completions in real shells on a pseudo-terminal.

use std::process::Command;

fn completes(shell: &str) {
    let missing = [shell, "python3"].into_iter().find(|tool| {
        let found = Command::new(tool).arg("--version").output();
        found.is_err()
    });
    if let Some(tool) = missing {
        assert!(std::env::var_os("CI").is_none(), "CI has {tool}");
        println!("SKIPPED: there is no {tool}");
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command/completions.py");
    let binary = env!("CARGO_BIN_EXE_runner-auth");
    let output = Command::new("python3").args([script, shell, binary]).output().expect("python3");
    let scenes = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{scenes}{}", String::from_utf8_lossy(&output.stderr));
    println!("{scenes}");
    assert!(scenes.lines().count() > 0);
}

#[test]
fn bash_completes() {
    completes("bash");
}

#[test]
fn zsh_completes() {
    completes("zsh");
}

#[test]
fn fish_completes() {
    completes("fish");
}

/// A Tab reads nothing from standard input, and a config that can't be read is no error there.
#[test]
fn a_tab_stays_quiet_where_there_is_nothing_to_know() {
    for config in ["-", "/nowhere/config.toml"] {
        let output = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
            .args(["--", "runner-auth", "list", "-c", config, "-n", ""])
            .env("RUNNER_AUTH_COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", "5")
            .output()
            .expect("the command");
        assert!(output.status.success(), "{output:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    }
}
