//! A registry that says back what it was told: nothing of it is printed, however it is spelt.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::command::{PASSWORD, Run, Setup, basic};
use crate::ends::{End, Reply, Seen};

/// Letters of both cases, digits and a sign.
const SECRET: &str = "Xk7-mQz4Lp?";

/// What no registry says, and no spelling of the password.
const UNKNOWN: &str = "qqq";

/// What is known of a sentence that holds something else than what was asked for.
const HARBOR: &str = "unauthorized to access repository: <hidden>, action: pull";

/// The password in other words.
fn spellings() -> Vec<(&'static str, String)> {
    fn each(spell: impl Fn(char) -> String) -> String {
        SECRET.chars().map(spell).collect()
    }
    let between = |sign: &str| each(|letter| format!("{letter}{sign}"));
    let base64_behind = |before: &str| STANDARD_NO_PAD.encode(format!("{before}{SECRET}"));
    let rot13 = |letter: char| match letter {
        'a'..='m' | 'A'..='M' => char::from(letter as u8 + 13),
        'n'..='z' | 'N'..='Z' => char::from(letter as u8 - 13),
        other => other,
    };
    let (one, two) = SECRET.split_at(SECRET.len() / 2);
    vec![
        ("as it is", SECRET.to_owned()),
        ("in a sentence", format!("the password '{SECRET}' of ci is wrong")),
        ("in known words", format!("denied {SECRET}")),
        (
            "in a known sentence",
            format!("unauthorized to access repository: {SECRET}, action: pull"),
        ),
        ("in halves", format!("{one} and {two}")),
        ("login in base64", STANDARD.encode(format!("ci:{SECRET}"))),
        ("login in base64 without padding", STANDARD_NO_PAD.encode(format!("ci:{SECRET}"))),
        ("base64, first place", base64_behind("")),
        ("base64, second place", base64_behind("x")[2..].to_owned()),
        ("base64, third place", base64_behind("xx")[3..].to_owned()),
        ("base64 for URLs", URL_SAFE_NO_PAD.encode(SECRET)),
        ("base64 twice", STANDARD.encode(STANDARD.encode(SECRET))),
        ("percent", each(|letter| format!("%{:02x}", letter as u8))),
        ("percent here and there", SECRET.replace('k', "%6B").replace('Q', "%51")),
        ("percent twice", each(|letter| format!("%25{:02X}", letter as u8))),
        ("hex", each(|letter| format!("{:02x}", letter as u8))),
        ("hex in capitals with colons", each(|letter| format!("{:02X}:", letter as u8))),
        ("numbers", each(|letter| format!("{} ", letter as u8))),
        ("octal", each(|letter| format!("\\{:03o}", letter as u8))),
        ("binary", each(|letter| format!("{:08b}", letter as u8))),
        ("escapes of JSON, twice", each(|letter| format!("\\u{:04x}", letter as u32))),
        ("entities", each(|letter| format!("&#{};", letter as u32))),
        ("entities in hex", each(|letter| format!("&#x{:x};", letter as u32))),
        ("blanks between", between(" ")),
        ("hyphens between", between("-")),
        ("dots between", between(".")),
        ("nothing that is seen between", between("\u{200b}")),
        ("line ends between", between("\n")),
        ("words between", between(" denied ")),
        ("backwards", SECRET.chars().rev().collect()),
        ("capitals", SECRET.to_uppercase()),
        ("small letters", SECRET.to_lowercase()),
        ("rot13", each(|letter| rot13(letter).to_string())),
        (
            "wide letters",
            each(|letter| char::from_u32(letter as u32 + 0xfee0).expect("a letter").to_string()),
        ),
        ("first letters of words", each(|letter| format!("{letter}enied "))),
        ("doubled letters", each(|letter| format!("{letter}{letter}"))),
        ("in a number", each(|letter| (letter as u8 % 10).to_string())),
    ]
}

/// The places in which a registry can say something.
const PLACES: &[&str] = &[
    "message",
    "code",
    "both",
    "details",
    "plain text",
    "realm's message",
    "realm's error",
    "realm's host",
    "realm's host, plain",
    "realm's port",
    "realm's answer",
    "redirect",
    "redirect's label",
    "redirect's port",
    "image",
    "service",
    "retry",
    "headers",
    "status line",
];

/// Ends that say a text each, all in the same place.
struct Hostile {
    ends: Vec<(String, End)>,
    place: Arc<Mutex<&'static str>>,
}

