//! A proxy before a real registry.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::certificates::{Authority, server};
use crate::command::{PASSWORD, Setup, in_place};
use crate::registry::{Registry, tls};

/// A proxy that leads every name to one place, and notes what it is asked.
pub struct Proxy {
    pub host: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (noted, target) = (Arc::clone(&seen), target.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, target) = (Arc::clone(&noted), target.clone());
                thread::spawn(move || drop(tunnel(stream, &target, &noted)));
            }
        });
        Self { host, seen }
    }

    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").clone()
    }
}

fn tunnel(mut client: TcpStream, target: &str, noted: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut header = Vec::new();
    let mut byte = [0];
    while !header.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        header.push(byte[0]);
    }
    noted.lock().expect("no panic").push(String::from_utf8_lossy(&header).into_owned());
    if target.is_empty() {
        return client.write_all(b"HTTP/1.1 407 Who are you\r\n\r\n");
    }
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
    std::io::copy(&mut server, &mut client)?;
    Ok(())
}

/// The words that give `registry.test` an address on this machine, and know no other name.
fn with_names(folder: &Path, names: &str) -> Option<Vec<String>> {
    let (hosts, servers) = (folder.join("hosts"), folder.join("resolv.conf"));
    fs::write(&hosts, format!("127.0.0.1 localhost {names}\n")).expect("a file");
    // Nobody answers there.
    fs::write(&servers, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n").expect("a file");
    in_place(&[(&hosts, "/etc/hosts"), (&servers, "/etc/resolv.conf")])
}

#[test]
fn a_registry_is_asked_through_the_proxy() {
    let folder = tempfile::tempdir().expect("a place to work");
    let authority = Authority::new();
    let ca = folder.path().join("ca.pem");
    authority.write(&ca);
    let issued = authority.issue(folder.path(), "server", &server(&["registry.test"]));
    let Some(registry) = Registry::start(Some(&tls(folder.path(), issued)), true) else { return };
    let proxy = Proxy::start(&registry.host);
    let arguments = ["--ca-file", ca.to_str().expect("UTF-8")];
    // A name that only the proxy can lead to.
    let url = format!("http://proxy-user:pr0xy-s3cret@{}", proxy.host);
    let setup = Setup::with(&[("registry.test", "ci", PASSWORD)]).variable("HTTPS_PROXY", url);
    let run = setup.verify(&arguments);
    assert_eq!((run.results(), run.status), (vec!["accepted".to_owned()], 0), "{}", run.stdout);
    for seen in proxy.seen() {
        assert!(seen.starts_with("CONNECT registry.test:443 HTTP/1.1\r\n"), "{seen}");
        // The proxy learns its own password and nothing of the registry's.
        assert!(seen.contains("Proxy-Authorization: "), "{seen}");
        assert!(!seen.contains("\r\nAuthorization: "), "{seen}");
    }
    let before = proxy.seen().len();
    assert!(before > 0);
    // HTTP_PROXY is not for TLS, and NO_PROXY leads past the proxy.
    let Some(words) = with_names(folder.path(), "registry.test") else { return };
    let (_, port) = registry.host.split_once(':').expect("a port");
    let key = format!("registry.test:{port}");
    let url = format!("http://{}", proxy.host);
    for variables in [
        &[("HTTP_PROXY", url.as_str())][..],
        &[("HTTPS_PROXY", &url), ("NO_PROXY", "10.0.0.0/8,.test")],
        &[("https_proxy", &url), ("no_proxy", &key)],
    ] {
        let mut setup = Setup::with(&[(&key, "ci", PASSWORD)]).before(&words);
        for (name, value) in variables {
            setup = setup.variable(name, *value);
        }
        let run = setup.verify(&arguments);
        assert_eq!(run.results(), ["accepted"], "{variables:?}: {}", run.stdout);
    }
    assert_eq!(proxy.seen().len(), before);
}

#[test]
fn a_name_without_an_address_is_told() {
    let folder = tempfile::tempdir().expect("a place to work");
    let Some(words) = with_names(folder.path(), "") else { return };
    let setup = Setup::with(&[("registry.test", "ci", PASSWORD)]).before(&words);
    let run = setup.verify(&[]);
    assert_eq!((run.results(), run.status), (vec!["unreachable name-not-found".to_owned()], 6));
    assert_eq!(run.message(), "no address is known for registry.test: check the name");
}

#[test]
fn a_proxy_that_refuses_is_told() {
    let proxy = Proxy::start("");
    let url = format!("http://ci:pr0xy-s3cret@{}", proxy.host);
    let run =
        Setup::with(&[("registry.test", "ci", PASSWORD)]).variable("https_proxy", url).verify(&[]);
    assert_eq!(
        (run.results(), run.status),
        (vec!["unreachable proxy".to_owned()], 6),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("pr0xy-s3cret"), "{}", run.stdout);
    let broken = Setup::with(&[("registry.test", "ci", PASSWORD)])
        .variable("HTTPS_PROXY", "://pr0xy-s3cret");
    let run = broken.verify(&[]);
    assert_eq!(run.results(), ["unreachable proxy"]);
    assert!(!run.stdout.contains("pr0xy-s3cret"), "{}", run.stdout);
}
