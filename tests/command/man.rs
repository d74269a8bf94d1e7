//! The man pages, as `man` and `mandoc` check them.

use std::fs;
use std::path::Path;
use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_runner-auth");

fn pages(folder: &Path) -> Vec<std::path::PathBuf> {
    let into = Command::new(BINARY).args(["man", "--into"]).arg(folder).output().expect("man");
    assert!(into.status.success(), "{into:?}");
    let mut pages: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("a page").path())
        .collect();
    pages.sort();
    pages
}

/// What a checker complains about, or nothing where it is missing.
fn complaints(checker: &[&str], page: &Path) -> Option<String> {
    let (tool, arguments) = checker.split_first().expect("a tool");
    let run = Command::new(tool).args(arguments).arg(page).env("LC_ALL", "C.UTF-8").output();
    match run {
        Ok(output) => {
            let said = [&output.stdout[..], &output.stderr].concat();
            Some(String::from_utf8_lossy(&said).into_owned())
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "CI has {tool}: {error}");
            println!("SKIPPED: there is no {tool}");
            None
        }
    }
}

#[test]
fn man_and_mandoc_find_no_fault_in_any_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = pages(folder.path());
    for page in &pages {
        // `-Z` leaves out the text: what is printed is a warning.
        let man = complaints(&["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"], page);
        if let Some(said) = man {
            let warnings: Vec<_> = said.lines().filter(|line| line.contains("warning")).collect();
            assert!(warnings.is_empty(), "{}: {warnings:?}", page.display());
            assert!(said.contains("x stop"), "{}: the page was not set: {said}", page.display());
        }
        if let Some(said) = complaints(&["mandoc", "-Tlint", "-Wwarning"], page) {
            // Whoever builds a package says its date.
            let others: Vec<_> =
                said.lines().filter(|line| !line.contains("missing date")).collect();
            assert!(others.is_empty(), "{}: {others:?}", page.display());
        }
    }
}

/// Who owns the folder may have put links and pipes there.
#[test]
fn a_page_takes_the_place_of_a_link_or_a_pipe() {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("man");
    fs::create_dir(&into).expect("a folder");
    fs::write(folder.path().join("precious"), "precious").expect("a file");
    std::os::unix::fs::symlink("../precious", into.join("runner-auth.1")).expect("a link");
    rustix::fs::mkfifoat(rustix::fs::CWD, into.join("runner-auth-set.1"), rustix::fs::Mode::RWXU)
        .expect("a pipe");
    for page in pages(&into) {
        assert!(page.symlink_metadata().expect("a page").is_file(), "{}", page.display());
    }
    assert_eq!(fs::read(folder.path().join("precious")).expect("a file"), b"precious");
}

#[test]
fn each_command_has_a_page_with_examples_and_statuses() {
    let help = Command::new(BINARY).arg("--help").output().expect("the help");
    let help = String::from_utf8(help.stdout).expect("UTF-8");
    let commands = help.split("Commands:\n").nth(1).expect("the commands");
    let commands: Vec<_> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(pages(folder.path()).len(), commands.len() + 1, "{commands:?}");
    for name in commands {
        let page = folder.path().join(format!("runner-auth-{name}.1"));
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{name}: {error}"));
        for part in ["SYNOPSIS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"] {
            assert!(text.contains(part), "{name}: no {part}");
        }
        let printed = Command::new(BINARY).args(["man", name]).output().expect("the page");
        assert_eq!(String::from_utf8(printed.stdout).expect("UTF-8"), text, "{name}");
    }
}

#[test]
fn a_folder_that_is_missing_is_made_and_one_that_cannot_be_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(!pages(&folder.path().join("share/man/man1")).is_empty());
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    for (folder, name) in [(file.join("man1"), "file/man1"), (file, "file")] {
        let output =
            Command::new(BINARY).args(["man", "--into"]).arg(folder).output().expect("man");
        assert_eq!(output.status.code(), Some(5));
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        let expected = format!("/{name} can't be written: not a directory\n");
        assert!(said.ends_with(&expected), "{said}");
    }
}

#[test]
fn a_page_of_no_command_names_those_that_there_are() {
    let output = Command::new(BINARY).args(["man", "sett"]).output().expect("the command");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(said.contains("the commands are set, list"), "{said}");
}