impl Hostile {
    fn start(texts: impl IntoIterator<Item = String>) -> Self {
        let place = Arc::new(Mutex::new(""));
        let ends = texts.into_iter().map(|text| {
            let (now, said) = (Arc::clone(&place), text.clone());
            let end = End::start_at("127.0.0.1", |host| {
                let host = host.to_owned();
                move |seen: &Seen| answer(&host, seen, *now.lock().expect("no panic"), &said)
            });
            (text, end)
        });
        let ends = ends.collect();
        Self { ends, place }
    }

    /// What the commands print of each end that speaks in this place, with one name for all.
    fn heard(&self, place: &'static str) -> Vec<String> {
        *self.place.lock().expect("no panic") = place;
        let hosts: Vec<_> = self.ends.iter().map(|(_, end)| end.host.as_str()).collect();
        let credentials: Vec<_> = hosts.iter().map(|host| (*host, "ci", SECRET)).collect();
        let setup = Setup::with(&credentials).variable("OTHER", SECRET);
        let images: Vec<_> = hosts.iter().map(|host| format!("{host}/group/app:1")).collect();
        let mut arguments: Vec<_> = images.iter().flat_map(|image| ["--image", image]).collect();
        let report = setup.verify(&arguments).json();
        arguments.insert(0, "verify");
        let text = setup.run(&arguments).stdout;
        for (name, spelling) in spellings() {
            assert!(!text.contains(&spelling), "{place}, {name}: {text}");
        }
        let runner = &report["runners"][0];
        let heard = hosts.iter().enumerate().map(|(number, host)| {
            let about = |kind: &str| {
                let all = runner[kind].as_array().expect("an array");
                all.iter().find(|found| found["registry"] == *host).expect("one")
            };
            let set =
                ["set", "--yes", "--verify", "-r", host, "-u", "ci", "--password-env", "OTHER"];
            let answers = format!("{}\n{}", about("credentials"), about("images"));
            // `set` says the same in a sentence of its own: some of them are enough.
            if (number + place.len()).is_multiple_of(8) {
                let Run { stderr, .. } = setup.run(&set);
                let of_login = about("credentials");
                let said =
                    of_login["message"].as_str().map_or(String::new(), |said| format!(": {said}"));
                assert!(stderr.contains(&said), "{stderr}{answers}");
                for (name, spelling) in spellings() {
                    assert!(!stderr.contains(&spelling), "{place}, {name}: {stderr}");
                }
            }
            answers.replace(host, "HOST")
        });
        heard.collect()
    }
}

fn answer(host: &str, seen: &Seen, place: &str, text: &str) -> Reply {
    // What can't stand in a header is left out there.
    let line: String = text.chars().filter(|letter| matches!(letter, ' '..='~')).collect();
    let quoted = line.replace('\\', "\\\\").replace('"', "\\\"");
    let number: String = line.chars().filter(char::is_ascii_digit).take(5).collect();
    let errors = |code: &str, message: &str| {
        json!({"errors": [{"code": code, "message": message}]}).to_string()
    };
    let bearer = |realm: &str| Reply::challenge(format!("Bearer realm=\"{realm}\",service=\"x\""));
    let own_realm = || bearer(&format!("http://{host}/token"));
    let no = |body: String| Reply::Answer(401, Vec::new(), body);
    let first = seen.authorization().is_none();
    let is_realm = seen.path.starts_with("/token");
    match place {
        "realm's host" => return bearer(&format!("https://{line}.invalid/token")),
        "realm's host, plain" => return bearer(&format!("http://{line}.invalid/token")),
        "realm's port" => return bearer(&format!("http://127.0.0.1:{number}/token")),
        "realm's message" if is_realm => return no(json!({"details": text}).to_string()),
        "realm's error" if is_realm => {
            return no(json!({"error": text, "error_description": text}).to_string());
        }
        "realm's answer" if is_realm => {
            return Reply::ok(json!({"token": 1, "x": text}).to_string());
        }
        "realm's message" | "realm's error" | "realm's answer" => return own_realm(),
        "service" if is_realm => return Reply::status(401),
        "service" => {
            let realm = format!("Bearer realm=\"http://{host}/token\"");
            return Reply::challenge(format!("{realm},service=\"{quoted}\",scope=\"{quoted}\""));
        }
        "image" if !first && seen.path == "/v2/" => return Reply::ok("{}"),
        _ if first => return Reply::challenge(format!("Basic realm=\"{quoted}\"")),
        _ => {}
    }
    match place {
        "message" => no(errors("UNAUTHORIZED", text)),
        "code" => no(errors(text, "authentication required")),
        "both" => no(errors(text, text)),
        "details" => no(json!({"details": text}).to_string()),
        "plain text" => no(text.to_owned()),
        "redirect" => Reply::status(307).with("Location", format!("http://{line}.invalid/")),
        "redirect's label" => {
            Reply::status(307).with("Location", format!("https://{line}.registry.docker.io/{line}"))
        }
        "redirect's port" => {
            Reply::status(307).with("Location", format!("http://127.0.0.1:{number}/"))
        }
        "image" => Reply::Answer(404, Vec::new(), errors("MANIFEST_UNKNOWN", text)),
        "retry" => Reply::status(429).with("Retry-After", number),
        "headers" => Reply::status(503).with("Server", line.clone()).with("X-Error", line),
        "status line" => Reply::Raw(format!("HTTP/1.1 {line}\r\n\r\n").into_bytes()),
        other => panic!("{other} is no place"),
    }
}

