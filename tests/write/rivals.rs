//! Many processes on one file, while another program, which knows no lock, empties and rewrites it
//! as GitLab Runner does, or puts another file in its place, and others read it all the while.
//!
//! `LOAD_PROCESSES` sets how many processes there are.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use runner_auth::{Config, ConfigText, listing};

const CONFIG: &str = "concurrent = 0\n\n[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n";

fn set(config: &Path, number: usize) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
    command
        .args(["set", "--yes", "--quiet", "-u", "ci", "--password-env", "PASSWORD", "-c"])
        .arg(config)
        .args(["-r", &format!("r{number}.io")])
        .env("PASSWORD", "s3cret")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// The registries that the only runner has, when the text is a whole config.
fn registries(bytes: Vec<u8>) -> Option<Vec<String>> {
    let text = ConfigText::new("config.toml", bytes);
    let config = Config::parse(&text).ok()?;
    let runner = config.runners().first()?;
    let listed = listing::credentials(&config, runner).ok()?.ok()?;
    Some(listed.into_iter().map(|listed| listed.registry).collect())
}

/// The number behind `concurrent =`, which the rival counts up.
fn counter(text: &str) -> Option<usize> {
    text.strip_prefix("concurrent = ")?.split('\n').next()?.parse().ok()
}

/// Reads, changes and rewrites the file: it is empty for a moment, and then half written.
fn rewrite(config: &Path) -> Option<usize> {
    let text = fs::read_to_string(config).ok()?;
    let next = counter(&text)? + 1;
    let (_, rest) = text.split_once('\n')?;
    // The whole file, and not what is left of a rewrite.
    if !CONFIG.ends_with(rest) && !rest.ends_with("}}']\n") {
        return None;
    }
    let new = format!("concurrent = {next}\n{rest}");
    let mut file =
        fs::OpenOptions::new().write(true).truncate(true).mode(0o600).open(config).ok()?;
    let half = new.len() / 2;
    file.write_all(&new.as_bytes()[..half]).ok()?;
    file.write_all(&new.as_bytes()[half..]).ok()?;
    Some(next)
}

fn processes() -> usize {
    std::env::var("LOAD_PROCESSES").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}

#[test]
fn every_success_is_in_the_file() {
    let folder = tempfile::tempdir().expect("a place to work");
    let config = folder.path().join("config.toml");
    fs::write(&config, CONFIG).unwrap();
    let processes = processes();
    let done = AtomicBool::new(false);
    let (torn, reads) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let start = Instant::now();
    scope(|scope| {
        // Nobody but this crate writes: a reader finds a whole config at every moment.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let whole = fs::read(&config).ok().and_then(registries).is_some();
                torn.fetch_add(usize::from(!whole), Ordering::Relaxed);
                reads.fetch_add(1, Ordering::Relaxed);
            }
        });
        let children: Vec<_> =
            (0..processes).map(|number| set(&config, number).spawn().expect("it starts")).collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        done.store(true, Ordering::Relaxed);
    });
    let found = registries(fs::read(&config).unwrap()).expect("a whole config");
    assert_eq!(found.len(), processes);
    assert_eq!(torn.into_inner(), 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let (reads, time) = (reads.into_inner(), start.elapsed());
    println!("{processes} processes, all in the file; {reads} reads, none torn; {time:?}");
}

#[test]
fn a_rival_is_neither_lost_nor_wins() {
    let folder = tempfile::tempdir().expect("a place to work");
    let config = folder.path().join("config.toml");
    fs::write(&config, CONFIG).unwrap();
    let processes = processes();
    let done = AtomicBool::new(false);
    let rewrites = AtomicUsize::new(0);
    let start = Instant::now();
    let mut succeeded = Vec::new();
    let final_count = scope(|scope| {
        let rival = scope.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                if let Some(next) = rewrite(&config) {
                    // What it wrote last is still there when it comes again.
                    assert!(next > last, "rewrite {last} was undone: {next}");
                    last = next;
                    rewrites.fetch_add(1, Ordering::Relaxed);
                }
                sleep(Duration::from_millis(8));
            }
            last
        });
        // A few at a time, as on a machine that has other work to do.
        let numbers: Vec<usize> = (0..processes).collect();
        for group in numbers.chunks(20) {
            let children: Vec<_> = group
                .iter()
                .map(|&number| (number, set(&config, number).spawn().expect("it starts")))
                .collect();
            for (number, child) in children {
                let output = child.wait_with_output().unwrap();
                match output.status.code() {
                    Some(0) => succeeded.push(format!("r{number}.io")),
                    // The file changed for a whole minute: it says so.
                    Some(5) => {}
                    _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
                }
            }
        }
        done.store(true, Ordering::Relaxed);
        rival.join().expect("the rival ends")
    });
    let text = fs::read_to_string(&config).unwrap();
    let found = registries(text.clone().into_bytes()).expect("a whole config");
    let lost: Vec<_> = succeeded.iter().filter(|wanted| !found.contains(wanted)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    assert_eq!(counter(&text), Some(final_count), "the rival's last rewrite was undone");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    println!(
        "{} of {processes} processes succeeded, all in the file; {} rewrites by the rival, the last \
         one there; {:?}",
        succeeded.len(),
        rewrites.into_inner(),
        start.elapsed()
    );
    assert!(!succeeded.is_empty());
}

