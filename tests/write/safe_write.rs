//! What a write keeps, where it refuses, and what it leaves behind: on real file systems, with real
//! mounts, links, attributes and signals.

use std::fs::{self, File, FileTimes, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::is_root;

const CONFIG: &str = "[[runners]]\n  name = \"one\"\n  executor = \"docker\"\n";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a place to work") };
        fs::write(place.config(), CONFIG).expect("a config");
        fs::set_permissions(place.config(), Permissions::from_mode(0o600)).expect("a mode");
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn config(&self) -> PathBuf {
        self.path().join("config.toml")
    }

    fn names(&self) -> Vec<String> {
        names(self.path())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn set(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
    command
        .args(["set", "--yes", "-r", "r.io", "-u", "ci", "--password-env", "PASSWORD", "-c"])
        .arg(config)
        .env("PASSWORD", "s3cret")
        .stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the command runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn is_new(config: &Path) -> bool {
    fs::read_to_string(config).expect("a config").contains("Y2k6czNjcmV0")
}

fn written(command: &mut Command, config: &Path) -> String {
    let output = run(command);
    assert!(output.status.success(), "{}", text(&output));
    assert!(is_new(config), "{}", text(&output));
    text(&output)
}

/// The command ends with 5, says why, and the file is as it was.
fn refused(command: &mut Command, config: &Path, why: &str) {
    let before = fs::read(config).expect("a config");
    let output = run(command);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    assert!(text(&output).contains(why), "{why:?} is not in {}", text(&output));
    assert_eq!(fs::read(config).expect("a config"), before);
}

/// Runs a tool; where it is missing the test says so, and fails in CI.
fn tool(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    let works = output.as_ref().is_ok_and(|output| output.status.success());
    if !works {
        println!("SKIPPED: {program} {arguments:?} does not work here: {output:?}");
        assert!(std::env::var_os("CI").is_none(), "CI has {program}: {output:?}");
    }
    works
}

/// A mounted folder, until it is dropped.
struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

/// Where the command keeps the old content of a config while it writes in place.
fn kept(config: &Path) -> PathBuf {
    let state = if rustix::process::geteuid().is_root() {
        PathBuf::from("/var/lib")
    } else {
        std::env::var_os("XDG_STATE_HOME").map_or_else(
            || Path::new(&std::env::var_os("HOME").expect("a home")).join(".local/state"),
            PathBuf::from,
        )
    };
    let path = config.canonicalize().expect("the config is there");
    state.join("runner-auth").join(path.to_str().unwrap().replace('%', "%25").replace('/', "%2F"))
}

#[test]
fn mode_and_links_stay() {
    for mode in [0o600, 0o640, 0o644, 0o400, 0o4755] {
        let place = Place::new();
        fs::set_permissions(place.config(), Permissions::from_mode(mode)).unwrap();
        let link = place.path().join("link.toml");
        symlink("config.toml", &link).unwrap();
        // A umask that hides everything, and one that hides nothing.
        for umask in ["0777", "0000"] {
            fs::set_permissions(place.config(), Permissions::from_mode(0o600)).unwrap();
            fs::write(place.config(), CONFIG).unwrap();
            fs::set_permissions(place.config(), Permissions::from_mode(mode)).unwrap();
            let script = format!("umask {umask}; exec \"$@\"");
            let mut command = Command::new("sh");
            command.args(["-c", &script, "sh"]).arg(env!("CARGO_BIN_EXE_runner-auth"));
            command.args(["set", "--yes", "-r", "r.io", "-u", "ci", "--password-env", "PASSWORD"]);
            command.arg("-c").arg(&link).env("PASSWORD", "s3cret");
            written(&mut command, &place.config());
            let found = fs::metadata(place.config()).unwrap().mode() & 0o7777;
            assert_eq!(found, mode, "umask {umask}");
        }
        assert!(link.is_symlink());
        assert_eq!(place.names(), ["config.toml", "link.toml"]);
    }
}

#[test]
fn owner_and_attributes_stay() {
    let place = Place::new();
    let config = place.config();
    let path = config.to_str().unwrap();
    let long = "long".repeat(300);
    if !is_root()
        || !tool("chown", &["1234:4321", path])
        || !tool("setfattr", &["-n", "user.long", "-v", &long, path])
        || !tool("setfattr", &["-n", "user.note", "-v", "ours", path])
        || !tool("setfattr", &["-n", "trusted.note", "-v", "root's", path])
        || !tool("setfattr", &["-n", "security.selinux", "-v", "u:object_r:etc_t:s0", path])
        || !tool("setfacl", &["-m", "u:1235:r,g:77:rw", path])
    {
        return;
    }
    let acl = || run(Command::new("getfacl").args(["-cpn", path])).stdout;
    let attributes = || run(Command::new("getfattr").args(["-dm", "-", path])).stdout;
    let before = (acl(), attributes());
    assert!(String::from_utf8_lossy(&before.0).contains("user:1235:r--"));
    let shown = String::from_utf8_lossy(&before.1);
    assert!(shown.contains("etc_t") && shown.contains(&long));
    written(&mut set(&config), &config);
    assert_eq!((acl(), attributes()), before);
    let metadata = fs::metadata(&config).unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (1234, 4321));
    // A list that the folder gives to new files is not one that the old file had.
    let place = Place::new();
    let folder = place.path().to_str().unwrap();
    if tool("setfacl", &["-d", "-m", "u:1235:rw", folder]) {
        written(&mut set(&place.config()), &place.config());
        let listed = run(Command::new("getfacl").args(["-cpn"]).arg(place.config())).stdout;
        assert!(!String::from_utf8_lossy(&listed).contains("1235"));
    }
}

#[test]
fn what_cannot_be_kept_stops_the_write() {
    if !is_root() {
        return;
    }
    // A member of the folder's group can make files in it, but not give them away.
    let place = Place::new();
    let config = place.config();
    let (path, folder) = (config.to_str().unwrap(), place.path().to_str().unwrap());
    tool("chmod", &["0777", folder]);
    tool("chmod", &["0666", path]);
    let user = |command: Command| {
        let mut inner = Command::new("setpriv");
        inner.args(["--reuid=1234", "--regid=1234", "--clear-groups"]);
        inner.arg(command.get_program()).args(command.get_args()).env("PASSWORD", "s3cret");
        inner
    };
    if !tool("setpriv", &["--version"]) {
        return;
    }
    let copy = place.path().join("runner-auth");
    // By another process: a file that this one has open for writing while a thread starts a command
    // can't be run for a moment.
    assert!(tool("cp", &[env!("CARGO_BIN_EXE_runner-auth"), copy.to_str().unwrap()]));
    let command = |extra: &[&str]| {
        let mut command = Command::new(&copy);
        command.args([
            "set",
            "--yes",
            "-r",
            "r.io",
            "-u",
            "ci",
            "--password-env",
            "PASSWORD",
            "-c",
        ]);
        command.arg(&config).args(extra);
        user(command)
    };
    refused(&mut command(&[]), &config, "could not keep the owner");
    // The rest is kept. The new group gets what everybody had.
    let noted = tool("setfattr", &["-n", "user.note", "-v", "ours", path]);
    for (mode, kept, what) in [
        ("0664", 0o644, "the owner and the group, the mode"),
        ("0644", 0o644, "the owner and the group"),
    ] {
        fs::write(&config, CONFIG).unwrap();
        assert!(tool("chown", &["0:0", path]) && tool("chmod", &[mode, path]));
        let told = written(&mut command(&["--force-attributes"]), &config);
        assert!(told.contains(&format!("does not keep {what} of the old one")), "{told}");
        let metadata = fs::metadata(&config).unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (1234, kept));
        if noted {
            let attributes = run(Command::new("getfattr").args(["-dm", "-", path])).stdout;
            assert!(String::from_utf8_lossy(&attributes).contains("user.note=\"ours\""));
        }
    }
    // A group that the user belongs to is kept, with its rights.
    fs::write(&config, CONFIG).unwrap();
    assert!(tool("chown", &["0:1234", path]) && tool("chmod", &["0660", path]));
    let told = written(&mut command(&["--force-attributes"]), &config);
    assert!(told.contains("does not keep the owner of the old one"), "{told}");
    let metadata = fs::metadata(&config).unwrap();
    assert_eq!((metadata.gid(), metadata.mode() & 0o7777), (1234, 0o660));
    // An owner who is not root keeps every bit of the mode, though a write takes some away.
    fs::write(&config, CONFIG).unwrap();
    assert!(tool("chown", &["1234:1234", path]) && tool("chmod", &["4755", path]));
    written(&mut command(&[]), &config);
    assert_eq!(fs::metadata(&config).unwrap().mode() & 0o7777, 0o4755);
    // A folder that can't be written: in place, with the copy in the state directory.
    fs::write(&config, CONFIG).unwrap();
    tool("chown", &["1234:1234", path]);
    tool("chmod", &["0755", folder]);
    let state = place.path().join("state");
    fs::create_dir(&state).unwrap();
    tool("chown", &["1234", state.to_str().unwrap()]);
    let told = written(command(&[]).env("XDG_STATE_HOME", &state), &config);
    assert!(told.contains("in place, because its folder can't be written"), "{told}");
    assert_eq!(names(&state.join("runner-auth")), Vec::<String>::new());
    // No folder for the copy.
    fs::write(&config, CONFIG).unwrap();
    refused(
        command(&[]).env("XDG_STATE_HOME", "/"),
        &config,
        "the copy needs a folder that this user can write",
    );
    // Neither the folder nor the file.
    fs::write(&config, CONFIG).unwrap();
    tool("chown", &["0:0", path]);
    tool("chmod", &["0644", path]);
    refused(&mut command(&[]), &config, "run the command as its owner or as root");
}

#[test]
fn the_time_moves_on() {
    let place = Place::new();
    let config = place.config();
    // Also from a time that is still to come.
    for ahead in [0, 3600] {
        fs::write(&config, CONFIG).unwrap();
        let time = SystemTime::now() + Duration::from_secs(ahead);
        let file = File::options().write(true).open(&config).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
        written(&mut set(&config), &config);
        assert!(fs::metadata(&config).unwrap().modified().unwrap() > time);
    }
}

#[test]
fn a_backup_is_the_old_file() {
    let place = Place::new();
    fs::set_permissions(place.config(), Permissions::from_mode(0o640)).unwrap();
    let inode = fs::metadata(place.config()).unwrap().ino();
    written(set(&place.config()).arg("--backup=.old"), &place.config());
    let backup = place.path().join("config.toml.old");
    assert_eq!(fs::read_to_string(&backup).unwrap(), CONFIG);
    let metadata = fs::metadata(&backup).unwrap();
    assert_eq!((metadata.ino(), metadata.mode() & 0o7777), (inode, 0o640));
    assert_eq!(place.names(), ["config.toml", "config.toml.old"]);
}

#[test]
fn a_backup_overwrites_nothing() {
    let place = Place::new();
    let (config, beside) =
        (place.config(), |end: &str| place.path().join(format!("config.toml{end}")));
    fs::create_dir(beside(".bak")).unwrap();
    fs::write(beside(".bak.1"), "of yesterday").unwrap();
    symlink("nowhere", beside(".bak.2")).unwrap();
    let told = written(set(&config).arg("--backup"), &config);
    let third = beside(".bak.3");
    assert!(told.contains(&format!("the old file is kept as {}", third.display())), "{told}");
    assert_eq!(fs::read_to_string(&third).unwrap(), CONFIG);
    assert_eq!(fs::read(beside(".bak.1")).unwrap(), b"of yesterday");
    assert!(beside(".bak").is_dir() && beside(".bak.2").is_symlink());
    // In place, where the old file can't be the backup itself.
    let before = fs::read(&config).unwrap();
    fs::hard_link(&config, beside(".link")).unwrap();
    let mut remove = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
    remove.args(["remove", "--everything", "--yes", "--backup", "-c"]).arg(&config);
    assert!(run(&mut remove).status.success());
    assert_eq!(fs::read(beside(".bak.4")).unwrap(), before);
    assert_eq!(place.names().len(), 7);
    // Nothing to do, no backup; and a filter keeps none.
    assert!(run(&mut remove).status.success());
    assert_eq!(place.names().len(), 7);
    let mut filter = set(Path::new("-"));
    let output = run(filter.arg("--backup"));
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("--backup"), "{}", text(&output));
}

