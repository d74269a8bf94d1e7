//! The rooms of `src` and the one direction between them: a file imports what stands on a lower floor, or in its own
//! room, and nothing above. What the pages say of the tree is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the ground up.
const FLOORS: &[&[&str]] = &[
    &["secret", "exit_status", "count", "property"],
    &["toml"],
    &["error", "escaped_json"],
    &["config_file", "yaml"],
    &["auth"],
    &["runner"],
    &["resolver", "registry_client"],
    // It asks the resolver what comes of a change.
    &["plan"],
    &["redaction", "doctor", "verification"],
    &["cli"],
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension() == Some("rs".as_ref()) {
            found.push(path);
        }
    }
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The rooms that a text names behind `crate::`.
fn named(text: &str) -> BTreeSet<&str> {
    let names = text.split("crate::").skip(1);
    let names = names.map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next());
    names.flatten().filter(|name| floor(name).is_some()).collect()
}

#[test]
fn imports_go_down() {
    let source = source();
    let mut found = Vec::new();
    files(&source, &mut found);
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in found {
        let inside = file.strip_prefix(&source).expect("a file below src").to_owned();
        let room = inside.iter().next().and_then(|part| part.to_str()).expect("a name");
        let room = room.trim_end_matches(".rs").to_owned();
        if ["lib", "main"].contains(&&*room) {
            continue;
        }
        let own = floor(&room);
        assert!(own.is_some(), "{room} has no floor: give it one in FLOORS");
        let text = fs::read_to_string(&file).expect("a file can be read");
        for other in named(&text).into_iter().filter(|other| *other != room) {
            seen += 1;
            if floor(other) >= own {
                wrong.push(format!("{} imports {other}", inside.display()));
            }
        }
    }
    assert!(seen > FLOORS.len(), "imports are found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_says_what_it_is_for() {
    for room in FLOORS.iter().copied().flatten() {
        let folder = source().join(room);
        let is_file = folder.with_extension("rs").exists();
        let file = if is_file { folder.with_extension("rs") } else { folder.join("mod.rs") };
        let text = fs::read_to_string(file).expect("a room has mod.rs");
        let words = text.lines().take_while(|line| line.starts_with("//!")).count();
        assert!(
            words > if is_file { 0 } else { 2 },
            "{room} says what the room is for and what it does not know"
        );
    }
}

#[test]
fn the_page_on_the_design_names_every_room() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/design.md");
    let page = fs::read_to_string(page).expect("docs/design.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let named: BTreeSet<_> =
        rows.map(|(room, _)| room.trim_end_matches(['/']).replace(".rs", "")).collect();
    for room in FLOORS.iter().copied().flatten() {
        assert!(named.contains(*room), "docs/design.md has no row for {room}");
    }
}

/// What stands between backquotes in a line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn the_page_on_the_design_names_what_is_there() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/design.md");
    let page = fs::read_to_string(page).expect("docs/design.md");
    let mut found = Vec::new();
    files(&source(), &mut found);
    let modules: BTreeSet<_> = found
        .iter()
        .flat_map(|file| file.ancestors().take_while(|path| **path != source()))
        .map(|path| path.with_extension(""))
        .collect();
    let mut seen = 0;
    for row in page.lines().filter_map(|line| line.strip_prefix("| `")) {
        let Some((room, rest)) = row.split_once("` |") else { continue };
        let room = source().join(room.trim_end_matches('/'));
        let Some((_, inside)) = rest.split_once('|').filter(|_| room.is_dir()) else { continue };
        let is_name =
            |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase() || b"_/".contains(&b));
        for word in quoted(inside).filter(is_name) {
            seen += 1;
            let word = Path::new(word.trim_end_matches('/'));
            let own = modules.iter().any(|path| path.starts_with(&room) && path.ends_with(word));
            let own = own || modules.contains(&source().join(word));
            assert!(own, "docs/design.md names {} in {}", word.display(), room.display());
        }
    }
    assert!(seen > 50, "the page names modules");
}

#[test]
fn the_pages_name_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<_> = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "packaging/README.md"]
        .map(|page| root.join(page))
        .into();
    for folder in ["docs", "docs/registries"] {
        let entries = fs::read_dir(root.join(folder)).expect("a folder can be listed");
        pages.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    let mut seen = 0;
    for page in pages.iter().filter(|page| page.extension() == Some("md".as_ref())) {
        let text = fs::read_to_string(page).expect("a page");
        for name in text.lines().flat_map(quoted) {
            let folder = name.split('/').next().unwrap_or_default();
            let ours = ["src", "tests", "benches", "fuzz", "packaging", "fixtures", "docs"];
            // In capital letters it stands for a name.
            let plain =
                |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-./".contains(&b);
            if name.contains('/') && ours.contains(&folder) && name.bytes().all(plain) {
                seen += 1;
                assert!(root.join(name).exists(), "{} names {name}", page.display());
            }
        }
    }
    assert!(seen > 20, "the pages name files, and not {seen}");
}

#[test]
fn only_the_command_line_talks() {
    let mut found = Vec::new();
    files(&source(), &mut found);
    let talks = ["println!", "eprintln!", "io::stdout()", "io::stderr()"];
    let mut talkers = 0;
    for file in found {
        let text = fs::read_to_string(&file).expect("a file can be read");
        // Examples in comments may print.
        let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        if code.any(|line| talks.iter().any(|word| line.contains(word))) {
            talkers += 1;
            assert!(file.starts_with(source().join("cli")), "{} talks", file.display());
        }
    }
    assert!(talkers > 0, "somebody talks");
}
