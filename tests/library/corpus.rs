//! The checks of every change on config files from outside the project, where there are any.

use crate::support::{self, and_pull, change, document, has_policy, pull, remove, set};
use runner_auth::PullPolicy::{Always, IfNotPresent, Never};
use runner_auth::{Config, ConfigText};

fn check(file: &str, bytes: &[u8], runners: usize) {
    let every: Vec<_> = (0..runners).collect();
    for selected in every.iter().map(|number| vec![*number]).chain([every.clone()]) {
        let after = change(bytes, &selected, &set("r.io:5000/group", "s3cret"));
        for &number in &selected {
            let document = document(&after, number).expect("there is a document");
            let auth = &document["auths"]["r.io:5000/group"]["auth"];
            assert_eq!(auth, "Y2k6czNjcmV0", "{file}");
        }
        change(&after, &selected, &set("r.io:5000/group", "other"));
        change(&after, &selected, &set("https://index.docker.io/v1/", "other"));
        change(&after, &selected, &remove("R.io:5000/group"));
    }
}

/// Sets pull policies of each runner whose executor has them; gives the number of such runners.
fn check_policies(bytes: &[u8], config: &Config<'_>) -> usize {
    let numbers: Vec<_> =
        (0..config.runners().len()).filter(|&number| has_policy(config, number)).collect();
    for selected in numbers.iter().map(|number| vec![*number]).chain([numbers.clone()]) {
        for policies in [&[Always][..], &[Never], &[IfNotPresent], &[Always, IfNotPresent]] {
            let after = change(bytes, &selected, &pull(policies));
            change(&after, &selected, &pull(&[Never, Never]));
            let both = and_pull(set("r.io:5000/group", "s3cret"), policies);
            let after = change(bytes, &selected, &both);
            change(&after, &selected, &remove("r.io:5000/group"));
        }
    }
    numbers.len()
}

#[test]
fn files_from_outside_keep_all_that_is_not_meant() {
    let (mut files, mut policies) = (0, 0);
    for (name, bytes) in support::configs() {
        let text = ConfigText::new("config.toml", bytes.clone());
        let Ok(config) = Config::parse(&text) else {
            println!("does not parse: {name}");
            continue;
        };
        check(&name, &bytes, config.runners().len());
        policies += check_policies(&bytes, &config);
        files += 1;
    }
    println!("{files} files, {policies} runners with pull policies");
    assert!(files > 0 && policies > 0);
}
