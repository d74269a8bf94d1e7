//! Secrets in every place of a config and of a credential source, in every spelling, through every
//! command: none comes out.
//!
//! `REDACTION_RUNS=10000 REDACTION_SEED=7 cargo test --test command redaction` tries more of the
//! combinations, or others.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// Draws what is the same for the same seed.
struct Random(TestRunner);

impl Random {
    fn seeded() -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(setting("REDACTION_SEED", 1) as u64).to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        Self(TestRunner::new_with_rng(ProptestConfig::default(), rng))
    }

    fn draw<T>(&mut self, strategy: impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.0).expect("nothing is refused").current()
    }

    fn one_of<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.draw(0..list.len())]
    }
}

/// Secrets as people and machines make them. All can stand in TOML and JSON without an escape.
const KINDS: &[&str] = &[
    "[A-HJ-NP-Za-km-z]{6}7[A-HJ-NP-Za-km-z]{9}4",
    "glrt-[A-Fa-f0-9]{19}x9",
    "[a-f0-9]{30}a1",
    "[A-F][a-km-np-z]{8}[1-9]{3}",
    "[a-km-np-z]{7}9![a-km-np-z]{3}%2F8",
    "pässwörd[a-km-np-z]{4}99",
    "[A-HJ-NP-Za-km-z]{90}5[A-HJ-NP-Za-km-z]{90}",
];

/// What must not come out of a secret, in any spelling of it.
fn needles(secret: &str) -> Vec<String> {
    let mut needles = vec![secret.to_owned(), base64(secret), unicode(secret), percent(secret)];
    // As it stands in `user:password`, wherever the three bytes start.
    for user in ["u:", "ci:", "xyz:"] {
        let packed = base64(&format!("{user}{secret}"));
        needles.push(packed.trim_end_matches('=')[4..].to_owned());
    }
    // Half of a secret is too much as well.
    let letters: Vec<char> = secret.chars().collect();
    needles.push(letters[letters.len() / 2..].iter().collect());
    needles.push(letters[..letters.len() / 2].iter().collect());
    needles
}

