//! What `render` prints, read by what it is for: a shell, a TOML and a YAML parser, a registry's
//! client.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value as Json, json};

use crate::support;

/// A runner whose document has all that needs care: quotes, a `$`, letters beyond ASCII, members
/// that stay behind, a variable, a key that stands twice.
const CONFIG: &str = r#"[[runners]]
  name = "odd"
  executor = "docker"
  environment = ["B64=Y2k6czNjcmV0", '''DOCKER_AUTH_CONFIG={"auths": {
    "r.io": {"auth": "$B64"}, "q.io": {"auth": "dTpw"}, "q.io": {"auth": "dTpx", "email": "x"},
    "{{it's}}/{#$$x%Y%": {"auth": "dTpw", "identitytoken": "tök'en"}, "e.io": {},
    "plain.io": {"username": "u", "password": "p'$$5\u2028"}
  }, "HttpHeaders": {"X": "y"}, "credHelpers": {"h.io": "pass"}}''']
[[runners]]
  name = "broken"
  environment = ['DOCKER_AUTH_CONFIG={"auths": {"r.io": {"auth": "S3CRET"},}}']
[[runners]]
  name = "undecodable"
  environment = ['DOCKER_AUTH_CONFIG={"auths": {"r.io": {"auth": "S3CRET"}}}']
[[runners]]
  name = "unwrapped"
  environment = ['DOCKER_AUTH_CONFIG={"r.io": {"auth": "dTpw"}}']
[[runners]]
  name = "from-the-job"
  environment = ['DOCKER_AUTH_CONFIG={"auths": {"r.io": {"auth": "$OF_THE_JOB"}}}']
[[runners]]
  name = "empty"
  environment = ['DOCKER_AUTH_CONFIG=']
[[runners]]
  name = "none"
"#;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    fs::write(folder.join("config.toml"), CONFIG).expect("a config can be written");
    Command::new(env!("CARGO_BIN_EXE_runner-auth"))
        .arg("render")
        .args(arguments)
        .env("CONFIG_FILE", folder.join("config.toml"))
        .env("PASSWORD", "s3cret")
        .current_dir(folder)
        .output()
        .expect("the command runs")
}

