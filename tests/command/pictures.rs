//! The pictures of the README are what the command prints on a terminal today. `UPDATE_PICTURES=1` draws them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use vt100::{Cell, Color, Parser};

const COLUMNS: u16 = 108;
const ROWS: u16 = 60;
/// A character, in the units of the picture.
const WIDTH: u32 = 8;
const HEIGHT: u32 = 18;
const MARGIN: u32 = 16;

const BACKGROUND: &str = "#1b1f27";
const TEXT: &str = "#d7dce5";

/// What a job's log says when GitLab Runner has no credential for the image.
const JOB: &str = "\x1b[1m$ tail -1 job.log\x1b[0m\r\n\
    \x1b[31mERROR: Job failed: failed to pull image \"192.168.1.200:8088/app:1\" with specified \
    policies [always]:\r\nError response from daemon: Get \
    \"http://192.168.1.200:8088/v2/app/manifests/1\": no basic auth credentials\x1b[0m\r\n\r\n";

struct Scene {
    file: &'static str,
    title: &'static str,
    config: &'static str,
    before: &'static str,
    arguments: &'static [&'static str],
    steps: &'static [(&'static str, &'static str)],
}

const SCENES: [Scene; 2] = [
    Scene {
        file: "diff.svg",
        title: "A job fails with no basic auth credentials; runner-auth set shows the change as a diff, \
                asks, and writes it",
        config: "fixtures/12.9-docker.toml",
        before: JOB,
        arguments: &["set", "-r", "192.168.1.200:8088", "-u", "admin"],
        steps: &[("Password of admin", "Harbor12345\n"), ("[y/N] ", "y\n")],
    },
    Scene {
        file: "guide.svg",
        title: "runner-auth set without options asks for the runners, the registry, the user and the \
                password, shows the diff and asks before it writes",
        config: "fixtures/19-several-executors.toml",
        before: "",
        arguments: &["set"],
        steps: &[
            ("Runners (3)", "machine"),
            // Drawn anew with what matches.
            ("Runners (1 of 3): \u{1b}[0mmachine", "\r"),
            ("Registry:", "registry.example.com:5000\r"),
            ("User:", "robot\r"),
            ("Password of robot", "s3cret-and-long\n"),
            ("[y/N] ", "y\n"),
        ],
    },
];

/// What stands on the terminal at the end of a scene; `None` where there is no Python.
fn played(scene: &Scene) -> Option<Parser> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let told = json!({
        "binary": env!("CARGO_BIN_EXE_runner-auth"),
        "config": root.join(scene.config),
        "arguments": scene.arguments,
        "steps": scene.steps,
        "rows": ROWS,
        "columns": COLUMNS,
    });
    let script = root.join("tests/command/pictures.py");
    let output = match Command::new("python3").arg(script).arg(told.to_string()).output() {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "python3 is needed: {error}");
            println!("SKIPPED: there is no python3 to drive a terminal");
            return None;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut terminal =
        Parser::new(ROWS.try_into().expect("rows"), COLUMNS.try_into().expect("columns"), 0);
    terminal.process(scene.before.as_bytes());
    let line = format!("\x1b[1m$ sudo runner-auth {}\x1b[0m\r\n", scene.arguments.join(" "));
    terminal.process(line.as_bytes());
    terminal.process(&output.stdout);
    Some(terminal)
}

fn color(color: Color, default: &'static str) -> &'static str {
    match color {
        Color::Idx(1 | 9) => "#ff7b72",
        Color::Idx(2 | 10) => "#7ee787",
        Color::Idx(3 | 11) => "#e3b341",
        Color::Idx(4 | 12) => "#79b8ff",
        Color::Idx(6 | 14) => "#66d9e8",
        Color::Idx(8) => "#8b949e",
        _ => default,
    }
}

/// The look of a cell: the colours of text and ground, and whether it is bold.
fn look(cell: &Cell) -> (&'static str, &'static str, bool) {
    let (text, ground) = (color(cell.fgcolor(), TEXT), color(cell.bgcolor(), BACKGROUND));
    if cell.inverse() { (ground, text, cell.bold()) } else { (text, ground, cell.bold()) }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A terminal as an SVG.
fn picture(terminal: &Parser, title: &str) -> String {
    let screen = terminal.screen();
    let lines: Vec<String> = screen.rows(0, COLUMNS).collect();
    let used = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    let rows = u16::try_from(used).expect("a terminal is small");
    let width = u32::from(COLUMNS) * WIDTH + 2 * MARGIN;
    let height = u32::from(rows) * HEIGHT + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace\" \
         font-size=\"13\" xml:space=\"preserve\">\n",
        escaped(title)
    );
    for row in 0..rows {
        let mut column = 0;
        while column < COLUMNS {
            let start = column;
            let first = screen.cell(row, start).expect("a cell");
            let mut text = String::new();
            while let Some(cell) = screen.cell(row, column).filter(|cell| look(cell) == look(first))
            {
                text.push_str(if cell.has_contents() { cell.contents() } else { " " });
                column += 1;
            }
            draw(&mut svg, first, (row, start), &text);
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// One run of cells that look the same.
fn draw(svg: &mut String, cell: &Cell, (row, column): (u16, u16), text: &str) {
    let (color, ground, bold) = look(cell);
    let x = u32::from(column) * WIDTH + MARGIN;
    let y = u32::from(row) * HEIGHT + MARGIN;
    let shown = if ground == BACKGROUND { text.trim_end() } else { text };
    let cells = u32::try_from(shown.chars().count()).expect("a line is short");
    if cells == 0 {
        return;
    }
    let length = cells * WIDTH;
    if ground != BACKGROUND {
        let rect = format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{length}\" height=\"{HEIGHT}\" fill=\"{ground}\"/>"
        );
        writeln!(svg, "{rect}").expect("a String takes it");
    }
    let weight = if bold { " font-weight=\"bold\"" } else { "" };
    let base = y + 13;
    // The length keeps columns in line whatever font there is.
    let tag = format!(
        "<text x=\"{x}\" y=\"{base}\" fill=\"{color}\"{weight} textLength=\"{length}\">{}</text>",
        escaped(shown)
    );
    writeln!(svg, "{tag}").expect("a String takes it");
}

#[test]
fn the_pictures_show_what_is_printed_today() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    let update = std::env::var_os("UPDATE_PICTURES").is_some();
    for scene in &SCENES {
        let Some(terminal) = played(scene) else { return };
        let shown = terminal.screen().contents();
        for secret in ["Harbor12345", "s3cret-and-long", "xyzAbCdEf12", "Hd7sPw3LmX9cVb4KgQz6"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("environment = "), "{shown}");
        let drawn = picture(&terminal, scene.title);
        let path = folder.join(scene.file);
        if update {
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(&path, &drawn).expect("a picture");
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == drawn,
            "docs/pictures/{} is stale: draw it with UPDATE_PICTURES=1 cargo test --test command \
             pictures\n{shown}",
            scene.file
        );
    }
}
