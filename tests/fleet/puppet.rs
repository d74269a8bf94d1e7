//! The Puppet module, without a server: the manifest of docs/puppet.md.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::{CONFIG, PASSWORD, block, entry, no_secret_below, project, run, said, tool};

fn apply(folder: &Path, arguments: &[&str]) -> Output {
    let place = |name: &str| folder.join(name).display().to_string();
    let mut command = Command::new("puppet");
    command
        .args(["apply", "--detailed-exitcodes", "--color=false", "--debug", "--trace"])
        .arg("--modulepath")
        .arg(project("packaging/puppet"))
        .args(["--confdir", &place("conf"), "--vardir", &place("var"), "--logdir", &place("log")])
        .args(["--publicdir", &place("public"), "--rundir", &place("run")])
        .args(arguments)
        .arg(place("site.pp"))
        .env("CONFIG_FILE", folder.join("config.toml"));
    run(&mut command, None)
}

#[test]
fn puppet_applies_the_manifest_of_the_page() {
    let Some(_) = tool("puppet", "puppet") else { return };
    let folder = tempfile::tempdir().expect("a place to work");
    let folder = folder.path();
    let config = folder.join("config.toml");
    fs::write(&config, CONFIG).expect("a config");
    let manifest = block("docs/puppet.md", "puppet", 0).replace("change-me", PASSWORD);
    let command = format!(
        "Runner_auth::Credential {{ command => '{}' }}\n",
        env!("CARGO_BIN_EXE_runner-auth")
    );
    let wrong = "runner_auth::credential { 'two words': username => 'robot', runner => ['devops-runner'], password => \
                 Sensitive('Harbor-pass-12345') }\n";
    fs::write(folder.join("site.pp"), format!("{command}{manifest}{wrong}")).expect("a manifest");

    // With --noop the diff is shown and nothing written.
    let shown = apply(folder, &["--noop"]);
    let text = said(&shown);
    assert!(text.contains("+  environment = ['DOCKER_AUTH_CONFIG="), "{text}");
    assert_eq!(fs::read_to_string(&config).expect("a config"), CONFIG);

    // The first run changes, and what is wrong fails alone: 2 is changes, 4 failures.
    let first = apply(folder, &[]);
    let text = said(&first);
    assert_eq!(first.status.code(), Some(6), "{text}");
    assert!(
        text.contains(
            "Runner_auth_change[runner-auth two words]: Could not evaluate: the registry"
        ),
        "{text}"
    );
    let executor = "  executor = \"docker\"\n";
    let patched = CONFIG.replace(executor, &format!("{executor}{}", entry("robot")));
    assert_eq!(fs::read_to_string(&config).expect("a config"), patched);

    // The second changes nothing.
    let stamp = fs::metadata(&config).and_then(|found| found.modified()).expect("a time");
    let second = apply(folder, &[]);
    assert_eq!(second.status.code(), Some(4), "{}", said(&second));
    assert_eq!(fs::metadata(&config).and_then(|found| found.modified()).expect("a time"), stamp);
    no_secret_below(folder, &["config.toml", "site.pp"]);
}
