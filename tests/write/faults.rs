//! The real command under `strace` fault injection: each system call of a write that has to do with
//! files fails in turn, or the process is killed there. The file is then the old one or the new
//! one, success means the new one, and nothing is left behind.
//!
//! The calls are those of a trace of the very same run, made first.

use std::collections::BTreeMap;
use std::fs::{self, FileTimes};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::support;

const OLD: &str = "# ours\n[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n";
const ERRORS: [&str; 5] = ["ENOSPC", "EIO", "EINTR", "EDQUOT", "EACCES"];

/// A folder with a config, in the way it is mounted.
struct Scene {
    folder: tempfile::TempDir,
    /// The file is mounted by itself, so that it can only be written in place.
    mounted: bool,
}

impl Scene {
    fn new(mounted: bool) -> Self {
        let scene = Self { folder: tempfile::tempdir().expect("a place to work"), mounted };
        fs::create_dir(scene.state()).unwrap();
        scene.reset();
        if mounted {
            fs::write(scene.source(), OLD).unwrap();
            let mut mount = Command::new("mount");
            let status = mount.arg("--bind").args([scene.source(), scene.config()]).status();
            assert!(status.is_ok_and(|status| status.success()), "a file can be mounted");
        }
        scene
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    /// Beside the folder that is looked at for what is left behind.
    fn source(&self) -> PathBuf {
        self.state().join("source.toml")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn reset(&self) {
        fs::write(self.config(), OLD).unwrap();
        // Of yesterday: nobody is about to write it.
        let time = SystemTime::now() - Duration::from_secs(86_400);
        let file = fs::File::options().write(true).open(self.config()).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
        fs::set_permissions(self.config(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn left(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names = names.filter(|name| name != "config.toml" && name != "state");
        names.chain(self.kept().exists().then(|| "the old content".to_owned())).collect()
    }

    /// What root keeps of a config while it is written in place.
    fn kept(&self) -> PathBuf {
        let name = self.config().to_str().unwrap().replace('%', "%25").replace('/', "%2F");
        PathBuf::from("/var/lib/runner-auth").join(name)
    }

    fn run(&self, strace: &[&str]) -> Output {
        Command::new("strace")
            .args(["-f", "-qq", "-o"])
            .arg(self.state().join("trace"))
            .args(strace)
            .arg(env!("CARGO_BIN_EXE_runner-auth"))
            .args(["set", "--yes", "-r", "r.io", "-u", "ci", "--password-env", "PASSWORD", "-c"])
            .arg(self.config())
            .env_clear()
            .env("PASSWORD", "s3cret")
            .env("HOME", self.state())
            .stdin(Stdio::null())
            .output()
            .expect("strace runs")
    }

    /// These system calls of a run that succeeds.
    fn traced(&self, calls: &str) -> String {
        let output = self.run(&["-e", &format!("trace={calls}")]);
        assert!(output.status.success(), "{output:?}");
        self.trace()
    }

    fn trace(&self) -> String {
        fs::read_to_string(self.state().join("trace")).expect("a trace")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if self.mounted {
            drop(Command::new("umount").arg(self.config()).status());
        }
    }
}

/// The calls of a run that have to do with files, with the first and the last number of each: those
/// before the config is first touched start the process and write nothing.
fn calls(scene: &Scene) -> BTreeMap<String, (usize, usize)> {
    let trace = scene.traced("%file,%desc");
    let begin = trace
        .lines()
        .position(|line| line.contains("config.toml") && !line.contains("execve"))
        .expect("the config is touched");
    let mut calls = BTreeMap::new();
    for (number, line) in trace.lines().enumerate() {
        let call = line.split_whitespace().nth(1).and_then(|call| call.split('(').next());
        let name = call.expect("a call").to_owned();
        // Lines about the end of the process are no calls.
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let (first, last) = calls.entry(name).or_insert((1, 0));
        *last += 1;
        if number < begin {
            *first = *last + 1;
        }
    }
    calls
}

/// Injects every fault; gives how many were injected.
fn inject_everything(mounted: bool) -> usize {
    let calls = calls(&Scene::new(mounted));
    let mut faults = Vec::new();
    let mut total = 0;
    for (call, (first, last)) in &calls {
        for occurrence in *first..=*last {
            total += 1;
            for error in ERRORS {
                faults.push(format!("inject={call}:error={error}:when={occurrence}"));
            }
            faults.push(format!("inject={call}:signal=SIGKILL:when={occurrence}"));
        }
    }
    println!("{total} calls");
    let failures = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let scene = Scene::new(mounted);
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(problem) = survive(&scene, fault) {
                        failures.lock().unwrap().push(format!("{fault}: {problem}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} faults:\n{}", failures.len(), failures.join("\n"));
    faults.len()
}

fn survive(scene: &Scene, fault: &str) -> Result<(), String> {
    scene.reset();
    let output = scene.run(&["-e", fault]);
    let killed = output.status.signal() == Some(9);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let now = fs::read_to_string(scene.config()).map_err(|error| error.to_string())?;
    let is_new = is_new(&now);
    if now != OLD && !is_new {
        return Err(format!("torn: {now:?}"));
    }
    if output.status.success() && !is_new {
        return Err("success with the old file".into());
    }
    if said.contains("panicked") {
        return Err(said);
    }
    match output.status.code() {
        Some(0..=6) => {}
        None if killed => {}
        _ => return Err(format!("{:?}: {said}", output.status)),
    }
    if !killed && !scene.left().is_empty() {
        return Err(format!("left behind: {:?}, {said}", scene.left()));
    }
    if killed {
        // The next run removes what a killed one left, and does the work.
        let output = scene.run(&["-e", "trace=none"]);
        let now = fs::read_to_string(scene.config()).map_err(|error| error.to_string())?;
        if !output.status.success() || !self::is_new(&now) || !scene.left().is_empty() {
            return Err(format!("the next run: {output:?}, {:?}, {now:?}", scene.left()));
        }
    }
    Ok(())
}

/// The old text with the one new line; after a write in place that was killed, with line ends that
/// are still to be cut.
fn is_new(text: &str) -> bool {
    text.starts_with(OLD)
        && text[OLD.len()..].trim_end()
            == "  environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \"Y2k6czNjcmV0\"}}}']"
}

#[test]
fn every_call_may_fail() {
    if support::sees_into_processes() {
        println!("{} faults injected, all survived", inject_everything(false));
    }
}

#[test]
fn every_call_of_a_write_in_place_may_fail() {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("SKIPPED: mounting a file needs root");
        assert!(std::env::var_os("CI").is_none(), "CI runs as root");
    }
    if root && support::sees_into_processes() {
        println!("{} faults injected, all survived", inject_everything(true));
    }
}

/// Where the first line stands that holds all of these words.
fn line_with(trace: &[&str], words: &[&str]) -> usize {
    let found = trace.iter().position(|line| words.iter().all(|word| line.contains(word)));
    found.unwrap_or_else(|| panic!("{words:?} is not in\n{}", trace.join("\n")))
}

#[test]
fn a_power_loss_finds_one_of_the_two() {
    if !support::sees_into_processes() {
        return;
    }
    let scene = Scene::new(false);
    assert!(scene.run(&["-y", "-e", "trace=%file,%desc"]).status.success());
    let trace = scene.trace();
    let lines: Vec<&str> = trace.lines().collect();
    let temporary = ".config.toml.runner-auth.tmp-";
    let create = line_with(&lines, &["openat", temporary, "O_EXCL", "0600"]);
    let write = line_with(&lines, &["write(", temporary]);
    let sync = line_with(&lines, &["fsync(", temporary]);
    let swap = line_with(&lines, &["renameat2(", "RENAME_EXCHANGE"]);
    let folder = scene.folder.path().display().to_string();
    let sync_folder = line_with(&lines, &["fsync(", &format!("<{folder}>")]);
    let remove = line_with(&lines, &["unlink", temporary]);
    let order = [create, write, sync, swap, sync_folder, remove];
    assert!(order.is_sorted(), "{order:?}\n{trace}");
    // What is looked at last before the swap is the file that is replaced, under the lease.
    let lease = line_with(&lines, &["F_SETLEASE, F_RDLCK", "/config.toml>"]);
    let config = |line: &&str| line.contains("statx(") && line.contains("/config.toml>");
    assert!(sync < lease && lines[lease..swap].iter().any(config), "{trace}");
}

/// How often a run reads the old content and the new one, when the old one is said to be so old, and has
/// been left alone for so long.
fn reads(scene: &Scene, age: Duration, alone: Duration) -> usize {
    let old = OLD.to_owned() + &"# as long as a config is\n".repeat(10_000);
    fs::write(scene.config(), &old).unwrap();
    let file = fs::File::options().write(true).open(scene.config()).unwrap();
    file.set_times(FileTimes::new().set_modified(SystemTime::now() - age)).unwrap();
    drop(file);
    sleep(alone);
    let output = scene.run(&["-y", "-e", "trace=read,pread64,readv,preadv,preadv2"]);
    assert!(output.status.success(), "{output:?}");
    let (trace, folder) = (scene.trace(), format!("<{}/", scene.folder.path().display()));
    let lines = trace.lines().filter(|line| line.contains(&folder));
    let bytes: usize =
        lines.filter_map(|line| line.rsplit(" = ").next()?.parse::<usize>().ok()).sum();
    // The new content is read once, since it is there in the end only.
    let bytes = bytes.checked_sub(fs::read(scene.config()).unwrap().len()).expect("it is read");
    assert_eq!(bytes % old.len(), 0, "{trace}");
    1 + bytes / old.len()
}

#[test]
fn a_write_reads_the_content_three_times() {
    if !support::sees_into_processes() {
        return;
    }
    let root = rustix::process::geteuid().is_root();
    let (day, while_ago) = (Duration::from_secs(86_400), Duration::from_millis(2_100));
    for mounted in [false, true].into_iter().filter(|mounted| root || !mounted) {
        assert_eq!(reads(&Scene::new(mounted), day, while_ago), 3, "{mounted}");
    }
    // The times of a file that was written a moment ago don't tell whether it was written again, even
    // when one of them has been set back.
    assert_eq!(reads(&Scene::new(false), Duration::ZERO, Duration::ZERO), 5);
    assert_eq!(reads(&Scene::new(false), day, Duration::ZERO), 5);
}

#[test]
fn a_watch_looks_soon_and_then_seldom() {
    if !support::sees_into_processes() {
        return;
    }
    let scene = Scene::new(false);
    let trace = scene.traced("clock_nanosleep");
    // On a busy machine the sync of the folder can take as long as the watch.
    let pauses = trace.lines().filter(|line| line.contains("clock_nanosleep(")).count();
    assert!(pauses <= 2, "{trace}");
}

#[test]
fn handlers_of_signals_are_set_with_one_call_each() {
    if !support::sees_into_processes() {
        return;
    }
    let scene = Scene::new(false);
    let trace = scene.traced("rt_sigaction");
    let calls = |signal: &str| {
        trace.lines().filter(|line| line.contains(&format!("rt_sigaction({signal},"))).count()
    };
    for signal in ["SIGINT", "SIGTERM", "SIGHUP", "SIGIO", "SIGXFSZ"] {
        assert_eq!(calls(signal), 1, "{signal}\n{trace}");
    }
}

#[test]
fn a_rewrite_that_keeps_length_and_time_is_noticed() {
    if !support::sees_into_processes() {
        return;
    }
    let scene = Scene::new(false);
    let time = fs::metadata(scene.config()).unwrap().modified().unwrap();
    std::thread::scope(|scope| {
        // The sync of the new file, before the old one is looked at again.
        let process = scope.spawn(|| scene.run(&["-e", "inject=fsync:delay_enter=1500000:when=1"]));
        let start = Instant::now();
        while scene.left().is_empty() {
            assert!(start.elapsed() < Duration::from_secs(10), "it never makes a new file");
            sleep(Duration::from_millis(5));
        }
        let file = fs::File::options().write(true).open(scene.config()).unwrap();
        file.write_all_at(b"# hers", 0).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
        drop(file);
        assert!(process.join().expect("it ends").status.success());
    });
    let text = fs::read_to_string(scene.config()).unwrap();
    assert!(text.starts_with("# hers\n") && is_new(&text.replace("# hers", "# ours")), "{text}");
    assert!(scene.left().is_empty());
}

#[test]
fn the_new_file_is_locked_until_the_write_is_done() {
    if !support::sees_into_processes() {
        return;
    }
    let scene = Scene::new(false);
    std::thread::scope(|scope| {
        // The folder's sync, after the swap.
        let process = scope.spawn(|| scene.run(&["-e", "inject=fsync:delay_enter=1500000:when=2"]));
        let start = Instant::now();
        while fs::read_to_string(scene.config()).unwrap() == OLD {
            assert!(start.elapsed() < Duration::from_secs(10), "it never writes");
            sleep(Duration::from_millis(5));
        }
        let lock = Command::new("flock").arg("-n").arg(scene.config()).arg("true").status();
        assert_eq!(lock.expect("flock runs").code(), Some(1), "nobody holds the lock");
        assert!(process.join().expect("it ends").status.success());
    });
    assert!(scene.left().is_empty());
}

#[test]
fn a_lock_that_takes_the_right_to_write_is_taken() {
    if !support::sees_into_processes() {
        return;
    }
    // As NFS answers who has opened a file for reading only.
    let scene = Scene::new(false);
    let stale = scene.folder.path().join(".config.toml.runner-auth.tmp-abc123");
    fs::write(&stale, "half a config").unwrap();
    let output = scene.run(&["-y", "-e", "trace=flock", "-e", "inject=flock:error=EBADF:when=2"]);
    assert!(output.status.success(), "{output:?}");
    let trace = scene.trace();
    let lines: Vec<&str> = trace.lines().collect();
    let folder = format!("<{}>", scene.folder.path().display());
    assert_eq!(line_with(&lines, &[&folder, "= 0"]), 0, "{trace}");
    assert_eq!(line_with(&lines, &["EBADF", "/config.toml>"]), 1, "{trace}");
    assert_eq!(line_with(&lines, &["/config.toml>", "= 0"]), 2, "{trace}");
    assert!(!stale.exists(), "who holds the lock removes what is left");
}

#[test]
fn a_write_in_place_keeps_a_copy_first() {
    if !rustix::process::geteuid().is_root() || !support::sees_into_processes() {
        println!("SKIPPED: mounting a file needs root");
        assert!(std::env::var_os("CI").is_none(), "CI runs as root");
        return;
    }
    let scene = Scene::new(true);
    assert!(scene.run(&["-y", "-e", "trace=%file,%desc"]).status.success());
    let trace = scene.trace();
    let lines: Vec<&str> = trace.lines().collect();
    let order = [
        line_with(&lines, &["fsync(", &format!("<{}>", scene.kept().display())]),
        line_with(&lines, &["fsync(", "</var/lib/runner-auth>"]),
        line_with(&lines, &["pwrite64(", "/config.toml>"]),
        line_with(&lines, &["fsync(", "/config.toml>"]),
        line_with(&lines, &["unlinkat(", "</var/lib/runner-auth>", "%2Fconfig.toml"]),
    ];
    assert!(order.is_sorted(), "{order:?}\n{trace}");
}

#[test]
fn no_path_is_used_once_the_folder_is_open() {
    if !support::sees_into_processes() {
        return;
    }
    for mounted in [false, true] {
        let scene = Scene::new(mounted);
        assert!(scene.run(&["-y", "-e", "trace=%file"]).status.success());
        let trace = scene.trace();
        let lines: Vec<&str> = trace.lines().collect();
        let folder = format!("<{}>, \".\", O_RDONLY", scene.folder.path().display());
        let open = line_with(&lines, &["openat(", &folder, "O_DIRECTORY"]);
        let after = &lines[open + 1..];
        assert!(after.len() > 5, "{trace}");
        for line in after {
            // An open folder first, then a name in it, or none where it is the descriptor that counts.
            assert!(!line.contains("AT_FDCWD"), "{line}\n{trace}");
            let names: Vec<_> = line.split('"').skip(1).step_by(2).collect();
            assert!(!names.is_empty() && names.iter().all(|name| !name.contains('/')), "{line}");
            let follows = line.contains("openat(") && !line.contains("O_NOFOLLOW");
            assert!(!follows || line.contains("\".\", O_RDONLY"), "{line}");
        }
    }
}

#[test]
fn a_file_system_without_swaps_of_names_works() {
    if !support::sees_into_processes() {
        return;
    }
    let scene = Scene::new(false);
    let output = scene.run(&["-e", "inject=renameat2:error=EINVAL"]);
    assert!(output.status.success(), "{output:?}");
    assert!(is_new(&fs::read_to_string(scene.config()).unwrap()));
    assert_eq!(scene.left(), Vec::<String>::new());
}
