//! The Salt state, without a master: the states of docs/salt.md.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::{CONFIG, PASSWORD, block, entry, no_secret_below, project, run, said, tool};

fn call(salt: &Path, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(salt);
    command
        .args(["--local", "--out=json", "--log-level=info", "--log-file-level=info", "-c"])
        .arg(folder.join("conf"))
        .args(arguments)
        .env("CONFIG_FILE", folder.join("config.toml"))
        .env("PYTHONWARNINGS", "ignore");
    run(&mut command, None)
}

/// The results of the states, by the names that they have.
fn results(output: &Output) -> Vec<(String, Value)> {
    let text = said(output);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON:\n{text}"));
    let states = report["local"].as_object().unwrap_or_else(|| panic!("no states:\n{text}"));
    let name = |state: &Value| state["name"].as_str().expect("a name").to_owned();
    states.values().map(|state| (name(state), state.clone())).collect()
}

fn of<'r>(results: &'r [(String, Value)], name: &str) -> &'r Value {
    &results.iter().find(|(found, _)| found == name).expect("a state").1
}

#[test]
fn salt_applies_the_states_of_the_page() {
    let Some(salt) = tool("salt", "salt-call") else { return };
    let folder = tempfile::tempdir().expect("a place to work");
    let folder = folder.path();
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    let place = folder.display();
    put(
        "conf/minion",
        &format!(
            "file_client: local\nroot_dir: {place}/root\nid: host\nfile_roots: {{base: [{place}/states]}}\npillar_roots: {{base: [{place}/pillar]}}\n"
        ),
    );
    for kind in ["_modules", "_states"] {
        let path = format!("{kind}/runner_auth.py");
        let text = fs::read_to_string(project("packaging/salt").join(&path)).expect("a module");
        put(&format!("states/{path}"), &text);
    }
    put("pillar/top.sls", "base: {'*': [secret]}\n");
    put("pillar/secret.sls", &block("docs/salt.md", "yaml", 1).replace("change-me", PASSWORD));
    let command = format!("    - command: {}\n", env!("CARGO_BIN_EXE_runner-auth"));
    let state = block("docs/salt.md", "yaml", 0) + &command;
    let wrong = state.replace("registry.example.com", "two words");
    put("states/runner.sls", &format!("{wrong}{state}"));
    put("config.toml", CONFIG);
    let config = || fs::read_to_string(folder.join("config.toml")).expect("a config");

    let loaded = call(&salt, folder, &["saltutil.sync_all"]);
    assert!(loaded.status.success(), "{}", said(&loaded));
    let tried = results(&call(&salt, folder, &["state.apply", "runner", "test=True"]));
    let right = of(&tried, "registry.example.com");
    assert_eq!(right["result"], Value::Null);
    let diff = right["changes"]["diff"].as_str().expect("a diff");
    assert!(diff.contains("+  environment = ['DOCKER_AUTH_CONFIG="), "{diff}");
    assert_eq!(config(), CONFIG);

    let first = results(&call(&salt, folder, &["state.apply", "runner"]));
    assert_eq!(of(&first, "registry.example.com")["result"], true);
    assert_eq!(of(&first, "two words")["result"], false);
    let executor = "  executor = \"docker\"\n";
    assert_eq!(config(), CONFIG.replace(executor, &format!("{executor}{}", entry("robot"))));

    let second = results(&call(&salt, folder, &["state.apply", "runner"]));
    assert_eq!(of(&second, "registry.example.com")["changes"], serde_json::json!({}));
    assert_eq!(of(&second, "registry.example.com")["result"], true);
    no_secret_below(folder, &["config.toml", "secret.sls"]);
}