#[test]
fn what_is_printed_does_not_depend_on_how_a_registry_spells_a_password() {
    // Beside a text that nobody knows, one that is no host, no port or no code, and known beginnings.
    let numbers = ["17", "300", "2000", "12345"];
    let neutral = [UNKNOWN, "{\"", "", "denied <hidden>", HARBOR].into_iter().chain(numbers);
    let neutral: Vec<_> = neutral.map(str::to_owned).collect();
    let count = neutral.len();
    let spellings = spellings();
    let texts = neutral.into_iter().chain(spellings.iter().map(|(_, text)| text.clone()));
    let hostile = Hostile::start(texts);
    for place in PLACES {
        let heard = hostile.heard(place);
        let (expected, heard) = heard.split_at(count);
        assert!(expected[0].contains("HOST"), "{place}: {}", expected[0]);
        for ((name, _), heard) in spellings.iter().zip(heard) {
            assert!(expected.contains(heard), "{place}, {name}: {heard}\n{}", expected[0]);
        }
    }
}

#[test]
fn each_place_is_read() {
    let hostile = Hostile::start(
        [
            "access forbidden",
            "manifest unknown",
            "DENIED",
            "UNAUTHORIZED",
            "auth",
            "login",
            "17",
            "300",
        ]
        .into_iter()
        .chain(["5000", "5001"])
        .map(str::to_owned),
    );
    // Where nothing is ever shown, there is nothing that could be seen here.
    let never = ["service", "headers", "status line", "realm's answer"];
    for place in PLACES.iter().filter(|place| !never.contains(place)) {
        let heard = hostile.heard(place);
        let (one, other) = match *place {
            "code" | "both" | "realm's error" => (2, 3),
            "retry" => (6, 7),
            place if place.ends_with("port") => (8, 9),
            place if place.contains("host") || place.contains("redirect") => (4, 5),
            _ => (0, 1),
        };
        assert_ne!(heard[one], heard[other], "{place}");
    }
}

#[test]
fn a_person_who_asks_for_secrets_gets_every_word() {
    let words = "your s3cret has run out on 2026-01-02";
    let body = json!({"errors": [{"code": "UNAUTHORIZED", "message": words}]}).to_string();
    let end = End::start(move |seen| match seen.authorization() {
        Some(_) => Reply::Answer(401, Vec::new(), body.clone()),
        None => Reply::challenge("Basic realm=x"),
    });
    let setup = Setup::with(&[(&end.host, "ci", PASSWORD)]);
    let text = setup.run(&["verify"]).stdout;
    assert!(text.contains("is wrong (unauthorized: <hidden>)\n"), "{text}");
    let text = setup.run_showing_secrets(&["verify", "--show-secrets"]).stdout;
    assert!(text.contains(&format!("is wrong (UNAUTHORIZED: {words})\n")), "{text}");
    let set =
        ["set", "--yes", "--verify", "-r", &end.host, "-u", "ci", "--password-env", "PASSWORD"];
    let error = setup.run(&set).stderr;
    assert!(error.contains("refuses the credential: unauthorized: <hidden>"), "{error}");
    let error = setup.run_showing_secrets(&[&set[..], &["--show-secrets"]].concat()).stderr;
    assert!(error.contains(words), "{error}");
    // And the name of a host.
    let end = End::start(move |seen| match seen.authorization() {
        Some(who) if who == basic("ci", PASSWORD) => {
            Reply::status(302).with("Location", "http://s3cret.invalid/")
        }
        _ => Reply::challenge("Basic realm=x"),
    });
    let setup = Setup::with(&[(&end.host, "ci", PASSWORD)]);
    let text = setup.run(&["verify"]).stdout;
    assert!(text.contains("sends the question on to http://<hidden>, where"), "{text}");
    let text = setup.run_showing_secrets(&["verify", "--show-secrets"]).stdout;
    assert!(text.contains("(http://s3cret.invalid)\n"), "{text}");
}
