//! Another user owns the folder of the config, root runs the command, and that user changes the
//! folder meanwhile: nothing outside the folder may change.
//!
//! The other user is a thread with that user's rights and none of root's, for good. `FUZZ_ROUNDS`
//! sets how often the folder is changed at random.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::os::unix::fs::{
    MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown, lchown, symlink,
};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::scope;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use rustix::fs::{CWD, Mode, OFlags, inotify, mkfifoat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::support::is_root;

/// The other user.
const USER: u32 = 1234;

const CONFIG: &str = "[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n";

/// One that `doctor --fix` mends.
const FIXABLE: &str = "[[runners]]\n  executor = \"docker\"\n  environment = ['DOCKER_AUTH_CONFIG ={\"auths\": {}}']\n";

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
        fs::write(scene.guard().join("secret"), format!("# root's\n{CONFIG}")).unwrap();
        let private = Permissions::from_mode(0o600);
        fs::set_permissions(scene.guard().join("secret"), private).unwrap();
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

    /// The folder as it is before a round.
    fn reset(&self) {
        drop(fs::remove_file(self.folder()));
        for folder in [self.folder(), self.home().join("away")] {
            drop(fs::remove_dir_all(folder));
        }
        fs::create_dir(self.folder()).unwrap();
        chown(self.folder(), Some(USER), Some(USER)).unwrap();
        self.plant("config.toml", CONFIG, 0o600);
    }

    /// One change of the folder, such as its owner can make.
    fn meddle(&self, what: u8, one: u8, other: u8) -> std::io::Result<()> {
        let folder =
            if self.folder().is_symlink() { self.home().join("away") } else { self.folder() };
        // What the command has made is met as often as what is planted.
        let mut names: Vec<_> =
            fs::read_dir(&folder)?.flatten().map(|entry| entry.file_name()).collect();
        names.extend(
            ["config.toml", "config.toml.bak", ".config.toml.runner-auth.tmp-0"].map(Into::into),
        );
        let pick = |number: u8| folder.join(&names[usize::from(number) % names.len()]);
        let (path, second) = (pick(one), pick(other));
        let outside = ["config.toml", "passwd", "secret", ""][usize::from(other) % 4];
        let outside = self.guard().join(outside);
        match what % 12 {
            0 => self.swap(),
            1 | 2 => self.swap_back(),
            3 => fs::remove_file(path),
            4 => fs::rename(path, second),
            5 => {
                drop(fs::remove_file(&path));
                symlink(outside, path)
            }
            6 => fs::hard_link(outside, path),
            7 => fs::hard_link(path, second),
            8 => {
                let modes = [0o600, 0o666, 0o000, 0o4755];
                fs::set_permissions(path, Permissions::from_mode(modes[usize::from(other) % 4]))
            }
            9 => {
                let modes = [0o700, 0o777, 0o1777, 0o2775];
                fs::set_permissions(folder, Permissions::from_mode(modes[usize::from(other) % 4]))
            }
            10 => {
                let texts = ["", "[[runn", CONFIG, FIXABLE];
                // It may be a pipe that nobody reads.
                let mut options = File::options();
                options.write(true).create(true).truncate(true);
                let file = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
                file?.write_all(texts[usize::from(other) % 4].as_bytes())
            }
            _ => {
                drop(fs::remove_file(&path));
                if other.is_multiple_of(2) {
                    fs::create_dir(path)
                } else {
                    Ok(mkfifoat(CWD, path, Mode::RUSR)?)
                }
            }
        }
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

/// Root runs the command.
fn set(config: &Path) -> Output {
    run(["set", "--yes", "-r", "r.io", "-u", "ci", "--password-env", "PASSWORD", "-c"], config)
}

fn run<const N: usize>(arguments: [&str; N], config: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_runner-auth"))
        .args(arguments)
        .arg(config)
        .env("PASSWORD", "s3cret")
        .stdin(Stdio::null())
        .output()
        .expect("the command runs")
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
fn beside(scene: &Scene, round: usize, attacker: impl FnOnce(&AtomicBool) + Send) -> Output {
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
        let output = match round % 4 {
            0 => set(&scene.config()),
            1 => run(
                [
                    "set",
                    "--yes",
                    "--backup",
                    "-r",
                    "r.io",
                    "-u",
                    "ci",
                    "--password-env",
                    "PASSWORD",
                    "-c",
                ],
                &scene.config(),
            ),
            2 => run(["remove", "--everything", "--yes", "-c"], &scene.config()),
            _ => run(["doctor", "--fix", "--yes", "-c"], &scene.config()),
        };
        over.store(true, Ordering::SeqCst);
        output
    })
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
        let output = beside(&scene, 0, |over| {
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
        let output = beside(&scene, 0, |over| {
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

#[test]
fn nothing_outside_a_folder_that_is_changed_at_random_changes() {
    if !is_root() {
        return;
    }
    let rounds = std::env::var("FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok());
    let rounds: usize = rounds.unwrap_or(if std::env::var_os("CI").is_some() { 500 } else { 100 });
    let steps = vec((any::<u8>(), any::<u8>(), any::<u8>(), 0..2000_u64), 1..60);
    let mut runner = TestRunner::default();
    let scene = Scene::new();
    let (mut written, done) = (0, AtomicUsize::new(0));
    for round in 0..rounds {
        let steps = steps.new_tree(&mut runner).expect("steps can be made").current();
        scene.reset();
        let output = beside(&scene, round, |over| {
            for &(what, one, other, pause) in &steps {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let changed = scene.meddle(what, one, other).is_ok();
                done.fetch_add(usize::from(changed), Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(pause));
            }
        });
        written += usize::from(output.status.success());
        assert!(scene.is_untouched(&output), "round {round}: {steps:?}");
        // Nor is what is root's alone in the other user's home now.
        let taken = tree(&scene.home()).into_iter().find(|(path, about)| {
            about.contains("# root's")
                && path.symlink_metadata().is_ok_and(|file| file.nlink() == 1)
        });
        assert_eq!(taken, None, "round {round}: {steps:?}");
        let kept = scene.config().to_str().unwrap().replace('/', "%2F");
        assert!(!Path::new("/var/lib/runner-auth").join(kept).exists(), "round {round}: {steps:?}");
    }
    let done = done.into_inner();
    println!(
        "{rounds} rounds, {done} changes of the folder, {written} times the config was written"
    );
    assert!(written > 0 && done > rounds);
}

#[test]
fn a_link_of_another_user_leads_nowhere_else() {
    if !is_root() {
        return;
    }
    let scene = Scene::new();
    scene.plant("config.toml", CONFIG, 0o640);
    // Of the file, and of a folder on the way.
    let (file, folder) = (scene.home().join("link.toml"), scene.home().join("link"));
    for (link, leads_to) in [(&file, "../guard/config.toml"), (&folder, "../guard")] {
        symlink(leads_to, link).unwrap();
        lchown(link, Some(USER), Some(USER)).unwrap();
    }
    for config in [&file, &folder.join("config.toml")] {
        let output = set(config);
        assert_eq!(output.status.code(), Some(5), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("a link on the way is another user's"), "{said}");
        assert!(scene.is_untouched(&output));
    }
    // Root may lead itself anywhere, and a user may lead root to what is that user's.
    for maker in [0, USER] {
        fs::remove_file(&file).unwrap();
        symlink("runner/config.toml", &file).unwrap();
        lchown(&file, Some(maker), Some(maker)).unwrap();
        scene.plant("config.toml", CONFIG, 0o640);
        let output = set(&file);
        assert!(output.status.success(), "{output:?}");
        assert!(fs::read_to_string(scene.config()).unwrap().contains("r.io"));
        assert!(file.is_symlink());
        let metadata = fs::metadata(scene.config()).unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (USER, 0o640));
    }
    // A name of root's file in the other user's folder: the file would be written in place.
    fs::remove_file(scene.config()).unwrap();
    fs::hard_link(scene.guard().join("config.toml"), scene.config()).unwrap();
    let output = set(&scene.config());
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("others can write its folder"));
    fs::remove_file(scene.config()).unwrap();
    assert!(scene.is_untouched(&output));
}

/// What a source holds would stand in the other user's config.
#[test]
fn no_source_behind_another_users_link_is_read() {
    if !is_root() {
        return;
    }
    let scene = Scene::new();
    let set = |options: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_runner-auth"))
            .args(["set", "--yes", "-c"])
            .arg(scene.config())
            .args(options)
            .env("HOME", scene.home())
            .stdin(Stdio::null())
            .output()
            .expect("the command runs")
    };
    let password = ["-r", "r.io", "-u", "ci", "--password-file"];
    fs::create_dir(scene.home().join(".docker")).unwrap();
    let login = r#"{"auths": {"r.io": {"auth": "cm9vdDpwdw=="}}}"#;
    fs::write(scene.guard().join("login.json"), login).unwrap();
    let before = tree(&scene.guard());
    let links = ["password", "folder", ".docker/config.json"].map(|name| scene.home().join(name));
    let targets = ["secret", "", "login.json"].map(|name| scene.guard().join(name));
    for (link, target) in links.iter().zip(&targets) {
        symlink(target, link).unwrap();
        lchown(link, Some(USER), Some(USER)).unwrap();
    }
    let hard = scene.home().join("hard");
    fs::hard_link(scene.guard().join("login.json"), &hard).unwrap();
    // Root's own folder, where a group may make names.
    let shared = scene.home().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o775)).unwrap();
    fs::hard_link(&hard, shared.join("hard")).unwrap();
    let [link, folder, login] = links.each_ref().map(|link| link.to_str().unwrap());
    let within = format!("{folder}/secret");
    for options in [
        &[&password[..], &[link]].concat()[..],
        &[&password[..], &[&within]].concat(),
        &["--auth-config", login],
        &["--auth-config", hard.to_str().unwrap()],
        &["--auth-config", shared.join("hard").to_str().unwrap()],
        &["--from-docker-config", login],
        &["--from-docker-config"],
        &["--pull-policy", "always", "--token-file", link],
    ] {
        scene.plant("config.toml", CONFIG, 0o600);
        let output = set(options);
        assert_eq!(output.status.code(), Some(3), "{options:?}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let why = ["another user's, who could lead it anywhere", "it has several names"];
        assert!(why.iter().any(|why| said.contains(why)), "{options:?}: {said}");
        assert_eq!(fs::read_to_string(scene.config()).unwrap(), CONFIG, "{options:?}");
    }
    fs::remove_file(hard).unwrap();
    fs::remove_dir_all(shared).unwrap();
    assert_eq!(tree(&scene.guard()), before);
    // Root may lead itself anywhere, and a user may lead root to what is that user's.
    scene.plant("own", "pw", 0o600);
    for (maker, target) in [(0, scene.guard().join("passwd")), (USER, scene.folder().join("own"))] {
        fs::remove_file(link).unwrap();
        symlink(target, link).unwrap();
        lchown(link, Some(maker), Some(maker)).unwrap();
        let output = set(&[&password[..], &[link]].concat());
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn a_config_of_roots_in_another_users_folder_stays_roots() {
    if !is_root() {
        return;
    }
    // As a container leaves it that runs as root on a folder of the host.
    let scene = Scene::new();
    fs::write(scene.config(), CONFIG).unwrap();
    fs::set_permissions(scene.config(), Permissions::from_mode(0o600)).unwrap();
    let output = set(&scene.config());
    assert!(output.status.success(), "{output:?}");
    let metadata = fs::metadata(scene.config()).unwrap();
    assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (0, 0o600));
    assert_eq!(fs::read_dir(scene.folder()).unwrap().count(), 1);
}
