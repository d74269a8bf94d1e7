//! The Ansible collection, with hosts that are folders of this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::{CONFIG, PASSWORD, block, entry, project, run, said, tool};

const HOSTS: usize = 100;

/// Builds the collection, once for all tests.
fn build() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a place to work");
        let stripped = folder.path().join("runner-auth");
        let program = env!("CARGO_BIN_EXE_runner-auth");
        let strip = Command::new("strip").arg("-o").arg(&stripped).arg(program).status();
        assert!(strip.is_ok_and(|status| status.success()), "strip comes with the linker");
        let built = run(Command::new(project("packaging/ansible/build")).arg(stripped), None);
        assert!(built.status.success(), "{}", said(&built));
    });
}

struct Fleet {
    bin: PathBuf,
    folder: tempfile::TempDir,
}

impl Fleet {
    fn new(playbook: &Path, hosts: usize) -> Self {
        let bin = playbook.parent().expect("a folder").to_owned();
        let fleet = Self { bin, folder: tempfile::tempdir().expect("a place to work") };
        build();
        let mut inventory = "[all]\n".to_owned();
        for number in 0..hosts {
            fs::create_dir(fleet.path(&format!("h{number}"))).expect("a folder");
            fs::write(fleet.config(number), CONFIG).expect("a config");
            inventory.push_str(&format!("h{number} ansible_connection=local\n"));
        }
        inventory.push_str(&format!("[all:vars]\nfolder={}\n", fleet.folder.path().display()));
        inventory.push_str("ansible_python_interpreter=\"{{ ansible_playbook_python }}\"\n");
        fs::write(fleet.path("inventory"), inventory).expect("an inventory");
        // The play of the page, with a config for each host.
        let config = "        config: \"{{ folder }}/{{ inventory_hostname }}/config.toml\"\n";
        let play = block("docs/ansible.md", "yaml", 0).replace("hosts: runners", "hosts: all");
        let play = play.replace("become: true", "become: false") + config;
        fs::write(fleet.path("play.yml"), play).expect("a play");
        fs::write(fleet.path("vault-password"), "open sesame\n").expect("a file");
        fs::write(fleet.path("vault.yml"), format!("vault_registry_password: {PASSWORD}\n"))
            .expect("a file");
        let sealed = fleet.ansible(
            "ansible-vault",
            &["encrypt", "vault.yml", "--vault-password-file", "vault-password"],
            &[],
        );
        assert!(sealed.status.success(), "{}", said(&sealed));
        fleet
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self, number: usize) -> PathBuf {
        self.path(&format!("h{number}/config.toml"))
    }

    fn ansible(&self, program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new(self.bin.join(program));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("ANSIBLE_COLLECTIONS_PATH", project("target/ansible"))
            .env("ANSIBLE_NOCOLOR", "1")
            .env("ANSIBLE_FORKS", "8")
            .env("ANSIBLE_HOME", self.path("home"))
            .env("LC_ALL", "C.UTF-8")
            .envs(environment.iter().copied());
        run(&mut command, None)
    }

    fn play(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let play = [
            "-i",
            "inventory",
            "play.yml",
            "-e",
            "@vault.yml",
            "--vault-password-file",
            "vault-password",
        ];
        self.ansible("ansible-playbook", &[&play[..], arguments].concat(), environment)
    }

    fn is_patched(&self, number: usize) -> bool {
        let text = fs::read_to_string(self.config(number)).expect("a config");
        assert!(text == CONFIG || text == patched(), "h{number}: {text}");
        text != CONFIG
    }
}

fn patched() -> String {
    let executor = "  executor = \"docker\"\n";
    CONFIG.replace(executor, &format!("{executor}{}", entry("robot")))
}

/// For each host how many tasks were ok, changed and failed.
fn recap(text: &str) -> BTreeMap<String, [usize; 3]> {
    let recap = text.split("PLAY RECAP").nth(1).unwrap_or_else(|| panic!("no recap:\n{text}"));
    let lines = recap.lines().filter_map(|line| line.split_once(" : "));
    lines
        .map(|(host, counts)| {
            let count = |name: &str| {
                let word = counts.split_whitespace().find_map(|word| word.strip_prefix(name));
                word.and_then(|word| word.strip_prefix('=')).and_then(|number| number.parse().ok())
            };
            let counts = ["ok", "changed", "failed"].map(|name| count(name).expect("a count"));
            (host.trim().to_owned(), counts)
        })
        .collect()
}

