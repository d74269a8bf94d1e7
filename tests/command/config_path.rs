//! Where a config is looked for, and what is said when there is none.

use std::path::Path;
use std::process::Command;

#[test]
fn a_config_that_is_nowhere_is_said_to_be_nowhere() {
    if Path::new("/etc/gitlab-runner/config.toml").exists() {
        println!("SKIPPED: this machine has a config of its own");
        return;
    }
    let home = tempfile::tempdir().expect("a home");
    let run = |file: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
        command.env_clear().env("HOME", home.path()).arg("list");
        if let Some(file) = file {
            command.env("CONFIG_FILE", file);
        }
        let output = command.output().expect("the command starts");
        assert_eq!(output.status.code(), Some(3));
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let said = run(None);
    assert!(said.contains("gitlab-runner/config.toml, where GitLab Runner would look"), "{said}");
    assert!(said.contains("--config"), "{said}");
    let said = run(Some("/no/such.toml"));
    assert!(
        said.starts_with(
            "error: /no/such.toml, which $CONFIG_FILE names, can't be read: no such file"
        ),
        "{said}"
    );
}

#[test]
fn a_document_in_the_place_of_a_path_is_not_repeated() {
    let document = r#"{"auths": {"r.io": {"auth": "Y2k6czNjcmV0"}}}"#;
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
    command.env_clear().env("CONFIG_FILE", document).arg("list");
    let output = command.output().expect("the command starts");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(said.starts_with("error: CONFIG_FILE takes the path of a file"), "{said}");
    assert!(!said.contains("Y2k6czNjcmV0"), "{said}");
}
