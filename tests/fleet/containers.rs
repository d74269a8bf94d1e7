//! What docs/kubernetes.md and docs/compose.md tell containers and machines to do: a YAML parser takes
//! their commands out of the pages, and they run in a folder that stands for the container's root.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{CONFIG, PASSWORD, block, project, run, said, yaml};

/// Runs a command of a page, with its absolute paths below `root`.
fn inside(root: &Path, command: &Value) {
    let words: Vec<_> = command.as_array().expect("a command is an array").iter().collect();
    let word = |word: &Value| {
        let word = word.as_str().expect("of strings").to_owned();
        if word.starts_with('/') { format!("{}{word}", root.display()) } else { word }
    };
    let words: Vec<_> = words.into_iter().map(word).collect();
    // In our image it stands in the root, in others in the PATH.
    let ours = words[0] == "runner-auth" || Path::new(&words[0]) == root.join("runner-auth");
    let program = if ours { env!("CARGO_BIN_EXE_runner-auth") } else { &words[0] };
    let config = root.join("etc/gitlab-runner/config.toml");
    let output = run(Command::new(program).args(&words[1..]).env("CONFIG_FILE", config), None);
    let text = said(&output);
    assert!(output.status.success(), "{words:?}:\n{text}");
}

/// What a service of Compose runs in our image: the program of the image with the words of the service.
fn command(service: &Value) -> Value {
    let image = fs::read_to_string(project("packaging/Dockerfile")).expect("the image");
    let entrypoint = image.lines().find_map(|line| line.strip_prefix("ENTRYPOINT "));
    let mut words: Vec<Value> =
        serde_json::from_str(entrypoint.expect("a program")).expect("an array");
    words.extend(service["command"].as_array().expect("a command is an array").iter().cloned());
    words.into()
}

/// A root with these files.
fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a place to work");
    fs::create_dir_all(root.path().join("etc/gitlab-runner")).expect("a folder");
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a mode");
    }
    root
}

fn config(root: &Path) -> String {
    fs::read_to_string(root.join("etc/gitlab-runner/config.toml")).expect("a config")
}

const DOCUMENT: &str =
    r#"{"auths": {"registry.example.com": {"auth": "cm9ib3Q6SGFyYm9yLXBhc3MtMTIzNDU="}}}"#;

#[test]
fn init_containers_put_the_credentials_in() {
    let Some(pod) = yaml(&block("docs/kubernetes.md", "yaml", 0)) else { return };
    let root = root(&[("template/config.toml", CONFIG), ("auth/.dockerconfigjson", DOCUMENT)]);
    let containers = pod["spec"]["initContainers"].as_array().expect("init containers");
    assert_eq!(containers.len(), 2);
    for container in containers {
        inside(root.path(), &container["command"]);
    }
    assert!(config(root.path()).contains(r#"{"registry.example.com": {"auth": "cm9ib3Q6"#));
}

#[test]
fn the_services_of_compose_work() {
    let Some(compose) = yaml(&block("docs/compose.md", "yaml", 0)) else { return };
    let password = [("etc/gitlab-runner/config.toml", CONFIG), ("run/secrets/password", PASSWORD)];
    let root = root(&password);
    let services = &compose["services"];
    inside(root.path(), &command(&services["credentials"]));
    assert!(config(root.path()).contains("registry.example.com"));
    // The first word says how the healthcheck is run.
    let health = services["refresh"]["healthcheck"]["test"].as_array().expect("an array");
    assert_eq!(health[0], "CMD");
    inside(root.path(), &health[1..].to_vec().into());

    // The loop of the sidecar asks once, before it sleeps.
    let script =
        services["refresh"]["entrypoint"][2].as_str().expect("a script").replace("$$", "$");
    let bin = root.path().join("bin");
    fs::create_dir(&bin).expect("a folder");
    let put = |name: &str, text: &str| {
        fs::write(bin.join(name), text).expect("a file");
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).expect("a mode");
    };
    put(
        "docker-credential-ecr-login",
        "#!/bin/sh\necho '{\"Username\": \"AWS\", \"Secret\": \"t0ken-of-hours\"}'\n",
    );
    put("sleep", "#!/bin/sh\nexec kill -TERM $PPID\n");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_runner-auth"), bin.join("runner-auth"))
        .expect("a link");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH"));
    let mut sidecar = Command::new("sh");
    sidecar.args(["-c", &script]).env("PATH", path);
    let ended =
        run(sidecar.env("CONFIG_FILE", root.path().join("etc/gitlab-runner/config.toml")), None);
    assert!(config(root.path()).contains("123456789012.dkr.ecr"), "{}", said(&ended));
}

#[test]
fn a_cloud_config_stores_the_document_and_takes_it_away() {
    let Some(cloud) = yaml(&block("docs/compose.md", "yaml", 1)) else { return };
    let file = &cloud["write_files"][0];
    assert_eq!(file["permissions"], "0600");
    let path = file["path"].as_str().expect("a path").trim_start_matches('/').to_owned();
    let text = file["content"].as_str().expect("a text");
    let root = root(&[("etc/gitlab-runner/config.toml", CONFIG), (&path, text)]);
    for command in cloud["runcmd"].as_array().expect("commands") {
        inside(root.path(), command);
    }
    assert!(config(root.path()).contains("cm9ib3Q6Y2hhbmdlLW1l"));
    assert!(!root.path().join("run/runner-auth").exists());
}
