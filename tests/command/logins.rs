//! Files and helpers as the real tools leave them: `docker login`, `podman login` and `skopeo login`
//! at a registry of this test's own, and `pass` with a key of this test's own.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::support;

const CONFIG: &str = "[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n";

/// `htpasswd -Bbn ci s3cret`
const HTPASSWD: &str = "ci:$2y$05$UdNVVPZcaouRfXGglKzxBewY55uHGGpG9kMw2b87df3yxjCdF4ohy\n";

/// `ci:s3cret`
const AUTH: &str = "Y2k6czNjcmV0";

/// A program in the `PATH`.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").expect("a PATH");
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether every program is there; says so when one is not, and fails in CI.
fn there(names: &[&str]) -> bool {
    let missing: Vec<_> = names.iter().filter(|name| program(name).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "needed: {missing:?}");
    println!("SKIPPED: there is no {missing:?}");
    false
}

/// A home, with a `PATH` of its own.
struct Home {
    folder: tempfile::TempDir,
    path: String,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a place to work");
        fs::write(folder.path().join("config.toml"), CONFIG).expect("a config");
        for private in [".gnupg", "run"] {
            fs::create_dir(folder.path().join(private)).expect("a folder");
            let mode = fs::Permissions::from_mode(0o700);
            fs::set_permissions(folder.path().join(private), mode).expect("a mode");
        }
        Self { folder, path: std::env::var("PATH").expect("a PATH") }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a program, which must work.
    fn run(&self, program: &str, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.file("run"))
            // There is no Docker engine: `docker login` then asks the registry itself.
            .env("DOCKER_HOST", "unix:///nonexistent")
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        child.stdin.take().expect("stdin").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let said = [&output.stdout[..], &output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
        output
    }

    /// Runs `set` on a fresh config and gives the auth document.
    fn set(&self, arguments: &[&str]) -> serde_json::Value {
        fs::write(self.file("config.toml"), CONFIG).expect("a config");
        let all = [&["set", "-c", "config.toml", "--yes"], arguments].concat();
        let output = self.run(env!("CARGO_BIN_EXE_runner-auth"), &all, "");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(!said.contains("s3cret") && !said.contains(AUTH), "{said}");
        let text = fs::read(self.file("config.toml")).expect("the config");
        support::document(&text, 0).expect("an auth entry")
    }

    /// Makes a key and a password store.
    fn pass(&self) {
        let key = ["--batch", "--passphrase", "", "--quick-gen-key", "test", "future-default"];
        self.run("gpg", &[&key[..], &["default", "never"]].concat(), "");
        self.run("pass", &["init", "test"], "");
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // The agent that gpg starts would stay.
        let agent = Command::new("gpgconf")
            .args(["--kill", "gpg-agent"])
            .env("GNUPGHOME", self.file(".gnupg"))
            .output();
        drop(agent);
    }
}

/// A registry that asks for a password.
struct Registry {
    server: Child,
    host: String,
}

impl Registry {
    fn start(folder: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = free.local_addr().expect("an address").to_string();
        drop(free);
        let users = folder.join("htpasswd");
        fs::write(&users, HTPASSWD).expect("a file");
        let config = format!(
            "version: 0.1\nstorage: {{inmemory: {{}}}}\nhttp: {{addr: '{host}'}}\n\
             auth: {{htpasswd: {{realm: test, path: '{}'}}}}\n",
            users.display()
        );
        fs::write(folder.join("registry.yml"), config).expect("a file");
        let server = Command::new("docker-registry")
            .args(["serve", "registry.yml"])
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry starts");
        let registry = Self { server, host };
        let ready = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            TcpStream::connect(&registry.host).is_ok()
        });
        assert!(ready, "docker-registry does not listen");
        registry
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// What podman and skopeo have in common.
fn containers_login(tool: &str) {
    if !there(&[tool, "docker-registry"]) {
        return;
    }
    let home = Home::new();
    let registry = Registry::start(home.folder.path());
    let login = ["login", "--tls-verify=false", "-u", "ci", "--password-stdin"];
    let namespace = format!("{}/group/app", registry.host);
    home.run(tool, &[&login[..], &[&registry.host]].concat(), "s3cret\n");
    home.run(tool, &[&login[..], &["--authfile", "auth.json", &namespace]].concat(), "s3cret\n");
    let found = home.set(&["--from-docker-config"]);
    assert_eq!(found, json!({"auths": {&registry.host: {"auth": AUTH}}}));
    let found = home.set(&["--from-docker-config", "auth.json", "-r", &namespace]);
    assert_eq!(found, json!({"auths": {namespace: {"auth": AUTH}}}));
}

