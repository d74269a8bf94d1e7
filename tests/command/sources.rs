//! Where credentials come from besides a password: files that `docker login` and `podman login`
//! left, and credential helpers. The helpers are those in `tests/bin`.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::fs::{CWD, Mode, OFlags, mkfifoat, openat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

use crate::support;

const CONFIG: &str = "[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n";

/// A config with one runner, in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
}

struct Run {
    status: i32,
    printed: String,
}

fn fixture(name: &str) -> String {
    format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

impl Place {
    fn new() -> Self {
        Self::with(CONFIG)
    }

    fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a place to work");
        fs::write(folder.path().join("config.toml"), config).expect("a config can be written");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let helpers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bin");
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", helpers.display()))
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("PIDS", self.path("pids"))
            .env("CONFIG_FILE", self.path("config.toml"))
            .current_dir(self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        finish(&mut self.command(arguments))
    }

    /// Runs `set … --yes`, which must work, and gives the auth document that the runner then has.
    fn set(&self, arguments: &[&str]) -> Json {
        let run = self.run(&[&["set", "--yes"], arguments].concat());
        assert_eq!(run.status, 0, "{arguments:?}: {}", run.printed);
        self.document()
    }

    fn document(&self) -> Json {
        let text = fs::read(self.path("config.toml")).expect("the config is there");
        support::document(&text, 0).expect("an auth entry")
    }

    /// Runs something that must fail, and gives what it says.
    fn fails(&self, status: i32, arguments: &[&str]) -> String {
        let before = fs::read(self.path("config.toml")).expect("the config is there");
        let run = self.run(arguments);
        assert_eq!(run.status, status, "{arguments:?}: {}", run.printed);
        assert!(!run.printed.contains("S3CRET"), "{}", run.printed);
        let after = fs::read(self.path("config.toml")).expect("the config is there");
        assert!(before == after, "{arguments:?} changed the config");
        run.printed
    }
}

fn finish(command: &mut Command) -> Run {
    let output = command.output().expect("the command runs");
    let printed = [output.stdout, output.stderr].concat();
    Run {
        status: output.status.code().expect("no signal"),
        printed: String::from_utf8_lossy(&printed).into_owned(),
    }
}

fn auth(login: &str) -> String {
    BASE64_STANDARD.encode(login)
}

#[test]
fn what_docker_login_left_comes_over() {
    let found = Place::new().set(&["--from-docker-config", &fixture("docker-config.json")]);
    let expected = json!({"auths": {
        "https://index.docker.io/v1/": {"auth": auth("hubuser:dckr_pat_Hub-T0ken")},
        "harbor.example.com:8443": {"auth": auth("robot$ci:H4rbor-passw0rd")},
        "example.azurecr.io": {
            "auth": auth("00000000-0000-0000-0000-000000000000:"),
            "identitytoken": "eyJhbGciOiJub25lIn0.azure-refresh-t0ken",
        },
    }});
    assert_eq!(found, expected);
}

#[test]
fn what_podman_login_left_comes_over() {
    let found = Place::new().set(&["--from-docker-config", &fixture("podman-auth.json")]);
    let expected = json!({"auths": {
        "https://index.docker.io/v1/": {"auth": auth("hubuser:p0dman-hub")},
        "quay.io/group/app": {"auth": auth("group+robot:p0dman-quay")},
        "registry.example.com:5000": {"auth": auth("ci:p0dman-passw0rd")},
    }});
    assert_eq!(found, expected);
}

#[test]
fn the_old_dockercfg_has_no_auths() {
    let found = Place::new().set(&["--from-docker-config", &fixture("dockercfg")]);
    let expected = json!({"auths": {
        "https://index.docker.io/v1/": {"auth": auth("hubuser:old-hub-passw0rd")},
        "old.example.com": {"auth": auth("ci:old-passw0rd")},
    }});
    assert_eq!(found, expected);
}

#[test]
fn helpers_that_a_file_names_are_asked() {
    let found = Place::new().set(&["--from-docker-config", &fixture("docker-config-store.json")]);
    let expected = json!({"auths": {
        "https://index.docker.io/v1/": {"auth": auth("hubuser:st0re-hub")},
        "store.example.com": {"auth": auth("ci:st0re-passw0rd")},
        "plain.example.com": {"auth": auth("ci:plain-passw0rd")},
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com": {"auth": auth("AWS:ecr-passw0rd")},
        "token.example.com": {"identitytoken": "st0re-identity-token"},
    }});
    assert_eq!(found, expected);
}

#[test]
fn only_the_registries_that_are_named_come_over() {
    let place = Place::new();
    let source = ["--from-docker-config", &fixture("docker-config.json")];
    let found = place.set(
        &[&source[..], &["-r", "Docker.io", "-r", "https://HARBOR.example.com:8443/v2/"]].concat(),
    );
    let keys: Vec<_> = found["auths"].as_object().expect("auths").keys().collect();
    assert_eq!(keys, ["harbor.example.com:8443", "https://index.docker.io/v1/"]);
    let said = place.fails(3, &[&["set", "-y"], &source[..], &["-r", "q.io"]].concat());
    assert!(said.contains("no credential for q.io; it has https://index"), "{said}");
    assert!(!said.contains("access-token"), "{said}");
}

#[test]
fn a_store_need_not_list_what_it_knows() {
    let place = Place::new();
    place.put("config.json", r#"{"auths": {"r.io": {"auth": "dTpw"}}, "credsStore": "unlisted"}"#);
    let source = ["--from-docker-config", "config.json"];
    let amazon = "1.dkr.ecr.eu-central-1.amazonaws.com";
    let found = place.set(&[&source[..], &["-r", amazon, "-r", "r.io"]].concat());
    let expected = json!({
        "auths": {"r.io": {"auth": "dTpw"}, amazon: {"auth": auth("AWS:ecr-passw0rd")}},
    });
    assert_eq!(found, expected);
    let said = place.fails(3, &[&["set", "-y"], &source[..], &["-r", "q.io"]].concat());
    assert!(said.contains("no credential for q.io; it has r.io: log in"), "{said}");
    let said = place.fails(6, &[&["set", "-y"], &source[..]].concat());
    assert!(said.contains("run docker-credential-unlisted list by hand"), "{said}");
    // The store is not asked for a registry that has a helper of its own.
    place.put(
        "config.json",
        r#"{"credsStore": "fails", "credHelpers": {"token.example.com": "good"}}"#,
    );
    let found = place.set(&[&source[..], &["-r", "token.example.com", "--replace"]].concat());
    assert_eq!(found["auths"]["token.example.com"]["identitytoken"], "st0re-identity-token");
}

#[test]
fn a_helper_of_another_registry_is_not_asked() {
    let place = Place::new();
    place.put(
        "config.json",
        r#"{"auths": {"r.io": {"auth": "dTpw"}, "broken.io": {"auth": "S3CRET"}},
            "credHelpers": {"q.io": "fails", "p.io": "missing", "token.example.com": "good"}}"#,
    );
    let source = ["--from-docker-config", "config.json"];
    place.set(&[&source[..], &["-r", "r.io", "-r", "token.example.com"]].concat());
    let said = place.fails(3, &[&["set", "-y"], &source[..]].concat());
    assert!(said.contains("config.json:1:38: broken.io: its auth is not"), "{said}");
    let said = place.fails(6, &[&["set", "-y"], &source[..], &["-r", "p.io"]].concat());
    assert!(
        said.contains("docker-credential-missing (named in config.json) is not in the PATH"),
        "{said}"
    );
    let said = place.fails(6, &[&["set", "-y"], &source[..], &["-r", "q.io"]].concat());
    assert!(said.contains("docker-credential-fails failed"), "{said}");
}

#[test]
fn an_update_keeps_or_drops_a_token() {
    let azure =
        ["--from-docker-config", &fixture("docker-config.json"), "-r", "example.azurecr.io"];
    let user = "00000000-0000-0000-0000-000000000000";
    for before in [
        r#""example.azurecr.io": {"auth": "dTpw"}"#,
        r#""example.azurecr.io": {"identitytoken": "old"}"#,
        r#""example.azurecr.io": {"auth": "dTpw", "registrytoken": "old", "email": "x"}"#,
        r#""example.azurecr.io": {}"#,
        r#""example.azurecr.io": null"#,
        r#""q.io": {"username": "u", "password": "p"}"#,
        "\"q.io\": {\n\t\"auth\": \"dTpw\"\n}",
    ] {
        let entry = format!(
            "{CONFIG}  environment = ['''DOCKER_AUTH_CONFIG={{\"auths\": {{{before}}}}}''']\n"
        );
        let place = Place::with(&entry);
        let found = place.set(&azure);
        let member = &found["auths"]["example.azurecr.io"];
        assert_eq!(member["auth"], auth(&format!("{user}:")), "{before}");
        assert_eq!(member["identitytoken"], "eyJhbGciOiJub25lIn0.azure-refresh-t0ken", "{before}");
        assert!(member.get("registrytoken").is_none(), "{before}");
        let again = place.run(&[&["set", "--check"], &azure[..]].concat());
        assert_eq!(again.status, 0, "{before}: {}", again.printed);
        place.put("password", "new-passw0rd\n");
        let found =
            place.set(&["-r", "example.azurecr.io", "-u", "ci", "--password-file", "password"]);
        let member = found["auths"]["example.azurecr.io"].as_object().expect("a credential");
        assert_eq!(member["auth"], auth("ci:new-passw0rd"), "{before}");
        assert!(!member.contains_key("identitytoken"), "{before}");
    }
}

#[test]
fn without_a_path_the_first_file_of_docker_or_podman_is_read() {
    let place = Place::new();
    let said = place.fails(3, &["set", "-y", "--from-docker-config"]);
    assert!(said.contains("there is no file left by a login"), "{said}");
    // From the last to the first, so that each hides the one before.
    let places = [
        ".config/containers/auth.json",
        "run/containers/auth.json",
        "podman.json",
        ".dockercfg",
        ".docker/config.json",
        "docker/config.json",
    ];
    for (number, name) in places.into_iter().enumerate() {
        let credential = format!(r#"{{"r.io": {{"auth": "{}"}}}}"#, auth(&format!("u{number}:p")));
        let wrapped = format!(r#"{{"auths": {credential}}}"#);
        place.put(name, if name == ".dockercfg" { &credential } else { &wrapped });
        let mut command = place.command(&["set", "--yes", "--from-docker-config", "-r", "r.io"]);
        command
            .env("DOCKER_CONFIG", place.path("docker"))
            .env("REGISTRY_AUTH_FILE", place.path("podman.json"));
        let run = finish(&mut command);
        assert_eq!(run.status, 0, "{name}: {}", run.printed);
        assert!(run.printed.contains(&format!("for user u{number}")), "{name}: {}", run.printed);
    }
}

#[test]
fn a_broken_file_gives_a_place_and_never_its_text() {
    let place = Place::new();
    for (text, expected) in [
        (
            "{\"auths\": {\"r.io\": {\"auth\": \"S3CRET\"},}}",
            ":1:39: the auth document is not valid JSON: nothing follows",
        ),
        (
            "{\"auths\": {\"r.io\": {\"auth\": \"S3CRET\"}}",
            ":1:39: the auth document is JSON that ends too early: a closing brace",
        ),
        (
            "\"auths\": {\"r.io\": {\"auth\": \"S3CRET\"}}}",
            ":1:1: the auth document is not a JSON object: the opening brace",
        ),
        ("{\n\"auths\": {\"r.io\": S3CRET}}", ":2:19: the auth document is not valid JSON"),
        (
            "{\"auths\": {\"r.io\": {\"auth\": \"UzNDUkVU\"}}}",
            ":1:12: r.io: its auth is not padded base64",
        ),
        ("{\"r.io\": {\"auth\": \"UzNDUkVU\"}}", ":1:2: r.io: its auth is not padded base64"),
        (
            "{\"auths\": {\"r.io\": {\"auth\": \"dTpw\"}, \"https://r.io/v1/\": {\"auth\": \"dTpx\"}}}",
            ":1:38: this registry is here twice",
        ),
        ("{\"auths\": {\"a b\": {\"auth\": \"dTpw\"}}}", ":1:12: this key is not a registry"),
        (
            "{\"auths\": {\"r.io\": {\"auth\": \"dTpw5A==\"}}}",
            ":1:12: r.io: the user or the password is not UTF-8",
        ),
        ("{\"credHelpers\": {\"a b\": \"good\"}}", ":1:25: this helper's key is not a registry"),
        ("{\"auths\": {}}", "holds no credential: log in first"),
        ("{\"auths\": {}, \"credsStore\": \"a/b\"}", ":1:29: the name of a credential helper"),
        ("", "is empty, and not an auth document"),
    ] {
        place.put("config.json", text);
        let said = place.fails(3, &["set", "-y", "--from-docker-config", "config.json"]);
        assert!(said.contains(expected), "{text}: {said}");
        assert!(!said.contains("UzNDUkVU"), "{said}");
    }
}

#[test]
fn what_is_not_wanted_may_be_odd() {
    let place = Place::new();
    let text = r#"{"auths": {"a b": {"auth": "x"}, "r.io": {"auth": "dTpw"}},
        "credHelpers": {"a b": "missing", "q.io": "missing"}}"#;
    place.put("config.json", text);
    let found = place.set(&["--from-docker-config", "config.json", "-r", "r.io"]);
    assert_eq!(found, json!({"auths": {"r.io": {"auth": "dTpw"}}}));
}

#[test]
fn a_source_may_be_a_pipe() {
    let place = Place::new();
    let pipe = place.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    let document = r#"{"auths": {"r.io": {"auth": "dTpw"}}}"#;
    for (arguments, text) in [
        (&["-r", "r.io", "-u", "u", "--password-file", "pipe"][..], "p\n"),
        (&["--auth-config", "pipe", "--replace"], document),
        (&["--from-docker-config", "pipe", "--replace"], document),
    ] {
        let path = pipe.clone();
        // Both ends wait for each other when they are opened.
        let writer = std::thread::spawn(move || fs::write(path, text));
        assert_eq!(place.set(arguments), json!({"auths": {"r.io": {"auth": "dTpw"}}}));
        writer.join().expect("it ends").expect("it writes");
    }
}

/// Each option that names a file, with what else it needs.
const NAMED: [&[&str]; 4] = [
    &["set", "--yes", "-r", "r.io", "-u", "u", "--password-file", "pipe"],
    &["set", "--yes", "--auth-config", "pipe"],
    &["set", "--yes", "--from-docker-config", "pipe"],
    &["list", "--token-file", "pipe"],
];

impl Place {
    /// A command that runs, with nothing on its standard input.
    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("it starts")
    }

    fn pipe(&self) -> PathBuf {
        let pipe = self.path("pipe");
        mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).expect("a pipe");
        pipe
    }
}

