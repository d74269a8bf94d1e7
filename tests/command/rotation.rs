//! Credentials that are refreshed: the commands of the systemd units and of the cron line in
//! docs/rotation.md run as they stand, the units pass systemd's own checks, and a real systemd
//! runs them in their sandbox.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::support;

const SERVICE: &str = "runner-auth-refresh@.service";
const TIMER: &str = "runner-auth-refresh@.timer";
const PASSWORD: &str = "password.conf";

const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

/// What `systemd-analyze security` may find at most, in tenths: root, the network and the places
/// of the config are needed.
const MOST_EXPOSED: &str = "25";

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn packaged(name: &str) -> String {
    let path = project("packaging/systemd").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(output: &Output) -> String {
    let said = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

/// The text of the only block of docs/rotation.md in which this line stands.
fn block(line: &str) -> String {
    let page = fs::read_to_string(project("docs/rotation.md")).expect("the page");
    let blocks = page.split("```").skip(1).step_by(2);
    let found: Vec<_> = blocks.filter(|block| block.lines().any(|each| each == line)).collect();
    assert_eq!(found.len(), 1, "blocks of the page with the line {line:?}: {found:?}");
    let (_, text) = found[0].split_once('\n').expect("a block has lines");
    text.to_owned()
}

fn helper_block() -> String {
    block("systemctl start runner-auth-refresh@ecr.service")
}

fn password_block() -> String {
    block("systemctl start runner-auth-refresh@staging.service")
}

/// The file of settings that a block of the page writes.
fn settings(block: &str) -> String {
    let (_, rest) = block.split_once(".env <<'END'\n").expect("the block writes settings");
    rest.split_once("END\n").expect("an end of the settings").0.to_owned()
}

/// The values of a key of `[Service]`; an empty one takes away those before it.
fn values(units: &[String], key: &str) -> Vec<String> {
    let mut found = Vec::new();
    for unit in units {
        let mut section = "";
        for line in unit.lines().filter(|line| !line.starts_with('#')) {
            assert!(!line.ends_with('\\'), "a line that goes on is not understood here: {line}");
            if line.starts_with('[') {
                section = line;
            } else if section == "[Service]"
                && let Some(value) = line.strip_prefix(key).and_then(|rest| rest.strip_prefix('='))
            {
                if value.is_empty() {
                    found.clear();
                } else {
                    found.push(value.to_owned());
                }
            }
        }
    }
    found
}

/// A command as systemd would start it.
struct Service {
    words: Vec<String>,
    variables: BTreeMap<String, String>,
}

impl Service {
    /// The command of a unit with its drop-ins and these files of settings. What of systemd's
    /// syntax is not understood here ends the test.
    fn new(units: &[String], settings: &str, more: &[(&str, &Path)]) -> Self {
        let mut variables = BTreeMap::new();
        let assignments = values(units, "Environment").join("\n").replace("%h", "/root");
        for line in assignments.lines().chain(settings.lines()) {
            let (name, value) = line.split_once('=').expect("NAME=VALUE");
            assert!(!value.contains(['%', '"', '\'', '\\', '$']), "{line}");
            variables.insert(name.to_owned(), value.to_owned());
        }
        for (name, value) in more {
            variables.insert((*name).to_owned(), value.display().to_string());
        }
        let commands = values(units, "ExecStart");
        let [command] = &commands[..] else { panic!("one ExecStart: {commands:?}") };
        assert!(!command.contains(['%', '"', '\'', '\\', ';']), "{command}");
        let value = |name: &str| variables.get(name).cloned();
        let mut words = Vec::new();
        for word in command.split_whitespace() {
            match word.strip_prefix('$') {
                Some(name) if !name.starts_with('{') => {
                    let value = value(name).unwrap_or_default();
                    words.extend(value.split_whitespace().map(str::to_owned));
                }
                _ => words.push(braced(word, &value)),
            }
        }
        Self { words, variables }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).env_clear().envs(&self.variables);
        command
    }
}

/// A word with each `${NAME}` replaced.
fn braced(word: &str, value: &impl Fn(&str) -> Option<String>) -> String {
    let Some((before, rest)) = word.split_once("${") else {
        assert!(!word.contains('$'), "{word}");
        return word.to_owned();
    };
    let (name, after) = rest.split_once('}').expect("a closing brace");
    let value_of = value(name).unwrap_or_else(|| panic!("{name} is not set"));
    format!("{before}{value_of}{}", braced(after, value))
}

/// A config, a `PATH` with the command and a helper, and a home.
struct Place {
    folder: tempfile::TempDir,
}

/// The state of the config: its bytes, and all that a write would change.
#[derive(Debug, PartialEq, Eq)]
struct State {
    bytes: Vec<u8>,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a place to work") };
        fs::copy(project("fixtures/12.9-docker.toml"), place.path("config.toml")).unwrap();
        fs::set_permissions(place.path("config.toml"), Permissions::from_mode(0o600)).unwrap();
        fs::create_dir(place.path("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_runner-auth"), place.path("bin/runner-auth")).unwrap();
        let helper = "docker-credential-ecr-login";
        symlink(project("tests/command/rotation").join(helper), place.path("bin").join(helper))
            .unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command finds itself, the helper and what that needs.
    fn search_path(&self, rest: &str) -> PathBuf {
        format!("{}:{rest}", self.path("bin").display()).into()
    }

    fn state(&self) -> State {
        let config = self.path("config.toml");
        let metadata = fs::metadata(&config).unwrap();
        State {
            bytes: fs::read(config).unwrap(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Runs a command four times: it stores what there is, leaves that alone, stores what is new,
    /// and leaves the file alone when there is nothing to be had.
    fn rotates(&self, mut command: Command, secret: &Path, stored: &Stored<'_>, failure: &Failure) {
        let mut run = || {
            let output = command.output().expect("the command starts");
            (output.status.code(), text(&output), self.state())
        };
        let before = self.state();
        fs::write(secret, "first-secret").unwrap();
        let (status, said, first) = run();
        assert_eq!(status, Some(0), "{said}");
        assert!(said.contains(stored.said) && !said.contains("secret"), "{said}");
        assert!(before.modified < first.modified && before.inode != first.inode);
        assert!(stored.is_in(&first.bytes, "first-secret"));

        let (status, said, same) = run();
        assert_eq!((status, said.as_str()), (Some(0), stored.said_again));
        assert_eq!(same, first, "nothing is to be written");

        fs::write(secret, "second-secret").unwrap();
        let (status, said, second) = run();
        assert_eq!(status, Some(0), "{said}");
        assert!(first.modified < second.modified && first.inode != second.inode);
        assert!(stored.is_in(&second.bytes, "second-secret"));

        fs::remove_file(secret).unwrap();
        let (status, said, failed) = run();
        assert_eq!(status, Some(failure.status), "{said}");
        assert!(said.contains(failure.said), "{said}");
        assert_eq!(failed, second, "the file is as it was");
    }
}

/// A credential as it should come in.
struct Stored<'s> {
    registry: &'s str,
    username: &'s str,
    /// What is said when it is written, and when it is there already.
    said: &'s str,
    said_again: &'s str,
}

impl Stored<'_> {
    fn is_in(&self, config: &[u8], secret: &str) -> bool {
        let auth = BASE64_STANDARD.encode(format!("{}:{secret}", self.username));
        let document = support::document(config, 0).expect("an auth entry");
        document["auths"][self.registry]["auth"] == auth
    }
}

struct Failure {
    status: i32,
    said: &'static str,
}

#[test]
fn the_service_asks_a_helper() {
    let place = Place::new();
    let units = [packaged(SERVICE)];
    let config = place.path("config.toml");
    let path = place.search_path("/usr/bin:/bin");
    let more = [("CONFIG_FILE", config.as_path()), ("PATH", &path), ("HOME", place.folder.path())];
    let service = Service::new(&units, &settings(&helper_block()), &more);
    let stored = Stored {
        registry: ECR,
        username: "AWS",
        said: "Wrote ",
        said_again: &format!(
            "devops-runner (4qCqD8pEo): {ECR} is already there for user AWS\n\
             Nothing to do: {} needs no change.\n",
            config.display()
        ),
    };
    let failure =
        Failure { status: 6, said: "docker-credential-ecr-login failed (exit status: 1)" };
    place.rotates(service.command(), &place.path(".token"), &stored, &failure);
    // Options come in last, each a word.
    let options = format!("{}OPTIONS=--quiet --timeout 30\n", settings(&helper_block()));
    let service = Service::new(&units, &options, &more);
    assert_eq!(service.words[service.words.len() - 4..], ["--yes", "--quiet", "--timeout", "30"]);
    fs::write(place.path(".token"), "third-secret").unwrap();
    let output = service.command().output().unwrap();
    assert_eq!((output.status.code(), text(&output).as_str()), (Some(0), ""));
    assert!(stored.is_in(&place.state().bytes, "third-secret"));
}

#[test]
fn the_service_takes_a_password_from_systemd() {
    let place = Place::new();
    let units = [packaged(SERVICE), packaged(PASSWORD)];
    let loaded = values(&units, "LoadCredential");
    assert_eq!(loaded, ["password:/etc/runner-auth/%i.password"]);
    assert!(password_block().contains(" /etc/runner-auth/staging.password\n"));
    let config = place.path("config.toml");
    let credentials = place.path("credentials");
    fs::create_dir(&credentials).unwrap();
    let path = place.search_path("/nonexistent");
    let more = [
        ("CONFIG_FILE", config.as_path()),
        ("PATH", &path),
        ("CREDENTIALS_DIRECTORY", &credentials),
    ];
    let service = Service::new(&units, &settings(&password_block()), &more);
    let stored = Stored {
        registry: "registry.example.com",
        username: "robot",
        said: "Wrote ",
        said_again: &format!(
            "devops-runner (4qCqD8pEo): registry.example.com is already there for user robot\n\
             Nothing to do: {} needs no change.\n",
            config.display()
        ),
    };
    let failure = Failure { status: 3, said: "credentials/password can't be read" };
    place.rotates(service.command(), &credentials.join("password"), &stored, &failure);
}

#[test]
fn the_line_for_cron() {
    let block = block("MAILTO=root");
    let (variables, lines): (Vec<_>, Vec<_>) =
        block.lines().partition(|line| line.split_once(' ').is_none());
    let [line] = &lines[..] else { panic!("one line of a schedule: {lines:?}") };
    let mut rest = *line;
    let fields: Vec<_> = (0..6)
        .map(|_| {
            let (field, after) = rest.split_once(' ').expect("six fields before the command");
            rest = after;
            field
        })
        .collect();
    assert_eq!(fields[2..], ["*", "*", "*", "root"]);
    // Cron would end the command at one.
    assert!(!rest.contains('%'), "{rest}");
    let variables: BTreeMap<_, _> =
        variables.iter().map(|line| line.split_once('=').expect("NAME=VALUE")).collect();
    let place = Place::new();
    let config = place.path("config.toml");
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", rest])
        .env_clear()
        .envs(&variables)
        .env("PATH", place.search_path(variables["PATH"]))
        .env("HOME", place.folder.path())
        .env("CONFIG_FILE", &config);
    let stored = Stored { registry: ECR, username: "AWS", said: "", said_again: "" };
    // What cron puts into a mail.
    let said = "error: docker-credential-ecr-login failed (exit status: 1)";
    place.rotates(command, &place.path(".token"), &stored, &Failure { status: 6, said });
}

/// Whether systemd's own checks are there; says so when they are not, and fails in CI.
fn has_systemd() -> bool {
    let works = Command::new("systemd-analyze").arg("--version").output();
    let works = works.is_ok_and(|output| output.status.success());
    if !works {
        println!("SKIPPED: there is no systemd-analyze");
        assert!(std::env::var_os("CI").is_none(), "CI has systemd-analyze");
    }
    works
}

/// A root that holds the units as they are installed, changed by `change`, and systemd's targets.
fn root(with_program: bool, change: impl Fn(String) -> String) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a place to work");
    let units = root.path().join("etc/systemd/system");
    let drop_ins = units.join("runner-auth-refresh@staging.service.d");
    let bin = root.path().join("usr/bin");
    let targets = root.path().join("usr/lib/systemd/system");
    for folder in [&drop_ins, &bin, &targets] {
        fs::create_dir_all(folder).unwrap();
    }
    for entry in fs::read_dir("/usr/lib/systemd/system").expect("the units of systemd") {
        let file = entry.unwrap().path();
        if file.extension() == Some("target".as_ref()) {
            fs::copy(&file, targets.join(file.file_name().unwrap())).unwrap();
        }
    }
    fs::write(units.join(SERVICE), change(packaged(SERVICE))).unwrap();
    fs::write(units.join(TIMER), change(packaged(TIMER))).unwrap();
    fs::write(drop_ins.join(PASSWORD), change(packaged(PASSWORD))).unwrap();
    if with_program {
        fs::copy(env!("CARGO_BIN_EXE_runner-auth"), bin.join("runner-auth")).unwrap();
    }
    root
}

fn analyze(root: &tempfile::TempDir, arguments: &[&str]) -> Output {
    Command::new("systemd-analyze")
        .args(arguments)
        .arg("--root")
        .arg(root.path())
        .output()
        .expect("systemd-analyze starts")
}

const INSTALLED: [&str; 4] = [
    "runner-auth-refresh@ecr.service",
    "runner-auth-refresh@ecr.timer",
    "runner-auth-refresh@staging.service",
    "runner-auth-refresh@staging.timer",
];

#[test]
fn systemd_finds_nothing_wrong() {
    if !has_systemd() {
        return;
    }
    let verify = |root| {
        let output = analyze(&root, &[&["verify", "--man=no"], &INSTALLED[..]].concat());
        (output.status.success(), text(&output))
    };
    assert_eq!(verify(root(true, |unit| unit)), (true, String::new()));
    // It sees what is not there, and what is misspelled in the service, its drop-in and the timer.
    let (passes, said) = verify(root(false, |unit| unit));
    assert!(!passes && said.contains("runner-auth is not executable"), "{said}");
    for (right, wrong) in [
        ("ProtectSystem", "ProtectSytem"),
        ("LoadCredential", "LoadCredentials"),
        ("OnCalendar", "OnCalender"),
        ("00/4:00", "00/4h"),
    ] {
        let (_, said) = verify(root(true, |unit| unit.replace(right, wrong)));
        assert!(said.contains(wrong), "{wrong} is not in {said:?}");
    }
}

#[test]
fn the_sandbox_stays_as_tight() {
    if !has_systemd() {
        return;
    }
    let threshold = format!("--threshold={MOST_EXPOSED}");
    let review = |root, unit| {
        let options = ["security", "--offline=yes", "--no-pager", &threshold, unit];
        let output = analyze(&root, &options);
        (output.status.success(), text(&output))
    };
    for unit in [INSTALLED[0], INSTALLED[2]] {
        let (passes, said) = review(root(true, |unit| unit), unit);
        assert!(passes, "{said}");
    }
    let loose = |unit: String| unit.replace("SystemCallFilter=@system-service\n", "");
    let (passes, said) = review(root(true, loose), INSTALLED[0]);
    assert!(!passes, "{said}");
}

/// What a step in the booted machine left.
struct Step {
    status: i32,
    /// Inode and modification time of the config.
    stamp: String,
    config: Vec<u8>,
    said: String,
}

/// What was done in a machine that a real systemd has booted.
struct Session {
    folder: tempfile::TempDir,
    steps: BTreeMap<String, Step>,
}

impl Session {
    /// Boots and goes through `tests/command/rotation/session`.
    fn run() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a place to work");
        let place = |path: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).unwrap();
            path
        };
        fs::create_dir(place("out")).unwrap();
        let copy = |from: PathBuf, to: &str| fs::copy(from, place(to)).unwrap();
        let put = |to: &str, text: &str| fs::write(place(to), text).unwrap();
        let program = env!("CARGO_BIN_EXE_runner-auth").into();
        copy(program, "bin/runner-auth");
        let helper = "docker-credential-ecr-login";
        copy(project("tests/command/rotation").join(helper), &format!("bin/{helper}"));
        copy(project("tests/command/rotation/session"), "session/run");
        for name in [SERVICE, TIMER, PASSWORD] {
            put(&format!("session/packaging/systemd/{name}"), &packaged(name));
        }
        put("session/helper.sh", &helper_block());
        put("session/password.sh", &password_block());
        put("session/elsewhere.conf", &block("ReadWritePaths=/srv/gitlab-runner/config"));
        put("session/look.sh", &block("runner-auth list"));
        let config = "etc/gitlab-runner/config.toml";
        copy(project("fixtures/12.9-docker.toml"), config);
        for (path, mode) in [(config, 0o600), ("etc/gitlab-runner", 0o700)] {
            fs::set_permissions(place(path), Permissions::from_mode(mode)).unwrap();
        }
        let output = Command::new("timeout")
            .args(["-s", "KILL", "120", "unshare", "--mount", "sh"])
            .arg(project("tests/command/rotation/boot"))
            .arg(folder.path())
            .output()
            .expect("timeout starts");
        let booted = folder.path().join("out/steps").exists();
        if !booted {
            println!("SKIPPED: systemd can't be booted here: {}", text(&output));
            assert!(std::env::var_os("CI").is_none(), "CI runs as root and has systemd");
            return None;
        }
        let mut session = Self { folder, steps: BTreeMap::new() };
        let steps = session.out("steps");
        let journal = session.out("journal");
        let ended = steps.strip_suffix("ended\n").filter(|_| output.status.success());
        let Some(steps) = ended else {
            panic!("it did not end: {steps}{journal}{}{}", text(&output), session.out("session"))
        };
        for line in steps.lines() {
            let (name, rest) = line.split_once(' ').expect("a name");
            let (status, stamp) = rest.split_once(' ').expect("a status");
            let step = Step {
                status: status.parse().expect("a number"),
                stamp: stamp.to_owned(),
                config: fs::read(session.folder.path().join(format!("out/{name}.toml"))).unwrap(),
                said: session.out(&format!("{name}.said")),
            };
            assert!(session.steps.insert(name.to_owned(), step).is_none(), "{name}");
        }
        Some(session)
    }

    fn out(&self, name: &str) -> String {
        let path = self.folder.path().join("out").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn step(&self, name: &str) -> &Step {
        let steps = || self.steps.keys().collect::<Vec<_>>();
        self.steps.get(name).unwrap_or_else(|| panic!("{name} in {:?}", steps()))
    }

    fn changes(&self, name: &str, before: &str, stored: &Stored<'_>, secret: &str) {
        let (before, step) = (self.step(before), self.step(name));
        assert_eq!(step.status, 0, "{name}: {}{}", step.said, self.out("journal"));
        assert_ne!(step.stamp, before.stamp, "{name}");
        assert!(stored.is_in(&step.config, secret), "{name}");
    }

    fn leaves(&self, name: &str, before: &str, status: i32) {
        let (before, step) = (self.step(before), self.step(name));
        assert_eq!(step.status, status, "{name}: {}", step.said);
        assert_eq!(step.stamp, before.stamp, "{name}");
        assert_eq!(step.config, before.config, "{name}");
    }
}

