//! Arbitrary bytes as a config: it is indexed, patched, diffed and examined.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runner_auth::{Circumstances, Diagnosis};
use runner_auth::{
    Config, ConfigText, Credential, Plan, PullPolicy, Redaction, Registry, Removal, Request,
    Secret, diff,
};

const PASSWORD: &str = "the-new-passw0rd";

fn requests() -> Vec<Request> {
    let login = Credential::new("ci", Secret::new(PASSWORD.into())).expect("a credential");
    let registry = Registry::parse("r.io:5000/group").expect("a registry");
    let logins = vec![(registry, login)];
    vec![
        Request::Set { logins: logins.clone(), replace: false, pull_policies: Vec::new() },
        Request::Set { logins, replace: true, pull_policies: vec![PullPolicy::Always] },
        Request::Remove(Removal {
            registries: vec![Registry::named("r.io"), Registry::named("docker.io")],
            ..Removal::default()
        }),
        Request::RemoveEntry,
    ]
}

fuzz_target!(|bytes: &[u8]| {
    let text = ConfigText::new("config.toml", bytes.to_vec());
    runner_auth::compare_readings(&text);
    let circumstances = Circumstances {
        path: Some("c"),
        mode: None,
        has_helper: &|_| false,
        now: std::time::SystemTime::UNIX_EPOCH,
    };
    let diagnosis = Diagnosis::new(&text, &circumstances);
    let Ok(config) = Config::parse(&text) else { return };
    assert!(diagnosis.config.is_some());
    let runners = config.runners().len();
    for selected in (0..runners.min(3)).map(|number| vec![number]).chain([(0..runners).collect()]) {
        for request in requests() {
            let Ok(plan) = Plan::make(&config, &selected, &request) else { continue };
            let lines = diff::diff(&config, &plan, &Redaction::new(false), 3);
            assert!(!diff::to_text(&lines).contains(PASSWORD));
            let patched = plan.apply(&config);
            let (mut old, mut new) = (0, 0);
            for edit in plan.edits() {
                let kept = edit.span.start - old;
                assert_eq!(bytes[old..old + kept], patched[new..new + kept]);
                old = edit.span.end;
                new += kept + edit.text.expose().len();
            }
            assert_eq!(bytes[old..], patched[new..]);
            let text = ConfigText::new("config.toml", patched);
            let config = Config::parse(&text).expect("the patched config parses");
            let again = Plan::make(&config, &selected, &request).expect("a second run works");
            assert!(!again.changes(), "a second run changes something");
        }
    }
});
