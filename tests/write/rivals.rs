//! Many processes on one file, while another program, which knows no lock, empties and rewrites it
//! as GitLab Runner does, and others read it all the while.
//!
//! `LOAD_PROCESSES` sets how many processes there are.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
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