fn unicode(text: &str) -> String {
    text.chars().fold(String::new(), |text, letter| text + &format!("\\u{:04x}", letter as u32))
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

/// What a spelling is called, and how a secret is spelled in it.
type Spelling = (&'static str, fn(&str) -> String);

/// Spellings of a secret.
const SPELLINGS: &[Spelling] = &[
    ("plain", str::to_owned),
    ("base64", base64),
    ("login", |secret| base64(&format!("u:{secret}"))),
    ("bare", |secret| base64(&format!("u:{secret}")).trim_end_matches('=').to_owned()),
    ("escaped", unicode),
    ("percent", percent),
    ("twice", |secret| format!("{secret}{secret}")),
    ("after", |secret| format!("x{secret}")),
];

/// What of a config holds the secret.
enum Place {
    /// Lines of the runner, before its sub-tables.
    Runner(&'static str),
    /// Elements of its environment.
    Element(&'static str),
    /// The auth document, in single quotes or, for escapes, in double ones.
    Document(&'static str),
    /// Lines at the end of the file.
    End(&'static str),
}

use Place::{Document, Element, End, Runner};

/// Every place, with `@` where the secret stands. The first ones are those from which something came
/// out once.
const PLACES: &[Place] = &[
    Element(r#"'DOCKER_AUTH_CONFIG: {"auths": {"r.io": {"auth": "@"}}}'"#),
    Element(r#"'DOCKER_AUTH_CONFIG {"auths": {"r.io": {"auth": "@="}}}'"#),
    Element(r#"'{"auths": {"r.io": {"auth": "@=="}}}'"#),
    Element("'@'"),
    Element("'@='"),
    Element("'@=='"),
    Element("'export DOCKER_AUTH_CONFIG={@}'"),
    Element("'docker_auth_config =@'"),
    Runner(r#"# "auth": "@""#),
    Runner("# password: @"),
    Runner("# Bearer @"),
    Runner("# @"),
    Runner("#@"),
    Runner("# A=@"),
    Runner("# https://u:@@host/"),
    Runner("# environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \"@\"}}}']"),
    Runner("# see @, or (@)"),
    Runner("url = 'https://u:@@gitlab.example.com/'"),
    Runner("url = 'https://u:a/@@gitlab.example.com/'"),
    Runner("url = 'u:@@gitlab.example.com'"),
    Runner("url = 'https://gitlab.example.com/?private_token=@'"),
    Runner("url = 'https://u:@'"),
    Document(r#"{"auths": {"u:@@r.io/group": {"auth": "dTpw"}}}"#),
    Document(r#"{"auths": {"https://u:a/@@r.io": {"auth": "dTpw"}}}"#),
    Document(r#"{"auths": {"r.io/a?private_token=@": {"auth": "dTpw"}}}"#),
    Document(r#"{"auths": {"@@r.io": {"auth": "dTpw"}}}"#),
    Document(r#"{"auths": {"https://u:@@R.io/v1/": {}, "r.io": {"auth": "dTpw"}}}"#),
    Document(r#"{"credHelpers": {"u:@@r.io": "pass"}}"#),
    // Other places of an auth document.
    Document(r#"{"auths": {"r.io": {"auth": "@"}}}"#),
    Document(r#"{"auths": {"r.io": {"auth": "@"}, "r.io": {"auth": "dTpw"}}}"#),
    Document(r#"{"auths": {"r.io": {"username": "u", "password": "@"}}}"#),
    Document(r#"{"auths": {"r.io": {"auth": "dTpw", "identitytoken": "@"}}}"#),
    Document(r#"{"auths": {"r.io": {"registrytoken": "@"}}}"#),
    Document(r#"{"auths": {"r.io": {"auth": "dTpw", "email": "@"}}}"#),
    Document(r#"{"auths": {"r.io": {"auth": {"x": "@"}}}}"#),
    Document(r#"{"auths": {"r.io": "@"}}"#),
    Document(r#"{"auths": "@"}"#),
    Document(r#"{"auths": {}, "HttpHeaders": {"Authorization": "@"}}"#),
    Document(r#"{"auths": {}, "x": [1, {"y": "@"}]}"#),
    Document(r#"{"r.io": {"auth": "@"}}"#),
    Document(r#"{"auths": {"r.io": {"auth": "@"}}} @"#),
    Document(r#"{"auths": {"r.io": {"auth": "@"}"#),
    Document(r#"{"auths": {"r.io": {"auth": "@}}}"#),
    Document(r#""auths": {"r.io": {"auth": "@"}}"#),
    Document("@"),
    Document(r#"{"auths": {"r.io": {"auth": "dTpw$@"}}}"#),
    Document(r#"{"credsStore": "../@"}"#),
    Document(r#"{"auths": {}, "@=": 1}"#),
    // Other places of a config.
    Runner("token = 'glrt-abcdefghi@'"),
    Runner("Token = 'glrt-abcdefghi@'"),
    Runner("pre_build_script = '''\nexport A=@\n  curl -H 'Token: @' https://r.io\n'''"),
    Runner("clone_url = 'https://r.io/?private_token=@'"),
    Runner("executor = '@'"),
    Runner("shell = '@@'"),
    Runner("x = ['a', {b = '@', name = 'u:@@h'}]"),
    Runner("\"u:@@h\" = 1"),
    Element("'API_KEY=@'"),
    Element("'name with blanks=@'"),
    Element("'A=https://u:@@r.io'"),
    Element("'DOCKER_AUTH_CONFIG=@', 'DOCKER_AUTH_CONFIG={\"auths\": {}}'"),
    Element("'P=@', 'DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \"$P\"}}}'"),
    Element(
        "'P=@', 'DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"username\": \"u\", \"password\": \"$P\"}}}'",
    ),
    Element("'P=@', 'DOCKER_AUTH_CONFIG={\"auths\": {\"u:$P@r.io\": {\"auth\": \"dTpw\"}}}'"),
    End("[runners.docker]\nhelper_image = 'u:@@r.io/app'"),
    Document(r#"{"credHelpers": {"r.io": "docker-credential-@"}}"#),
    // What GitLab Runner makes of a variable, where a registry, a user or a helper is expected.
    Element("'P=@', 'DOCKER_AUTH_CONFIG={\"auths\": {\"$P\": {\"auth\": \"dTpw\"}}}'"),
    Element("'P=@', 'DOCKER_AUTH_CONFIG={\"auths\": {\"r.io/${P}\": {\"auth\": \"dTpw\"}}}'"),
    Element("'P=@', 'DOCKER_AUTH_CONFIG={\"auths\": {\"r.io/$P/a\": {\"auth\": \"x\"}}}'"),
    Element("'P=@', 'DOCKER_AUTH_CONFIG={\"$P.r.io\": {\"auth\": \"dTpw\"}}'"),
    Element("'P=@', 'DOCKER_AUTH_CONFIG={\"credHelpers\": {\"r.io/$P\": \"$P\"}}'"),
    Element(
        "'TOKEN=@', 'DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"username\": \"$TOKEN\", \"password\": \"p\"}}}'",
    ),
    End("[runners.ssh]\npassword = '@'"),
    End("[runners.docker]\nimage = 'u:@@r.io/app'\nvolumes = ['/@']"),
    End("[runners.docker]\nservices = [{name = 'a', environment = ['A=@', '@']}]"),
    End(
        "[runners.docker]\nenvironment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \"@\"}}}']",
    ),
    End("[runners.cache.s3]\nAccessKey = '@'\nSecretKey = '@' # @"),
    End("[runners.docker.sysctls]\n'u:@@h' = '@'"),
    End("[[runners]]\nname = 'other glrt-abcdefghi@'\ntoken = 'glrt-abcdefghi@'\n# the token is @"),
    End("# @"),
    // A secret that is known from elsewhere, where people write freely.
    End("[[runners]]\nname = 'the @ one'\nexecutor = 'shell'\nenvironment = ['P_TOKEN=@', '1']"),
    End("[[runners]]\nname = \"\"\"the @\\\n  \"\"\"\nenvironment = ['P_TOKEN=@']"),
    End(
        "[[runners]]\n'@' = 1\n'x'.'@' = 1\nenvironment = ['P_TOKEN=@']\n[runners.docker.'@']\na = 1",
    ),
    End("[[runners]]\nname = 'u:@'\nurl = 'https://u:@@gitlab.example.com/' # the login is @"),
    // A token in the place of a user.
    Document(r#"{"auths": {"r.io": {"username": "glpat-@", "password": "x"}}}"#),
    Document(r#"{"auths": {"r.io": {"username": "ghp_0123456789@"}}}"#),
];

/// The config with a secret in one place.
fn config(place: &Place, text: &str) -> String {
    // An `@` of an address stands behind the secret.
    let plant =
        |template: &str| template.replace("@@", "@\u{1}").replace('@', text).replace('\u{1}', "@");
    let document = r#"'DOCKER_AUTH_CONFIG={"auths": {"r.io": {"auth": "dTpw"}}}'"#;
    let (mut runner, mut element, mut end) = (String::new(), document.to_owned(), String::new());
    match place {
        Runner(template) => runner = plant(template),
        Element(template) => element = plant(template),
        Document(template) if text.contains("\\u") => {
            // The escapes are JSON's.
            element = format!("'DOCKER_AUTH_CONFIG={}'", plant(template));
        }
        Document(template) => element = format!("'DOCKER_AUTH_CONFIG={}'", plant(template)),
        End(template) => end = plant(template),
    }
    // An escape needs double quotes in TOML; a comment and a document have their own.
    let escaped = |part: String| {
        let plain = !part.contains("\\u") || part.contains('"') || part.starts_with('#');
        if plain { part } else { part.replace('\'', "\"") }
    };
    let (runner, end) = (escaped(runner), escaped(end));
    let own = |key: &str| !runner.to_lowercase().contains(&format!("{key} ="));
    let default = |key: &str, value: &str| {
        if own(key) { format!("  {key} = '{value}'\n") } else { String::new() }
    };
    let (url, token, executor) = (
        default("url", "https://gitlab.example.com/"),
        default("token", "glrt-0123456789abcdefghij"),
        default("executor", "docker"),
    );
    format!(
        "concurrent = 1\n[[runners]]\n  name = 'one'\n{url}{token}{executor}{runner}\n  \
         environment = [\n    {element}\n  ]\n{end}\n"
    )
}

/// Every command that says something; `CONFIG_FILE` names the config.
const COMMANDS: &[&str] = &[
    "list",
    "explain r.io/group/app",
    "explain r.io/a --runner-version 12.9",
    "explain nowhere.example.com/app",
    "explain",
    "doctor",
    "set -n one -r r.io -u u --password-env PASSWORD --dry-run --context 99",
    "set -n one -r new.io -u u --password-env PASSWORD -y --context 99",
    "set -n one -r new.io -u u --password-env PASSWORD --replace -y",
    "set -n one -r new.io -u u --password-env PASSWORD",
    "set -n one --pull-policy always -y --context 99",
    "set -n one -r r.io --credential-helper x --delegate -y --context 99",
    "set -n nobody -r r.io -u u --password-env PASSWORD -y",
    "remove -n one -r r.io -y --context 99",
    "remove -n one --everything -y --context 99",
    "set --all --from-docker-config config.json -y",
    "set --all --auth-config config.json -y",
    "render --auth-config config.json --as toml --registry x",
];

struct Run {
    printed: String,
}

fn run(folder: &Path, config: &str, command: &str, json: bool, password: &str) -> Run {
    fs::write(folder.join("config.toml"), config).expect("a config can be written");
    let format = if json { "json" } else { "text" };
    let output = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
        .args(command.split(' '))
        .args(["--format", format, "--color", "always"])
        .env_clear()
        .env("CONFIG_FILE", "config.toml")
        .env("PASSWORD", password)
        .env("PATH", "/usr/bin:/bin")
        .current_dir(folder)
        .output()
        .expect("the command runs");
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(!printed.contains("panicked"), "{command:?} on\n{config}\n{printed}");
    Run { printed }
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// The words of which a secret may be a part by chance.
fn leaks<'n>(printed: &str, needles: &'n [String]) -> Option<&'n String> {
    needles.iter().find(|needle| needle.chars().count() >= 5 && printed.contains(needle.as_str()))
}

#[test]
fn no_secret_comes_out_of_any_place_by_any_command() {
    let folder = tempfile::tempdir().expect("a place to work");
    let (runs, seed) = (setting("REDACTION_RUNS", 600), setting("REDACTION_SEED", 1));
    let mut random = Random::seeded();
    let mut said = 0;
    for number in 0..runs {
        // Each place in turn, so that a small sample has them all.
        let place = &PLACES[number % PLACES.len()];
        let kind = *random.one_of(KINDS);
        let secret = random.draw(kind);
        let (spelling, spell) = random.one_of(SPELLINGS);
        let command = random.one_of(COMMANDS);
        let text = config(place, &spell(&secret));
        let login = base64(&format!("u:{secret}"));
        let source = match random.draw(0..4) {
            0 => format!(r#"{{"auths": {{"q.io": {{"auth": "{login}"}}}}}}"#),
            1 => format!(r#"{{"auths": {{"u:{secret}@q.io": {{"auth": "{login}"}}}}}}"#),
            2 => format!(r#"{{"auths": {{"q.io": {{"auth": "{login}"}}"#),
            _ => format!("kind: Secret\nstringData:\n  .dockerconfigjson: '{login}'\n"),
        };
        fs::write(folder.path().join("config.json"), source).expect("a source can be written");
        let json = random.draw(any::<bool>());
        let run = run(folder.path(), &text, command, json, &secret);
        said += usize::from(!run.printed.is_empty());
        if let Some(needle) = leaks(&run.printed, &needles(&secret)) {
            panic!(
                "run {number} of seed {seed} ({spelling}): {command:?} shows {needle} of\n{text}\n{}",
                run.printed
            );
        }
    }
    assert_eq!(said, runs, "every command says something");
}

/// The same check finds every place when a person asks for secrets: it can fail.
#[test]
fn the_check_for_secrets_finds_them() {
    let folder = tempfile::tempdir().expect("a place to work");
    let secret = "Xk7mQz4Lw9Rt2Vb8";
    let command =
        "set -n one -r new.io -u u --password-env PASSWORD --replace --dry-run --context 99";
    for (number, place) in PLACES.iter().enumerate() {
        let text = config(place, secret);
        let hidden = run(folder.path(), &text, command, false, "n0t-this-0ne").printed;
        assert_eq!(leaks(&hidden, &needles(secret)), None, "place {number}: {hidden}");
        let shown = format!("{command} --show-secrets");
        let shown = run(folder.path(), &text, &shown, false, "n0t-this-0ne").printed;
        assert!(leaks(&shown, &needles(secret)).is_some(), "place {number}: {shown}");
    }
}

/// A password, a token and a variable that are words of the output change nothing of it: a gap would
/// tell them.
#[test]
fn a_password_that_is_a_word_of_the_output_is_not_told_by_a_gap() {
    let folder = tempfile::tempdir().expect("a place to work");
    let text = |secret: &str| {
        let login = base64(&format!("u:{secret}"));
        format!(
            "concurrent = 1 # how many jobs run\n[[runners]]\n  name = 'runner-1 for docker'\n  \
             url = 'https://gitlab.example.com/'\n  token = 'glrt-0123456789abcdefghij'\n  \
             executor = 'docker'\n  environment = ['PASSWORD={secret}', 'AWS_REGION={secret}', \
             'DOCKER_AUTH_CONFIG={{\"auths\": {{\"r.io:5000\": {{\"auth\": \"{login}\"}}, \
             \"1234.dkr.ecr.eu-central-1.amazonaws.com\": {{\"auth\": \"dTpw\"}}, \"x\": {{}}}}}}']\n  \
             [runners.docker]\n    image = 'alpine:3.20'\n    pull_policy = 'if-not-present'\n  \
             [runners.ssh]\n    password = '{secret}'\n"
        )
    };
    let commands: Vec<_> = [0, 1, 3, 5, 6, 7, 10, 13, 14].map(|number| COMMANDS[number]).into();
    let print = |command: &str, secret: &str| {
        run(folder.path(), &text(secret), command, false, secret).printed
    };
    // What stands nowhere else.
    let neutral = |length: usize| "q".repeat(length);
    let separators = |letter: char| letter.is_whitespace() || "\"'[](){},;=\u{1b}".contains(letter);
    let outputs: Vec<_> = commands.iter().map(|command| print(command, &neutral(8))).collect();
    let words: BTreeSet<&str> = outputs
        .iter()
        .flat_map(|printed| printed.split(separators))
        .flat_map(|word| [word, word.trim_matches([':', '.', '<', '>', '+', '-', '$'])])
        .filter(|word| !word.is_empty() && !word.contains(['\\', 'm', '<']) && *word != "password")
        // What stands for a password that is still to come is told by doctor.
        .filter(|word| word.contains(char::is_alphanumeric))
        .collect();
    assert!(words.len() > 100, "{words:?}");
    let mut random = Random::seeded();
    let runs = setting("REDACTION_RUNS", 600) / 4;
    let words: Vec<&str> = words.into_iter().collect();
    for _ in 0..runs {
        let word = random.one_of(&words);
        let command = random.one_of(&commands);
        let expected = print(command, &neutral(word.len()));
        assert_eq!(print(command, word), expected, "{command:?} with {word:?}");
    }
}

/// Some call a runner by a token: by its own, by an old one, by one of another kind.
#[test]
fn a_token_in_a_name_is_hidden_in_reports_and_errors() {
    let folder = tempfile::tempdir().expect("a place to work");
    let mut random = Random::seeded();
    let credential = |broken: &str| {
        format!(r#"'DOCKER_AUTH_CONFIG={{"auths": {{"r.io": {{"auth": "dTpw"}}}}{broken}'"#)
    };
    let elements = [
        credential("}"),
        credential(""),
        credential(r#", "credHelpers": {"n.io": "x"}}"#),
        format!("{}, {}", credential("}"), credential("}")),
        "'docker_auth_config={}'".to_owned(),
        "1".to_owned(),
    ];
    let commands = [
        "list",
        "explain r.io/a",
        "doctor",
        "doctor --fix -y",
        "render --id 7 --as env",
        "remove --id 7 -r r.io -y",
        "set --id 7 --pull-policy always -y",
        "set -r n.io -u u --password-env PASSWORD -y",
        "set --id 7 -r n.io -u u --password-env PASSWORD -y",
        "set -n nobody -r n.io -u u --password-env PASSWORD -y",
        "set -n name -r n.io -u u --password-env PASSWORD -y",
        "set --executor docker -r n.io -u u --password-env PASSWORD -y",
        "set --all -r n.io -u u --password-env PASSWORD -y",
    ];
    for prefix in ["glrt-", "glrt-t1_", "glpat-", "GR1348941", "q7Wd2K"] {
        for name in ["@", "name @", "runner-@ (old)"] {
            let token = format!("{prefix}{}", random.draw("[A-HJ-NP-Za-km-z1-9]{19}"));
            // Its first nine characters are how GitLab calls the runner that has it.
            let hidden = vec![token.clone(), token[token.len() - 9..].to_owned()];
            let name = name.replace('@', &token);
            let element = random.one_of(&elements);
            let own = if random.draw(any::<bool>()) { &token } else { "glrt-0123456789abcdefghij" };
            let text = format!(
                "[[runners]]\n  name = '{name}'\n  id = 7\n  token = '{own}'\n  executor = \
                 'docker'\n  environment = [{element}]\n  [runners.docker]\n[[runners]]\n  \
                 name = 'two'\n  executor = 'docker'\n"
            );
            for command in commands {
                let json = random.draw(any::<bool>());
                let printed = run(folder.path(), &text, command, json, "p").printed;
                assert_eq!(leaks(&printed, &hidden), None, "{command:?} on\n{text}\n{printed}");
            }
            // The check can fail.
            let shown = "list --show-secrets";
            let printed = run(folder.path(), &text, shown, false, "p").printed;
            assert!(element == "1" || printed.contains(&name), "{printed}");
        }
    }
}

/// A token that is too short to be one of GitLab's is not told by its first nine characters.
#[test]
fn no_token_is_shown_whole() {
    let folder = tempfile::tempdir().expect("a place to work");
    for token in ["s3", "s3cr", "s3cret", "s3cret-t0", "glrt-s3cret", "glrt-t1_s3cret-t0"] {
        let text = format!("[[runners]]\n  name = 'one'\n  id = 7\n  token = '{token}'\n");
        for command in ["list", "doctor", "set -n two --pull-policy always"] {
            for json in [false, true] {
                let printed = run(folder.path(), &text, command, json, "p").printed;
                let bare = token.rsplit(['-', '_']).next().expect("a part");
                for secret in [token, bare] {
                    let shown = printed.contains(&format!("({secret}"))
                        || printed.contains(&format!("\"{secret}\""));
                    assert!(!shown, "{command:?} shows {secret}: {printed}");
                }
            }
        }
    }
}

/// Nothing in a config moves the cursor or turns the direction of a line, in text or in JSON; a parser
/// of the JSON gets the name as it is.
#[test]
fn nothing_in_a_config_reaches_a_terminal_but_letters() {
    let folder = tempfile::tempdir().expect("a place to work");
    let hostile =
        "a\\u001b[2J\\u009b1m\\u202eb\\u2066c\\u2028d\\u2029\\u200b\\u0007\\u007f\\U000e0041z";
    let acts = |letter: char| {
        (letter.is_control() && letter != '\n')
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
    };
    let raw = hostile_value();
    let config = format!(
        "# \u{9b}1m\u{202e}x\u{2028}\n[[runners]]\n  name = \"{hostile}\"\n  url = \"{hostile}\"\n  token = \"x{hostile}y\"\n  \
         executor = \"{hostile}\"\n  \"{hostile}\" = 1\n  environment = [\"{hostile}=1\", \
         \"DOCKER_AUTH_CONFIG={{\\\"auths\\\": {{\\\"r.io/{hostile}\\\": {{\\\"auth\\\": \
         \\\"{}\\\"}}, \\\"r.io\\\": {{\\\"auth\\\": \\\"{hostile}\\\"}}}}, \\\"credHelpers\\\": \
         {{\\\"q.io\\\": \\\"{hostile}\\\"}}, \\\"{hostile}\\\": 1}}\"]\n[[runners]]\n  name = \
         \"{hostile}\"\n",
        base64(&format!("{raw}:x"))
    );
    for command in COMMANDS {
        for json in [false, true] {
            let output = run(folder.path(), &config, command, json, "secret").printed;
            // The colours are ours.
            let colours = output.split('\u{1b}').enumerate().map(|(number, part)| {
                let end = part.find('m').filter(|end| part[..*end].starts_with('[') && *end < 8);
                if number == 0 { part } else { &part[end.map_or(0, |end| end + 1)..] }
            });
            let plain: String = colours.collect();
            assert_eq!(plain.find(acts), None, "{command:?}: {output:?}");
        }
    }
    // The module for Ansible is the same program under another name.
    let module = folder.path().join("docker_auth");
    symlink(env!("CARGO_BIN_EXE_runner-auth"), &module).expect("a link can be made");
    for options in [
        r#"{"config": "config.toml", "all": true, "state": "absent", "_ansible_diff": true}"#,
        r#"{"config": "config.toml", "name": "nobody", "state": "absent"}"#,
    ] {
        fs::write(folder.path().join("options.json"), options).expect("options can be written");
        fs::write(folder.path().join("config.toml"), &config).expect("a config can be written");
        let output = Command::new(&module)
            .arg("options.json")
            .env_clear()
            .current_dir(folder.path())
            .output()
            .expect("the module runs");
        let answer = String::from_utf8_lossy(&output.stdout);
        assert_eq!(answer.find(acts), None, "{answer:?}");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        let named = [&answer["runners"][0]["name"], &answer["msg"]];
        let raw = |text: &serde_json::Value| text.as_str().is_some_and(|text| text.contains(&raw));
        assert!(named.into_iter().any(raw), "{answer}");
    }
    let listed = run(folder.path(), &config, "list", true, "");
    let listed: serde_json::Value = serde_json::from_str(&listed.printed).expect("JSON");
    assert_eq!(listed["runners"][0]["name"], raw);
}

fn hostile_value() -> String {
    "a\u{1b}[2J\u{9b}1m\u{202e}b\u{2066}c\u{2028}d\u{2029}\u{200b}\u{7}\u{7f}\u{e0041}z".to_owned()
}