#[test]
fn a_hundred_hosts_get_a_credential() {
    let Some(playbook) = tool("ansible", "ansible-playbook") else { return };
    let fleet = Fleet::new(&playbook, HOSTS);

    let checked = fleet.play(&["--check", "--diff"], &[]);
    let text = said(&checked);
    assert!(checked.status.success(), "{text}");
    let counts = recap(&text);
    assert_eq!(counts.len(), HOSTS);
    assert!(counts.values().all(|counts| *counts == [1, 1, 0]), "{text}");
    assert_eq!(text.matches("+  environment = ['DOCKER_AUTH_CONFIG=").count(), HOSTS, "{text}");
    assert!((0..HOSTS).all(|number| !fleet.is_patched(number)));

    // One host is broken: it alone fails.
    let broken = CONFIG.replace("[[runners]]", "[[runners]");
    fs::write(fleet.config(42), &broken).expect("a config");
    let applied = fleet.play(&[], &[]);
    let text = said(&applied);
    let counts = recap(&text);
    assert_eq!(counts["h42"], [0, 0, 1], "{text}");
    assert_eq!(counts.values().filter(|counts| **counts == [1, 1, 0]).count(), HOSTS - 1, "{text}");
    assert!(text.contains("h42/config.toml:4:11: this is not TOML"), "{text}");
    assert_eq!(fs::read_to_string(fleet.config(42)).expect("a config"), broken);
    assert!((0..HOSTS).filter(|&number| number != 42).all(|number| fleet.is_patched(number)));

    // Again: nothing changes but what was broken.
    fs::write(fleet.config(42), CONFIG).expect("a config");
    let again = fleet.play(&[], &[]);
    let text = said(&again);
    assert!(again.status.success(), "{text}");
    let counts = recap(&text);
    assert_eq!(counts["h42"], [1, 1, 0], "{text}");
    assert_eq!(counts.values().filter(|counts| **counts == [1, 0, 0]).count(), HOSTS - 1, "{text}");
    assert!(fleet.is_patched(42));
}

#[test]
fn a_host_needs_no_python_and_no_log_has_a_secret() {
    let Some(playbook) = tool("ansible", "ansible-playbook") else { return };
    let fleet = Fleet::new(&playbook, 2);
    let nowhere = ["-e", "ansible_python_interpreter=/nowhere/python3"];
    let ping = fleet.ansible(
        "ansible",
        &[&["-i", "inventory", "h0", "-m", "ping"], &nowhere[..]].concat(),
        &[],
    );
    assert!(!ping.status.success(), "a module of Python fails: {}", said(&ping));

    let (log, tree) = (fleet.path("log"), fleet.path("tree"));
    let kept = [
        ("ANSIBLE_LOG_PATH", log.to_str().expect("UTF-8")),
        ("ANSIBLE_CALLBACK_TREE_DIR", tree.to_str().expect("UTF-8")),
        ("ANSIBLE_CALLBACKS_ENABLED", "tree"),
        ("ANSIBLE_CALLBACK_RESULT_FORMAT", "json"),
    ];
    let applied = fleet.play(&[&["-vvvv", "--diff"], &nowhere[..]].concat(), &kept);
    let text = said(&applied);
    assert!(applied.status.success(), "{text}");
    assert!(text.contains("\"action\": \"added\""), "{text}");
    assert!(fleet.is_patched(0) && fleet.is_patched(1));
    let result = fs::read_to_string(tree.join("h0")).expect("the callback's JSON");
    assert!(result.contains("\"changed\": true"), "{result}");
    super::no_secret_below(fleet.folder.path(), &["config.toml"]);

    // Options that are wrong are named, and never their values.
    let wrong = [
        (
            "password={{ vault_registry_password }} registry=registry.example.com",
            "a credential is missing",
        ),
        (
            "password={{ vault_registry_password }} passwort={{ vault_registry_password }}",
            "there is no option passwort",
        ),
        ("username=robot registry=registry.example.com", "a credential is missing"),
        ("all={{ vault_registry_password }}", "all is true or false"),
        ("pull_policy={{ vault_registry_password }}", "<hidden>"),
        ("state=gone", "state is present or absent"),
        (
            "name=nobody registry=registry.example.com username=robot password={{ vault_registry_password }}",
            "no runner has the name",
        ),
        (
            "auth_config='{\"auths\": {\"q.io\": {\"auth\": {{ vault_registry_password }}}}}'",
            "auth_config:1:",
        ),
    ];
    for (options, problem) in wrong {
        let options = format!("config={} {options}", fleet.config(0).display());
        let module = [
            "-i",
            "inventory",
            "h0",
            "-vvv",
            "-m",
            "runner_auth.gitlab.docker_auth",
            "-a",
            &options,
        ];
        let vault = ["-e", "@vault.yml", "--vault-password-file", "vault-password"];
        let failed = fleet.ansible("ansible", &[&module[..], &vault].concat(), &[]);
        let text = said(&failed);
        assert!(!failed.status.success() && text.contains(problem), "{options}\n{text}");
    }
}

