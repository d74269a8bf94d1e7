//! Debian's `docker-registry`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::command::{basic, there};

/// `htpasswd -Bbn ci s3cret-of-ci`
const USERS: &str = "ci:$2y$05$9Arm/mmvWDyVVBCHtakhwODLT00SEo2KN22lDhHCtBG/HmcTFehIy\n";

/// How a registry speaks TLS.
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Whose clients it lets in.
    pub clients: Option<PathBuf>,
}

/// A registry that knows the user `ci`.
pub struct Registry {
    server: Child,
    pub host: String,
    folder: tempfile::TempDir,
}

impl Registry {
    /// Starts one; `None` where it is not installed.
    pub fn start(tls: Option<&Tls>, password: bool) -> Option<Self> {
        if !there("docker-registry") {
            return None;
        }
        let folder = tempfile::tempdir().expect("a place to work");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = free.local_addr().expect("an address").to_string();
        drop(free);
        fs::write(folder.path().join("users"), USERS).expect("a file");
        let tls = tls.map_or(String::new(), |tls| {
            let clients = tls
                .clients
                .as_ref()
                .map_or(String::new(), |clients| format!(", clientcas: ['{}']", clients.display()));
            let (certificate, key) = (tls.certificate.display(), tls.key.display());
            format!(", tls: {{certificate: '{certificate}', key: '{key}'{clients}}}")
        });
        let users = folder.path().join("users");
        let auth = if password {
            format!("auth: {{htpasswd: {{realm: test, path: '{}'}}}}\n", users.display())
        } else {
            String::new()
        };
        let config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: '{}'}}}}\n\
             http: {{addr: '{host}'{tls}}}\n{auth}",
            folder.path().join("data").display()
        );
        fs::write(folder.path().join("registry.yml"), config).expect("a file");
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        let server = Command::new("docker-registry")
            .args(["serve", "registry.yml"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("docker-registry starts");
        let registry = Self { server, host, folder };
        let ready = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            TcpStream::connect(&registry.host).is_ok()
        });
        assert!(ready, "docker-registry does not listen: {}", registry.log());
        Some(registry)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("a log")
    }

    /// Puts an image without layers there, over plain HTTP.
    pub fn push(&self, name: &str, tag: &str, password: &str) {
        let image = Image::without_layers();
        let started = self.http("POST", &format!("/v2/{name}/blobs/uploads/"), "", "", password);
        let location = started
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
            .unwrap_or_else(|| panic!("no upload: {started}"))
            .trim();
        let path = location.split_once(&self.host).map_or(location, |(_, path)| path);
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{separator}digest={}", image.config_digest);
        let put = self.http("PUT", &path, "application/octet-stream", Image::CONFIG, password);
        assert!(put.starts_with("HTTP/1.1 201"), "{put}");
        let path = format!("/v2/{name}/manifests/{tag}");
        let put = self.http("PUT", &path, Image::KIND, image.manifest(), password);
        assert!(put.starts_with("HTTP/1.1 201"), "{put}");
    }

    fn http(&self, method: &str, path: &str, kind: &str, body: &str, password: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).expect("a connection");
        let (host, length, who) = (&self.host, body.len(), basic("ci", password));
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {who}\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// The smallest image that Docker pulls.
pub struct Image {
    config_digest: String,
    manifest: String,
    digest: String,
}

impl Image {
    pub const KIND: &str = "application/vnd.docker.distribution.manifest.v2+json";

    pub const CONFIG: &str = r#"{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}"#;

    pub fn without_layers() -> Self {
        let config_digest = sha256(Self::CONFIG);
        let config = json!({
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": config_digest,
            "size": Self::CONFIG.len(),
        });
        let manifest =
            json!({"schemaVersion": 2, "mediaType": Self::KIND, "config": config, "layers": []});
        let manifest = manifest.to_string();
        Self { digest: sha256(&manifest), config_digest, manifest }
    }

    pub fn manifest(&self) -> &str {
        &self.manifest
    }

    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// A folder of the test with the certificates of a registry.
pub fn tls(folder: &Path, paths: (PathBuf, PathBuf)) -> Tls {
    assert!(paths.0.starts_with(folder));
    Tls { certificate: paths.0, key: paths.1, clients: None }
}

fn sha256(text: &str) -> String {
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sha256sum");
    child.stdin.take().expect("stdin").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let sum = String::from_utf8(output.stdout).expect("ASCII");
    format!("sha256:{}", sum.split(' ').next().expect("a sum"))
}
