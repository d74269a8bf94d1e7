//! A real registry over TLS, with certificates of a test's own.

use std::fs;

use crate::certificates::{Authority, Wish, server};
use crate::command::{PASSWORD, Run, Setup, in_place};
use crate::registry::{Registry, tls};

fn unreachable(run: &Run) -> String {
    assert_eq!(
        (run.results(), run.status),
        (vec!["unreachable tls".to_owned()], 6),
        "{}",
        run.stdout
    );
    run.message()
}

#[test]
fn a_certificate_needs_somebody_who_vouches_for_it() {
    let folder = tempfile::tempdir().expect("a place to work");
    let authority = Authority::new();
    let ca = folder.path().join("ca.pem");
    authority.write(&ca);
    let issued = authority.issue(folder.path(), "server", &server(&["127.0.0.1"]));
    let Some(registry) = Registry::start(Some(&tls(folder.path(), issued)), true) else { return };
    let setup = Setup::with(&[(&registry.host, "ci", PASSWORD)]);
    let message = unreachable(&setup.verify(&[]));
    assert!(
        message.contains("an authority that is not known here: name it with --ca-file"),
        "{message}"
    );
    let ca = ca.to_str().expect("UTF-8");
    let run = setup.verify(&["--ca-file", ca]);
    assert_eq!((run.results(), run.status), (vec!["accepted".to_owned()], 0), "{}", run.stdout);
    let wrong = Setup::with(&[(&registry.host, "ci", "wrong")]).verify(&["--ca-file", ca]);
    assert_eq!(wrong.results(), ["refused wrong-credential"]);
    // The system's authorities, where this names them.
    let run =
        Setup::with(&[(&registry.host, "ci", PASSWORD)]).variable("SSL_CERT_FILE", ca).verify(&[]);
    assert_eq!(run.results(), ["accepted"]);
    let run = setup.verify(&["--insecure-registry", &registry.host]);
    assert_eq!(run.results(), ["accepted"]);
    let run = setup.verify(&["--insecure-registry", "127.0.0.1:1"]);
    assert_eq!(run.results(), ["unreachable tls"]);
}

#[test]
fn a_certificate_for_another_name_or_another_time_is_refused() {
    let folder = tempfile::tempdir().expect("a place to work");
    let authority = Authority::new();
    let ca = folder.path().join("ca.pem");
    authority.write(&ca);
    let other = server(&["registry.test"]);
    let expired = Wish { names: &["127.0.0.1"], expired: true, client: false };
    for (name, wish, expected) in
        [("other", other, "a certificate for another name"), ("old", expired, "has expired")]
    {
        let issued = authority.issue(folder.path(), name, &wish);
        let Some(registry) = Registry::start(Some(&tls(folder.path(), issued)), true) else {
            return;
        };
        let setup = Setup::with(&[(&registry.host, "ci", PASSWORD)]);
        let message = unreachable(&setup.verify(&["--ca-file", ca.to_str().expect("UTF-8")]));
        assert!(message.contains(expected), "{message}");
        assert!(!registry.log().contains("/v2/"), "nothing was asked: {}", registry.log());
    }
}

#[test]
fn certificates_are_taken_from_dockers_folder() {
    let folder = tempfile::tempdir().expect("a place to work");
    let authority = Authority::new();
    let ca = folder.path().join("ca.pem");
    authority.write(&ca);
    let issued = authority.issue(folder.path(), "server", &server(&["127.0.0.1"]));
    let mut with_clients = tls(folder.path(), issued);
    with_clients.clients = Some(ca.clone());
    let Some(registry) = Registry::start(Some(&with_clients), true) else { return };
    let setup = Setup::with(&[(&registry.host, "ci", PASSWORD)]);
    let message = unreachable(&setup.verify(&["--ca-file", ca.to_str().expect("UTF-8")]));
    assert!(message.contains("client certificate"), "{message}");
    let etc = folder.path().join("etc");
    let own = etc.join("certs.d").join(&registry.host);
    fs::create_dir_all(&own).expect("a folder");
    let Some(words) = in_place(&[(&etc, "/etc/docker")]) else { return };
    let setup = setup.before(&words);
    fs::copy(&ca, own.join("ca.crt")).expect("a copy");
    let message = unreachable(&setup.verify(&[]));
    assert!(message.contains("client certificate"), "{message}");
    let wish = Wish { names: &["a runner"], expired: false, client: true };
    authority.issue(&own, "client", &wish);
    let run = setup.verify(&[]);
    assert_eq!((run.results(), run.status), (vec!["accepted".to_owned()], 0), "{}", run.stdout);
    // A key that belongs to another certificate, none, and something else.
    let key = own.join("client.key");
    let other = Authority::new();
    let (_, stray) = other.issue(folder.path(), "stray", &wish);
    fs::copy(stray, &key).expect("a copy");
    for expected in
        ["is no key of the certificate beside it", "can't be read", "holds no private key"]
    {
        let run = setup.verify(&[]);
        assert_eq!((run.results(), run.status), (vec!["unreachable certificates".to_owned()], 6));
        assert!(run.message().contains(expected), "{}", run.message());
        if key.exists() {
            fs::remove_file(&key).expect("a file");
        } else {
            fs::write(&key, "no key").expect("a file");
        }
    }
}

#[test]
fn a_file_of_authorities_must_hold_some() {
    let setup = Setup::with(&[("127.0.0.1:1", "ci", PASSWORD)]);
    setup.put("empty.pem", "nothing", 0o600);
    for (path, code) in [("empty.pem", "invalid-source"), ("missing.pem", "unreadable")] {
        let run = setup.verify(&["--ca-file", path]);
        assert_eq!((run.status, run.json()["error"]["code"].as_str()), (3, Some(code)));
    }
}
