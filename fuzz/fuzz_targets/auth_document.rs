//! Arbitrary text as an auth document: it is read, patched in its own layout, listed and redacted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runner_auth::{Answer, Verdict, resolve};
use runner_auth::{Circumstances, Diagnosis};
use runner_auth::{
    Config, ConfigText, Credential, Plan, Redaction, Registry, Removal, Request, RunnerVersion,
    Secret, diff, listing,
};

/// The text as a TOML string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if letter.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

fuzz_target!(|document: &str| {
    let entry = quoted(&format!("DOCKER_AUTH_CONFIG={document}"));
    let text = format!("[[runners]]\n  executor = 'docker'\n  environment = [\"A=b\", {entry}]\n");
    let text = ConfigText::new("config.toml", text.into_bytes());
    let config = Config::parse(&text).expect("the config parses");
    drop(listing::credentials(&config, &config.runners()[0]).expect("a listing"));
    let circumstances = Circumstances {
        path: Some("c"),
        mode: None,
        has_helper: &|_| false,
        now: std::time::SystemTime::UNIX_EPOCH,
    };
    drop(Diagnosis::new(&text, &circumstances));
    let login = Credential::new("ci", Secret::new("the-new-passw0rd".into())).expect("a login");
    let registry = Registry::parse("r.io").expect("a registry");
    let set =
        Request::Set { logins: vec![(registry, login)], replace: false, pull_policies: Vec::new() };
    let Ok(plan) = Plan::make(&config, &[0], &set) else { return };
    let lines = diff::diff(&config, &plan, &Redaction::new(false), 3);
    assert!(!diff::to_text(&lines).contains("the-new-passw0rd"));
    let patched = ConfigText::new("config.toml", plan.apply(&config));
    let patched = Config::parse(&patched).expect("the patched config parses");
    assert!(!Plan::make(&patched, &[0], &set).expect("a second run works").changes());
    // What was set is what the runner finds.
    let explained = runner_auth::Explanation::new(
        &patched,
        &patched.runners()[0],
        "r.io/app",
        RunnerVersion::LATEST,
    )
    .expect("an explanation");
    if let Verdict::Match(found) = &explained.resolution.verdict {
        assert!(found.path != "r.io" || found.answer == Answer::User("ci".into()));
    }
    drop(resolve(document, "r.io/app", RunnerVersion::LATEST));
    let remove = Request::Remove(Removal {
        registries: vec![Registry::named("r.io")],
        ..Removal::default()
    });
    let removed = Plan::make(&patched, &[0], &remove).expect("what was set can be removed");
    assert!(removed.changes());
});
