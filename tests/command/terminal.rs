//! The question and the hidden password on a pseudo-terminal.

use std::process::Command;

#[test]
fn a_person_is_asked() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command/terminal.py");
    let binary = env!("CARGO_BIN_EXE_runner-auth");
    let output = match Command::new("python3").args([script, binary]).output() {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "python3 is needed: {error}");
            println!("SKIPPED: there is no python3 to drive a terminal");
            return;
        }
    };
    let scenes = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{scenes}{}", String::from_utf8_lossy(&output.stderr));
    println!("{scenes}");
    assert!(scenes.lines().count() > 0);
}
