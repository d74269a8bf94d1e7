//! A real Docker engine: it pulls what `verify --image` accepts with the same auth document, and what
//! `verify` refuses is refused.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::command::{PASSWORD, Setup, encoded, there};
use crate::ends::{End, Reply, Seen};
use crate::registry::{Image, Registry};

/// An engine of the test's own, with a socket and a folder of its own.
struct Engine {
    server: Child,
    folder: tempfile::TempDir,
}

impl Engine {
    /// Starts one; says so where none can run. It needs root, and a kernel that lets it.
    fn start() -> Option<Self> {
        if !there("dockerd") || !there("docker") {
            return None;
        }
        if !rustix::process::geteuid().is_root() {
            println!("SKIPPED: a Docker engine needs root");
            return None;
        }
        let folder = tempfile::tempdir().expect("a place to work");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        let server = Command::new("unshare")
            // What it mounts goes away with it.
            .args(["--mount", "dockerd", "--storage-driver=vfs", "--bridge=none"])
            .args(["--iptables=false", "--ip6tables=false", "--host"])
            .arg(format!("unix://{}", path("socket")))
            .args([
                "--data-root",
                &path("data"),
                "--exec-root",
                &path("exec"),
                "--pidfile",
                &path("pid"),
            ])
            .env_remove("HTTP_PROXY")
            .env_remove("HTTPS_PROXY")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("unshare");
        let mut engine = Self { server, folder };
        for _ in 0..300 {
            sleep(Duration::from_millis(100));
            if engine.docker(Path::new("/nonexistent"), &["version"]) {
                return Some(engine);
            }
            if engine.server.try_wait().expect("its status").is_some() {
                break;
            }
        }
        let log = fs::read_to_string(engine.folder.path().join("log")).expect("a log");
        println!(
            "SKIPPED: no Docker engine can run here: {}",
            log.lines().last().unwrap_or_default()
        );
        None
    }

    fn docker(&self, config: &Path, arguments: &[&str]) -> bool {
        let socket = self.folder.path().join("socket");
        let output = Command::new("docker")
            .arg("--config")
            .arg(config)
            .args(arguments)
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .output();
        output.expect("docker runs").status.success()
    }

    /// Whether it pulls an image with the auth document of a config's only runner.
    fn pulls(&self, setup: &Setup, image: &str) -> bool {
        let rendered = setup.run_showing_secrets(&["render", "--as", "json"]);
        let config = setup.path("docker");
        fs::create_dir_all(&config).expect("a folder");
        fs::write(config.join("config.json"), rendered.stdout).expect("a file");
        // What it has already it would not ask for.
        self.docker(&config, &["image", "rm", "--force", image]);
        self.docker(&config, &["pull", image])
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It ends its own containerd when it is asked to end, not when it is killed.
        let _asked = kill_process(Pid::from_child(&self.server), Signal::TERM);
        for _ in 0..100 {
            if self.server.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// A registry that wants tokens and is its own realm: `ci` may pull `group/app`, and `secret/app` is
/// for somebody else.
fn token_registry() -> End {
    End::start_at("127.0.0.1", |host| {
        let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"test\"");
        let image = Image::without_layers();
        move |seen: &Seen| {
            let path = seen.path.split('?').next().expect("a path");
            if path == "/token" {
                let known = seen.authorization() == Some(&crate::command::basic("ci", PASSWORD));
                let token = json!({"token": "t0ken", "access_token": "t0ken"});
                return if known { Reply::ok(token.to_string()) } else { Reply::status(401) };
            }
            if seen.authorization() != Some("Bearer t0ken") {
                return Reply::challenge(challenge.clone());
            }
            let parts: Vec<_> = path.trim_start_matches("/v2/").rsplitn(3, '/').collect();
            match parts[..] {
                [""] => Reply::ok("{}"),
                [_, _, "secret/app"] => Reply::status(403),
                [tag, "manifests", "group/app"] if tag == "1.0" || tag == image.digest() => {
                    Reply::ok(image.manifest())
                        .with("Content-Type", Image::KIND)
                        .with("Docker-Content-Digest", image.digest())
                }
                [_, "blobs", "group/app"] => Reply::ok(Image::CONFIG),
                _ => Reply::status(404),
            }
        }
    })
}

#[test]
fn docker_pulls_what_is_accepted_and_nothing_that_is_refused() {
    let Some(registry) = Registry::start(None, true) else { return };
    let Some(open) = Registry::start(None, false) else { return };
    let Some(engine) = Engine::start() else { return };
    registry.push("group/app", "1.0", PASSWORD);
    open.push("group/app", "1.0", PASSWORD);
    let tokens = token_registry();
    let mut pulled = 0;
    for (host, password, name, expected) in [
        (&registry.host, PASSWORD, "group/app:1.0", "accepted"),
        (&registry.host, PASSWORD, "group/app:2.0", "refused no-such-image"),
        (&registry.host, "wrong", "group/app:1.0", "refused wrong-credential"),
        (&open.host, PASSWORD, "group/app:1.0", "anonymous"),
        (&open.host, PASSWORD, "group/app:2.0", "refused no-such-image"),
        (&tokens.host, PASSWORD, "group/app:1.0", "accepted"),
        (&tokens.host, PASSWORD, "group/app:2.0", "refused no-such-image"),
        (&tokens.host, PASSWORD, "secret/app:1.0", "refused no-permission"),
        (&tokens.host, "wrong", "group/app:1.0", "refused wrong-credential"),
    ] {
        let image = format!("{host}/{name}");
        let setup = Setup::with(&[(host, "ci", password)]);
        let run = setup.verify(&["--image", &image]);
        assert_eq!(run.results()[1], expected, "{image}: {}", run.stdout);
        let pulls = engine.pulls(&setup, &image);
        assert_eq!(pulls, !expected.starts_with("refused"), "docker pull {image}");
        pulled += usize::from(pulls);
    }
    assert_eq!(pulled, 3);
    // A runner without a credential.
    let setup =
        Setup::with_document(&json!({"auths": {"other.test": {"auth": encoded("ci", "x")}}}));
    let image = format!("{}/group/app:1.0", registry.host);
    assert!(!engine.pulls(&setup, &image));
}