#[test]
fn a_pipe_that_nobody_writes_to_is_given_up() {
    let place = Place::new();
    place.pipe();
    let start = Instant::now();
    let runs: Vec<_> = NAMED.iter().map(|arguments| place.start(arguments)).collect();
    for (run, arguments) in runs.into_iter().zip(NAMED) {
        let output = run.wait_with_output().expect("it ends");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {error}");
        assert!(error.contains("for 10 s nobody has opened it to write"), "{error}");
    }
    let took = start.elapsed().as_secs();
    assert!((9..30).contains(&took), "{took} s");
}

#[test]
fn whoever_writes_to_a_pipe_may_take_the_time_it_needs() {
    let place = Place::new();
    let pipe = place.pipe();
    let run = place.start(NAMED[0]);
    std::thread::sleep(Duration::from_millis(700));
    let mut writer = fs::File::options().write(true).open(&pipe).expect("somebody reads");
    // Longer than somebody who writes nothing is waited for.
    for pause in [11_000, 100] {
        std::thread::sleep(Duration::from_millis(pause));
        writer.write_all(b"p").expect("somebody reads");
    }
    drop(writer);
    let output = run.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(place.document(), json!({"auths": {"r.io": {"auth": auth("u:pp")}}}));
    // Nobody's word is an empty password.
    let run = place.start(NAMED[0]);
    drop(fs::File::options().write(true).open(&pipe).expect("somebody reads"));
    let output = run.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("empty"), "{output:?}");
}