#[test]
fn the_role_and_the_documentation_work() {
    let Some(playbook) = tool("ansible", "ansible-playbook") else { return };
    let fleet = Fleet::new(&playbook, 1);
    let collection = project("target/ansible/ansible_collections/runner_auth/gitlab");
    let play = collection.join("examples/play.yml");
    let text = fs::read_to_string(&play).expect("the example");
    fs::write(fleet.path("play.yml"), text.replace("hosts: runners", "hosts: all"))
        .expect("a play");
    let variables = collection.join("examples/inventory/group_vars/runners/credentials.yml");
    let variables = format!("@{}", variables.display());
    let config = format!("docker_auth_config={}", fleet.config(0).display());
    let run = |more: &[&str]| {
        let given =
            ["-e", &variables, "-e", &config, "-e", "ansible_become=false", "-vvv", "--diff"];
        fleet.play(&[&given[..], more].concat(), &[])
    };
    let on_change = r#"{"docker_auth_on_change": ["touch", "ran"]}"#;
    let applied = run(&["-e", on_change]);
    let text = said(&applied);
    assert!(applied.status.success(), "{text}");
    assert!(fleet.is_patched(0), "{text}");
    assert!(fleet.path("ran").exists(), "the handler ran:\n{text}");
    let again = run(&[]);
    assert_eq!(recap(&said(&again))["h0"][1], 0);
    let absent = [
        r#"{"docker_auth_credentials": [{"name": "devops-runner", "registry": "registry.example.com", "state": "absent"}]}"#,
    ];
    let removed = run(&["-e", absent[0]]);
    assert!(removed.status.success(), "{}", said(&removed));
    let text = fs::read_to_string(fleet.config(0)).expect("a config");
    assert!(!text.contains("registry.example.com"), "{text}");

    let documentation = fleet.ansible("ansible-doc", &["runner_auth.gitlab.docker_auth"], &[]);
    let text = said(&documentation);
    assert!(documentation.status.success() && text.contains("yaml_path"), "{text}");
}

