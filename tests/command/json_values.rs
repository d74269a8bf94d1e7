//! The JSON reports hold values: what a terminal would act on is escaped in text alone.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What a terminal would act on: it breaks a line, ends a string in C, turns the direction of writing,
/// clears the screen.
const ODD: &str = "u\n\0\u{202e}\u{1b}[2J";

/// The same as TOML and as JSON escape it.
const ESCAPED: &str = "u\\n\\u0000\\u202e\\u001b[2J";

/// What an image's or a registry's name can hold of it.
const TURNED: &str = "a\u{202e}b";

const PASSWORD: &str = "Harbor-s3cret";

struct Place(tempfile::TempDir);

impl Place {
    /// A config in which everything that a report repeats holds such signs.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a place to work");
        let login = |user: &str| {
            // Written out, so that the test doesn't lean on what it tests.
            let output = Command::new("base64")
                .arg("-w0")
                .stdin(Stdio::from(written(folder.path(), &format!("{user}:{PASSWORD}"))))
                .output()
                .expect("base64 runs");
            String::from_utf8(output.stdout).expect("base64 is ASCII")
        };
        let (odd, fine) = (login(ODD), login("ci"));
        let config = format!(
            "[[runners]]\n  name = \"{ESCAPED}\"\n  url = \"https://gitlab.example.com/{ESCAPED}\"\n  \
             executor = \"docker\"\n  environment = ['DOCKER_AUTH_CONFIG={{\"auths\": \
             {{\"127.0.0.1:1\": {{\"auth\": \"{odd}\"}}, \"127.0.0.1:2/{TURNED}\": {{\"auth\": \
             \"{fine}\"}}}}}}']\n  [runners.docker]\n    image = \"127.0.0.1:1/{TURNED}\"\n\
             [[runners]]\n  name = \"{ESCAPED}\"\n  executor = \"docker\"\n  environment = \
             ['DOCKER_AUTH_CONFIG={{\"auths\": {{\"x.io\": {{\"auth\": \"{ODD_AUTH}\"}}}}}}']\n",
        );
        fs::write(folder.path().join("config.toml"), config).expect("a file");
        Self(folder)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_runner-auth"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("CONFIG_FILE", "config.toml")
            .env("PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .output()
            .expect("the command runs")
    }

    /// The JSON report, after the checks that hold for every one.
    fn report(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--format", "json"]].concat());
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let acts = |letter: char| (letter.is_control() || letter == '\u{202e}') && letter != '\n';
        assert!(!text.contains(acts), "{arguments:?}: {text}");
        assert!(!text.contains(PASSWORD), "{arguments:?}: {text}");
        let report: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{arguments:?}: {error}: {text}{}", String::from_utf8_lossy(&output.stderr))
        });
        each(&report, "", &mut |place, value| {
            // A config's own escapes stand in its lines, of which a diff is made.
            let shown = ["\\u{", "\\n", "\\0", "\\u"].iter().find(|shown| value.contains(*shown));
            assert!(place == "/diff" || shown.is_none(), "{arguments:?} {place}: {value:?}");
        });
        report
    }

    /// What a person sees, on one stream or the other.
    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8(text).expect("UTF-8")
    }
}

/// An `auth` without a colon.
const ODD_AUTH: &str = "dQ==";

fn written(folder: &Path, text: &str) -> fs::File {
    let path = folder.join("login");
    fs::write(&path, text).expect("a file");
    fs::File::open(path).expect("a file")
}

/// Each string of a report with where it stands.
fn each(value: &Value, place: &str, look: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => look(place, text),
        Value::Array(values) => {
            for value in values {
                each(value, &format!("{place}/*"), look);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                each(value, &format!("{place}/{name}"), look);
            }
        }
        _ => {}
    }
}

/// The strings that stand at a place.
fn at(report: &Value, wanted: &str) -> Vec<String> {
    let mut found = Vec::new();
    each(report, "", &mut |place, value| {
        if place == wanted {
            found.push(value.to_owned());
        }
    });
    found
}

const SET: &[&str] =
    &["set", "-r", "new.io", "-u", "ci", "--password-env", "PASSWORD", "--id", "1"];