#[test]
fn what_a_shell_writes_in_the_place_of_a_file_is_read() {
    if !Path::new("/bin/bash").exists() {
        println!("SKIPPED: there is no bash");
        return;
    }
    for (written, expected) in [("sleep 1; echo p", "u:p"), ("printf p; sleep 0.3; echo q", "u:pq")]
    {
        let place = Place::new();
        let program = env!("CARGO_BIN_EXE_runner-auth");
        let script = format!(
            "{program} set --yes -r r.io -u u --password-file <({written}) --config config.toml"
        );
        let mut bash = Command::new("/bin/bash");
        let output = bash.args(["-c", &script]).current_dir(place.path("")).output();
        let output = output.expect("bash runs");
        assert!(output.status.success(), "{output:?}");
        assert_eq!(place.document(), json!({"auths": {"r.io": {"auth": auth(expected)}}}));
    }
}

#[test]
fn a_signal_ends_the_waiting_for_a_pipe() {
    for silent in [false, true] {
        for signal in [Signal::INT, Signal::TERM] {
            let place = Place::new();
            let pipe = place.pipe();
            let runs: Vec<_> = NAMED.iter().map(|arguments| place.start(arguments)).collect();
            let writer = silent.then(|| fs::File::options().write(true).open(&pipe));
            std::thread::sleep(Duration::from_millis(300));
            for mut run in runs {
                assert!(run.try_wait().expect("its status").is_none(), "it waits");
                kill_process(Pid::from_child(&run), signal).expect("a signal");
                let output = run.wait_with_output().expect("it ends");
                assert_eq!(output.status.signal(), Some(signal.as_raw()), "{output:?}");
            }
            drop(writer);
        }
    }
}

