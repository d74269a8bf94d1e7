//! No output of any command holds a secret that stands in the config or comes from a source.

use std::fs;
use std::process::Command;

use crate::support::fleet;

/// A config with a secret in every place that can hold one; each starts with `S3CRET`.
const CONFIG: &str = r#"concurrent = 1
# S3CRETcomment = in a comment
# https://user:S3CRETcommenturl@host
[[runners]]
  name = "one"
  url = "https://ci:S3CRETurl@gitlab.example.com/"
  token = "abcdefghiS3CRETtoken"
  # the token is abcdefghiS3CRETtoken
  executor = "docker"
  pre_build_script = """
    export A=S3CRETscript
    curl -H 'Token: S3CRETheader' https://example.com
  """
  environment = [
    "API_KEY=S3CRETvariable", # S3CRETvariable again
    'DOCKER_AUTH_CONFIG={"auths": {"r.io": {"auth": "dTpTM0NSRVRhdXRo"}, "q.io": {"username": "u", "password": "S3CRETplain$S3CRETname"}, "https://u:S3CRETkeyurl@z.io": {"auth": "dTpw"}}}',
    "no-name-S3CRETentry",
  ]
  clone_url = 'https://example.com/?private_token=S3CRETquery'
  [runners.docker]
    image = "alpine"
    volumes = ["/S3CRETvolume"]
  [runners.cache.s3]
    AccessKey = "S3CRETaccess"
    SecretKey = 'S3CRETkey'
  [runners.ssh]
    password = "S3CRETssh"
"#;

const DOCKER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/docker-config.json");
const KUBERNETES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kubernetes-secret.yaml");

/// The secrets, and the base64 and a part of it.
const SECRETS: &[&str] = &[
    "S3CRET",
    "dTpTM0NSRVRhdXRo",
    "TM0NSRV",
    "TmV3UGFzc3",
    "NewPassw0rd",
    "dckr_pat",
    "ZGNrcl9wYXRf",
    "azure-refresh",
    "k8s",
    "Y2k6azhz",
];

fn run(arguments: &[&str], config: &str) -> String {
    let folder = tempfile::tempdir().expect("a place to work");
    let path = folder.path().join("config.toml");
    fs::write(&path, config).expect("a config can be written");
    let output = Command::new(env!("CARGO_BIN_EXE_runner-auth"))
        .args(arguments)
        .env("CONFIG_FILE", &path)
        .env("PASSWORD", "NewPassw0rd")
        .output()
        .expect("the command runs");
    let (stdout, stderr) = (output.stdout, output.stderr);
    String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()
}

#[test]
fn no_output_holds_a_secret() {
    let set = ["set", "-u", "ci", "--password-env", "PASSWORD", "--context", "50", "-r"];
    let commands: Vec<Vec<&str>> = vec![
        [&set[..], &["r.io", "--yes"]].concat(),
        [&set[..], &["new.io", "--dry-run"]].concat(),
        [&set[..], &["q.io", "--check"]].concat(),
        [&set[..], &["q.io", "--yes", "--replace"]].concat(),
        [&set[..], &["q.io"]].concat(),
        [&set[..], &["q.io", "--name", "nobody"]].concat(),
        [&set[..], &["r.io", "--pull-policy", "always", "--yes"]].concat(),
        vec!["set", "--pull-policy", "never", "--yes", "--context", "50"],
        vec!["set", "--from-docker-config", DOCKER, "--yes", "--context", "50"],
        vec!["set", "--from-docker-config", DOCKER, "-r", "other.io", "--yes"],
        vec!["set", "--auth-config", KUBERNETES, "--dry-run"],
        vec!["render"],
        vec!["remove", "-r", "r.io", "--yes", "--context", "50"],
        vec!["remove", "--everything", "--yes", "--context", "50"],
        vec!["list"],
        vec!["explain", "r.io/app"],
        vec!["explain", "q.io/app", "--runner-version", "13.8"],
        vec!["doctor"],
    ];
    let broken = [
        CONFIG.to_owned(),
        CONFIG.replace("{\"auths\"", "\"auths\""),
        CONFIG.replace("dTpTM0NSRVRhdXRo", "S3CRET-no-base64"),
        CONFIG.replace("\"no-name-S3CRETentry\"", "1"),
        CONFIG.replace("password = \"S3CRETssh\"", "password = \"S3CRETssh"),
        CONFIG.replace('\n', "\r\n"),
    ];
    for config in &broken {
        for command in &commands {
            for format in ["text", "json"] {
                let arguments = [&command[..], &["--format", format, "--color", "always"]].concat();
                let printed = run(&arguments, config);
                assert!(!printed.is_empty(), "{arguments:?} says nothing");
                for secret in SECRETS {
                    assert!(!printed.contains(secret), "{arguments:?}: {secret} in\n{printed}");
                }
            }
        }
    }
    // The same check finds them when a person asks for them.
    let shown = run(&[&commands[0][..], &["--show-secrets"]].concat(), CONFIG);
    assert!(shown.contains("S3CRETkey") && shown.contains("dTpTM0NSRVRhdXRo"), "{shown}");
}