#[test]
fn hard_links_stay_one_file() {
    let place = Place::new();
    let other = place.path().join("other.toml");
    fs::hard_link(place.config(), &other).unwrap();
    let told = written(&mut set(&place.config()), &place.config());
    assert!(told.contains("in place, because it has several names"), "{told}");
    assert!(is_new(&other));
    assert_eq!(place.names(), ["config.toml", "other.toml"]);
    // Shorter content, and a backup, work in place as well.
    let mut remove = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
    remove.args(["remove", "--everything", "--yes", "--backup", "-c"]).arg(place.config());
    assert!(run(&mut remove).status.success());
    let left = fs::read_to_string(&other).unwrap();
    assert_eq!(left, CONFIG);
    assert!(is_new(&place.path().join("config.toml.bak")));
}

#[test]
fn a_mounted_file_is_written_in_place() {
    let place = Place::new();
    let (config, source) = (place.config(), place.path().join("source.toml"));
    fs::write(&source, CONFIG).unwrap();
    let (path, from) = (config.to_str().unwrap(), source.to_str().unwrap());
    if !is_root() || !tool("mount", &["--bind", from, path]) {
        return;
    }
    let told = written(&mut set(&config), &source);
    let names = place.names();
    // Read-only, it stays as it is.
    fs::write(&source, CONFIG).unwrap();
    tool("mount", &["-o", "remount,bind,ro", path]);
    refused(&mut set(&config), &config, "mounted read-only");
    assert!(run(set(&config).arg("--dry-run")).status.success());
    assert!(tool("umount", &[path]));
    assert!(told.contains("in place, because it is mounted by itself"), "{told}");
    assert_eq!(names, ["config.toml", "source.toml"]);
    assert_eq!(place.names(), ["config.toml", "source.toml"]);
}