#[test]
fn a_helper_is_asked_now() {
    let place = Place::new();
    let found = place.set(&["--credential-helper", "good", "-r", "https://Store.example.com/v2/"]);
    let expected = json!({"auths": {"store.example.com": {"auth": auth("ci:st0re-passw0rd")}}});
    assert_eq!(found, expected);
    // Some name the program itself.
    let named = ["--credential-helper", "docker-credential-good", "--replace"];
    let found = place.set(&[&named[..], &["-r", "docker.io"]].concat());
    let hub = json!({"https://index.docker.io/v1/": {"auth": auth("hubuser:st0re-hub")}});
    assert_eq!(found, json!({ "auths": hub }));
    let found = place.set(&["--credential-helper", "good", "-r", "token.example.com"]);
    let token = &found["auths"]["token.example.com"];
    assert_eq!(*token, json!({"identitytoken": "st0re-identity-token"}));
    let found = place.set(&["--credential-helper", "chatty", "-r", "r.io", "--replace"]);
    assert_eq!(found, json!({"auths": {"r.io": {"auth": auth("ci:ch4tty-passw0rd")}}}));
    let run = place.run(&["set", "--yes", "--credential-helper", "noisy", "-r", "r.io"]);
    assert_eq!(run.status, 0, "{}", run.printed);
    assert!(!run.printed.contains("S3CRET") && !run.printed.contains("n0isy"), "{}", run.printed);
}

