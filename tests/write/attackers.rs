//! Another user owns the folder of the config, root runs the command, and that user changes the
//! folder meanwhile: nothing outside the folder may change.
//!
//! The other user is a thread with that user's rights and none of root's, for good. `FUZZ_ROUNDS`
//! sets how often the folder is changed at random.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::mem::MaybeUninit;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;
use std::time::Duration;

use rustix::fs::inotify;
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// The other user.
const USER: u32 = 1234;

const CONFIG: &str = "[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n";

/// How often each attack is tried.
const ROUNDS: usize = 20;

/// A home of the other user, and a folder of root's beside it.
struct Scene {
    root: tempfile::TempDir,
    before: BTreeMap<PathBuf, String>,
}

impl Scene {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a place to work");
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        let mut scene = Self { root, before: BTreeMap::new() };
        fs::create_dir(scene.guard()).unwrap();
        fs::set_permissions(scene.guard(), Permissions::from_mode(0o755)).unwrap();
        // What is there must not change; a config is the easiest to change by mistake.
        fs::write(scene.guard().join("config.toml"), format!("# root's\n{CONFIG}")).unwrap();
        fs::write(scene.guard().join("passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
        fs::create_dir_all(scene.folder()).unwrap();
        for folder in [scene.home(), scene.folder()] {
            chown(folder, Some(USER), Some(USER)).unwrap();
        }
        scene.before = tree(&scene.guard());
        scene
    }

    fn guard(&self) -> PathBuf {
        self.root.path().join("guard")
    }

    fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    fn folder(&self) -> PathBuf {
        self.home().join("runner")
    }

    fn config(&self) -> PathBuf {
        self.folder().join("config.toml")
    }

    /// A file of the other user's in the folder.
    fn plant(&self, name: &str, content: &str, mode: u32) {
        let path = self.folder().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        chown(&path, Some(USER), Some(USER)).unwrap();
    }

    /// The folder as a link to root's.
    fn swap(&self) -> std::io::Result<()> {
        fs::rename(self.folder(), self.home().join("away"))?;
        symlink(self.guard(), self.folder())
    }

    fn swap_back(&self) -> std::io::Result<()> {
        fs::remove_file(self.folder())?;
        fs::rename(self.home().join("away"), self.folder())
    }

    fn set(&self) -> Output {
        Command::new(env!("CARGO_BIN_EXE_runner-auth"))
            .args(["set", "--yes", "-r", "r.io", "-u", "ci", "--password-env", "PASSWORD", "-c"])
            .arg(self.config())
            .env("PASSWORD", "s3cret")
            .stdin(Stdio::null())
            .output()
            .expect("the command runs")
    }

    /// Whether root's folder is as it was.
    fn is_untouched(&self, output: &Output) -> bool {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{said}");
        assert!(output.status.code().is_some(), "{output:?}");
        let now = tree(&self.guard());
        if now != self.before {
            println!("{output:?}\n{now:#?}");
        }
        now == self.before
    }
}

/// Every file below a folder: owner, mode, what it is, and its content.
fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let metadata = fs::symlink_metadata(&folder).unwrap();
        let mut about = format!("{}:{} {:o}", metadata.uid(), metadata.gid(), metadata.mode());
        if metadata.is_dir() {
            folders.extend(fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()));
        } else if metadata.is_file() {
            about.push_str(&String::from_utf8_lossy(&fs::read(&folder).unwrap()));
        }
        found.insert(folder, about);
    }
    found
}

/// Gives this thread the rights of the other user, for good.
fn become_the_other_user() {
    let (user, group) = (Uid::from_raw(USER), Gid::from_raw(USER));
    set_thread_groups(&[]).expect("root can give up its groups");
    set_thread_res_gid(group, group, group).expect("root can become another group");
    set_thread_res_uid(user, user, user).expect("root can become another user");
    assert!(File::open("/etc/shadow").is_err() && rustix::process::geteuid().as_raw() == USER);
}

/// Calls `act` with the number of each event of a kind in a folder until the run is over.
fn watch(
    folder: &Path,
    kind: inotify::WatchFlags,
    over: &AtomicBool,
    mut act: impl FnMut(usize) -> bool,
) {
    let watched = inotify::init(inotify::CreateFlags::NONBLOCK).expect("inotify works");
    inotify::add_watch(&watched, folder, kind).expect("a folder can be watched");
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(watched, &mut buffer);
    let mut number = 0;
    while !over.load(Ordering::Relaxed) {
        match events.next() {
            Ok(_) => {
                number += 1;
                if act(number) {
                    return;
                }
            }
            Err(Errno::AGAIN) => std::hint::spin_loop(),
            Err(cause) => panic!("{cause}"),
        }
    }
}

/// One run of the command beside an attacker.
fn beside(scene: &Scene, attacker: impl FnOnce(&AtomicBool) + Send) -> Output {
    let over = AtomicBool::new(false);
    let ready = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|| {
            become_the_other_user();
            ready.store(true, Ordering::SeqCst);
            attacker(&over);
        });
        while !ready.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
        // The watch is there a moment later.
        std::thread::sleep(Duration::from_millis(5));
        let output = scene.set();
        over.store(true, Ordering::SeqCst);
        output
    })
}

fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("SKIPPED: this needs root");
        assert!(std::env::var_os("CI").is_none(), "CI runs as root");
    }
    root
}

#[test]
fn what_was_planted_for_recovery_is_written_nowhere() {
    if !is_root() {
        return;
    }
    let mut won = 0;
    for round in 0..ROUNDS {
        let scene = Scene::new();
        // Long, so that there is time between a look and what follows it.
        let filler = "# a comment\n".repeat(100_000);
        let (old, new) = (format!("{CONFIG}#{filler}"), format!("# more\n{CONFIG}{filler}"));
        let mixture = format!("{}{}", &new[..new.len() / 2], &old[new.len() / 2..]);
        scene.plant("config.toml", &mixture, 0o644);
        scene.plant(".config.toml.runner-auth.old", &old, 0o600);
        scene.plant(".config.toml.runner-auth.new", &new, 0o600);
        let output = beside(&scene, |over| {
            let read = inotify::WatchFlags::CLOSE_NOWRITE;
            watch(&scene.folder(), read, over, |number| number > round % 6 && scene.swap().is_ok());
        });
        won += usize::from(!scene.is_untouched(&output));
    }
    assert_eq!(won, 0, "of {ROUNDS} attacks");
}

#[test]
fn a_new_file_is_made_in_no_other_folder() {
    if !is_root() {
        return;
    }
    let mut won = 0;
    for round in 0..ROUNDS {
        let scene = Scene::new();
        let filler = "# a comment\n".repeat(100_000);
        scene.plant("config.toml", &format!("{filler}{CONFIG}"), 0o666);
        let output = beside(&scene, |over| {
            let read = inotify::WatchFlags::CLOSE_NOWRITE | inotify::WatchFlags::OPEN;
            watch(&scene.folder(), read, over, |number| {
                number > round % 10 && scene.swap().is_ok()
            });
            watch(&scene.guard(), inotify::WatchFlags::CREATE, over, |_| scene.swap_back().is_ok());
        });
        won += usize::from(!scene.is_untouched(&output));
    }
    assert_eq!(won, 0, "of {ROUNDS} attacks");
}