#[test]
fn a_file_of_a_layer_below_is_replaced() {
    // As a config in the image of a container, whose device is not that of its folder.
    let place = Place::new();
    let names = ["lower", "upper", "merged"].map(|name| place.path().join(name));
    for folder in &names {
        fs::create_dir(folder).unwrap();
    }
    let [lower, upper, merged] = names.map(|folder| folder.to_str().unwrap().to_owned());
    if !is_root()
        || !tool("mount", &["-t", "tmpfs", "tmpfs", &lower])
        || !tool("mount", &["-t", "tmpfs", "tmpfs", &upper])
    {
        return;
    }
    for folder in ["data", "work"] {
        fs::create_dir(Path::new(&upper).join(folder)).unwrap();
    }
    fs::write(Path::new(&lower).join("config.toml"), CONFIG).unwrap();
    let layers = format!("lowerdir={lower},upperdir={upper}/data,workdir={upper}/work");
    let config = Path::new(&merged).join("config.toml");
    let told = tool("mount", &["-t", "overlay", "-o", &layers, "overlay", &merged])
        .then(|| written(&mut set(&config), &config));
    for mount in [&merged, &upper, &lower] {
        drop(run(Command::new("umount").arg(mount)));
    }
    assert!(told.is_none_or(|told| !told.contains("in place")));
}

