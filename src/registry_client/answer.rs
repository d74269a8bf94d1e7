//! What came of asking a registry.

use std::time::Duration;

use serde::Serialize;

use super::Inquiry;
use super::message::Said;
use super::place::Place;
use crate::secret::{HIDDEN, Secret};

/// What a registry says to one inquiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// To the credential; `None` where there was none.
    pub credential: Option<RegistryAnswer>,
    /// To each image, in the order of the inquiry.
    pub images: Vec<RegistryAnswer>,
}

impl Answers {
    /// The same answer to everything that was asked.
    #[must_use]
    pub fn failed(inquiry: &Inquiry, failure: &Failure) -> Self {
        let answer = || RegistryAnswer::Unreachable(failure.clone());
        Self {
            credential: inquiry.credential.as_ref().map(|_| answer()),
            images: inquiry.images.iter().map(|_| answer()).collect(),
        }
    }
}

/// What a registry says to a credential or an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryAnswer {
    /// It accepts the credential, and would not have said yes without one.
    Accepted {
        /// What is worth knowing besides.
        note: Option<String>,
    },
    /// It says yes to anybody: that is no proof of the credential.
    Anonymous,
    /// It says no.
    Refused(RegistryRefusal),
    /// There is no answer.
    Unreachable(Failure),
}

/// A registry's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryRefusal {
    /// What it is that it refuses.
    pub reason: RefusalReason,
    /// What it says, as far as it can hold no secret.
    pub message: Option<String>,
    /// All that it says, where that is more: it may repeat what it was sent.
    pub words: Option<Secret>,
    /// What the usual cause is, and what to do.
    pub advice: Option<String>,
}

/// Why a registry says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// It does not know this user with this password.
    WrongCredential,
    /// It asks for a credential, and there is none.
    NoCredential,
    /// It knows the user, who may not pull the image. Registries that hide private images say the
    /// same of an image that is not there.
    NoPermission,
    /// There is no such image.
    NoSuchImage,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What stands in the way.
    pub obstacle: Obstacle,
    /// A sentence with the details and what to do.
    pub message: String,
    /// The places that the registry has named, where the sentence leaves them out: it may have put what
    /// it was sent into a name.
    pub words: Option<Secret>,
}

/// What keeps a registry from answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// The name has no address.
    NameNotFound,
    /// Nobody listens there, or the connection broke.
    NotConnected,
    /// A certificate is not one to trust, or one is missing.
    Tls,
    /// It does not speak TLS.
    NoTls,
    /// It took too long.
    Timeout,
    /// The proxy does not let it through.
    Proxy,
    /// What answers there is no registry, or one that Docker could not talk to.
    NotARegistry,
    /// It wants fewer questions.
    RateLimited,
    /// It has a fault of its own.
    ServerError,
    /// It sends the question to another host, where a credential must not go.
    Redirected,
    /// It names a realm that a credential must not be sent to.
    UnsafeRealm,
    /// A certificate or a key on this machine can't be used.
    Certificates,
    /// A credential helper does not give the credential.
    CredentialHelper,
}

impl RegistryAnswer {
    /// The same answer with something else in the place of a host.
    pub(crate) fn without(mut self, host: &str) -> Self {
        let hide = |text: &mut String| *text = text.replace(host, HIDDEN);
        let without = |words: Option<Secret>| {
            words.map(|words| Secret::new(words.expose().replace(host, HIDDEN)))
        };
        match &mut self {
            Self::Accepted { note } => note.iter_mut().for_each(hide),
            Self::Anonymous => {}
            Self::Refused(RegistryRefusal { message, advice, words, .. }) => {
                message.iter_mut().chain(advice).for_each(hide);
                *words = without(words.take());
            }
            Self::Unreachable(failure) => {
                hide(&mut failure.message);
                failure.words = without(failure.words.take());
            }
        }
        self
    }
}

impl Failure {
    /// A failure with its sentence.
    #[must_use]
    pub fn new(obstacle: Obstacle, message: impl Into<String>) -> Self {
        Self { obstacle, message: message.into(), words: None }
    }

    /// A failure with a sentence that names these places.
    pub(super) fn at(obstacle: Obstacle, message: String, places: &[&Place]) -> Self {
        let mut words: Vec<_> = places.iter().filter_map(|place| place.words().cloned()).collect();
        words.dedup();
        let words = (!words.is_empty()).then(|| Secret::join(&words, ", "));
        Self { obstacle, message, words }
    }

    pub(super) fn too_late(timeout: Duration) -> Self {
        let seconds = timeout.as_secs();
        let message =
            format!("there was no whole answer within {seconds} s: give it longer with --timeout");
        Self::new(Obstacle::Timeout, message)
    }
}

impl RegistryRefusal {
    pub(super) fn new(reason: RefusalReason, said: Said) -> Self {
        Self { reason, message: said.shown, words: said.words, advice: None }
    }
}
