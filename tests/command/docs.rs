//! The commands in the READMEs and docs/ run as they stand: each `sh` block in a folder with the
//! fixtures, a `password.txt`, an `auth.json`, a `key.json` and a `values.yaml`, where `devops-runner` is in the
//! default config.
//! Blocks that call Cargo are for the clone itself and not run here. Links between the pages lead
//! somewhere.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Answers yes for the person who reads the page. That the answer is no, as `explain` and `doctor` say with 1, is no
/// failure of an example, and neither is a registry that isn't there, which is 6 where one is asked.
const WRAPPER: &str = r#"#!/bin/sh
case " $* " in
*' --yes '*|*' -y '*|*' --dry-run '*|*' --check '*) ;;
*' --verify '*) "$RUNNER_AUTH" "$@" --yes || test $? -eq 6; exit ;;
' verify '*) "$RUNNER_AUTH" "$@" || test $? -eq 6; exit ;;
' set '*|' remove '*) set -- "$@" --yes ;;
' explain '*|' doctor '*) "$RUNNER_AUTH" "$@" || test $? -eq 1; exit ;;
esac
exec "$RUNNER_AUTH" "$@"
"#;

/// The `sh` blocks of a page, each with its first line's number.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match &mut open {
            None if line.trim_start() == "```sh" => open = Some((number + 2, String::new())),
            None => {}
            Some(_) if line.trim_start() == "```" => found.extend(open.take()),
            Some((_, text)) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    found
}

fn sandbox() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a place to work");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = folder.path().join("fixtures");
    fs::create_dir(&fixtures).expect("a folder");
    for entry in fs::read_dir(root.join("fixtures")).expect("fixtures") {
        let file = entry.expect("a file").path();
        let copy = fixtures.join(file.file_name().expect("a name"));
        fs::copy(&file, &copy).expect("a copy");
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).expect("a mode");
    }
    let put = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    fs::copy(fixtures.join("12.9-docker.toml"), folder.path().join("config.toml")).expect("a copy");
    fs::copy(fixtures.join("values.yaml"), folder.path().join("values.yaml")).expect("a copy");
    put("password.txt", "s3cret\n", 0o600);
    put("auth.json", r#"{"auths": {"registry.example.com": {"auth": "Y2k6czNjcmV0"}}}"#, 0o600);
    fs::create_dir(folder.path().join("bin")).expect("a folder");
    put("key.json", r#"{"type": "service_account"}"#, 0o600);
    put("bin/runner-auth", WRAPPER, 0o755);
    put("bin/sudo", "#!/bin/sh\nexec \"$@\"\n", 0o755);
    // The readers of the pages on Amazon and Google have these.
    for helper in ["ecr-login", "gcr"] {
        put(&format!("bin/docker-credential-{helper}"), "#!/bin/sh\nexit 1\n", 0o755);
    }
    folder
}

/// The READMEs and the pages of docs/.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = ["docs", "docs/registries"]
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).expect("docs"))
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension() == Some("md".as_ref()))
        .collect();
    pages.extend(
        ["README.md", "README.zh-CN.md", "packaging/README.md"].map(|page| root.join(page)),
    );
    pages.sort();
    pages
}

/// What a link to a heading names it, as GitLab and GitHub make it.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|&letter| letter.is_alphanumeric() || "-_ ".contains(letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().expect("a link ends");
            if link.starts_with("https://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().expect("a folder").join(file),
            };
            assert!(target.is_file(), "{}: {link}", page.display());
            if !heading.is_empty() {
                let text = fs::read_to_string(&target).expect("a page");
                let headings = text.lines().filter(|line| line.starts_with('#'));
                assert!(headings.map(anchor).any(|found| found == heading), "{link}");
            }
            count += 1;
        }
    }
    println!("{count} links");
    assert!(count > 0);
}

#[test]
fn every_command_of_the_pages_works() {
    let mut count = 0;
    for page in &pages() {
        let text = fs::read_to_string(page).expect("a page");
        for (line, block) in blocks(&text) {
            if block.contains("cargo ") {
                continue;
            }
            let folder = sandbox();
            let path = std::env::var("PATH").expect("a PATH");
            let output = Command::new("sh")
                .args(["-eu", "-c", &block])
                .current_dir(folder.path())
                .env("PATH", format!("{}:{path}", folder.path().join("bin").display()))
                .env("RUNNER_AUTH", env!("CARGO_BIN_EXE_runner-auth"))
                .env("CONFIG_FILE", folder.path().join("config.toml"))
                .env("HOME", folder.path())
                .output()
                .expect("a shell");
            assert!(
                output.status.success(),
                "{}:{line}: {}\n{block}{}{}",
                page.display(),
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            count += 1;
        }
    }
    println!("{count} blocks");
    assert!(count > 0);
}