#[test]
fn a_full_file_system_leaves_the_old_file() {
    let place = Place::new();
    let mount = place.path().join("full");
    fs::create_dir(&mount).unwrap();
    let path = mount.to_str().unwrap();
    let options = "size=64k,mode=0755";
    if !is_root() || !tool("mount", &["-t", "tmpfs", "-o", options, "tmpfs", path]) {
        return;
    }
    let mount = Mount(mount);
    let config = mount.0.join("config.toml");
    // Up to the end of a page, so that the new line needs another one.
    let length = 5 * 4096 - CONFIG.len() - 3;
    fs::write(&config, format!("# {}\n{CONFIG}", "x".repeat(length))).unwrap();
    let mut filler = File::create(mount.0.join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    drop(filler);
    refused(&mut set(&config), &config, "it is as it was: writing the new file failed: no space");
    assert_eq!(names(&mount.0), ["config.toml", "filler"]);
    // The same where the file can only be written in place.
    fs::hard_link(&config, mount.0.join("other.toml")).unwrap();
    refused(&mut set(&config), &config, "it is as it was: making room in it failed: no space");
    assert_eq!(names(&mount.0), ["config.toml", "filler", "other.toml"]);
    assert!(!kept(&config).exists());
    // With room again it works, and says nothing of the past.
    fs::remove_file(mount.0.join("filler")).unwrap();
    let told = written(&mut set(&config), &config);
    assert!(!told.contains("cut off"), "{told}");
    assert!(!kept(&config).exists());
}

#[test]
fn what_cannot_be_written_says_why() {
    let place = Place::new();
    let config = place.config();
    let path = config.to_str().unwrap();
    if is_root() && tool("chattr", &["+i", path]) {
        let before = fs::read(&config).unwrap();
        let output = run(&mut set(&config));
        assert!(tool("chattr", &["-i", path]));
        assert_eq!(output.status.code(), Some(5), "{}", text(&output));
        assert!(text(&output).contains("chattr -i"), "{}", text(&output));
        assert_eq!(fs::read(&config).unwrap(), before);
        assert_eq!(place.names(), ["config.toml"]);
    }
    if is_root() && tool("chattr", &["+a", path]) {
        let output = run(&mut set(&config));
        assert!(tool("chattr", &["-a", path]));
        assert_eq!(output.status.code(), Some(5), "{}", text(&output));
        assert!(text(&output).contains("it has the append-only flag: take it off with chattr -a"));
        assert!(!is_new(&config));
        assert_eq!(place.names(), ["config.toml"]);
    }
    // A folder that takes new names and gives none up: no new file is left there.
    let folder = place.path().to_str().unwrap();
    if is_root() && tool("chattr", &["+a", folder]) {
        let output = run(&mut set(&config));
        let names = place.names();
        assert!(tool("chattr", &["-a", folder]));
        assert!(output.status.success() && is_new(&config), "{}", text(&output));
        assert!(text(&output).contains("in place, because its folder is append-only"));
        assert_eq!(names, ["config.toml"]);
    }
    // As Kubernetes mounts a Secret.
    let volume = place.path().join("volume");
    let generation = volume.join("..2026_11_24_10_00_00.123456");
    fs::create_dir_all(&generation).unwrap();
    fs::write(generation.join("config.toml"), CONFIG).unwrap();
    symlink("..2026_11_24_10_00_00.123456", volume.join("..data")).unwrap();
    symlink("..data/config.toml", volume.join("config.toml")).unwrap();
    refused(
        &mut set(&volume.join("config.toml")),
        &volume.join("config.toml"),
        "Kubernetes volume",
    );
}

#[test]
fn a_name_that_leaves_no_room_for_others_is_refused_with_what_to_do() {
    let place = Place::new();
    let named = |length: usize| {
        let config = place.path().join("x".repeat(length));
        fs::copy(place.config(), &config).unwrap();
        config
    };
    let (long, shorter) = (named(240), named(180));
    refused(&mut set(&long), &long, "shorten the config's name");
    let suffix = format!("--backup=.{}", "b".repeat(80));
    refused(set(&shorter).arg(suffix), &shorter, "or the suffix of --backup");
    written(set(&shorter).arg("--backup"), &shorter);
    assert_eq!(place.names().len(), 4);
    // A copy for the time of a write in place has the whole path for its name.
    let folder = place.path().join("d".repeat(120)).join("d".repeat(120));
    fs::create_dir_all(&folder).unwrap();
    let config = folder.join("config.toml");
    fs::copy(place.config(), &config).unwrap();
    fs::hard_link(&config, folder.join("other.toml")).unwrap();
    refused(&mut set(&config), &config, "give the config a shorter path");
}

#[test]
fn a_file_called_dash_is_a_file_to_config_file() {
    let place = Place::new();
    let config = place.path().join("-");
    fs::write(&config, CONFIG).unwrap();
    let run_there = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
        command.args(arguments).current_dir(place.path()).env("CONFIG_FILE", "-");
        run(command.env("PASSWORD", "s3cret").stdin(Stdio::null()))
    };
    let set = ["set", "--yes", "-r", "r.io", "-u", "ci", "--password-env", "PASSWORD"];
    assert!(run_there(&set).status.success());
    assert!(is_new(&config));
    let listed = run_there(&["list"]);
    assert!(text(&listed).contains("r.io (ci)"), "{}", text(&listed));
}

