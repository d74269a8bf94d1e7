//! What a command costs grows with the file and not faster, on every kind of file: instructions are
//! counted, which are the same on a busy machine.

use std::fs;
use std::num::NonZero;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;

/// How many of a thing the smaller file has: fewer for `doctor`, which tries out what it advises.
const MANY: usize = 200;
const MANY_FOR_DOCTOR: usize = 80;

/// How much more twice as many may cost.
const MOST: f64 = 2.3;

/// `user:password`.
const AUTH: &str = "dXNlcjpwYXNzd29yZA==";

/// Pieces with their numbers, and what stands between them.
fn many(count: usize, between: &str, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().join(between)
}

/// A config whose first runner has this `environment`.
fn runner(elements: &str) -> String {
    format!("[[runners]]\n  name = 'one'\n  executor = 'docker'\n  environment = [{elements}]\n")
}

/// The same with this document.
fn document(members: &str) -> String {
    runner(&format!("'DOCKER_AUTH_CONFIG={{{members}}}'"))
}

/// The same with these members of `auths`.
fn auths(count: usize, piece: impl Fn(usize) -> String) -> String {
    document(&format!("\"auths\": {{{}}}", many(count, ", ", piece)))
}

/// A kind of file: a name, and the file with so many of a thing.
type Kind = (&'static str, fn(usize) -> String);

const KINDS: &[Kind] = &[
    ("credentials", |count| document(&format!("\"auths\": {{{}}}", logins(count)))),
    ("broken credentials", |count| auths(count, |n| format!("\"r{n}.io\": {{\"auth\": \"x\"}}"))),
    ("users with a $", |count| {
        auths(count, |n| format!("\"r{n}.io\": {{\"username\": \"$x\", \"password\": \"p\"}}"))
    }),
    ("plain fields", |count| {
        auths(count, |n| format!("\"r{n}.io\": {{\"username\": \"u\", \"password\": \"p\"}}"))
    }),
    ("empty credentials", |count| auths(count, |n| format!("\"r{n}.io\": {{}}"))),
    ("keys of one path", |count| {
        auths(count, |n| format!("\"https://r.io/v{n}/\": {{\"auth\": \"{AUTH}\"}}"))
    }),
    ("paths of one host", |count| {
        auths(count, |n| format!("\"r.io/g{n}\": {{\"auth\": \"{AUTH}\"}}"))
    }),
    ("images and paths of one host", |count| {
        let keys = auths(count, |n| format!("\"r.io/g{n}\": {{\"auth\": \"{AUTH}\"}}"));
        let service = |n| format!("    [[runners.docker.services]]\n    name = 'r.io/s{n}'\n");
        format!("{keys}  [runners.docker]\n    image = 'r.io/a'\n{}", many(count, "", service))
    }),
    ("one key", |count| auths(count, |_| format!("\"r.io\": {{\"auth\": \"{AUTH}\"}}"))),
    ("keys that never match", |count| {
        auths(count, |n| format!("\"x y{n}\": {{\"auth\": \"{AUTH}\"}}"))
    }),
    ("auths", |count| {
        document(&many(count, ", ", |n| {
            format!("\"auths\": {{\"r{n}.io\": {{\"auth\": \"{AUTH}\"}}}}")
        }))
    }),
    ("helpers", |count| {
        let helpers = many(count, ", ", |n| format!("\"r{n}.io\": \"h\""));
        let auths = many(count, ", ", |n| format!("\"r{n}.io\": {{\"auth\": \"{AUTH}\"}}"));
        document(&format!("\"credHelpers\": {{{helpers}}}, \"auths\": {{{auths}}}"))
    }),
    ("members of a credential", |count| {
        document(&format!(
            "\"auths\": {{\"r.io\": {{{}}}}}",
            many(count, ", ", |n| format!("\"m{n}\": \"v\""))
        ))
    }),
    ("lines of a document", |count| {
        let lines = many(count, ",\n", |n| format!("\"r{n}.io\": {{\n\"auth\": \"{AUTH}\"\n}}"));
        runner(&format!("'''DOCKER_AUTH_CONFIG={{\n\"auths\": {{\n{lines}}}}}'''"))
    }),
    ("lines of a broken document", |count| {
        let lines = many(count, ",\n", |n| format!("// \n\"r{n}.io\": {{\"auth\": \"{AUTH}\"}}"));
        runner(&format!("'''DOCKER_AUTH_CONFIG={{\"auths\": {{\n{lines}}}}}'''"))
    }),
    ("escapes", |count| {
        let auths = many(count, ", ", |n| format!(r#"\"r{n}.io\": {{\"auth\": \"{AUTH}\"}}"#));
        runner(&format!(r#""DOCKER_AUTH_CONFIG={{\"auths\": {{{auths}}}}}""#))
    }),
    ("variables", |count| {
        let all = many(count, "", |n| format!("$v{n}"));
        let auth =
            format!("'DOCKER_AUTH_CONFIG={{\"auths\": {{\"{all}\": {{\"auth\": \"{AUTH}\"}}}}}}'");
        runner(&format!("{}, {auth}", many(count, ", ", |n| format!("'v{n}=x'"))))
    }),
    ("auth entries", |count| {
        runner(&many(count, ", ", |n| {
            format!("'DOCKER_AUTH_CONFIG={{\"auths\": {{\"r{n}.io\": {{}}}}}}'")
        }))
    }),
    ("misspelled entries", |count| {
        runner(&many(count, ", ", |n| format!("'docker_auth_config={n}'")))
    }),
    ("misplaced entries", |count| {
        let entries = many(count, ", ", |n| format!("'DOCKER_AUTH_CONFIG={n}'"));
        format!("{}  [runners.docker]\n  environment = [{entries}]\n", runner(""))
    }),
    ("runners", |count| {
        let more = |n| {
            runner("'DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {}}}'")
                .replace("one", &format!("r{n}"))
        };
        runner("") + &many(count, "", more)
    }),
    ("runners of one name", |count| {
        let entry = runner("'DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {}}}'");
        let more = |n| entry.replace("'one'", &format!("'same'\n  token = 'abcdefgh{n}'"));
        runner("") + &many(count, "", more)
    }),
    ("inline runners", |count| {
        let more = |n| {
            let name = if n == 0 { "one".to_owned() } else { format!("r{n}") };
            format!(
                "{{name = '{name}', executor = 'docker', environment = ['DOCKER_AUTH_CONFIG={{\"auths\": {{\"r.io\": {{}}}}}}']}}"
            )
        };
        format!("runners = [{}]\n", many(count, ", ", more))
    }),
    ("comments", |count| runner("") + &"  # the fast one\n".repeat(count)),
    ("keys", |count| runner("") + &many(count, "", |n| format!("  k{n} = 1\n"))),
    ("dotted keys", |count| runner("") + &many(count, "", |n| format!("  a.k{n} = 1\n"))),
    ("sections", |count| runner("") + &many(count, "", |n| format!("  [runners.t{n}]\n"))),
    ("dots", |count| runner("") + "  a" + &".a".repeat(count) + " = 1\n"),
];

/// What credentials come from, in place of a config.
const SOURCES: &[Kind] = &[
    ("a Kubernetes Secret", |count| {
        let json = base64::engine::general_purpose::STANDARD.encode(auth_document(count));
        format!(
            "kind: Secret\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: {json}\n"
        )
    }),
    ("an auth document", auth_document),
    ("paths of one host", |count| {
        let login = |n| format!("\"r.io/g{n}\": {{\"auth\": \"{AUTH}\"}}");
        format!("{{\"auths\": {{{}}}}}", many(count, ", ", login))
    }),
    ("users of one host", |count| {
        let login = |n| format!("\"r.io/g{n}\": {{\"username\": \"u{n}\", \"password\": \"p\"}}");
        format!("{{\"auths\": {{{}}}}}", many(count, ", ", login))
    }),
    ("a name that is looked for", |count| {
        format!(
            "{{\"auths\": {{\"r.io\": {{\"auth\": \"{AUTH}\", \"email\": \"image{}\"}}}}}}",
            "x".repeat(count)
        )
    }),
];

const FROM_SOURCE: &str = "set -n one --auth-config source --dry-run";

fn auth_document(count: usize) -> String {
    format!("{{\"auths\": {{{}}}}}", logins(count))
}

/// Credentials, each for a registry of its own.
fn logins(count: usize) -> String {
    many(count, ", ", |n| format!("\"r{n}.io\": {{\"auth\": \"{AUTH}\"}}"))
}

const COMMANDS: &[&str] = &[
    "doctor",
    "doctor --format json",
    "set -n one -r new.io -u u --password-env PASSWORD --dry-run",
    "set -n one -r new.io -u u --password-env PASSWORD --replace --dry-run",
    "remove -n one -r r1.io --dry-run",
    "list",
    "explain r1.io/app",
    "explain --runner-version 14.7 --format json",
];

/// How many instructions a command needs.
fn instructions(file: &str, text: &str, command: &str) -> f64 {
    let folder = tempfile::tempdir().expect("a place to work");
    for (file, text) in [("config.toml", &*runner("")), (file, text)] {
        fs::write(folder.path().join(file), text).expect("a file can be written");
    }
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env!("CARGO_BIN_EXE_runner-auth"))
        .args(command.split(' '))
        .env_clear()
        .env("CONFIG_FILE", "config.toml")
        .env("PASSWORD", "s3cret")
        .env("PATH", "/usr/bin:/bin")
        .current_dir(folder.path())
        .output()
        .expect("valgrind runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split_once("Collected : "));
    count.and_then(|(_, count)| count.trim().parse().ok()).unwrap_or_else(|| panic!("{said}"))
}

fn has_valgrind() -> bool {
    let found = Command::new("valgrind").arg("--version").output().is_ok();
    if !found {
        println!("SKIPPED: this needs valgrind");
        assert!(std::env::var_os("CI").is_none(), "CI has it");
    }
    found
}

/// A kind of file with a command that is too steep for it, and how steep; `None` when it is not.
fn steep(file: &str, kind: &Kind, command: &str, start: f64) -> Option<String> {
    let (name, text) = kind;
    let many = if command.starts_with("doctor") { MANY_FOR_DOCTOR } else { MANY };
    let [one, two] = [many, 2 * many].map(|count| instructions(file, &text(count), command));
    let growth = (two - start) / (one - start).max(1.0);
    // What is left out of account is no more than starting the command costs.
    let is_steep = growth > MOST && two - one > start / 4.0;
    is_steep.then(|| format!("{command:?} on {name}: {growth:.2}"))
}

/// Each kind with some of the commands: `doctor`, which looks at everything, and one of the others in
/// turn; `GROWTH=all` takes them all.
#[test]
#[ignore = "minutes of counting: cargo test --test command growth -- --ignored"]
fn what_a_command_costs_grows_with_the_file() {
    if !has_valgrind() {
        return;
    }
    let all = std::env::var_os("GROWTH").is_some_and(|value| value == "all");
    let starts = COMMANDS.iter().map(|command| instructions("config.toml", &runner(""), command));
    let starts: Vec<_> = starts.collect();
    let start = instructions("source", &auth_document(1), FROM_SOURCE);
    let mut runs: Vec<_> =
        SOURCES.iter().map(|kind| ("source", kind, FROM_SOURCE, start)).collect();
    for (number, kind) in KINDS.iter().enumerate() {
        for (turn, command) in COMMANDS.iter().enumerate() {
            if all || turn == 0 || turn == 1 + number % (COMMANDS.len() - 1) {
                runs.push(("config.toml", kind, *command, starts[turn]));
            }
        }
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut steep_ones = Vec::new();
        while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (file, kind, command, start) = run;
            steep_ones.extend(steep(file, kind, command, *start));
        }
        steep_ones
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let steep_ones: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it counts")).collect()
    });
    assert!(
        steep_ones.is_empty(),
        "twice as many cost more than {MOST} times as much:\n{}",
        steep_ones.join("\n")
    );
}

/// What people are shown of a thousand mistakes of one kind is a page or two, and a program gets all.
#[test]
fn a_few_findings_of_one_cause_are_told() {
    let folder = tempfile::tempdir().expect("a place to work");
    fs::write(folder.path().join("config.toml"), KINDS[1].1(1000))
        .expect("a config can be written");
    let print = |format| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
        command.args(["doctor", "--format", format]).current_dir(folder.path());
        let output = command.env("CONFIG_FILE", "config.toml").output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let text = print("text");
    assert!(text.matches("[undecodable-auth]").count() < 50, "{text}");
    assert!(text.contains(" more undecodable-auth"), "{text}");
    assert_eq!(print("json").matches("\"undecodable-auth\"").count(), 1000);
}

/// The same for the keys of one host, of which old versions of GitLab Runner take one at random: a few are
/// named, for each registry and each image.
#[test]
fn a_few_keys_of_one_host_are_told() {
    let folder = tempfile::tempdir().expect("a place to work");
    let one_host = |count| {
        let image = "  [runners.docker]\n    image = 'r.io/a'\n";
        auths(count, |n| format!("\"r.io/g{n}\": {{\"auth\": \"{AUTH}\"}}")) + image
    };
    let source = SOURCES.iter().find(|(name, _)| *name == "users of one host").expect("a source");
    fs::write(folder.path().join("config.toml"), one_host(1000)).expect("a config can be written");
    fs::write(folder.path().join("source"), source.1(1000)).expect("a source can be written");
    let print = |command: &str| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
        let output = run.args(command.split(' ')).current_dir(folder.path());
        let output = output.env("CONFIG_FILE", "config.toml").output().expect("it runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    for format in ["text", "json"] {
        // A warning for each of a thousand registries.
        let set = print(&format!("set -n one --auth-config source --dry-run --format {format}"));
        assert!(set.contains("and 995 more at random"), "{set}");
        assert!(set.len() < 700_000, "{} bytes", set.len());
        for command in ["explain r.io/b/c --runner-version 14.7", "explain --runner-version 14.7"] {
            let explain = print(&format!("{command} --format {format}"));
            assert!(explain.len() < 20_000, "{} bytes", explain.len());
            let more = if format == "json" { "\"more_at_random\":900" } else { "one of 1000 keys" };
            assert!(explain.contains(more), "{explain}");
        }
        let helper = "set -n one --credential-helper h --delegate --dry-run --format";
        assert!(print(&format!("{helper} {format}")).len() < 200_000);
    }
    let text = print("explain r.io/b/c --runner-version 14.7");
    assert!(text.contains("at random and 980 more keys"), "{text}");
}