#[test]
fn a_report_holds_names_users_registries_and_images_as_they_are() {
    let place = Place::new();
    let image = format!("127.0.0.1:1/{TURNED}");
    let key = format!("127.0.0.1:2/{TURNED}");
    for (arguments, path, wanted) in [
        (&["list"][..], "/runners/*/name", vec![ODD; 2]),
        (&["list"], "/runners/*/credentials/*/username", vec![ODD, "ci"]),
        (&["list"], "/runners/*/credentials/*/registry", vec!["127.0.0.1:1", &key]),
        (&["explain"], "/image", vec![&image]),
        (&["explain"], "/runners/*/match/username", vec![ODD]),
        (&["explain", &image], "/runners/*/name", vec![ODD; 2]),
        (&["doctor"], "/runners/*/name", vec![ODD; 2]),
        #[cfg(feature = "verify")]
        (&["verify", "--images"], "/runners/*/credentials/*/username", vec![ODD, "ci"]),
        #[cfg(feature = "verify")]
        (&["verify", "--images"], "/runners/*/images/*/image", vec![&image]),
    ] {
        assert_eq!(at(&place.report(arguments), path), wanted, "{arguments:?} {path}");
    }
    let remove = ["remove", "-n", ODD_NAME, "--all", "-r", "127.0.0.1:1", "--dry-run"];
    let error = place.report(&remove);
    let message = at(&error, "/error/message").concat();
    assert!(message.contains(&format!("no runner has the name '{ODD_NAME}'")), "{message}");
    assert!(message.ends_with(&format!("\n  {ODD} (no token), docker")), "{message:?}");
    let several = at(&place.report(&["remove", "--everything", "--check"]), "/error/message");
    assert!(several.concat().contains(&format!("\n  {ODD} (no token), docker\n")), "{several:?}");
}

/// What of it can stand in an argument: no name ends with a NUL there.
const ODD_NAME: &str = "u\n\u{202e}";

#[test]
fn a_change_is_told_with_the_values_that_it_is_about() {
    let place = Place::new();
    let everything = ["remove", "--all", "--executor", "docker", "--everything", "--dry-run"];
    let report = place.report(&everything);
    assert_eq!(at(&report, "/runners/*/name"), [ODD; 2]);
    let diff = at(&report, "/diff").concat();
    assert!(diff.contains(&format!("\"127.0.0.1:2/{TURNED}\"")), "{diff:?}");
    let report =
        place.report(&["remove", "--all", "--executor", "docker", "-r", "127.0.0.1:1", "--check"]);
    assert_eq!(at(&report, "/runners/*/credentials/*/username"), [ODD]);
    let broken = place.report(&[SET, &["--dry-run"]].concat()[..]);
    assert_eq!(at(&broken, "/error/code"), ["runner-not-found"]);
    let set = ["set", "-r", "x.io/app", "-u", "ci", "--password-env", "PASSWORD", "--executor"];
    let refused = place.report(&[&set[..], &["docker", "--all", "--dry-run"]].concat());
    let message = at(&refused, "/error/message").concat();
    assert!(message.contains(&format!("the auth document of runner '{ODD}'")), "{message:?}");
}

#[test]
fn findings_for_other_programs_hold_the_values_too() {
    let place = Place::new();
    for (format, path) in
        [("code-climate", "/*/description"), ("sarif", "/runs/*/results/*/message/text")]
    {
        let output = place.run(&["doctor", "--format", format]);
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let told = at(&report, path);
        assert!(told.iter().any(|text| text.contains(&format!("(runner {ODD})"))), "{told:?}");
    }
}

#[test]
fn a_person_sees_no_sign_that_a_terminal_acts_on() {
    let place = Place::new();
    let image = format!("127.0.0.1:1/{TURNED}");
    for arguments in [
        &["list"][..],
        &["explain"],
        &["explain", &image],
        &["doctor"],
        #[cfg(feature = "verify")]
        &["verify", "--images"],
        &["remove", "--all", "--executor", "docker", "--everything", "--dry-run"],
        &["remove", "--all", "--executor", "docker", "-r", "127.0.0.1:1", "--dry-run"],
        &["remove", "-n", ODD_NAME, "-r", "127.0.0.1:1", "--dry-run"],
        &["doctor", "--fix", "--dry-run"],
        SET,
    ] {
        let text = place.text(arguments);
        let acts = |letter: char| (letter.is_control() || letter == '\u{202e}') && letter != '\n';
        assert!(!text.contains(acts), "{arguments:?}: {text:?}");
        // A line end in a name begins no line.
        assert!(text.lines().all(|line| !line.starts_with("\\0")), "{arguments:?}: {text}");
        assert!(text.contains("\\u{202e}"), "{arguments:?}: {text}");
    }
}