/// Reads the config, and puts another file in its place a moment later, as editors, `sed -i` and
/// Ansible do. Comes back with the time between the two.
fn replace(config: &Path, number: usize) -> Duration {
    let text = fs::read_to_string(config).unwrap();
    let start = Instant::now();
    sleep(Duration::from_millis(10));
    let next = config.with_file_name(format!("rival-{number}"));
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&next, format!("concurrent = {number}\n{rest}")).unwrap();
    fs::rename(&next, config).unwrap();
    start.elapsed()
}

#[test]
fn a_rival_who_renames_is_neither_lost_nor_wins() {
    const RENAMES: usize = 400;
    let (lost, counted, number) =
        (Mutex::new(Vec::new()), AtomicUsize::new(0), AtomicUsize::new(1));
    let start = Instant::now();
    let one = || {
        let folder = tempfile::tempdir().expect("a place to work");
        let config = folder.path().join("config.toml");
        while counted.load(Ordering::Relaxed) < RENAMES {
            let number = number.fetch_add(1, Ordering::Relaxed);
            assert!(number < 10 * RENAMES, "this machine is too slow to tell");
            fs::write(&config, CONFIG).unwrap();
            // Two of our own, and the rival at another moment each time.
            let children = [0, 1].map(|own| {
                let mut command = set(&config, own);
                command.arg("--backup").spawn().expect("it starts")
            });
            sleep(Duration::from_millis(u64::try_from(number % 8).unwrap()));
            let time = replace(&config, number);
            let succeeded: Vec<_> = children
                .into_iter()
                .map(|child| child.wait_with_output().unwrap())
                .enumerate()
                .filter(|(_, output)| {
                    let code = output.status.code();
                    assert!(code == Some(0) || code == Some(5), "{output:?}");
                    code == Some(0)
                })
                .map(|(own, _)| format!("r{own}.io"))
                .collect();
            let text = fs::read_to_string(&config).unwrap();
            let found = registries(text.clone().into_bytes()).expect("a whole config");
            let names: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
            let backups = names.len() - 1;
            for name in &names {
                fs::remove_file(name.path()).unwrap();
            }
            // Whoever needs longer than the file is watched can't be helped.
            if time > Duration::from_millis(40) {
                continue;
            }
            counted.fetch_add(1, Ordering::Relaxed);
            let whole = succeeded.iter().all(|registry| found.contains(registry));
            if !whole || counter(&text) != Some(number) || backups != succeeded.len() {
                lost.lock().unwrap().push(format!("{succeeded:?}, {backups} backups: {text}"));
            }
        }
    };
    scope(|scope| (0..4).for_each(|_| drop(scope.spawn(one))));
    let (lost, number) = (lost.into_inner().unwrap(), number.into_inner() - 1);
    println!(
        "{} of {} lost, of {number} tried; {:?}",
        lost.len(),
        counted.into_inner(),
        start.elapsed()
    );
    assert!(lost.is_empty(), "{lost:#?}");
}

/// Starts a command and waits until it has written.
fn spawn_and_see(mut command: Command, config: &Path) -> Child {
    let child = command.spawn().expect("it starts");
    let start = Instant::now();
    while !fs::read_to_string(config).unwrap().contains("r1.io") {
        assert!(start.elapsed() < Duration::from_secs(20), "it never writes");
        sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn a_change_that_is_undone_later_is_written_again() {
    let folder = tempfile::tempdir().expect("a place to work");
    let config = folder.path().join("config.toml");
    for by_rename in [false, true] {
        fs::write(&config, CONFIG).unwrap();
        let mut command = set(&config, 1);
        command.args(["--settle", "2", "--format", "json"]).stdout(Stdio::piped());
        let child = spawn_and_see(command, &config);
        // What GitLab Runner had in memory, later than any write is watched.
        sleep(Duration::from_millis(700));
        let memory = CONFIG.replace("concurrent = 0", "concurrent = 7");
        if by_rename {
            fs::write(folder.path().join("next"), memory).unwrap();
            fs::rename(folder.path().join("next"), &config).unwrap();
        } else {
            fs::write(&config, memory).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("had undone the change: it was written again"), "{said}");
        let text = fs::read_to_string(&config).unwrap();
        assert_eq!(counter(&text), Some(7));
        assert_eq!(registries(text.into_bytes()).unwrap(), ["r1.io"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_change_that_is_undone_again_and_again_is_no_success() {
    let folder = tempfile::tempdir().expect("a place to work");
    let config = folder.path().join("config.toml");
    fs::write(&config, CONFIG).unwrap();
    let done = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(100));
                fs::write(&config, CONFIG).unwrap();
            }
        });
        let mut command = set(&config, 1);
        command.args(["--settle", "1", "--lock-timeout", "1"]);
        let start = Instant::now();
        let output = command.output().unwrap();
        done.store(true, Ordering::Relaxed);
        assert_eq!(output.status.code(), Some(5), "{output:?}");
        assert!(start.elapsed() < Duration::from_secs(20));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("was changed by somebody else meanwhile"), "{said}");
    });
}