#[test]
fn a_real_systemd_runs_them_in_their_sandbox() {
    let Some(session) = Session::run() else { return };
    let token = Stored { registry: ECR, username: "AWS", said: "", said_again: "" };
    session.changes("helper", "before", &token, "token-one");
    session.leaves("helper-again", "helper", 0);
    session.changes("helper-new", "helper-again", &token, "token-two");
    session.leaves("helper-fails", "helper-new", 1);
    assert_eq!(session.out("failed"), "6\nauto-restart\n");
    session.changes("helper-recovers", "helper-fails", &token, "token-three");
    assert_eq!(session.step("helper-recovers").said, "success\n");
    session.leaves("unknown-runner", "helper-recovers", 1);
    assert_eq!(session.out("unknown"), "4\nfailed\n");
    // Root with four powers, a filter of calls, and no place to write but these.
    assert_eq!(
        session.out("probe"),
        "0\nCapEff:\t000000001000000b\nCapBnd:\t000000001000000b\nNoNewPrivs:\t1\nSeccomp:\t2\n\
         0077\n0\n/tmp\n/etc/gitlab-runner\n/var/lib/runner-auth\n"
    );
    assert_eq!(session.out("core"), "0\n");

    let password =
        Stored { registry: "registry.example.com", username: "robot", said: "", said_again: "" };
    session.changes("password", "helper-recovers", &password, "password-one");
    session.leaves("password-again", "password", 0);
    session.changes("password-new", "password-again", &password, "password-two");
    assert!(token.is_in(&session.step("password-new").config, "token-three"));

    session.changes("in-place", "password-new", &password, "password-three");
    session.changes("other-owner", "in-place", &password, "password-four");
    assert_eq!(session.out("owner"), "999:998 600\n");
    session.leaves("elsewhere-refused", "elsewhere-before", 1);
    session.changes("elsewhere", "elsewhere-refused", &password, "password-five");
    session.changes("elsewhere-file", "elsewhere", &password, "password-six");

    let look = session.step("look");
    assert_eq!(look.status, 0, "{}", look.said);
    // Each of the commands of the page, in turn; the unknown runner is what failed last.
    for wanted in [
        "2 timers listed",
        "1 loaded units listed",
        "Nothing to do",
        "(AWS)",
        "(line 12): user AWS",
    ] {
        assert!(look.said.contains(wanted), "{wanted} is not in {}", look.said);
    }
    let journal = session.out("journal");
    for wanted in [
        "failed (exit status: 1)",
        "it has several names",
        "the file system is mounted read-only",
        "it is mounted by itself",
    ] {
        assert!(journal.contains(wanted), "{wanted} is not in {journal}");
    }
    assert!(!journal.contains("token-") && !journal.contains("password-"), "{journal}");
    assert_eq!(
        session.out("left"),
        "/etc/gitlab-runner:\nconfig.toml\n\n/srv/gitlab-runner/config:\nconfig.toml\n\n\
         /var/lib/runner-auth:\n"
    );
}
