//! Arbitrary bytes as what `docker login` left, and as a Kubernetes Secret. Run it with an empty
//! `PATH`, so that no helper is run that the bytes name.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use runner_auth::{Error, source};

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("runner-auth-fuzz-{}", std::process::id()));
    std::fs::write(&path, bytes).expect("a file can be written");
    let imported = source::docker_config(Some(&path), &[], Duration::from_millis(100));
    let whole = source::auth_document(&path);
    for result in [imported, whole] {
        match result {
            // What comes over can be stored: it has a key and a value.
            Ok(logins) => assert!(logins.iter().all(|(registry, login)| {
                !registry.path().is_empty() && !login.encode().expose().is_empty()
            })),
            // No helper is there.
            Err(Error::HelperFailed { .. }) => {}
            Err(error) => assert!(error.to_string().contains("runner-auth-fuzz")),
        }
    }
});
