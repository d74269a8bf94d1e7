//! What `doctor` says to a merge request: the formats of GitLab's Code Quality and of code scanners.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const BROKEN: &str = "[[runners]]\n  name = 'a'\n  executor = 'docker'\n  environment = \
                      ['DOCKER_AUTH_CONFIG={\"auths\": {\"q.io\": {\"auth\": \"plain-s3cret\"}}}']\n";

fn doctor(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
        .arg("doctor")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the command runs");
    (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
}

/// A folder with a broken config, one inside YAML, and a fine one.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a place to work");
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    put("a b.toml", BROKEN);
    let block = BROKEN.replace('\n', "\n    ");
    put("values.yaml", &format!("runners:\n  config: |\n    {block}"));
    put("fine.toml", "[[runners]]\n  name = 'a'\n");
    folder
}

fn of<'j>(value: &'j Value, pointer: &str) -> &'j Value {
    value.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

#[test]
fn code_quality_has_what_gitlab_requires() {
    let folder = repository();
    let files = ["./a b.toml", "values.yaml", "fine.toml", "missing.toml"];
    let (status, text) =
        doctor(folder.path(), &[&["--format", "code-climate"], &files[..]].concat());
    assert_eq!(status, Some(3), "{text}");
    assert!(!text.contains("plain-s3cret"), "{text}");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let issues = report.as_array().expect("an array");
    let mut fingerprints = Vec::new();
    for issue in issues {
        assert!(of(issue, "/description").as_str().is_some_and(|text| !text.is_empty()), "{issue}");
        assert!(of(issue, "/check_name").is_string(), "{issue}");
        let severity = of(issue, "/severity").as_str().expect("a string");
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity), "{issue}");
        assert!(
            of(issue, "/location/lines/begin").as_u64().is_some_and(|line| line > 0),
            "{issue}"
        );
        let path = of(issue, "/location/path").as_str().expect("a string");
        assert!(!path.starts_with("./"), "{issue}");
        fingerprints.push(of(issue, "/fingerprint").as_str().expect("a string").to_owned());
    }
    let place = |path: &str, code: &str| {
        let fits =
            |issue: &&Value| issue["location"]["path"] == path && issue["check_name"] == code;
        issues.iter().find(fits).map(|issue| issue["location"]["lines"]["begin"].clone())
    };
    assert_eq!(place("a b.toml", "undecodable-auth"), Some(4.into()));
    assert_eq!(place("values.yaml", "undecodable-auth"), Some(6.into()));
    assert_eq!(place("missing.toml", "unreadable"), Some(1.into()));
    fingerprints.sort_unstable();
    let count = fingerprints.len();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), count, "each fingerprint is there once");

    // A finding that only moves keeps its fingerprint.
    let text = fs::read_to_string(folder.path().join("a b.toml")).expect("a file");
    fs::write(folder.path().join("a b.toml"), format!("# new\n{text}")).expect("a file");
    let (_, moved) = doctor(folder.path(), &["--format", "code-climate", "./a b.toml"]);
    let moved: Value = serde_json::from_str(&moved).expect("JSON");
    let kept = moved.as_array().expect("an array").iter();
    assert!(kept.map(|issue| issue["fingerprint"].as_str()).all(|print| {
        print.is_some_and(|print| fingerprints.iter().any(|known| known == print))
    }));
}

#[test]
fn sarif_has_what_its_schema_requires() {
    let folder = repository();
    let (status, text) = doctor(folder.path(), &["--format", "sarif", "a b.toml", "values.yaml"]);
    assert_eq!(status, Some(1), "{text}");
    assert!(!text.contains("plain-s3cret"), "{text}");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["version"], "2.1.0");
    let runs = of(&report, "/runs").as_array().expect("an array");
    assert_eq!(runs.len(), 1);
    assert!(of(&runs[0], "/tool/driver/name").is_string());
    let rules = of(&runs[0], "/tool/driver/rules").as_array().expect("an array");
    let ids: Vec<_> = rules.iter().map(|rule| of(rule, "/id").clone()).collect();
    let results = of(&runs[0], "/results").as_array().expect("an array");
    assert!(results.iter().any(|result| result["ruleId"] == "undecodable-auth"), "{text}");
    for result in results {
        assert!(of(result, "/message/text").is_string(), "{result}");
        assert!(ids.contains(of(result, "/ruleId")), "{result}");
        let level = of(result, "/level").as_str().expect("a string");
        assert!(["none", "note", "warning", "error"].contains(&level), "{result}");
        let place = of(result, "/locations/0/physicalLocation");
        let uri = of(place, "/artifactLocation/uri").as_str().expect("a string");
        assert!(["a%20b.toml", "values.yaml"].contains(&uri), "{result}");
        assert!(of(place, "/region/startLine").as_u64().is_some_and(|line| line > 0), "{result}");
        assert!(
            of(place, "/region/startColumn").as_u64().is_some_and(|column| column > 0),
            "{result}"
        );
    }
}

#[test]
fn other_commands_know_no_findings() {
    let folder = repository();
    let output = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
        .args(["list", "-c", "fine.toml", "--format", "sarif"])
        .current_dir(folder.path())
        .output()
        .expect("the command runs");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("are for doctor"), "{said}");
}
