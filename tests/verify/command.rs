//! Runs `verify` on a config of the test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

pub const PASSWORD: &str = "s3cret-of-ci";

/// `Basic` for a user and a password.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", encoded(user, password))
}

pub fn encoded(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

/// What came of one run.
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Run {
    pub fn of(output: &Output, took: Duration) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let status = output.status.code().expect("no signal");
        Self { status, stdout: text(&output.stdout), stderr: text(&output.stderr), took }
    }

    pub fn json(&self) -> Json {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.stdout, self.stderr))
    }

    /// The `result` and the `reason` of the first runner's answers, credentials before images.
    pub fn results(&self) -> Vec<String> {
        let report = self.json();
        let runner = &report["runners"][0];
        let all = ["credentials", "images"].into_iter().flat_map(|kind| {
            runner[kind].as_array().expect("an array").iter().map(|found| {
                let result = found["result"].as_str().expect("a result");
                match found["reason"].as_str() {
                    Some(reason) => format!("{result} {reason}"),
                    None => result.to_owned(),
                }
            })
        });
        all.collect()
    }

    /// The `message` of the first runner's first credential, or image.
    pub fn message(&self) -> String {
        let report = self.json();
        let runner = &report["runners"][0];
        let first = ["credentials", "images"].into_iter().find_map(|kind| runner[kind].get(0));
        let message = first.and_then(|first| first["message"].as_str());
        message.unwrap_or_default().to_owned()
    }
}

/// A folder with a config.
pub struct Setup {
    pub folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    /// Words before the command, such as those that give it a view of its own of the file system.
    before: Vec<String>,
}

impl Setup {
    pub fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a place to work");
        let setup = Self { folder, variables: Vec::new(), before: Vec::new() };
        setup.put("config.toml", config, 0o600);
        setup
    }

    /// One runner with these credentials.
    pub fn with(credentials: &[(&str, &str, &str)]) -> Self {
        let auths = credentials.iter().map(|(registry, user, password)| {
            ((*registry).to_owned(), json!({"auth": encoded(user, password)}))
        });
        let auths: serde_json::Map<String, Json> = auths.collect();
        Self::with_document(&json!({ "auths": auths }))
    }

    /// One runner with this auth document.
    pub fn with_document(document: &Json) -> Self {
        Self::new(&format!(
            "[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n  environment = \
             ['DOCKER_AUTH_CONFIG={document}']\n"
        ))
    }

    pub fn put(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        path
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config(&self) -> String {
        fs::read_to_string(self.path("config.toml")).expect("the config")
    }

    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    pub fn before(mut self, words: &[String]) -> Self {
        self.before = words.to_vec();
        self
    }

    /// Runs `verify --format json`.
    pub fn verify(&self, arguments: &[&str]) -> Run {
        self.run(&[&["verify", "--format", "json"], arguments].concat())
    }

    /// Runs a command. Nothing that it prints holds the password.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let run = self.run_showing_secrets(arguments);
        let printed = format!("{}{}", run.stdout, run.stderr);
        for secret in [PASSWORD, &encoded("ci", PASSWORD)] {
            assert!(!printed.contains(secret), "{arguments:?} prints the password: {printed}");
        }
        run
    }

    /// Runs a command that may print passwords.
    pub fn run_showing_secrets(&self, arguments: &[&str]) -> Run {
        let program = env!("CARGO_BIN_EXE_runner-auth").to_owned();
        let words: Vec<_> = self.before.iter().cloned().chain([program]).collect();
        let start = Instant::now();
        let output = Command::new(&words[0])
            .args(&words[1..])
            .args(arguments)
            .env_clear()
            .env("PATH", self.search_path())
            .env("HOME", self.folder.path())
            .env("CONFIG_FILE", self.path("config.toml"))
            .env("PASSWORD", PASSWORD)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .output()
            .expect("the command runs");
        Run::of(&output, start.elapsed())
    }

    /// The folder itself and then this process's own.
    fn search_path(&self) -> String {
        let own = std::env::var("PATH").expect("a PATH");
        format!("{}:{own}", self.folder.path().display())
    }
}

/// Whether a program is in the `PATH`; says so when it is not, and fails in CI.
pub fn there(name: &str) -> bool {
    let path = std::env::var_os("PATH").expect("a PATH");
    let found = std::env::split_paths(&path).any(|folder: PathBuf| folder.join(name).is_file());
    if !found {
        assert!(std::env::var_os("CI").is_none(), "needed: {name}");
        println!("SKIPPED: there is no {name}");
    }
    found
}

/// The words that put files or folders in the place of others for one command, where this user may do
/// that; says so where not.
pub fn in_place(changed: &[(&Path, &str)]) -> Option<Vec<String>> {
    let mounts = changed.iter().map(|(own, place)| {
        let own = own.display();
        format!("[ -e {place} ] || mkdir -p {place}; mount --bind '{own}' {place} && ")
    });
    let script = format!("{}exec \"$@\"", mounts.collect::<String>());
    let words = ["unshare", "--mount", "sh", "-c", &script, "sh"].map(str::to_owned).to_vec();
    let tried = Command::new(&words[0]).args(&words[1..]).arg("true").output();
    if tried.is_ok_and(|output| output.status.success()) {
        return Some(words);
    }
    println!("SKIPPED: files can't be others for one command here");
    None
}
