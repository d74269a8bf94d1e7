//! A diff with its secrets in it is one that patch(1) and `git apply` take: patched with it, the file of each case
//! is what the command writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What takes a diff, with its arguments before the diff's name.
const TOOLS: [&[&str]; 2] = [&["patch", "--fuzz=0", "-p0", "-i"], &["git", "apply", "-p0"]];

/// The cases of a command that write, each with the ending of its config.
fn cases(command: &str) -> Vec<(PathBuf, &'static str)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(command);
    let folders =
        fs::read_dir(root).expect("there are cases").map(|entry| entry.expect("one").path());
    let written = |case: PathBuf| {
        let ending =
            ["toml", "yaml"].into_iter().find(|end| case.join(format!("after.{end}")).exists());
        ending.map(|ending| (case, ending))
    };
    folders.filter_map(written).collect()
}

/// The diff of a case, in the JSON report and as it is printed; `None` where it has none of the file.
fn diff(case: &Path, ending: &str, before: &str) -> Option<String> {
    let arguments = fs::read_to_string(case.join("args")).expect("a case has args");
    let config = format!("config.{ending}");
    let writing = ["--yes", "-y", "-q", "--quiet", "--check", "--dry-run"];
    let arguments = arguments.lines().map(|line| line.replace("{config}", &config));
    let arguments: Vec<_> = arguments.filter(|line| !writing.contains(&line.as_str())).collect();
    let other = |line: &String| {
        line == "-" || line.starts_with("--format") || line.starts_with("--context")
    };
    if arguments.iter().any(other) {
        return None;
    }
    let folder = tempfile::tempdir().expect("a place to work");
    fs::write(folder.path().join(&config), before).expect("a config can be written");
    let run = |format: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
            .args(&arguments)
            .args(["--dry-run", "--show-secrets", "--format", format])
            .current_dir(folder.path())
            .env_clear()
            .env("PASSWORD", "Harbor12345")
            .env("CONFIG_FILE", &config)
            .stdin(fs::File::open(case.join("stdin")).map_or_else(|_| Stdio::null(), Stdio::from))
            .output()
            .expect("the command runs");
        String::from_utf8(output.stdout).expect("a report is text")
    };
    let report: serde_json::Value = serde_json::from_str(&run("json")).ok()?;
    // A text that was decoded is not the file's.
    let diff = report["diff"].as_str().filter(|diff| !diff.contains(", decoded)"))?;
    let printed = run("text");
    assert!(printed.starts_with(diff), "{}:\n{printed}\n{diff}", case.display());
    Some(diff.to_owned())
}

#[test]
fn a_diff_with_secrets_is_a_patch() {
    let is_there = |tool: &&[&str]| {
        let there = Command::new(tool[0]).arg("--version").output().is_ok();
        if !there {
            assert!(std::env::var_os("CI").is_none(), "needed: {}", tool[0]);
            println!("SKIPPED: there is no {}", tool[0]);
        }
        there
    };
    let tools: Vec<_> = TOOLS.into_iter().filter(is_there).collect();
    let (mut diffs, mut with_returns) = (0, 0);
    for (case, ending) in ["set", "remove", "doctor"].iter().flat_map(|command| cases(command)) {
        let read = |name: &str| fs::read(case.join(format!("{name}.{ending}"))).expect("a file");
        let Ok(before) = String::from_utf8(read("before")) else { continue };
        let Some(diff) = diff(&case, ending, &before) else { continue };
        diffs += 1;
        with_returns += usize::from(diff.contains('\r'));
        for tool in &tools {
            let folder = tempfile::tempdir().expect("a place to work");
            let config = folder.path().join(format!("config.{ending}"));
            fs::write(&config, &before).expect("a config can be written");
            fs::write(folder.path().join("diff"), &diff).expect("a diff can be written");
            let output = Command::new(tool[0])
                .args(&tool[1..])
                .arg("diff")
                .current_dir(folder.path())
                .env("GIT_CEILING_DIRECTORIES", folder.path())
                .output()
                .expect("the tool runs");
            let said =
                String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            let after = fs::read(&config).expect("the config is there");
            assert!(after == read("after"), "{}: {tool:?}\n{said}\n{diff}", case.display());
        }
    }
    assert!(diffs > 100, "most cases have a diff, and not {diffs}");
    assert!(with_returns > 10, "some cases have carriage returns, and not {with_returns}");
}