#[test]
fn the_linter_finds_nothing() {
    let Some(lint) = tool("ansible", "ansible-lint") else { return };
    let fleet = Fleet::new(&lint, 0);
    let place = project("target/ansible/ansible_collections/runner_auth/gitlab");
    let mut path = vec![fleet.bin.clone()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").expect("a PATH")));
    let mut command = Command::new(lint);
    command
        .args(["--offline", "--nocolor", "--profile", "production", "."])
        .current_dir(place)
        .env("PATH", std::env::join_paths(path).expect("a PATH"))
        .env("ANSIBLE_HOME", fleet.path("home"))
        .env("ANSIBLE_COLLECTIONS_PATH", project("target/ansible"));
    let linted = run(&mut command, None);
    assert!(linted.status.success(), "{}", said(&linted));
}

/// The play of the page, with the program that is installed on the host.
fn of_an_installed_program(fleet: &Fleet) {
    let play = fs::read_to_string(fleet.path("play.yml")).expect("a play");
    let program = env!("CARGO_BIN_EXE_runner-auth");
    let play = play.replace("gitlab.docker_auth:", "gitlab.docker_auth_installed:");
    let play = format!("{play}        executable: {program}\n");
    fs::write(fleet.path("play.yml"), play).expect("a play");
}

#[test]
fn an_installed_program_does_the_same() {
    let Some(playbook) = tool("ansible", "ansible-playbook") else { return };
    let fleet = Fleet::new(&playbook, 3);
    of_an_installed_program(&fleet);
    let broken = CONFIG.replace("[[runners]]", "[[runners]");
    fs::write(fleet.config(2), &broken).expect("a config");

    let checked = fleet.play(&["--check", "--diff"], &[]);
    let text = said(&checked);
    let counts = recap(&text);
    assert_eq!([counts["h0"], counts["h1"], counts["h2"]], [[1, 1, 0], [1, 1, 0], [0, 0, 1]]);
    assert_eq!(text.matches("+  environment = ['DOCKER_AUTH_CONFIG=").count(), 2, "{text}");
    assert!(!fleet.is_patched(0) && !fleet.is_patched(1));

    let log = fleet.path("log");
    let kept = [("ANSIBLE_LOG_PATH", log.to_str().expect("UTF-8"))];
    let applied = fleet.play(&["-vvvv", "--diff"], &kept);
    let text = said(&applied);
    assert_eq!(recap(&text)["h0"], [1, 1, 0], "{text}");
    assert!(text.contains("\"action\": \"added\""), "{text}");
    assert!(text.contains("h2/config.toml:4:11: this is not TOML"), "{text}");
    assert!(fleet.is_patched(0) && fleet.is_patched(1));
    assert_eq!(fs::read_to_string(fleet.config(2)).expect("a config"), broken);
    super::no_secret_below(fleet.folder.path(), &["config.toml"]);

    let again = fleet.play(&[], &[]);
    let counts = recap(&said(&again));
    assert_eq!([counts["h0"], counts["h1"]], [[1, 0, 0], [1, 0, 0]]);
}

#[test]
fn an_installed_program_that_is_none_is_told() {
    let Some(playbook) = tool("ansible", "ansible-playbook") else { return };
    let fleet = Fleet::new(&playbook, 1);
    let password = "password={{ vault_registry_password }}";
    let known = format!("executable={}", env!("CARGO_BIN_EXE_runner-auth"));
    for (options, problem) in [
        (format!("{password} registry=r.io username=ci {known}x"), "can't be run"),
        (format!("{password} registry=r.io username=ci executable=/bin/true"), "gave no answer"),
        (format!("{password} registry=r.io username=ci executable=/bin/false"), "(status 1)"),
        (format!("{password} registry=r.io {known}"), "a credential is missing"),
        (format!("{password} passwort=x {known}"), "Unsupported parameters"),
        (format!("{password} registry=r.io username=ci name=nobody {known}"), "no runner has"),
        (
            format!(
                "auth_config='{{\"auths\": {{\"q.io\": {{\"auth\": {{{{ vault_registry_password }}}}}}}}}}' {known}"
            ),
            "auth_config:1:",
        ),
    ] {
        let options = format!("config={} {options}", fleet.config(0).display());
        let module = ["-i", "inventory", "h0", "-vvv", "-m"];
        let module = [&module[..], &["runner_auth.gitlab.docker_auth_installed", "-a", &options]];
        let vault = ["-e", "@vault.yml", "--vault-password-file", "vault-password"];
        let failed = fleet.ansible("ansible", &[&module.concat()[..], &vault].concat(), &[]);
        let text = said(&failed);
        assert!(!failed.status.success() && text.contains(problem), "{options}\n{text}");
    }
    assert!(!fleet.is_patched(0));
}

#[test]
fn both_modules_have_the_same_options() {
    let Some(playbook) = tool("ansible", "ansible-playbook") else { return };
    let fleet = Fleet::new(&playbook, 1);
    let (copied, installed) =
        ("runner_auth.gitlab.docker_auth", "runner_auth.gitlab.docker_auth_installed");
    let printed = fleet.ansible("ansible-doc", &["--json", copied, installed], &[]);
    assert!(printed.status.success(), "{}", said(&printed));
    let found: serde_json::Value = serde_json::from_slice(&printed.stdout).expect("JSON");
    let options = |module: &str| {
        let options = found[module]["doc"]["options"].as_object().expect("options").clone();
        options.keys().cloned().collect::<Vec<_>>()
    };
    let mut expected = options(copied);
    assert!(expected.len() > 15, "{expected:?}");
    expected.push("executable".to_owned());
    expected.sort();
    let mut documented = options(installed);
    documented.sort();
    assert_eq!(documented, expected);
    // The module itself lists what it takes when it gets something else.
    let wrong = ["-i", "inventory", "h0", "-m", installed, "-a", "other=x"];
    let text = said(&fleet.ansible("ansible", &wrong, &[]));
    let listed = text.split("Supported parameters include: ").nth(1).expect("a list");
    let listed = listed.split(['.', '"']).next().expect("its end");
    let mut taken: Vec<_> = listed.split(", ").map(str::to_owned).collect();
    taken.sort();
    assert_eq!(taken, expected, "{text}");
}
