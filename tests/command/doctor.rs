//! Each finding of `doctor` is planted and found where it was planted; each command that mends one
//! is run, and the finding is gone. What is found in sound files is written down.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use runner_auth::{Circumstances, Diagnosis};
use runner_auth::{ConfigText, Level};
use serde_json::Value;

use crate::support;

/// A runner whose `environment` holds these entries, after one that must not be meant.
fn runner(entries: &str) -> String {
    format!(
        "[[runners]]\n  name = \"other\"\n  executor = \"docker\"\n[[runners]]\n  name = \"it's\"\n  \
         executor = \"docker\"\n  environment = [{entries}]\n  [runners.docker]\n    image = \"x\"\n"
    )
}

/// The same with one auth document.
fn document(document: &str) -> String {
    runner(&format!("'DOCKER_AUTH_CONFIG={document}'"))
}

/// The same on a runner that leaves the pulls to a kubelet.
fn kubernetes(text: &str) -> String {
    document(text).replace("\"docker\"", "\"kubernetes\"")
}

/// The same with the table of that executor.
fn in_pods(text: &str) -> String {
    kubernetes(text).replace("[runners.docker]", "[runners.kubernetes]")
}

struct Planted {
    level: &'static str,
    code: &'static str,
    config: String,
    /// What stands where the finding is; the last such place.
    at: &'static str,
    /// How many commands mend it.
    commands: usize,
}