#[test]
fn a_secret_is_hidden_however_far_from_its_place() {
    let last = 9_999;
    let password = "hunter2";
    let config = fleet::config(last + 1)
        .replacen("  url", &format!("  # it was {password} and {password}.\n  url"), 2)
        .replace(
            "environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"r9999.io\"",
            "environment = ['PASSWORD=hunter2', 'DOCKER_AUTH_CONFIG={\"auths\": {\"r9999.io\"",
        );
    let arguments = ["set", "-n", "runner-1", "-r", "new.io", "-u", "ci", "--dry-run"];
    let arguments = [&arguments[..], &["--password-env", "PASSWORD", "--context", "40"]].concat();
    let printed = run(&arguments, &config);
    // Runners 0 and 1 have the comment and both are shown; 1 and 2 are the credentials in the change.
    let comment = "   # it was <hidden-3> and <hidden-3>.\n";
    assert_eq!(printed.matches(comment).count(), 2, "{printed}");
    assert!(!printed.contains(password), "{printed}");
}

/// Keys, a user and a helper that GitLab Runner makes of variables: some hold a password, one holds a
/// registry.
const VARIABLES: &str = r#"[[runners]]
  name = "one"
  executor = "docker"
  environment = [
    "REGISTRY=registry.example.com",
    "PLAIN=hunter",
    "TOKEN=Xk7mQz4Lw9Rt2Vb8",
    'DOCKER_AUTH_CONFIG={"auths": {"$REGISTRY/group": {"auth": "dTpw"}, "$REGISTRY": {"auth": "dTpw"}, "https://$REGISTRY/v1/": {"auth": "dTpw"}, "r.io/$PLAIN": {"auth": "dTpw"}, "r.io/$TOKEN/x": {"auth": "dTpw"}, "$TOKEN": {"auth": "dTpw"}, "${PLAIN}": {}, "u.io": {"username": "$TOKEN", "password": "x"}}, "credHelpers": {"q.io/$PLAIN": "h", "w.io": "$TOKEN"}}',
  ]
"#;

#[test]
fn an_error_that_lists_runners_names_none_by_a_secret() {
    let secret = "tr0ub4dor&3";
    let runner = |number: usize| {
        format!(
            "[[runners]]\n  name = \"{secret}\"\n  executor = \"docker\"\n  environment = \
             [\"DB_PASSWORD={secret}\", \"N={number}\"]\n"
        )
    };
    let config = runner(1) + &runner(2);
    let set = ["-r", "r.io", "-u", "ci", "--password-env", "PASSWORD", "--yes"];
    for arguments in [
        &["list", "-n", "one"][..],
        &["explain", "r.io/app", "-n", "one"],
        &["doctor", "-n", "one"],
        &["doctor", "--fix", "--yes", "-n", "one"],
        &["verify", "-n", "one"],
        &["render"],
        &[&["set"], &set[..]].concat(),
        &[&["set", "-n", "tr0ub4dor"], &set[..]].concat(),
        &["remove", "--everything", "--yes"],
    ] {
        for format in ["text", "json"] {
            let printed = run(&[arguments, &["--format", format]].concat(), &config);
            assert!(!printed.contains(secret), "{arguments:?}: {printed}");
            assert!(printed.contains("<hidden"), "{arguments:?}: {printed}");
        }
    }
}

