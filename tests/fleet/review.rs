//! The hook of pre-commit and the job of GitLab CI, on a repository with a broken config.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{CONFIG, project, run, said, tool, yaml};

const BROKEN: &str = "[[runners]]\n  executor = 'docker'\n  environment = ['DOCKER_AUTH_CONFIG={\"auths\": \
                      {\"q.io\": {\"auth\": \"Harbor-pass-12345\"}}}']\n";

fn git(folder: &Path, arguments: &[&str]) {
    let identity =
        ["-c", "user.name=ci", "-c", "user.email=ci@example.com", "-c", "commit.gpgsign=false"];
    let output = run(Command::new("git").args(identity).args(arguments).current_dir(folder), None);
    assert!(output.status.success(), "git {arguments:?}: {}", said(&output));
}

/// A repository with these files, all committed.
fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a place to work");
    git(folder.path(), &["init", "-q", "-b", "main"]);
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "-q", "-m", "configs"]);
    folder
}

/// The PATH with the command in it.
fn path(bin: &Path) -> String {
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_runner-auth"), bin.join("runner-auth"))
        .expect("a link");
    format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH"))
}

#[test]
fn pre_commit_stops_a_broken_config() {
    let Some(program) = tool("pre-commit", "pre-commit") else { return };
    let hooks = fs::read_to_string(project(".pre-commit-hooks.yaml")).expect("the hooks");
    let hooks = repository(&[(".pre-commit-hooks.yaml", &hooks)]);
    let bin = tempfile::tempdir().expect("a place to work");
    let path = path(bin.path());
    for (config, passes) in [(CONFIG, true), (BROKEN, false)] {
        let folder = repository(&[("ci/config.toml", config), ("README.md", "no config")]);
        let mut command = Command::new(&program);
        command
            .args([
                "try-repo",
                hooks.path().to_str().expect("UTF-8"),
                "runner-auth-doctor",
                "--all-files",
                "-v",
            ])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("PRE_COMMIT_HOME", bin.path().join("cache"));
        let output = run(&mut command, None);
        let text = said(&output);
        assert_eq!(output.status.success(), passes, "{text}");
        assert_eq!(text.contains("ci/config.toml:3:"), !passes, "{text}");
    }
}

#[test]
fn the_job_writes_a_report_of_code_quality() {
    let text = fs::read_to_string(project("packaging/gitlab-ci/doctor.yml")).expect("the job");
    let Some(job) = yaml(&text) else { return };
    let job = &job["runner-auth doctor"];
    let lines = job["script"].as_array().expect("a script").iter();
    let lines: Vec<_> = lines.map(|line| line.as_str().expect("a line")).collect();
    let folder = repository(&[
        ("a b/config.toml", BROKEN),
        ("config.template.toml", CONFIG),
        ("x.toml", ""),
    ]);
    let bin = tempfile::tempdir().expect("a place to work");
    let mut shell = Command::new("sh");
    shell
        .args(["-e", "-c", &lines.join("\n")])
        .current_dir(folder.path())
        .env("RUNNER_AUTH_FILES", job["variables"]["RUNNER_AUTH_FILES"].as_str().expect("patterns"))
        .env("PATH", path(bin.path()));
    let ended = run(&mut shell, None);
    // xargs ends with 123 when the command ends with an error.
    assert_eq!(ended.status.code(), Some(123), "{}", said(&ended));
    let name = job["artifacts"]["reports"]["codequality"].as_str().expect("a report");
    let report = fs::read_to_string(folder.path().join(name)).expect("the report");
    super::no_secret("the report", &report);
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let issues = report.as_array().expect("an array");
    let paths: Vec<_> = issues.iter().map(|issue| &issue["location"]["path"]).collect();
    assert!(paths.contains(&&Value::from("a b/config.toml")), "{report}");
    assert!(issues.iter().all(|issue| issue["check_name"] != "loose-permissions"), "{report}");
}
