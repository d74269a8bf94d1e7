//! Programs of the tests that are written in Go, with the TOML library that GitLab Runner uses.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Where Debian puts Go libraries.
const GOPATH: &str = "/usr/share/gocode";

/// A program in the folder that it goes with.
pub struct Program {
    binary: PathBuf,
    _folder: TempDir,
}

/// Builds a program of this folder; `None`, said aloud, where there is no Go.
pub fn build(source: &str) -> Option<Program> {
    let library = Path::new(GOPATH).join("src/github.com/BurntSushi/toml");
    if Command::new("go").arg("version").output().is_err() || !library.exists() {
        assert!(std::env::var_os("CI").is_none(), "go and its BurntSushi/toml are needed");
        println!("SKIPPED: there is no go with BurntSushi/toml");
        return None;
    }
    let folder = tempfile::tempdir().expect("a place to work");
    let binary = folder.path().join("program");
    let built = Command::new("go")
        .args(["build", "-o"])
        .args([&binary, &Path::new(env!("CARGO_MANIFEST_DIR")).join(source)])
        .env("GO111MODULE", "off")
        .env("GOPATH", GOPATH)
        .env("GOCACHE", folder.path().join("cache"))
        .status();
    assert!(built.expect("go starts").success());
    Some(Program { binary, _folder: folder })
}

impl Program {
    /// What it prints for an input; fails where the program does.
    pub fn run(&self, input: &str) -> String {
        let mut child = Command::new(&self.binary)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let input = input.to_owned();
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("the program ends");
        writer.join().expect("the writer ends").expect("the program reads");
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{report}");
        report
    }
}