// A table, one finding a line.
#[rustfmt::skip]
#[allow(clippy::too_many_lines)]
fn planted() -> Vec<Planted> {
    let mut all = Vec::new();
    let mut plant = |level, code, config: String, at, commands| {
        all.push(Planted { level, code, config, at, commands });
    };
    let good = r#"{"auths": {"r.io": {"auth": "dTpw"}}}"#;
    plant("error", "invalid-toml", "a = \"\n".into(), "\n", 0);
    plant("error", "invalid-toml", runner(r#""DOCKER_AUTH_CONFIG={"auths": {}}""#), "auths", 0);
    plant("error", "invalid-toml", runner("\"A=b\", 1"), "1", 0);
    plant("error", "invalid-toml", "[runners]\n".into(), "[runners]", 0);
    plant("error", "key-twice", format!("{}  Name = \"x\"\n", "[[runners]]\n  name = \"a\"\n"), "Name", 0);
    plant("error", "key-twice", "[[runners]]\n[[Runners]]\n".into(), "[[Runners]]", 0);
    plant("error", "unknown-executor", "[[runners]]\n  executor = \"dokcer\"\n".into(), "\"dokcer\"", 0);
    plant("error", "key-twice", "[[runners]]\nenvironment = []\nEnvironment = []\n".into(), "Environment", 0);
    plant("error", "key-twice", "[[runners]]\n[runners.docker]\n[runners.Docker]\n".into(), "[runners.Docker]", 0);
    plant("error", "key-twice", "[[runners]]\n[runners.docker]\nimage = 'a'\nImage = 'b'\n".into(), "Image", 0);
    plant("error", "key-twice", "concurrent = 1\nConcurrent = 2\n".into(), "Concurrent", 0);
    plant("error", "invalid-toml", runner("'A={\nB}'"), "\nB", 0);
    plant("error", "invalid-toml", runner("\"A=b\nc\""), "\nc", 0);
    plant("error", "invalid-toml", runner("\u{201c}A=b\u{201d}"), "\u{201c}", 0);
    plant("error", "invalid-toml", runner("DOCKER_AUTH_CONFIG={}"), "DOCKER", 0);
    plant("error", "incompatible-type", format!("{}    volumes = '/cache'\n", runner("")), "'/cache'", 0);
    plant("error", "incompatible-type", format!("{}[runners.docker.sysctls]\nnet.ipv4.ip_forward = '1'\n", runner("")), "net.", 0);
    plant("error", "incompatible-type", format!("concurrent = '4'\n{}", runner("")), "'4'", 0);
    plant("warning", "no-runners", "concurrent = 4\n".into(), "concurrent", 0);
    plant("warning", "no-runners", "[[runner]]\n".into(), "[[runner]]", 0);
    plant("warning", "misplaced-key", format!("{}\n[[runners]]\nprivileged = true\n", runner("")), "privileged", 0);
    plant("info", "unknown-key", format!("{}    volume = ['/cache']\n", runner("")), "volume", 0);
    plant("info", "driver-decides", document(good).replace("\"docker\"", "\"custom\""), "'DOCKER", 0);
    plant("error", "invalid-json", document(r#"{"auths": {"r.io": {"auth": "dTpw"},}}"#), "}}'", 1);
    plant("error", "invalid-json", document(r#"{"auths": []}"#), "[]", 1);
    plant("error", "invalid-json", document(r#"{"auths": {"r.io": {"auth": 1}}}"#), "1}}}", 1);
    plant("error", "missing-auths", document(r#"{"r.io": {"auth": "dTpw"}}"#), "\"r.io\"", 2);
    plant("error", "missing-auths", document(r#"{"psFormat": "x"}"#), "{\"psF", 1);
    plant("error", "invalid-json", document("null"), "null", 1);
    plant("error", "invalid-json", document("\"{}\""), "\"{", 1);
    plant("error", "invalid-json", document(r#"{\"auths\": {}}"#), "\\\"auths", 1);
    plant("error", "invalid-json", document("eyJhdXRocyI6e319"), "eyJ", 1);
    plant("error", "misspelled-member", document(r#"{"auth": {"r.io": {"auth": "dTpw"}}}"#), "\"auth\": {\"r", 0);
    plant("error", "misspelled-member", document(r#"{"credStore": "nowhere"}"#), "\"credStore\"", 0);
    plant("error", "misspelled-member", document(r#"{"auths": {}, "credHelper": {"r.io": "nowhere"}}"#), "\"credHelper\"", 0);
    plant("error", "unnamed-auth-entry", runner(&format!("'{good}'")), "'{", 0);
    plant("error", "unnamed-auth-entry", runner(&format!("'DOCKER_AUTH_CONFIG: {good}'")), "'DOCKER", 0);
    plant("error", "placeholder", document(r#"{"auths": {"r.io": {"auth": "<base64>"}}}"#), "\"<base64", 1);
    plant("error", "placeholder", document(r#"{"auths": {"<registry>": {"auth": "dTpw"}}}"#), "\"<registry", 0);
    plant("warning", "likely-placeholder", document(r#"{"auths": {"r.io": {"auth": "Y2k6Q0hBTkdFTUU="}}}"#), "\"Y2k6", 1);
    plant("error", "never-matches", document(r#"{"credHelpers": {"*.dkr.ecr.*.amazonaws.com": "nowhere"}}"#), "\"*.dkr", 1);
    plant("error", "never-matches", document(r#"{"auths": {"hub.docker.com": {"auth": "dTpw"}}}"#), "\"hub", 1);
    plant("warning", "expired-credential", document(r#"{"auths": {"r.io": {"auth": "Y2k6ZXlKbGVIQnBjbUYwYVc5dUlqb3hOakF3TURBd01EQXdmUT09"}}}"#), "\"Y2k6", 0);
    plant("warning", "expired-credential", document(r#"{"auths": {"1.dkr.ecr.eu-west-1.amazonaws.com": {"auth": "QVdTOnB3"}}}"#), "\"QVdT", 0);
    plant("warning", "empty-password", document(r#"{"auths": {"r.io": {"auth": "Y2k6"}}}"#), "\"Y2k6", 1);
    plant("warning", "helper-environment", runner(r#"'AWS_REGION=x', 'DOCKER_AUTH_CONFIG={"credsStore": "nowhere"}'"#), "'AWS", 0);
    plant("error", "bad-helper-name", document(r#"{"credHelpers": {"r.io": "docker-credential-nowhere"}}"#), "\"docker-cred", 0);
    plant("error", "undecodable-auth", document(r#"{"auths": {"q.io": {"auth": "dTpw"}, "r.io": {"auth": "dTp"}}}"#), "\"dTp\"", 2);
    plant("error", "undecodable-auth", document(r#"{"auths": {"q.io": {"auth": "no"}, "r.io": {"auth": "dTp"}}}"#), "\"dTp\"", 1);
    plant("error", "undecodable-auth", document(r#"{"auths": {"r.io": {"auth": "Y2k6cHc"}}}"#), "\"Y2k6cHc\"", 2);
    plant("error", "newline-in-password", document(r#"{"auths": {"r.io": {"auth": "dTpwCg=="}}}"#), "\"dTpwCg==\"", 1);
    plant("error", "newline-in-password", document(r#"{"auths": {"r.io": {"auth": "LXU6cAo="}}}"#).replace("it's", "-n"), "\"LXU6cAo=\"", 1);
    plant("error", "newline-in-password", document(r#"{"auths": {"r.io": {"username": "u", "password": "p\n"}}}"#), r#""p\n""#, 1);
    plant("error", "misspelled-variable", runner(&format!("'DOCKER_AUTH_CONFIG = {good}'")), "'DOCKER", 1);
    plant("error", "misspelled-variable", runner(&format!("'docker_auth_config={good}'")), "'docker_", 1);
    plant("error", "misspelled-variable", runner(&format!("' DOCKER_AUTH_CONFIG={good}'")), "' DOCKER", 1);
    plant("error", "misspelled-variable", runner(&format!("'DOCKER-AUTH-CONFIG={good}'")), "'DOCKER", 1);
    plant("error", "misspelled-variable", runner(&format!("'''\ndocker_auth_config={good}'''")), "'''\ndocker_", 1);
    plant("error", "misspelled-variable", runner(&format!("'DOCKER_AUTH_CONIFG={good}'")), "'DOCKER", 1);
    plant("error", "misspelled-variable", runner(&format!("'DOKER_AUTH_CONFIGS={good}'")), "'DOKER", 1);
    plant("error", "misspelled-variable", runner(r#""docker\u005fauth_config={}""#), "\"docker\\", 0);
    plant("error", "misspelled-variable", runner(r#""DOCKER_AUTH_CONFIG\t={}""#), "\"DOCKER", 0);
    plant("error", "misspelled-variable", runner("'docker_auth_config={}', 'docker_auth_config= {}'"), "'docker_auth_config= ", 0);
    plant("error", "misplaced-environment", format!("{}    environment = ['DOCKER_AUTH_CONFIG={good}']\n", runner("")), "'DOCKER", 0);
    plant("error", "misplaced-environment", format!("environment = ['DOCKER_AUTH_CONFIG={good}']\n{}", runner("")), "'DOCKER", 0);
    plant("error", "misplaced-environment", format!("[[runners]]\nDOCKER_AUTH_CONFIG = '{good}'\n"), "DOCKER", 0);
    plant("error", "misplaced-environment", format!("runners = [{{name = 'a', docker = {{environment = ['DOCKER_AUTH_CONFIG={good}']}}}}]\n" ), "'DOCKER", 0);
    plant("error", "expansion", document(r#"{"auths": {"r.io": {"username": "u", "password": "a$bcd"}}}"#), "\"a$bcd\"", 1);
    plant("error", "expansion", document(r#"{"auths": {"r.io": {"username": "u", "password": "a${bc"}}}"#), "\"a${bc\"", 0);
    plant("error", "expansion", document(r#"{"auths": {"r.io": {"auth": "$B64"}}}"#), "\"$B64\"", 1);
    plant("error", "invalid-toml", "[[runners]]\n[runners.environment]\nA = 'b'\n".into(), "[runners.environment]", 0);
    plant("error", "never-matches", document(r#"{"auths": {"*.r.io": {"auth": "dTpw"}}}"#), "\"*.r.io\"", 1);
    plant("error", "never-matches", document(r#"{"auths": {"r.io/./x": {"auth": "dTpw"}}}"#), "\"r.io/./x\"", 1);
    plant("error", "expansion", document("$JSON"), "'DOCKER", 0);
    plant("error", "never-matches", document(r#"{"auths": {"index.docker.io": {"auth": "dTpw"}}}"#), "\"index", 1);
    plant("error", "never-matches", document(r#"{"auths": {" r.io": {"auth": "dTpw"}}}"#), "\" r.io\"", 1);
    plant("error", "never-matches", document(r#"{"auths": {"registry": {"auth": "dTpw"}}}"#), "\"registry\"", 1);
    plant("error", "bad-helper-name", document(r#"{"credHelpers": {"r.io": "a/b"}}"#), "\"a/b\"", 1);
    plant("error", "bad-helper-name", document(r#"{"credHelpers": {"r.io": ""}}"#), "\"\"", 1);
    plant("error", "bad-helper-name", document(r#"{"credsStore": "/usr/bin/pass"}"#), "\"/usr", 1);
    plant("info", "empty-store", document(r#"{"auths": {"r.io": {"auth": "dTpw"}}, "credsStore": ""}"#), "\"\"", 0);
    plant("warning", "helper-not-found", document(r#"{"credHelpers": {"r.io": "nowhere"}}"#), "\"nowhere\"", 0);
    plant("warning", "helper-may-be-refused", document(r#"{"credHelpers": {"r.io": "a/b", "q.io": "nowhere"}}"#), "\"nowhere\"", 0);
    plant("warning", "helper-may-be-refused", kubernetes(r#"{"auths": {}, "credsStore": "nowhere"}"#), "\"nowhere\"", 0);
    plant("warning", "unattached-pull-secret", format!("{}    use_service_account_image_pull_secrets = true\n", in_pods(good)), "true", 0);
    plant("info", "beside-pull-secrets", format!("{}    image_pull_secrets = [\"own\"]\n", in_pods(good)), "[\"own", 0);
    plant("warning", "helper-overrides", document(r#"{"auths": {"r.io": {"auth": "dTpw"}}, "credHelpers": {"r.io": "nowhere"}}"#), "\"r.io\": {\"auth", 1);
    plant("warning", "helper-overrides", document(r#"{"auths": {"r.io": {"auth": "dTpw"}}, "credsStore": "nowhere"}"#), "\"nowhere\"", 0);
    plant("warning", "shadowed-entry", runner(&format!("'DOCKER_AUTH_CONFIG={{}}',\n 'DOCKER_AUTH_CONFIG={good}'")), "'DOCKER_AUTH_CONFIG={}'", 1);
    plant("warning", "shadowed-entry", runner(&format!("'DOCKER_AUTH_CONFIG={good}',\n 'DOCKER_AUTH_CONFIG='")), "'DOCKER_AUTH_CONFIG={\"", 1);
    plant("warning", "shadowed-entry", runner(&format!("'DOCKER_AUTH_CONFIG={good}',\n 'DOCKER_AUTH_CONFIG=x'")), "'DOCKER_AUTH_CONFIG={\"", 0);
    plant("warning", "shadowed-entry", runner(&format!("'DOCKER_AUTH_CONFIG={good}',\n 'DOCKER_AUTH_CONFIG={{}}'")), "'DOCKER_AUTH_CONFIG={\"auths", 1);
    plant("warning", "same-registry", document(r#"{"auths": {"https://r.io/v1/": {"auth": "dTpw"}, "r.io": {"auth": "dTpw"}}}"#), "\"r.io\"", 1);
    plant("warning", "same-registry", document(r#"{"auths": {"r.io": {"auth": "dTpw"}, "r.io": {"auth": "dTpx"}}}"#), "\"r.io\": {\"auth\": \"dTpw\"", 1);
    plant("warning", "same-registry", kubernetes(r#"{"auths": {"https://r.io/v1/": {"auth": "dTpw"}, "r.io": {"auth": "dTpw"}}}"#), "\"r.io\"", 1);
    plant("warning", "plain-fields", document(r#"{"auths": {"r.io": {"username": "user", "password": "p"}}}"#), "\"user\"", 1);
    plant("warning", "plain-fields", document(r#"{"auths": {"r.io:5000": {"username": "me@r.io", "password": "p"}}}"#), "\"me@r.io\"", 1);
    plant("warning", "empty-credential", document(r#"{"auths": {"r.io": {}}}"#), "\"r.io\"", 2);
    plant("warning", "byte-order-mark", format!("\u{feff}{}", runner("")), "\u{feff}", 1);
    plant("info", "executor-ignores-it", document(good).replace("\"docker\"", "\"shell\""), "'DOCKER", 1);
    plant("info", "visible-to-jobs", document(good), "'DOCKER", 0);
    plant("info", "path-key", document(r#"{"auths": {"r.io/group": {"auth": "dTpw"}}}"#), "\"r.io/group\"", 0);
    plant("info", "path-key", kubernetes(r#"{"auths": {"r.io/group": {"auth": "dTpw"}}}"#), "\"r.io/group\"", 0);
    plant("info", "other-members", document(r#"{"auths": {"r.io": {"auth": "dTpw", "email": "a@b"}}}"#), "\"email\"", 0);
    plant("info", "other-members", document(r#"{"auths": {}, "HttpHeaders": {}}"#), "\"HttpHeaders\"", 0);
    plant("info", "cached-private-images", format!("{}    pull_policy = \"if-not-present\"\n", document(good)), "\"if-not", 0);
    plant("info", "cached-private-images", format!("{}    pull_policy = [\"always\", \"if-not-present\"]\n", document(good)), "\"if-not", 0);
    all
}

/// Line and column of the last place where `needle` stands.
fn place(config: &str, needle: &str) -> (u64, u64) {
    let offset = config.rfind(needle).unwrap_or_else(|| panic!("{needle:?} in {config}"));
    let before = &config[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line as u64, column as u64)
}

/// The findings of a file: those of the file as a whole, and those of its runners.
fn findings(path: &Path) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
        .args(["doctor", "--format", "json"])
        .arg(path)
        .output()
        .expect("the command runs");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let runners = report["runners"].as_array().expect("runners").iter();
    let inner = runners.flat_map(|runner| runner["findings"].as_array().expect("findings"));
    let all: Vec<_> =
        report["findings"].as_array().expect("findings").iter().chain(inner).cloned().collect();
    let errors = all.iter().any(|finding| finding["level"] == "error");
    assert_eq!(output.status.code(), Some(i32::from(errors)), "{report}");
    all
}

fn write(path: &Path, config: &[u8]) {
    fs::write(path, config).expect("a config can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a mode can be set");
}

/// Runs a printed command as a person would, who knows the password.
fn mend(command: &str) {
    let command = command
        .replace("runner-auth set ", "runner-auth set --yes --password-env PASSWORD ")
        .replace("runner-auth remove ", "runner-auth remove --yes ");
    let tools = Path::new(env!("CARGO_BIN_EXE_runner-auth")).parent().expect("a folder");
    let path = std::env::var("PATH").expect("a PATH");
    let output = Command::new("sh")
        .args(["-c", &command])
        .env("PATH", format!("{}:{path}", tools.display()))
        .env("PASSWORD", "s3cret")
        .output()
        .expect("a shell runs");
    assert!(output.status.success(), "{command}: {output:?}");
}

#[test]
fn what_is_planted_is_found_and_what_mends_it_does() {
    let folder = tempfile::tempdir().expect("a place to work");
    let path = folder.path().join("my config.toml");
    let mut commands = 0;
    for Planted { level, code, config, at, commands: expected } in planted() {
        write(&path, config.as_bytes());
        let (line, column) = place(&config, at);
        let is = |finding: &&Value| {
            finding["code"] == code
                && finding["level"] == level
                && finding["line"] == line
                && finding["column"] == column
        };
        let all = findings(&path);
        let found = all.iter().find(is);
        let found =
            found.unwrap_or_else(|| panic!("{code} at {line}:{column} in {all:#?}\n{config}"));
        for words in ["message", "advice"] {
            assert!(found[words].as_str().is_some_and(|words| words.len() > 10), "{found}");
        }
        let offered = found["commands"].as_array().expect("commands");
        assert_eq!(offered.len(), expected, "{found}\n{config}");
        for command in offered {
            write(&path, config.as_bytes());
            mend(command.as_str().expect("a command"));
            let left = findings(&path);
            let gone = !left
                .iter()
                .any(|finding| finding["code"] == code && finding["message"] == found["message"]);
            assert!(gone, "{command} leaves {left:#?}");
            let errors = |all: &[Value]| all.iter().filter(|f| f["level"] == "error").count();
            assert!(errors(&left) <= errors(&all), "{command} makes it worse: {left:#?}");
            commands += 1;
        }
    }
    println!("{} findings planted, {commands} commands run", planted().len());
}

#[test]
fn what_has_one_right_remedy_is_mended_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a place to work");
    let path = folder.path().join("my config.toml");
    let fix = |more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_runner-auth"))
            .args(["doctor", "--fix"])
            .args(more)
            .arg(&path)
            .output()
            .expect("the command runs")
    };
    let mut mended = std::collections::BTreeSet::new();
    for Planted { code, config, .. } in planted() {
        write(&path, config.as_bytes());
        let before = findings(&path);
        let number = |all: &[Value], code: &str| all.iter().filter(|f| f["code"] == code).count();
        let planted = before.iter().filter(|finding| finding["code"] == code);
        let fixable = planted.clone().filter(|finding| finding["fixable"] == true).count();
        let dry = fix(&["--only", code, "--check"]);
        if before
            .iter()
            .any(|finding| finding["code"] == "invalid-toml" || finding["code"] == "key-twice")
        {
            continue;
        }
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&dry.stdout),
            String::from_utf8_lossy(&dry.stderr)
        );
        assert!(!said.contains("dTpw"), "{said}");
        assert_eq!(
            fs::read(&path).expect("it is there"),
            config.as_bytes(),
            "--check writes nothing"
        );
        let wrote = fix(&["--only", code, "--yes"]);
        let after = findings(&path);
        let errors = after.iter().any(|finding| finding["level"] == "error");
        assert_eq!(wrote.status.code(), Some(i32::from(errors)), "{config}\n{wrote:?}");
        if fixable > 0 {
            assert_eq!(dry.status.code(), Some(1), "{config}\n{said}");
            assert!(number(&after, code) < number(&before, code), "{code}: {after:#?}\n{wrote:?}");
            mended.insert(code);
        } else {
            assert_eq!(fs::read(&path).expect("it is there"), config.as_bytes());
        }
        let again = fs::read(&path).expect("it is there");
        fix(&["--only", code, "--yes"]);
        assert_eq!(fs::read(&path).expect("it is there"), again, "once mended, nothing is left");
    }
    let expected = [
        "bad-helper-name",
        "byte-order-mark",
        "incompatible-type",
        "invalid-json",
        "misspelled-member",
        "misspelled-variable",
        "missing-auths",
        "never-matches",
        "newline-in-password",
        "plain-fields",
        "unnamed-auth-entry",
        "undecodable-auth",
    ];
    for code in expected {
        assert!(mended.contains(code), "{code} is never mended: {mended:?}");
    }
}

#[test]
fn a_path_that_looks_like_an_option_is_none() {
    let config = "\u{feff}[[runners]]\nname = 'a'\nenvironment = ['docker_auth_config={}']\n\
                  [[runners]]\nname = 'b'\nenvironment = ['DOCKER_AUTH_CONFIG=x']\n";
    let text = ConfigText::new("-x.toml", config.into());
    let circumstances = Circumstances {
        path: Some("-x.toml"),
        mode: Some(0o644),
        has_helper: &|_| true,
        now: std::time::SystemTime::UNIX_EPOCH,
    };
    let findings = Diagnosis::new(&text, &circumstances).findings;
    let commands: Vec<_> = findings.iter().flat_map(|finding| &finding.commands).collect();
    let expected = [
        "sed -i '3s/docker_auth_config=/DOCKER_AUTH_CONFIG=/' ./-x.toml",
        "runner-auth remove -c-x.toml -n b --everything",
        r"sed -i '1s/^\xEF\xBB\xBF//' ./-x.toml",
        "chmod u=rw,go= ./-x.toml",
    ];
    assert_eq!(commands, expected);
}

#[test]
fn what_serves_is_no_error() {
    let folder = tempfile::tempdir().expect("a place to work");
    let path = folder.path().join("config.toml");
    let good = r#"{"auths": {"r.io": {"auth": "dTpw"}}}"#;
    for config in [
        document(r#"{"auths": {"$CI_REGISTRY": {"auth": "dTpw"}}}"#),
        document(
            r#"{"auths": {"r.io": {"username": "$CI_DEPLOY_USER", "password": "$CI_DEPLOY_PASSWORD"}}}"#,
        ),
        document(r#"{"auths": {"r.io": {"auth": "$CI_AUTH"}}}"#),
        document(r#"{"auths": {"r.io": {"username": "u", "password": "pa$$word"}}}"#),
        document("$ALL").replace("['D", &format!("['ALL={good}', 'D")),
        format!(
            "{}[[runners.docker.services]]\nenvironment = ['DOCKER_AUTH_CONFIG={good}']\n",
            runner("")
        ),
        "[[runners]]\npre_clone_script = 'DOCKER_AUTH_CONFIG=$(vault read x) crane pull y'\n"
            .into(),
        "[[runners]]\n[runners.kubernetes]\n[runners.kubernetes.pod_labels]\na = '1'\nA = '2'\n"
            .into(),
    ] {
        write(&path, config.as_bytes());
        let errors: Vec<_> =
            findings(&path).into_iter().filter(|finding| finding["level"] == "error").collect();
        assert!(errors.is_empty(), "{errors:#?} in\n{config}");
    }
}

#[test]
fn what_the_kubelet_decides_is_not_judged() {
    let folder = tempfile::tempdir().expect("a place to work");
    let path = folder.path().join("config.toml");
    for key in ["index.docker.io", "*.r.io", "r.io/v1/", "r.io/v2"] {
        let config = kubernetes(&format!(r#"{{"auths": {{"{key}": {{"auth": "dTpw"}}}}}}"#));
        write(&path, config.as_bytes());
        let all = findings(&path);
        let codes: Vec<_> = all.iter().map(|finding| finding["code"].as_str()).collect();
        assert_eq!(codes, [Some("visible-to-jobs")], "{key}");
    }
}

#[test]
fn modes_and_bytes_are_looked_at() {
    let folder = tempfile::tempdir().expect("a place to work");
    let path = folder.path().join("config.toml");
    for (mode, loose) in
        [(0o600, false), (0o640, false), (0o660, true), (0o644, true), (0o604, true), (0o601, true)]
    {
        write(&path, runner("").as_bytes());
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode can be set");
        let all = findings(&path);
        let found = all.iter().find(|finding| finding["code"] == "loose-permissions");
        assert_eq!(found.is_some(), loose, "{mode:o}");
        if let Some(found) = found {
            mend(found["commands"][0].as_str().expect("a command"));
            assert!(findings(&path).is_empty(), "{mode:o}");
        }
    }
    write(&path, b"[[runners]]\n# caf\xe9\n");
    let all = findings(&path);
    assert_eq!(all[0]["code"], "not-utf-8");
    assert_eq!((&all[0]["line"], &all[0]["column"]), (&2.into(), &6.into()));
}

#[test]
fn toml_that_only_some_versions_read_is_found() {
    let folder = tempfile::tempdir().expect("a place to work");
    let path = folder.path().join("config.toml");
    write(&path, b"[[runners]]\n  name = 'a'\n  docker.image = 'alpine'\n");
    let all = findings(&path);
    let found = all.iter().find(|found| found["code"] == "some-versions-refuse");
    let found = found.expect("it is found");
    assert_eq!(found["line"], 3);
    let message = found["message"].as_str().expect("a message");
    assert!(message.contains("up to 15.8"), "{message}");
}

#[test]
fn every_code_of_the_list_is_planted() {
    let list = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/doctor.md"))
        .expect("docs/doctor.md is there");
    let codes: Vec<&str> = list
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter_map(|line| line.split('|').nth(2)?.trim().strip_prefix('`')?.strip_suffix('`'))
        .collect();
    let planted: Vec<_> = planted().iter().map(|planted| planted.code).collect();
    let elsewhere = ["not-utf-8", "loose-permissions", "some-versions-refuse"];
    for code in &codes {
        assert!(planted.contains(code) || elsewhere.contains(code), "{code} is not planted");
    }
    for code in planted {
        assert!(codes.contains(&code), "{code} is not in docs/doctor.md");
    }
}

/// What is found in files that serve: code and line, each with its reason.
const FOUND_IN_SOUND_FILES: &[(&str, &str, usize)] = &[
    // It keeps images, which is what its author wanted.
    ("hand-edited-crlf.toml", "cached-private-images", 16),
    // It holds a credential, and any job can read that.
    ("hand-edited-crlf.toml", "visible-to-jobs", 12),
    // Keys that no GitLab Runner knows, or knows elsewhere: slips of their authors, and keys of before 12.9.
    ("01-1-runners-shell.toml", "unknown-key", 14),
    ("04-1-runners-shell.toml", "unknown-key", 6),
    ("13-1-runners-shell.toml", "unknown-key", 9),
    ("18-1-runners-no-final-newline-docker.toml", "unknown-key", 32),
    ("19-1-runners-docker.toml", "misplaced-key", 25),
    ("19-1-runners-docker.toml", "misplaced-key", 26),
    ("19-1-runners-docker.toml", "misplaced-key", 27),
    ("19-1-runners-docker.toml", "misplaced-key", 28),
    // A number of words without quotes: GitLab Runner refuses this one.
    ("28-1-runners-no-final-newline-docker-INVALID.toml", "invalid-toml", 10),
];

#[test]
fn sound_files_are_found_sound() {
    for (name, bytes) in support::configs() {
        let text = ConfigText::new("x", bytes);
        let circumstances = Circumstances {
            path: None,
            mode: None,
            has_helper: &|_| true,
            now: std::time::SystemTime::UNIX_EPOCH,
        };
        let diagnosis = Diagnosis::new(&text, &circumstances);
        let found: Vec<_> = diagnosis
            .findings
            .iter()
            .map(|finding| (name.as_str(), finding.code.name(), finding.place.line))
            .collect();
        let expected: Vec<_> =
            FOUND_IN_SOUND_FILES.iter().filter(|known| known.0 == name).copied().collect();
        assert_eq!(found, expected);
        let errors = diagnosis.findings.iter().any(|finding| finding.level() == Level::Error);
        assert_eq!(diagnosis.config.is_none(), errors, "{name}");
    }
}
