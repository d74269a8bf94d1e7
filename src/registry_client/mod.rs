//! Asking a registry, as Docker does, whether it accepts a credential and has an image.
//!
//! The protocol is that of the OCI distribution specification and of `distribution`'s
//! `docs/spec/auth`: `GET /v2/` is answered with a challenge, which is met with the credential itself
//! (`Basic`) or with a token that its realm gives for the credential (`Bearer`).
//!
//! This room knows hosts, credentials and images. It knows no runner and no config, prints nothing,
//! and sends a credential to nobody but the registry that it is for and the realm that this registry
//! names.
//!
//! ```
//! use std::time::Duration;
//! use runner_auth::registry_client::{
//!     Answers, Authorities, CERTIFICATES, Failure, ImageReference, Inquiry, Obstacle, Proxies,
//!     RefusalReason, RegistryAnswer, RegistryHost, RegistryRefusal, Settings, ask,
//! };
//! use runner_auth::{Credential, Secret};
//!
//! # fn main() -> Result<(), runner_auth::Error> {
//! let host = RegistryHost::parse("localhost:1")?;
//! assert!(host.is_loopback() && !host.is_docker_hub());
//! assert_eq!(RegistryHost::of_path(host.as_str())?, host);
//! let settings = Settings {
//!     timeout: Duration::from_secs(5),
//!     insecure: Vec::new(),
//!     authorities: Authorities::read(&[])?,
//!     certificates: CERTIFICATES.into(),
//!     proxies: Proxies::from_environment(|_| None),
//! };
//! let inquiry = Inquiry {
//!     host,
//!     path: String::new(),
//!     credential: Some(Credential::new("ci", Secret::from("s3cret"))?),
//!     images: vec![ImageReference::parse("localhost:1/group/app")?],
//! };
//! let answers: Vec<Answers> = ask(&[inquiry.clone()], &settings, |_| ());
//! match answers[0].credential.as_ref().expect("there was one to ask about") {
//!     RegistryAnswer::Accepted { note } => println!("accepted {note:?}"),
//!     RegistryAnswer::Anonymous => println!("anybody may"),
//!     RegistryAnswer::Refused(RegistryRefusal { reason, .. }) => {
//!         println!("refused; wrong: {}", *reason == RefusalReason::WrongCredential);
//!     }
//!     // Nobody listens at that port.
//!     RegistryAnswer::Unreachable(failure) => assert_eq!(failure.obstacle, Obstacle::NotConnected),
//! }
//! assert_eq!(answers[0], Answers::failed(&inquiry, &failure(&answers[0])));
//! # fn failure(answers: &Answers) -> Failure {
//! #     let Some(RegistryAnswer::Unreachable(failure)) = &answers.credential else { panic!() };
//! #     Failure::new(failure.obstacle, failure.message.clone())
//! # }
//! # Ok(())
//! # }
//! ```

mod answer;
mod cause;
mod challenge;
mod connection;
mod conversation;
mod host;
mod message;
mod origin;
mod place;
mod proxy;
mod reference;
mod sentences;
mod token;
mod trust;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::auth::credential::Credential;

pub use answer::{Answers, Failure, Obstacle, RefusalReason, RegistryAnswer, RegistryRefusal};
pub use host::RegistryHost;
pub use proxy::Proxies;
pub use reference::ImageReference;
pub use trust::{Authorities, CERTIFICATES};

/// How many registries are asked at the same time.
const SIDE_BY_SIDE: usize = 16;

/// How much longer than its timeout a registry is waited for: its own clock is looked at first, and
/// has the better sentence.
const GRACE: Duration = Duration::from_millis(250);

/// What holds for every registry that is asked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long one registry has for all its answers.
    pub timeout: Duration,
    /// Registries, as `HOST` or `HOST:PORT`, that may speak plain HTTP or show a certificate that
    /// nobody vouches for.
    pub insecure: Vec<RegistryHost>,
    /// Who vouches for the certificates of registries.
    pub authorities: Authorities,
    /// The folder with certificates for single registries, [`CERTIFICATES`].
    pub certificates: PathBuf,
    /// The proxies.
    pub proxies: Proxies,
}

/// What one registry is asked, in one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// The registry.
    pub host: RegistryHost,
    /// The repository, or the group of them, that the credential is for; empty for the whole
    /// registry.
    pub path: String,
    /// The credential; without one the registry is asked as anybody could.
    pub credential: Option<Credential>,
    /// The images to ask for.
    pub images: Vec<ImageReference>,
}

/// Asks registries side by side, and gives the answers in the order of the inquiries. No registry is
/// waited for longer than [`Settings::timeout`], whatever it does. `progress` hears how many have
/// answered.
#[must_use]
pub fn ask(
    inquiries: &[Inquiry],
    settings: &Settings,
    mut progress: impl FnMut(usize),
) -> Vec<Answers> {
    let settings = Arc::new(settings.clone());
    let (sender, receiver) = mpsc::channel();
    let mut answers: Vec<Option<Answers>> = inquiries.iter().map(|_| None).collect();
    let mut running: Vec<(usize, Instant)> = Vec::new();
    let (mut next, mut done) = (0, 0);
    while done < inquiries.len() {
        while running.len() < SIDE_BY_SIDE && next < inquiries.len() {
            let number = next;
            next += 1;
            let deadline = Instant::now() + settings.timeout;
            let (inquiry, settings) = (inquiries[number].clone(), Arc::clone(&settings));
            let sender = sender.clone();
            // A thread that nobody waits for any more ends with the process.
            let started = thread::Builder::new().spawn(move || {
                let answers = conversation::hold(&inquiry, &settings, deadline);
                drop(sender.send((number, answers)));
            });
            if started.is_ok() {
                running.push((number, deadline + GRACE));
            } else {
                let failure = Failure::new(Obstacle::NotConnected, "there is no thread left");
                answers[number] = Some(Answers::failed(&inquiries[number], &failure));
                done += 1;
            }
        }
        let Some(first) = running.iter().map(|(_, deadline)| *deadline).min() else { continue };
        match receiver.recv_timeout(first.saturating_duration_since(Instant::now())) {
            Ok((number, found)) => {
                if let Some(at) = running.iter().position(|(other, _)| *other == number) {
                    running.swap_remove(at);
                    answers[number] = Some(found);
                    done += 1;
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                let now = Instant::now();
                running.retain(|&(number, deadline)| {
                    let late = deadline <= now;
                    if late {
                        let failure = Failure::too_late(settings.timeout);
                        answers[number] = Some(Answers::failed(&inquiries[number], &failure));
                        done += 1;
                    }
                    !late
                });
            }
        }
        progress(done);
    }
    answers.into_iter().flatten().collect()
}
