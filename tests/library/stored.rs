//! What `set` takes is no error to `doctor` afterwards: registries, users and passwords as people type them, beside
//! documents as they have them.

use std::time::{Duration, SystemTime};

use crate::random::{Random, check};

use runner_auth::{
    Circumstances, Config, ConfigText, Credential, Diagnosis, Error, Finding, Level, Plan,
    Registry, Request, Secret,
};

const SCHEMES: &[&str] = &["", "", "", "", "https://", "http://", "HTTPS://", "docker://", "//"];
const HOSTS: &[&str] = &[
    "r.io",
    "Registry.Example.COM",
    "localhost",
    "127.0.0.1",
    "[::1]",
    "::1",
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "hub.docker.com",
    "dockerhub",
    "registry",
    "docker",
    "harbor.internal",
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    "*.example.com",
    "a_b.example.com",
    "-r.io",
    "r.io.",
    "r..io",
    ".io",
    "xn--bcher-kva.example",
    "b\u{fc}cher.example",
    "ci@r.io",
    "$HOST",
    "r .io",
    "r%2eio",
    "",
];
const PORTS: &[&str] =
    &["", "", "", ":5000", ":443", ":0", ":99999", ":abc", ":", ":05000", ":80:90"];
const PATHS: &[&str] = &[
    "",
    "",
    "",
    "/",
    "/v1/",
    "/v2/",
    "/group",
    "/Group/App",
    "/group/app:1.2",
    "/group/app@sha256:0f",
    "/a//b",
    "/a b",
    "/v1/group",
    "/library",
    "/$PROJECT",
    "/?x=1",
    "/#",
    "/~user",
    "/..",
];
const AROUND: &[&str] = &["", "", "", " ", "\t", "\n"];
const USERS: &[&str] = &[
    "ci",
    "robot$ci",
    "robot$$group+ci",
    "AWS",
    "_json_key",
    "00000000-0000-0000-0000-000000000000",
    "a b",
    "b\u{fc}cher",
    "ci@example.com",
    "<token>",
    "\u{1f600}",
    "$USER",
    "\"",
    "a:b",
    "",
    "oauth2accesstoken",
];
const PASSWORDS: &[&str] = &[
    "s3cret",
    "s3cret$HOME",
    "$$",
    "two\nlines",
    "{\n  \"type\": \"service_account\"\n}\n",
    "\"'\\",
    "a\\u0041",
    "<p>",
    "p\u{e4}ss",
    "\u{0}",
    "\u{1f600}",
    " ",
    "",
    "x:y",
    "\n",
    "glpat-0123456789",
    "'''\"\"\"",
    "\u{feff}p",
];
const BEFORE: &[&str] = &[
    "",
    "  environment = []\n",
    "  environment = ['A=1', \"HOST=r.io\",] # ours\n",
    "  environment = ['DOCKER_AUTH_CONFIG={}']\n",
    "  environment = ['DOCKER_AUTH_CONFIG=', 'PROJECT=group']\n",
    "  environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \"Y2k6b2xk\"}}}']\n",
    "  environment = [\"DOCKER_AUTH_CONFIG={\\\"auths\\\":{\\\"https://r.io/v1/\\\":{\\\"auth\\\":\\\"Y2k6b2xk\\\"}}}\"]\n",
    "  environment = ['''DOCKER_AUTH_CONFIG={\n  \"auths\": {\n    \"r.io/group\": {\"auth\": \"Y2k6b2xk\"}\n  }\n}''']\n",
    "  environment = ['DOCKER_AUTH_CONFIG={\"auths\": {}, \"credsStore\": \"\"}']\n",
    "  environment = ['U=ci', 'P=old', 'DOCKER_AUTH_CONFIG={\"auths\": {\"q.io\": {\"username\": \"$U\", \"password\": \"$P\"}}}']\n",
];

/// A registry as somebody may type it.
fn typed(random: &mut Random) -> String {
    let around = random.pick(AROUND);
    let parts = [SCHEMES, HOSTS, PORTS, PATHS].map(|parts| random.pick(parts));
    format!("{around}{}{around}", parts.concat())
}

fn errors(config: &str) -> Vec<Finding> {
    let text = ConfigText::new("config.toml", config.as_bytes().to_vec());
    let circumstances = Circumstances {
        path: Some("config.toml"),
        mode: Some(0o600),
        has_helper: &|_| true,
        now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000),
    };
    let findings = Diagnosis::new(&text, &circumstances).findings;
    findings.into_iter().filter(|finding| finding.level() == Level::Error).collect()
}

/// What is stored of one to three logins; `None` where one of them is refused.
fn stored(random: &mut Random, config: &str, seen: &mut Vec<String>) -> Option<String> {
    let mut logins = Vec::new();
    for _ in 0..=random.below(3) {
        let typed = typed(random);
        let registry = Registry::parse(&typed).ok()?;
        let (user, password) = (random.pick(USERS), random.pick(PASSWORDS));
        let credential = Credential::new(user, Secret::new(password.to_owned())).ok()?;
        if logins.iter().any(|(other, _): &(Registry, _)| other.path() == registry.path()) {
            return None;
        }
        seen.push(format!("{typed:?} as {user:?} with {password:?}"));
        logins.push((registry, credential));
    }
    let text = ConfigText::new("config.toml", config.as_bytes().to_vec());
    let config = Config::parse(&text).expect("it parses");
    let replace = random.below(4) == 0;
    let request = Request::Set { logins, replace, pull_policies: Vec::new() };
    match Plan::make(&config, &[0], &request) {
        Ok(plan) => Some(String::from_utf8(plan.apply(&config)).expect("UTF-8")),
        Err(Error::NotProved { difference, .. }) => panic!("{difference}: {seen:?}"),
        Err(_) => None,
    }
}

#[test]
fn what_is_stored_is_no_error_afterwards() {
    let (mut taken, mut refused) = (0, 0);
    check(20_000, |random| {
        let executor =
            random.pick(&["docker", "docker", "kubernetes", "docker-autoscaler", "shell"]);
        let before = random.pick(BEFORE);
        let config = format!("[[runners]]\n  name = 'one'\n  executor = '{executor}'\n{before}");
        assert_eq!(errors(&config), [], "{config}");
        let mut seen = Vec::new();
        let Some(after) = stored(random, &config, &mut seen) else {
            refused += 1;
            return;
        };
        taken += 1;
        assert_eq!(errors(&after), [], "{} in\n{config}\ngives\n{after}", seen.join(", "));
    });
    assert!(taken > 1_000 && refused > 1_000, "{taken} taken, {refused} refused");
}