#[test]
fn what_a_helper_says_when_it_fails_is_not_shown() {
    let place = Place::new();
    for (helper, expected) in [
        ("missing", "docker-credential-missing is not in the PATH"),
        ("good", "docker-credential-good has no credential for r.io: log in"),
        ("fails", "docker-credential-fails failed (exit status: 1)"),
        ("nojson", "docker-credential-nojson answers with something else than JSON"),
        ("nouser", "docker-credential-nouser answers without a user for r.io"),
        ("endless", "docker-credential-endless "),
    ] {
        for format in ["text", "json"] {
            let said = place.fails(
                6,
                &["set", "-y", "--credential-helper", helper, "-r", "r.io", "--format", format],
            );
            assert!(said.contains(expected), "{said}");
            assert!(format == "text" || said.contains("\"code\":\"helper-failed\""), "{said}");
        }
    }
    for name in ["", "a/b", "a b"] {
        let said = place.fails(3, &["set", "-y", "--credential-helper", name, "-r", "r.io"]);
        assert!(said.contains("the name of a credential helper"), "{said}");
    }
    let said = place.fails(2, &["set", "-y", "--credential-helper", "good"]);
    assert!(said.contains("--credential-helper asks for one registry"), "{said}");
    place.fails(2, &["set", "-y", "--credential-helper", "good", "-r", "r.io", "-u", "ci"]);
    place.fails(2, &["set", "-y", "--delegate", "-r", "r.io"]);
    place.fails(6, &["set", "-y", "--credential-helper", "good", "-r", "a.io", "-r", "b.io"]);
}