#[test]
fn what_is_no_file_is_no_config() {
    let place = Place::new();
    let fifo = place.path().join("fifo");
    assert!(tool("mkfifo", &[fifo.to_str().unwrap()]));
    for path in [fifo.as_path(), place.path(), Path::new("/dev/zero"), Path::new("/dev/null")] {
        for command in [&mut set(path), set(path).arg("--dry-run")] {
            let start = Instant::now();
            let output = run(command);
            assert_eq!(output.status.code(), Some(3), "{}", text(&output));
            assert!(text(&output).contains("not a regular file"), "{}", text(&output));
            assert!(start.elapsed() < Duration::from_secs(5));
        }
    }
}

#[test]
fn what_a_killed_process_left_is_removed() {
    let place = Place::new();
    let stale = place.path().join(".config.toml.runner-auth.tmp-abc123");
    fs::write(&stale, "half a config").unwrap();
    // Others' files and a folder of that name are not.
    fs::write(place.path().join(".config.toml.swp"), "").unwrap();
    fs::create_dir(place.path().join(".config.toml.runner-auth.tmp-folder")).unwrap();
    assert!(run(set(&place.config()).arg("--dry-run")).status.success());
    assert!(stale.exists());
    written(&mut set(&place.config()), &place.config());
    let expected = [".config.toml.runner-auth.tmp-folder", ".config.toml.swp", "config.toml"];
    assert_eq!(place.names(), expected);
}