/// Renders one thing in one form.
fn render(folder: &Path, form: &str, arguments: &[&str]) -> String {
    let output = run(folder, &[&["--as", form], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a program makes of a file with this text; `None` when there is no such program.
fn read_by(folder: &Path, text: &str, program: &[&str]) -> Option<String> {
    fs::write(folder.join("rendered"), text).expect("a file can be written");
    let output = Command::new(program[0]).args(&program[1..]).current_dir(folder).output();
    let Ok(output) = output.map_err(|error| println!("SKIPPED: {}: {error}", program[0])) else {
        assert!(std::env::var_os("CI").is_none(), "{} is needed", program[0]);
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No module named") && std::env::var_os("CI").is_none() {
        println!("SKIPPED: {said}");
        return None;
    }
    assert!(output.status.success(), "{program:?}: {said}\n{text}");
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

/// The document in each form, read by what the form is for.
fn readings(folder: &Path, arguments: &[&str]) -> Vec<Json> {
    let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let mut found: Vec<Json> = vec![json(&render(folder, "json", arguments))];
    let shell = ["sh", "-euc", ". ./rendered; printf %s \"$DOCKER_AUTH_CONFIG\""];
    let env = render(folder, "env", arguments);
    assert_eq!(env.matches('\n').count(), 1, "{env}");
    found.extend(read_by(folder, &env, &shell).as_deref().map(json));
    let toml = render(folder, "toml", arguments);
    assert_eq!(toml.matches('\n').count(), 1, "{toml}");
    found.extend(support::document(format!("[[runners]]\n{toml}").as_bytes(), 0));
    let python = "import sys, yaml\n\
                  found = yaml.safe_load(open('rendered'))['variables']['DOCKER_AUTH_CONFIG']\n\
                  assert not set(found) & set('$%'), 'GitLab would fill it in'\n\
                  sys.stdout.write(found)";
    let yaml = render(folder, "gitlab-ci", arguments);
    found.extend(read_by(folder, &yaml, &["python3", "-c", python]).as_deref().map(json));
    let python = "import sys, yaml\n\
                  [found] = yaml.safe_load(open('rendered'))['env_vars']\n\
                  assert not set(found) & set('$%'), 'GitLab Runner would fill it in'\n\
                  assert '{{' not in found and '{#' not in found, 'Ansible would fill it in'\n\
                  sys.stdout.write(found)";
    let list = render(folder, "env-vars", arguments);
    let entry = read_by(folder, &list, &["python3", "-c", python]);
    found.extend(entry.iter().map(|entry| json(document_of(entry))));
    let puppet = render(folder, "puppet", arguments);
    found.extend(read_by_puppet(folder, &puppet).iter().map(|entry| json(document_of(entry))));
    found
}

/// What stands behind the name of the variable in an entry.
fn document_of(entry: &str) -> &str {
    entry.strip_prefix(support::PREFIX).unwrap_or_else(|| panic!("no entry: {entry}"))
}

/// The entry in the hash of a runner, as Puppet gets it.
fn read_by_puppet(folder: &Path, member: &str) -> Option<String> {
    let place = |name: &str| folder.join(name).display().to_string();
    let manifest = format!(
        "$runner = {{\n  executor => 'docker',\n  {member}}}\n\
         file {{ '{}': content => $runner['environment'][0] }}\n",
        place("entry")
    );
    let (conf, var, log) = (place("conf"), place("var"), place("log"));
    let (public, run) = (place("public"), place("run"));
    let puppet = ["puppet", "apply", "--confdir", &conf, "--vardir", &var, "--logdir", &log];
    let places = ["--publicdir", &public, "--rundir", &run, "rendered"];
    read_by(folder, &manifest, &[&puppet[..], &places].concat())?;
    Some(fs::read_to_string(folder.join("entry")).expect("Puppet has written it"))
}

#[test]
fn every_form_says_the_same() {
    let folder = tempfile::tempdir().expect("a place to work");
    let expected = json!({
        "auths": {
            "r.io": {"auth": "Y2k6czNjcmV0"},
            "q.io": {"auth": "dTpx"},
            "{{it's}}/{#$x%Y%": {"auth": "dTpw", "identitytoken": "tök'en"},
            "e.io": {},
            "plain.io": {"auth": "dTpwJyQ14oCo"},
        },
        "credHelpers": {"h.io": "pass"},
    });
    let found = readings(folder.path(), &["-n", "odd"]);
    assert!(found.len() >= 2);
    assert!(found.iter().all(|found| *found == expected), "{found:#?}");
}

#[test]
fn a_source_is_rendered_as_well() {
    let folder = tempfile::tempdir().expect("a place to work");
    let login = ["-r", "R.io", "-u", "ci", "--password-env", "PASSWORD"];
    let expected = json!({"auths": {"r.io": {"auth": "Y2k6czNjcmV0"}}});
    for found in readings(folder.path(), &login) {
        assert_eq!(found, expected);
    }
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/docker-config.json");
    let azure = ["--from-docker-config", fixture, "-r", "example.azurecr.io"];
    for found in readings(folder.path(), &azure) {
        let member = &found["auths"]["example.azurecr.io"];
        assert_eq!(member["identitytoken"], "eyJhbGciOiJub25lIn0.azure-refresh-t0ken");
    }
    // JSON is the form without --as.
    let plain = run(folder.path(), &login);
    assert_eq!(String::from_utf8_lossy(&plain.stdout), render(folder.path(), "json", &login));
    let report = run(folder.path(), &[&login[..], &["--as", "env", "--format", "json"]].concat());
    let report: Json = serde_json::from_slice(&report.stdout).expect("a report");
    assert_eq!(report["rendered"], render(folder.path(), "env", &login));
    assert_eq!(report["as"], "env");
}

#[test]
fn a_client_finds_the_user() {
    let folder = tempfile::tempdir().expect("a place to work");
    let text = render(
        folder.path(),
        "json",
        &["-r", "r.io:5000", "-u", "ci", "--password-env", "PASSWORD"],
    );
    let client = ["skopeo", "login", "--get-login", "--authfile", "rendered", "r.io:5000"];
    if let Some(user) = read_by(folder.path(), &text, &client) {
        assert_eq!(user, "ci\n");
    }
}

#[test]
fn what_can_not_be_rendered() {
    let folder = tempfile::tempdir().expect("a place to work");
    let login = ["-r", "r.io", "-u", "ci", "--password-env", "PASSWORD"];
    for (arguments, status, expected) in [
        (
            vec!["-n", "broken"],
            3,
            "config.toml:11:76: the auth document of runner 'broken' is not valid JSON",
        ),
        (vec!["-n", "undecodable"], 3, "the auth document of runner 'undecodable' has an auth"),
        (vec!["-n", "unwrapped"], 3, "has credentials outside \"auths\""),
        (vec!["-n", "from-the-job"], 3, "holds a $ that GitLab Runner fills in"),
        (vec!["-n", "empty"], 3, "runner 'empty' has no auth document to render"),
        (vec!["-n", "none"], 3, "runner 'none' has no auth document to render"),
        (vec![], 4, "several runners"),
        (vec!["--all"], 2, "one runner"),
        (vec!["-n", "odd", "-n", "none"], 2, "one runner"),
        ([&login[..], &["-n", "odd"]].concat(), 2, "not both"),
        ([&login[..], &["-c", "config.toml"]].concat(), 2, "not both"),
        (vec!["-n", "odd", "--as", "xml"], 2, "xml"),
    ] {
        let output = run(folder.path(), &arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(said.contains(expected) || expected == "xml", "{arguments:?}: {said}");
        assert!(!said.contains("S3CRET") && !said.contains("OF_THE_JOB"), "{said}");
        assert!(output.stdout.is_empty());
    }
}
