//! What a person sees: the screens of questions in `tmux`, at several sizes, as text.
//!
//! Each is compared with `tests/command/screens/NAME.txt`; a `|` stands for the cursor.
//! `UPDATE_CASES=1 cargo test --test command screens` records them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_runner-auth");

/// How long a screen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// `CI` must have the tool; elsewhere the test says that it was skipped.
fn is_there() -> bool {
    let found = Command::new("tmux").arg("-V").output().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "tmux is needed");
    if !found {
        println!("SKIPPED: there is no tmux to show screens");
    }
    found
}

/// A window of its own, with the config in the folder where the command runs.
struct Window {
    folder: tempfile::TempDir,
}

impl Window {
    /// Runs a shell's command line in a window of this size.
    fn open(columns: u16, rows: u16, term: &str, config: &str, line: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, config).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        let settings = "set -g status off\nset -g remain-on-exit on\nset -g remain-on-exit-format ''\n\
                        set -sg escape-time 0\nset -g default-terminal tmux-256color\n";
        fs::write(folder.path().join("settings"), settings).unwrap();
        let window = Self { folder };
        let home = window.folder.path().display();
        let line =
            format!("cd {home} && exec env -i HOME={home} PATH=/usr/bin:/bin TERM={term} {line}");
        let (columns, rows) = (columns.to_string(), rows.to_string());
        window.tmux(&["new-session", "-d", "-x", &columns, "-y", &rows, &line]);
        window
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(self.path("socket"))
            .arg("-f")
            .arg(self.path("settings"))
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("TMUX")
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        output
    }

    /// Presses keys, by tmux's names.
    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// The screen, with a mark for the cursor.
    fn screen(&self) -> String {
        let text = String::from_utf8(self.tmux(&["capture-pane", "-p"]).stdout).unwrap();
        let place = self.tmux(&["display-message", "-p", "#{cursor_y} #{cursor_x}"]).stdout;
        let place = String::from_utf8(place).unwrap();
        let (row, column) = place.trim().split_once(' ').unwrap();
        let (row, column): (usize, usize) = (row.parse().unwrap(), column.parse().unwrap());
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if let Some(line) = lines.get_mut(row) {
            let letters: Vec<char> = format!("{line:column$}").chars().collect();
            let (before, behind) = letters.split_at(column);
            *line = before.iter().chain(&['|']).chain(behind).collect();
        }
        lines.join("\n") + "\n"
    }

    /// Waits until the screen holds a text.
    fn wait(&self, expected: &str) -> String {
        let begin = Instant::now();
        loop {
            let screen = self.screen();
            if screen.contains(expected) {
                return screen;
            }
            assert!(begin.elapsed() < PATIENCE, "no '{expected}' in\n{screen}");
            sleep(Duration::from_millis(20));
        }
    }

    /// Compares the screen with the recorded one, as soon as it is that one.
    fn is(&self, name: &str, expected: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/screens");
        let path = path.join(format!("{name}.txt"));
        let mut screen = self.wait(expected);
        if std::env::var_os("UPDATE_CASES").is_some() {
            // Whatever is still on its way.
            sleep(Duration::from_millis(500));
            fs::write(&path, self.screen()).unwrap();
            return;
        }
        let recorded = fs::read_to_string(&path).expect("the screen was recorded");
        let begin = Instant::now();
        while screen != recorded && begin.elapsed() < PATIENCE {
            sleep(Duration::from_millis(20));
            screen = self.screen();
        }
        assert!(screen == recorded, "{name} is\n{screen}\nand not\n{recorded}");
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// So many runners; the second has a credential.
fn runners(count: usize) -> String {
    let mut config = "concurrent = 4\n".to_owned();
    for number in 1..=count {
        let name = format!("build-{number:03}.example.com");
        config.push_str(&format!(
            "\n[[runners]]\n  name = \"{name}\"\n  token = \"glrt-Tok{number:03}abcdefghijkl\"\n  executor = \"docker\"\n"
        ));
        if number == 2 {
            config.push_str(
                "  environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"old.example.com\": {\"auth\": \"YWRtaW46b2xk\"}}}']\n",
            );
        }
    }
    config
}

fn set(columns: u16, rows: u16, count: usize) -> Window {
    let line = format!("{BINARY} set -c config.toml");
    Window::open(columns, rows, "tmux-256color", &runners(count), &line)
}

#[test]
fn a_list_of_200_runners_at_each_size() {
    if !is_there() {
        return;
    }
    for (columns, rows) in [(80, 24), (40, 10), (80, 8), (80, 6), (30, 3)] {
        let window = set(columns, rows, 200);
        window.is(&format!("list-{columns}x{rows}"), "Runners");
        window.keys(&["NPage", "Down", "Space"]);
        window.is(&format!("list-{columns}x{rows}-marked"), "[x]");
    }
}

#[test]
fn typing_shows_fewer_and_many_are_counted() {
    if !is_there() {
        return;
    }
    let window = set(80, 24, 200);
    window.wait("Runners (200)");
    window.keys(&["19"]);
    window.is("list-filtered", "(12 of 200)");
    window.keys(&["x"]);
    window.is("list-nothing", "(0 of 200)");
    window.keys(&["C-u", "Right", "Enter"]);
    window.is("list-counted", "Registry:");
}

#[test]
fn a_window_that_changes_its_size_is_painted_again() {
    if !is_there() {
        return;
    }
    let window = set(80, 24, 200);
    window.wait("Runners (200)");
    for (columns, rows) in [(40, 10), (80, 8), (80, 24)] {
        window.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
        window.is(&format!("list-resized-{columns}x{rows}"), "Runners (200)");
    }
}

#[test]
fn a_whole_conversation_at_each_size() {
    if !is_there() {
        return;
    }
    for (columns, rows) in [(80, 24), (40, 10), (80, 8)] {
        let name = |step: &str| format!("set-{columns}x{rows}-{step}");
        let window = set(columns, rows, 3);
        window.wait("Runners (3)");
        window.keys(&["Down", "Enter"]);
        window.is(&name("registry"), "Registry: ");
        window.keys(&["my registry", "Enter"]);
        window.is(&name("problem"), "characters that no");
        window.keys(&["C-a", "C-k", "io", "Down"]);
        window.is(&name("suggestions"), "> ");
        window.keys(&[
            "Tab",
            "C-w",
            "registry.example.com:5000/group",
            "M-b",
            "M-b",
            "C-k",
            "M-b",
            "C-k",
        ]);
        window.wait("Registry: registry.example.|");
        window.keys(&["com", "Home", "Delete", "r", "End", "Enter"]);
        window.is(&name("user"), "User: ");
        window.keys(&["robot", "Enter"]);
        window.is(&name("password"), "Password of robot");
        window.keys(&["pass", "Enter"]);
        window.is(&name("confirm"), "[y/N]");
        window.keys(&["y", "Enter"]);
        window.is(&name("written"), "an account that can only pull");
    }
}

#[test]
fn a_terminal_without_escape_sequences_gets_lines() {
    if !is_there() {
        return;
    }
    let line = format!("{BINARY} set -c config.toml");
    for (columns, rows) in [(80, 24), (40, 10)] {
        let window = Window::open(columns, rows, "dumb", &runners(3), &line);
        window.wait("Runners: ");
        window.keys(&["1,3", "Enter"]);
        window.is(&format!("dumb-{columns}x{rows}"), "Registry: ");
    }
}

#[test]
fn a_question_is_there_again_after_a_stop() {
    if !is_there() {
        return;
    }
    let window =
        Window::open(80, 24, "tmux-256color", &runners(3), "PS1='$ ' bash --norc --noprofile -i");
    window.wait("$ |");
    window.keys(&[&format!("{BINARY} set -c config.toml"), "Enter"]);
    window.wait("Runners (3)");
    window.keys(&["Down", "C-z"]);
    window.wait("Stopped");
    // The terminal is as it was: what is typed is shown.
    window.keys(&["echo shown", "Enter"]);
    window.wait("\nshown\n");
    window.keys(&["fg", "Enter"]);
    window.wait("> [ ] build-002");
    window.keys(&["Enter"]);
    window.wait("Registry: |");
    window.keys(&["r.io", "Enter"]);
    window.wait("User: |");
    window.keys(&["robot", "Enter"]);
    window.wait("Password of robot for r.io: |");
    window.keys(&["pa", "C-z"]);
    window.wait("User: robot\n\n[1]+  Stopped");
    window.keys(&["fg", "Enter"]);
    window.wait("Password of robot for r.io: |");
    window.keys(&["ss", "Enter"]);
    window.wait("Write config.toml? [y/N] |");
    window.keys(&["y", "Enter"]);
    window.wait("Wrote config.toml");
    let config = fs::read_to_string(window.path("config.toml")).unwrap();
    // robot:pass
    assert!(config.contains("cm9ib3Q6cGFzcw=="), "{config}");
}

#[test]
fn a_paste_is_its_first_line() {
    if !is_there() {
        return;
    }
    let window = set(80, 24, 1);
    window.wait("Registry: |");
    window.tmux(&["set-buffer", "r.io\nadmin\nsecret\n"]);
    window.tmux(&["paste-buffer", "-p"]);
    window.wait("Registry: r.io|");
    window.keys(&["Enter"]);
    window.wait("User: |");
}