/// What a write in place that was cut off has left of a config.
fn keep(config: &Path, old: &str, new: &str) -> PathBuf {
    let path = kept(config);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::set_permissions(path.parent().unwrap(), Permissions::from_mode(0o700)).unwrap();
    let inode = fs::metadata(config).unwrap().ino();
    let new = STANDARD.encode(new);
    let text = format!("{old}\n# runner-auth was writing into inode {inode}: {new}\n");
    drop(fs::remove_file(&path));
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

#[test]
fn a_write_in_place_that_was_cut_off_is_taken_up() {
    let place = Place::new();
    let config = place.config();
    let wanted = CONFIG.replace("docker", "shell and more");
    // Cut off before, and after.
    for content in [CONFIG, &wanted] {
        let kept = keep(&config, CONFIG, &wanted);
        fs::write(&config, content).unwrap();
        written(&mut set(&config), &config);
        assert!(!kept.exists());
    }
    // Cut off when the shorter content still had to be cut.
    let kept = keep(&config, &format!("{CONFIG}# a comment\n"), CONFIG);
    fs::write(&config, format!("{CONFIG}{}", "\n".repeat("# a comment\n".len()))).unwrap();
    written(&mut set(&config), &config);
    assert!(!kept.exists());
    // In the middle: the old content comes back first, and can be copied as it is.
    let comments = "# a comment\n".repeat(100);
    let (old, new) = (format!("{comments}{CONFIG}"), format!("# more\n{comments}{wanted}"));
    let mixture = format!("{}{}", &new[..1024], &old[1024..]);
    let kept = keep(&config, &old, &new);
    assert!(fs::read_to_string(&kept).unwrap().starts_with(&old));
    fs::write(&config, mixture).unwrap();
    let told = written(&mut set(&config), &config);
    assert!(told.contains("the content from before it was put back"), "{told}");
    assert!(fs::read_to_string(&config).unwrap().starts_with(&old));
    assert!(!kept.exists());
    // Somebody else has changed it since: nothing is touched, the copy is there.
    let kept = keep(&config, CONFIG, &wanted);
    fs::write(&config, "[[runners]]\n  name = \"by hand\"\n").unwrap();
    refused(&mut set(&config), &config, kept.to_str().unwrap());
    assert!(kept.exists());
    // One without its end says that nothing had been written.
    fs::write(&kept, CONFIG).unwrap();
    written(&mut set(&config), &config);
    assert!(!kept.exists());
    assert_eq!(place.names(), ["config.toml"]);
}

#[test]
fn nothing_is_put_back_over_another_writer() {
    let place = Place::new();
    let config = place.config();
    let (old, new) = (format!("{CONFIG}# old\n"), format!("{CONFIG}# of the new\n"));
    // Emptied, and written up to the middle, as GitLab Runner does. The new content starts the same.
    for left in ["", &old[..20]] {
        let kept = keep(&config, &old, &new);
        fs::write(&config, left).unwrap();
        refused(&mut set(&config), &config, kept.to_str().unwrap());
        assert!(kept.exists());
    }
    // The rest comes while the command waits.
    let kept = keep(&config, &old, CONFIG);
    fs::write(&config, "").unwrap();
    let process = set(&config).stdout(Stdio::null()).spawn().expect("the command starts");
    sleep(Duration::from_millis(60));
    fs::write(&config, CONFIG).unwrap();
    assert!(process.wait_with_output().unwrap().status.success());
    assert!(is_new(&config) && !kept.exists());
    // A mixture, and somebody has it open for writing.
    let comments = "# a comment\n".repeat(100);
    let (old, new) = (format!("{comments}{CONFIG}"), format!("# more\n{comments}{CONFIG}"));
    let mixture = format!("{}{}", &new[..1024], &old[1024..]);
    let kept = keep(&config, &old, &new);
    fs::write(&config, &mixture).unwrap();
    let writer = File::options().write(true).open(&config).unwrap();
    refused(&mut set(&config), &config, kept.to_str().unwrap());
    drop(writer);
    written(&mut set(&config), &config);
    assert!(!kept.exists());
}

#[test]
fn what_another_user_could_have_kept_is_left_alone() {
    let place = Place::new();
    let config = place.config();
    let (old, new) = (format!("{CONFIG}# planted\n"), format!("# more\n{CONFIG}"));
    let spoil: [fn(&Path); 4] = [
        |kept| fs::set_permissions(kept, Permissions::from_mode(0o622)).unwrap(),
        |kept| fs::hard_link(kept, kept.with_extension("link")).unwrap(),
        |kept| {
            fs::rename(kept, kept.with_extension("link")).unwrap();
            symlink(kept.with_extension("link"), kept).unwrap();
        },
        |kept| std::os::unix::fs::chown(kept, Some(1234), None).unwrap(),
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        if number == 3 && !is_root() {
            continue;
        }
        fs::write(&config, CONFIG).unwrap();
        let kept = keep(&config, &old, &new);
        spoil(&kept);
        let told = written(&mut set(&config), &config);
        assert!(told.contains(&format!("{} is left alone", kept.display())), "{told}");
        assert!(!fs::read_to_string(&config).unwrap().contains("planted"));
        assert!(kept.exists());
        fs::remove_file(&kept).unwrap();
        drop(fs::remove_file(kept.with_extension("link")));
    }
}

#[test]
fn what_others_put_beside_it_is_not_taken_up() {
    let place = Place::new();
    let config = place.config();
    let beside = |end: &str| place.path().join(format!(".config.toml.runner-auth.{end}"));
    let secret = place.path().join("secret");
    fs::write(&secret, "[[runners]]\n  name = \"planted\"\n").unwrap();
    // A pipe that nobody writes into, and a link.
    assert!(tool("mkfifo", &[beside("old").to_str().unwrap()]));
    symlink(&secret, beside("new")).unwrap();
    written(&mut set(&config), &config);
    fs::remove_file(beside("old")).unwrap();
    // Files of another user, which would turn the config into theirs.
    let (old, new) = (beside("old"), beside("new"));
    fs::remove_file(&new).unwrap();
    if is_root() {
        let now = fs::read_to_string(&config).unwrap();
        fs::write(&old, now.replace("docker", "broken")).unwrap();
        fs::write(&new, format!("{now}# more\n")).unwrap();
        let both = [old.to_str().unwrap(), new.to_str().unwrap()];
        assert!(tool("chown", &["1234", both[0], both[1]]));
        let mut remove = Command::new(env!("CARGO_BIN_EXE_runner-auth"));
        remove.args(["remove", "--everything", "--yes", "-c"]).arg(&config);
        let output = run(&mut remove);
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(fs::read_to_string(&config).unwrap(), CONFIG);
    }
}

#[test]
fn a_limit_of_the_file_size_is_an_error() {
    let place = Place::new();
    let config = place.config();
    let comment = format!("# {}\n", "x".repeat(1000));
    fs::write(&config, format!("{}{CONFIG}", comment.repeat(3))).unwrap();
    let expected = fs::read(&config).unwrap();
    let other = place.path().join("other.toml");
    for in_place in [false, true] {
        if in_place {
            fs::hard_link(&config, &other).unwrap();
        }
        let script = "ulimit -f 3; exec \"$@\"";
        let mut command = Command::new("bash");
        command.args(["-c", script, "bash"]).arg(env!("CARGO_BIN_EXE_runner-auth"));
        command.args(["set", "--yes", "-r", "r.io", "-u", "ci", "--password-env", "PASSWORD"]);
        command.arg("-c").arg(&config).env("PASSWORD", "s3cret");
        refused(&mut command, &config, "too large");
        assert_eq!(fs::read(&config).unwrap(), expected);
    }
    assert_eq!(place.names(), ["config.toml", "other.toml"]);
}

#[test]
fn a_lock_is_waited_for_and_not_needed_to_look() {
    let place = Place::new();
    let config = place.config();
    let mut holder = Command::new("flock")
        .arg(&config)
        .args(["-c", "echo held; sleep 2"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("flock runs");
    let mut said = [0; 5];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut said).unwrap();
    let start = Instant::now();
    assert!(run(set(&config).arg("--dry-run")).status.success());
    assert!(run(set(&config).arg("--check")).status.code() == Some(1));
    assert!(start.elapsed() < Duration::from_secs(1), "a dry run waits for a lock");
    let process = set(&config).spawn().expect("the command starts");
    sleep(Duration::from_millis(500));
    assert!(!is_new(&config));
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(start.elapsed() > Duration::from_millis(1500));
    assert!(is_new(&config));
    drop(holder.wait());
    assert_eq!(place.names(), ["config.toml"]);
}

#[test]
fn a_link_that_is_pointed_elsewhere_meanwhile_is_followed() {
    let place = Place::new();
    let (link, other) = (place.path().join("link.toml"), place.path().join("other.toml"));
    fs::write(&other, CONFIG).unwrap();
    symlink("config.toml", &link).unwrap();
    let lock = File::open(place.config()).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let process = set(&link).stdout(Stdio::null()).spawn().expect("the command starts");
    sleep(Duration::from_millis(500));
    symlink("other.toml", place.path().join("next")).unwrap();
    fs::rename(place.path().join("next"), &link).unwrap();
    drop(lock);
    assert!(process.wait_with_output().unwrap().status.success());
    assert!(is_new(&other) && !is_new(&place.config()));
    assert!(link.is_symlink());
}

#[test]
fn a_signal_leaves_nothing_behind() {
    // While it waits for a lock, each signal ends the process as it always does.
    for signal in
        [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::ALARM]
    {
        let place = Place::new();
        let config = place.config();
        let mut holder =
            Command::new("flock").arg(&config).args(["-c", "sleep 5"]).spawn().expect("flock runs");
        sleep(Duration::from_millis(200));
        let mut process = set(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        sleep(Duration::from_millis(300));
        kill_process(Pid::from_child(&process), signal).expect("it is there");
        let status = process.wait().unwrap();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status:?}");
        drop(holder.kill());
        drop(holder.wait());
        assert!(!is_new(&config));
        assert_eq!(place.names(), ["config.toml"]);
    }
}