#[test]
fn skopeo_login() {
    containers_login("skopeo");
}

#[test]
fn podman_login() {
    containers_login("podman");
}

#[test]
fn docker_login() {
    if !there(&["docker", "docker-registry"]) {
        return;
    }
    let mut home = Home::new();
    let registry = Registry::start(home.folder.path());
    // Docker takes `pass` for its store where it finds it: here it must not.
    fs::create_dir(home.file("bin")).expect("a folder");
    symlink(program("docker").expect("docker"), home.file("bin/docker")).expect("a link");
    home.path = home.file("bin").display().to_string();
    let docker = home.file("bin/docker").display().to_string();
    home.run(&docker, &["login", "-u", "ci", "--password-stdin", &registry.host], "s3cret\n");
    let found = home.set(&["--from-docker-config"]);
    assert_eq!(found, json!({"auths": {&registry.host: {"auth": AUTH}}}));
}

#[test]
fn docker_login_into_pass() {
    if !there(&["docker", "docker-registry", "pass", "gpg", "docker-credential-pass"]) {
        return;
    }
    let home = Home::new();
    home.pass();
    let registry = Registry::start(home.folder.path());
    let config = r#"{"credsStore": "pass", "HttpHeaders": {"X-Test": "1"}}"#;
    fs::create_dir(home.file(".docker")).expect("a folder");
    fs::write(home.file(".docker/config.json"), config).expect("a file");
    home.run("docker", &["login", "-u", "ci", "--password-stdin", &registry.host], "s3cret\n");
    let file = fs::read_to_string(home.file(".docker/config.json")).expect("a file");
    assert!(!file.contains(AUTH), "the store has it: {file}");
    let found = home.set(&["--from-docker-config"]);
    assert_eq!(found, json!({"auths": {&registry.host: {"auth": AUTH}}}));
}

#[test]
fn a_real_helper() {
    if !there(&["pass", "gpg", "docker-credential-pass"]) {
        return;
    }
    let home = Home::new();
    home.pass();
    for registry in ["registry.example.com:5000", "https://index.docker.io/v1/"] {
        let login = json!({"ServerURL": registry, "Username": "ci", "Secret": "s3cret"});
        home.run("docker-credential-pass", &["store"], &login.to_string());
    }
    let helper = ["--credential-helper", "pass"];
    let found = home.set(&[&helper[..], &["-r", "registry.example.com:5000"]].concat());
    assert_eq!(found, json!({"auths": {"registry.example.com:5000": {"auth": AUTH}}}));
    let found = home.set(&[&helper[..], &["-r", "docker.io"]].concat());
    assert_eq!(found, json!({"auths": {"https://index.docker.io/v1/": {"auth": AUTH}}}));
    let found = home.set(&[&helper[..], &["-r", "docker.io", "--delegate"]].concat());
    assert_eq!(found, json!({"credHelpers": {"https://index.docker.io/v1/": "pass"}}));
    let unknown = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
        .args(["set", "-c", "config.toml", "--yes", "-r", "q.io"])
        .args(helper)
        .env("HOME", home.folder.path())
        .current_dir(home.folder.path())
        .output()
        .expect("it runs");
    assert_eq!(unknown.status.code(), Some(6));
    let said = String::from_utf8_lossy(&unknown.stderr);
    assert!(said.contains("has no credential for q.io"), "{said}");
}