#[test]
fn a_registry_is_left_to_a_helper() {
    let delegate = ["--credential-helper", "good", "--delegate"];
    let one = [&delegate[..], &["-r", "R.io"]].concat();
    for (before, expected, note) in [
        ("", r#"{"credHelpers": {"r.io": "good"}}"#, "add r.io"),
        ("{}", r#"{"credHelpers": {"r.io": "good"}}"#, "add r.io"),
        (r#"{"auths":{}}"#, r#"{"auths":{},"credHelpers":{"r.io":"good"}}"#, "add r.io"),
        (
            r#"{"auths": {"q.io": {"auth": "dTpw"}, "https://r.io/v1/": {"auth": "dTpx"}}}"#,
            r#"{"auths": {"q.io": {"auth": "dTpw"}}, "credHelpers": {"r.io": "good"}}"#,
            "remove the credential of https://r.io/v1/ from auths",
        ),
        (
            r#"{"credHelpers": {"https://r.io": "old", "q.io": "x"}, "credsStore": "y"}"#,
            r#"{"credHelpers": {"https://r.io": "good", "q.io": "x"}, "credsStore": "y"}"#,
            "update r.io",
        ),
        (r#"{"credHelpers": null}"#, r#"{"credHelpers": {"r.io": "good"}}"#, "add r.io"),
        (
            "{\n  \"auths\": {\n    \"q.io\": {\n      \"auth\": \"dTpw\"\n    }\n  }\n}",
            "{\n  \"auths\": {\n    \"q.io\": {\n      \"auth\": \"dTpw\"\n    }\n  },\n  \
             \"credHelpers\": {\n    \"r.io\": \"good\"\n  }\n}",
            "add r.io",
        ),
    ] {
        let entry = format!("{CONFIG}  environment = ['''DOCKER_AUTH_CONFIG={before}''']\n");
        let place = Place::with(&entry);
        let run = place.run(&[&["set", "--yes"], &one[..]].concat());
        assert_eq!(run.status, 0, "{before}: {}", run.printed);
        assert!(run.printed.contains(note), "{before}: {}", run.printed);
        let asks = "GitLab Runner asks docker-credential-good at each job";
        assert!(run.printed.contains(asks), "{}", run.printed);
        let after = fs::read_to_string(place.path("config.toml")).expect("the config");
        assert!(after.contains(expected), "{before}: {after}");
        let again = place.run(&[&["set", "--check"], &one[..]].concat());
        assert_eq!(again.status, 0, "{before}: {}", again.printed);
        let found = place.set(&[&one[..], &["--replace"]].concat());
        let members = found.as_object().expect("an object");
        assert_eq!(members["credHelpers"].as_object().expect("helpers").len(), 1, "{before}");
        assert_eq!(members.len(), 1, "{before}");
    }
    let place = Place::new();
    assert_eq!(place.set(&delegate), json!({"credsStore": "good"}));
    assert_eq!(place.run(&[&["set", "--check"], &delegate[..]].concat()).status, 0);
    let place = Place::new();
    place.set(&[&one[..], &["--pull-policy", "always"]].concat());
    let after = fs::read_to_string(place.path("config.toml")).expect("the config");
    assert!(after.contains("pull_policy = \"always\""), "{after}");
    let with = |document: &str| {
        Place::with(&format!("{CONFIG}  environment = ['DOCKER_AUTH_CONFIG={document}']\n"))
    };
    let place = with(r#"{"auths": {"q.io": {"auth": "dTpw"}}, "credsStore": "old"}"#);
    let found = place.set(&delegate);
    assert_eq!(found, json!({"auths": {"q.io": {"auth": "dTpw"}}, "credsStore": "good"}));
    // The runner's PATH may be another one.
    let away = ["set", "-y", "--credential-helper", "missing", "--delegate", "-r", "r.io"];
    let run = place.run(&away);
    assert_eq!(run.status, 0, "{}", run.printed);
    assert!(
        run.printed.contains("docker-credential-missing is not in this PATH"),
        "{}",
        run.printed
    );
    let found = place.set(&[&one[..], &["-r", "q.io"]].concat());
    let helpers = json!({"r.io": "good", "q.io": "good"});
    assert_eq!(found, json!({"auths": {}, "credsStore": "good", "credHelpers": helpers}));
    let place = with(r#"{"auths": {"q.io": {"auth": "broken"}}}"#);
    let said = place.fails(3, &[&["set", "-y"], &one[..]].concat());
    assert!(said.contains("has an auth for q.io"), "{said}");
}

#[test]
fn a_kubernetes_secret_is_an_auth_document() {
    let expected = json!({"auths": {
        "registry.example.com": {"auth": auth("ci:k8s-passw0rd")},
        "quay.io": {"auth": auth("robot:k8s$quay")},
    }});
    let place = Place::new();
    for name in ["kubernetes-secret.yaml", "kubernetes-secret.json"] {
        assert_eq!(place.set(&["--auth-config", &fixture(name), "--replace"]), expected);
    }
    let plain = r#"{"auths": {"r.io": {"auth": "dTpw"}}}"#;
    let old = r#"{"r.io": {"auth": "dTpw"}}"#;
    let folded = BASE64_STANDARD.encode(plain).replace("cyI", "cyI\n    ");
    for text in [
        format!("kind: Secret\nstringData:\n  .dockerconfigjson: '{plain}'\n"),
        format!("# ours\n---\nkind: Secret\nstringData:\n  .dockerconfigjson: |\n    {plain}\n"),
        format!("kind: Secret\ndata: {{.dockercfg: {}}}\n", BASE64_STANDARD.encode(old)),
        format!("kind: Secret\ndata:\n  .dockerconfigjson: >-\n    {folded}\n"),
        format!(
            "kind: ConfigMap\ndata: {{a: b}}\n---\nkind: Secret\nstringData: {{.dockercfg: '{old}'}}\n"
        ),
        format!(
            "kind: Secret\r\n? [a, {{b: c}}]\r\n: x\r\nstringData:\r\n  .dockercfg: '{old}'\r\n"
        ),
        json!({"kind": "Secret", "stringData": {".dockerconfigjson": plain}}).to_string(),
    ] {
        place.put("secret.yaml", &text);
        let found = place.set(&["--auth-config", "secret.yaml", "--replace"]);
        assert_eq!(found, json!({"auths": {"r.io": {"auth": "dTpw"}}}), "{text}");
    }
    for (text, expected) in [
        (
            "kind: Secret\ndata:\n  .dockerconfigjson: S3CRET!\n",
            "secret.yaml, in .dockerconfigjson is no base64",
        ),
        ("kind: Secret\ndata:\n  .dockerconfigjson: /w==\n", "is not UTF-8"),
        (
            "kind: Secret\ndata:\n  a: \"S3CRET\n",
            "secret.yaml:3:6: this Kubernetes manifest is no YAML",
        ),
        (
            "kind: Secret\ndata:\n  password: UzNDUkVU\n",
            "is a Kubernetes manifest without a Secret that holds",
        ),
        (
            "kind: Secret\nstringData:\n  .dockerconfigjson: '{\"auths\": S3CRET}'\n",
            "in .dockerconfigjson:1:11: the auth document is not valid JSON",
        ),
        (
            "kind: Secret\nstringData:\n  .dockerconfigjson: '{\"credsStore\": \"x\"}'\n",
            "names the credential helper 'x'",
        ),
        ("kind: List\nitems: []\n", "is a list of Kubernetes objects"),
        (
            "kind: Secret\nstringData: {.dockercfg: a}\n---\nkind: Secret\nstringData: {.dockercfg: b}\n",
            "holds several Secrets",
        ),
        (
            "DOCKER_AUTH_CONFIG={\"auths\": S3CRET}",
            "secret.yaml:1:1: the auth document is not valid JSON",
        ),
        ("auths:\n  r.io: S3CRET\n", "secret.yaml:1:1: the auth document is not valid JSON"),
        ("\"auths\": {\"r.io\": \"S3CRET\"}", "the opening brace before this is missing"),
    ] {
        place.put("secret.yaml", text);
        let said = place.fails(3, &["set", "-y", "--auth-config", "secret.yaml"]);
        assert!(said.contains(expected), "{text}: {said}");
        assert!(!said.contains("UzNDUkVU"), "{said}");
    }
    // Nesting takes no stack.
    place.put("secret.yaml", &format!("kind: Secret\na: {}", "[".repeat(100_000)));
    place.fails(3, &["set", "-y", "--auth-config", "secret.yaml"]);
}

/// Whether a process is still there.
fn runs(pid: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

/// Waits until every process that a helper has noted has ended: a signal may take a moment.
fn all_end(pids: &str) {
    let start = Instant::now();
    for pid in pids.split_whitespace() {
        while runs(pid) {
            assert!(start.elapsed() < Duration::from_secs(20), "{pid} still runs");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_helper_ends_with_the_command() {
    // Longer than what a pipe takes from one who doesn't read.
    let long = format!("r.io/{}", "a".repeat(100_000));
    for (signal, registry) in
        [(Signal::INT, "r.io"), (Signal::TERM, "r.io"), (Signal::INT, long.as_str())]
    {
        let place = Place::new();
        let mut command =
            place.command(&["set", "-y", "--credential-helper", "hangs", "-r", registry]);
        let mut child = command.args(["--timeout", "60"]).spawn().expect("the command starts");
        let start = Instant::now();
        let pids = loop {
            assert!(start.elapsed() < Duration::from_secs(20), "the helper does not run");
            let pids = fs::read_to_string(place.path("pids")).unwrap_or_default();
            if pids.ends_with('\n') {
                break pids;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        kill_process(Pid::from_child(&child), signal).expect("it is there");
        assert_eq!(child.wait().expect("it ends").signal(), Some(signal.as_raw()));
        all_end(&pids);
    }
}

#[test]
fn a_helper_that_does_not_read_is_not_waited_for() {
    let place = Place::new();
    let long = format!("r.io/{}", "a".repeat(100_000));
    let start = Instant::now();
    let command = ["set", "-y", "--credential-helper", "hangs", "--timeout", "1", "-r", &long];
    let said = place.fails(6, &command);
    assert!(said.contains("did not answer within 1 s"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(20));
    all_end(&fs::read_to_string(place.path("pids")).expect("the helper ran"));
    // One that answers without having read is taken at its word.
    let command = ["--credential-helper", "unread", "-r", &long];
    assert!(place.set(&command)["auths"][&long]["auth"].is_string());
}

#[test]
fn a_helper_that_hangs_ends_with_all_it_started() {
    for (helper, expected) in [
        ("hangs", "did not answer within 1 s"),
        ("deaf", "did not answer within 1 s"),
        ("leaves", "something that it started kept its standard output open for 1 s"),
    ] {
        let place = Place::new();
        place.put("config.json", &format!(r#"{{"credHelpers": {{"r.io": "{helper}"}}}}"#));
        let start = Instant::now();
        let said =
            place.fails(6, &["set", "-y", "--from-docker-config", "config.json", "--timeout", "1"]);
        assert!(said.contains(expected), "{said}");
        assert!(start.elapsed() < Duration::from_secs(20));
        let pids = fs::read_to_string(place.path("pids")).expect("the helper ran");
        all_end(&pids);
    }
}

/// Docker runs no helper of the current folder: another user may own it.
#[test]
fn a_helper_in_the_current_folder_is_not_run() {
    let place = Place::new();
    let helper = place.path("docker-credential-here");
    let answer = "#!/bin/sh\ntouch ran\nprintf '{\"Username\": \"u\", \"Secret\": \"p\"}'\n";
    place.put("docker-credential-here", answer);
    fs::set_permissions(&helper, PermissionsExt::from_mode(0o755)).expect("a program");
    let set = ["set", "--credential-helper", "here", "-r", "r.io", "--yes"];
    for path in ["", ".", ":/usr/bin", "../x:.", "bin/.."] {
        let output = place.command(&set).env("PATH", path).output().expect("it runs");
        assert_eq!(output.status.code(), Some(6), "{path:?}: {output:?}");
        assert!(!place.path("ran").exists(), "{path:?}");
    }
    let path = format!("{}:/bin:/usr/bin", place.path("").display());
    let output = place.command(&set).env("PATH", path).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
}

/// As a program that waits for many things leaves its pipes.
#[test]
fn a_standard_input_that_does_not_wait_is_waited_for() {
    let place = Place::new();
    let pipe = place.pipe();
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let reader = openat(CWD, &pipe, flags, Mode::empty()).expect("the pipe opens");
    let mut writer = fs::File::options().write(true).open(&pipe).expect("somebody reads");
    let mut command = place.command(&["set", "--yes", "-r", "r.io", "-u", "u", "--password-stdin"]);
    let run = command.stdin(reader).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    drop(command);
    std::thread::sleep(Duration::from_millis(300));
    writer.write_all(b"p\n").expect("it reads");
    drop(writer);
    let output = run.expect("it starts").wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.document(), json!({"auths": {"r.io": {"auth": "dTpw"}}}));
}

/// A pipe in a place that nobody has named is not waited for.
#[test]
fn a_pipe_is_no_login() {
    let place = Place::new();
    fs::create_dir(place.path(".docker")).expect("a folder");
    mkfifoat(CWD, place.path(".docker/config.json"), Mode::RUSR).expect("a pipe");
    let mut command = place.command(&["set", "--from-docker-config", "--yes"]);
    command.env("HOME", place.path(""));
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no file left by a login"));
}

/// It would give root's keys, and the other user picks the registries.
#[test]
fn no_helper_is_asked_for_another_users_file() {
    if !support::is_root() {
        return;
    }
    let place = Place::new();
    for named in [
        r#"{"credHelpers": {"store.example.com": "good"}}"#,
        r#"{"credsStore": "good"}"#,
        r#"{"auths": {"r.io": {"auth": "dTpw"}}, "credsStore": "good"}"#,
    ] {
        place.put("config.json", named);
        std::os::unix::fs::chown(place.path("config.json"), Some(1234), None).expect("root may");
        let said = place.fails(3, &["set", "--yes", "--from-docker-config", "config.json"]);
        assert!(said.contains("this is another user's file"), "{said}");
    }
    // What stands in the file itself is that user's own.
    place.put("config.json", r#"{"auths": {"r.io": {"auth": "dTpw"}}}"#);
    std::os::unix::fs::chown(place.path("config.json"), Some(1234), None).expect("root may");
    place.set(&["--from-docker-config", "config.json"]);
}

/// What stands in the place of a helper's name may be a password.
#[test]
fn a_helper_that_is_no_name_is_not_told() {
    let place = Place::new();
    for helpers in [
        r#"{"credHelpers": {"r.io": "Xk7mQz4Lw9Rt2Vb8"}}"#,
        r#"{"credsStore": "Xk7mQz4Lw9Rt2Vb8"}"#,
    ] {
        place.put("login.json", helpers);
        let run = place.run(&["set", "--from-docker-config", "login.json", "--yes"]);
        assert!(
            run.printed.contains("docker-credential-<hidden> (named in login.json) is not in"),
            "{}",
            run.printed
        );
        assert!(!run.printed.contains("Xk7m"), "{}", run.printed);
        let text = format!("{CONFIG}  environment = ['DOCKER_AUTH_CONFIG={helpers}']\n");
        let run = Place::with(&text).run(&["verify"]);
        assert!(
            run.printed.contains("docker-credential-<hidden> is not in the PATH"),
            "{}",
            run.printed
        );
        assert!(!run.printed.contains("Xk7m"), "{}", run.printed);
    }
}