/// Every kind of message that calls a runner by its name.
#[test]
fn a_secret_in_a_name_is_in_no_message() {
    let document = |document: &str| format!("'DOCKER_AUTH_CONFIG={document}'");
    let set = &["set", "--id", "1", "-u", "ci", "--password-env", "PASSWORD", "-r"][..];
    let docker = "executor = \"docker\"";
    let good = document(r#"{"auths": {"r.io": {"auth": "dTpw"}}}"#);
    let no_base64 = document(r#"{"auths": {"r.io": {"auth": "x"}}}"#);
    let helper = document(r#"{"credHelpers": {"r.io": "x"}}"#);
    let store = document(r#"{"credsStore": "x"}"#);
    let dry = &["--dry-run"][..];
    for (keys, element, arguments) in [
        (docker, &good, &["remove", "--id", "1", "-r", "q.io", "--yes"][..]),
        (docker, &good, &["remove", "--id", "1", "-r", "r.io", "--yes", "--quiet"]),
        (docker, &no_base64, &["doctor", "--fix", "--yes"]),
        (docker, &no_base64, &["doctor"]),
        (docker, &no_base64, &["render", "--id", "1"]),
        (docker, &no_base64, &["remove", "--id", "1", "-r", "r.io", "--yes"]),
        (docker, &no_base64, &[set, &["q.io"], dry].concat()),
        (docker, &no_base64, &["explain", "r.io/app"]),
        (docker, &"1".to_owned(), &[set, &["q.io"], dry].concat()),
        (docker, &"1".to_owned(), &["list"]),
        (docker, &"'A=1'".to_owned(), &["render", "--id", "1"]),
        (docker, &helper, &[set, &["r.io"], dry].concat()),
        (docker, &store, &[set, &["r.io"], dry].concat()),
        ("executor = \"shell\"", &good, &[set, &["q.io"], dry].concat()),
        ("executor = \"custom\"", &good, &[set, &["q.io"], dry].concat()),
        ("executor = \"shell\"", &good, &["set", "--id", "1", "--pull-policy", "always"]),
        (
            docker,
            &good,
            &["set", "--id", "1", "--credential-helper", "x", "--delegate", "--dry-run"],
        ),
        (docker, &good, &["list", "-n", "nobody"]),
        (docker, &good, &["render"]),
    ] {
        for format in ["text", "json"] {
            let arguments = [arguments, &["--format", format]].concat();
            let printed = |name: &str, own: &str| {
                let runner = |id: u8| {
                    format!(
                        "[[runners]]\n  name = \"{name}\"\n  id = {id}\n  {keys}\n  environment = \
                         [\"DB_PASSWORD={own}\", {element}]\n  [runners.docker]\n    image = \"{id}\"\n"
                    )
                };
                // Without a token it is only by the name that a command can pick one of them.
                let other = runner(2).replace(name, "two");
                run(&arguments, &(runner(1) + &other))
            };
            // What the message says of any other name.
            let plain = printed("plain-name", "tr0ub4dor&3");
            let quiet = format == "text" && arguments.contains(&"--quiet");
            assert!(quiet || plain.contains("plain-name"), "{arguments:?}: {plain}");
            // A secret of the config, and one that is on its way into it.
            let comes = arguments.contains(&"--password-env");
            let secrets = ["tr0ub4dor&3", "NewPassw0rd"];
            for secret in &secrets[..=usize::from(comes)] {
                for name in [(*secret).to_owned(), format!("the {secret} one")] {
                    let printed = printed(&name, "tr0ub4dor&3");
                    assert!(!printed.contains(secret), "{arguments:?}: {printed}");
                    assert!(quiet || printed.contains("<hidden"), "{arguments:?}: {printed}");
                }
            }
        }
    }
}

#[test]
fn a_piece_of_a_secret_does_not_lead_to_it() {
    let secret = "Xk7mQz4Lw9Rt2Vb8";
    let config = format!(
        "[[runners]]\n  name = \"one {secret}\"\n  token = \"{secret}\"\n[[runners]]\n  executor = \
         \"{secret}\"\n"
    );
    for arguments in [&["list", "-n", "one X"][..], &["list", "--executor", "Xk7"]] {
        let printed = run(arguments, &config);
        assert!(printed.contains("<hidden") && !printed.contains("mQz4Lw9Rt"), "{printed}");
    }
}

#[test]
fn a_key_made_of_variables_is_shown_as_it_is_written() {
    let set = ["set", "-u", "ci", "--password-env", "PASSWORD", "--dry-run", "-r"];
    let delegate = ["set", "--credential-helper", "h", "--delegate", "--dry-run"];
    let commands: Vec<(Vec<&str>, &[&str])> = vec![
        (
            vec!["list"],
            &[
                "registry.example.com/group",
                "r.io/$PLAIN",
                "r.io/$TOKEN/x",
                "q.io/$PLAIN",
                "$TOKEN",
            ],
        ),
        (vec!["explain", "r.io/group/app"], &["r.io/$PLAIN", "r.io/$TOKEN/x"]),
        (vec!["explain", "r.io/group/app", "--runner-version", "14.7"], &["r.io/$PLAIN"]),
        (vec!["explain", "u.io/app"], &["u.io", "$TOKEN"]),
        (vec!["explain", "w.io/app"], &["w.io", "docker-credential-$TOKEN"]),
        (vec!["explain", "registry.example.com/group/app"], &["registry.example.com/group"]),
        (vec!["doctor"], &["registry.example.com", "${PLAIN}", "docker-credential-$TOKEN"]),
        ([&set[..], &["new.io"]].concat(), &["new.io"]),
        ([&set[..], &["r.io"]].concat(), &["r.io/$PLAIN", "r.io/$TOKEN/x"]),
        (
            [&set[..], &["registry.example.com"]].concat(),
            &["update https://registry.example.com/v1/"],
        ),
        ([&set[..], &["new.io", "--replace"]].concat(), &["remove r.io/$PLAIN", "remove $TOKEN"]),
        (delegate.to_vec(), &["r.io/$PLAIN", "r.io/$TOKEN/x"]),
        (vec!["remove", "--everything", "--dry-run"], &["remove r.io/$PLAIN", "remove $TOKEN"]),
        (vec!["remove", "-r", "u.io", "--dry-run"], &["remove u.io for user $TOKEN"]),
    ];
    // The same where the runner brings a broken document or a document in a variable.
    let broken = VARIABLES.replace("{}, \"u.io\"", "{\"auth\": \"x\"}, \"u.io\"");
    for (command, expected) in &commands {
        for format in ["text", "json"] {
            let arguments = [&command[..], &["--format", format]].concat();
            let printed = run(&arguments, VARIABLES);
            for secret in ["hunter", "Xk7m", "2Vb8"] {
                for printed in [&printed, &run(&arguments, &broken)] {
                    assert!(!printed.contains(secret), "{arguments:?}: {secret} in\n{printed}");
                }
            }
            // What a report says in words is not in the same words in JSON.
            let expected = expected.iter().filter(|text| format == "text" || !text.contains(' '));
            for expected in expected {
                assert!(printed.contains(expected), "{arguments:?}: no {expected} in\n{printed}");
            }
        }
    }
    let printed = run(&["explain", "r.io/app", "--runner-version", "14.7"], &broken);
    assert!(printed.contains("has an auth for ${PLAIN} that is not padded base64"), "{printed}");
    // It is for another place that a document is rendered, and so it holds the values.
    assert!(run(&["render"], VARIABLES).contains("\"r.io/hunter\""));
    // A key that stands in a document which a variable holds is a key like any other.
    let whole = "environment = ['DOC={\"auths\": {\"r.io\": {\"auth\": \"dTpw\"}}}', \
                 'DOCKER_AUTH_CONFIG=$DOC']";
    let whole = format!("[[runners]]\n  name = 'one'\n  executor = 'docker'\n  {whole}\n");
    assert!(run(&["list"], &whole).contains("r.io (u)"));
}

#[test]
fn a_host_that_comes_from_a_secret_is_in_no_answer() {
    let config = VARIABLES
        .replace("Xk7mQz4Lw9Rt2Vb8", "127.0.0.9")
        .replace("\"$TOKEN\": {", "\"$TOKEN:1\": {");
    for format in ["text", "json"] {
        let printed = run(&["verify", "--timeout", "1", "--format", format], &config);
        assert!(printed.contains("$TOKEN:1") && printed.contains("<hidden>:1"), "{printed}");
        assert!(!printed.contains("127.0.0.9"), "{printed}");
    }
}
