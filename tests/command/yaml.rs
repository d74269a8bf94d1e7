//! A YAML parser and a TOML reader that this crate doesn't use read what the cases write into YAML.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Compares two YAML files: they may differ in one string, the config, and that only in its auth
/// entry and pull policy.
const COMPARE: &str = r#"
import base64, sys, tomllib, yaml

def leaves(node, path=()):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, path + (key,))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from leaves(value, path + (number,))
    else:
        yield path, node

def load(name):
    return dict(leaves(list(yaml.safe_load_all(open(name, encoding="utf-8-sig", newline="")))))

def config(text):
    if "[[runners]]" not in text:
        text = base64.b64decode(text, validate=True).decode()
    config = tomllib.loads(text)
    for runner in config["runners"]:
        entries = runner.pop("environment", [])
        auth = [entry for entry in entries if entry.startswith("DOCKER_AUTH_CONFIG=")]
        runner["others"] = [entry for entry in entries if entry not in auth]
        runner["auth"] = auth
        table = runner.pop("kubernetes", {})
        runner["policy"] = table.pop("pull_policy", None)
        runner["table"] = table
    return config

def compare(case):
    before, after = load(case + "/before.yaml"), load(case + "/after.yaml")
    assert before.keys() == after.keys(), "other keys"
    changed = [path for path in before if before[path] != after[path]]
    texts = {before[path] for path in changed}
    assert len(texts) == 1, f"changed: {changed}"
    old, new = config(before[changed[0]]), config(after[changed[0]])
    assert old != new
    for one, other in zip(old["runners"], new["runners"], strict=True):
        for key in ("auth", "policy"):
            one.pop(key), other.pop(key)
    assert old == new, "the config changed elsewhere"
    ends = [len(text) - len(text.rstrip("\n")) for text in (before[changed[0]], after[changed[0]])]
    assert ends[0] == ends[1], "another chomping"

for case in sys.argv[1:]:
    try:
        compare(case)
    except Exception as error:
        sys.exit(f"{case}: {error}")
"#;

#[test]
fn other_parsers_read_back_what_was_written() {
    let python = Command::new("python3").args(["-c", "import yaml, tomllib"]).status();
    if !python.is_ok_and(|status| status.success()) {
        println!("SKIPPED: there is no python3 with yaml and tomllib");
        assert!(std::env::var_os("CI").is_none(), "CI has both");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let commands = ["set", "remove"].map(|command| fs::read_dir(root.join(command)));
    let cases = commands.into_iter().flat_map(|cases| cases.expect("cases"));
    let cases = cases.map(|case| case.expect("a case").path());
    let cases: Vec<_> = cases.filter(|case| case.join("after.yaml").exists()).collect();
    let compared = Command::new("python3").args(["-c", COMPARE]).args(&cases).output();
    let compared = compared.expect("python3 runs");
    assert!(compared.status.success(), "{}", String::from_utf8_lossy(&compared.stderr));
    println!("{} cases", cases.len());
    assert!(cases.len() >= 30, "{} cases", cases.len());
}

#[test]
fn a_filter_takes_yaml_when_it_is_told_where_the_config_is() {
    let text = "runners:\n  config: |\n    [[runners]]\n      name = 'a'\n";
    let run = |arguments: &[&str]| {
        let folder = tempfile::tempdir().expect("a place to work");
        let input = folder.path().join("in");
        fs::write(&input, text).expect("a file");
        let output = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
            .args(["set", "-c", "-", "-r", "q.io", "-u", "ci", "--password-env", "PASSWORD"])
            .args(arguments)
            .env("PASSWORD", "s3cret")
            .stdin(fs::File::open(input).expect("the file"))
            .output()
            .expect("the command runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let (status, patched) = run(&["--yaml-path", "runners.config"]);
    let entry = "      environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"q.io\": {\"auth\": \
                 \"Y2k6czNjcmV0\"}}}']\n";
    assert_eq!((status, patched), (Some(0), format!("{text}{entry}")));
    assert_eq!(run(&[]), (Some(3), String::new()));
}
