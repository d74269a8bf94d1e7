//! One request after the other to a registry and its realm, within one time limit.
//!
//! Redirects are followed by hand: to where the request went anyway as it is, to anybody else
//! without the credential or not at all.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Read as _;
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use ureq::{Agent, Error};
use zeroize::Zeroizing;

use super::Settings;
use super::answer::{Failure, Obstacle};
use super::host::RegistryHost;
use super::origin::{Origin, follow};
use super::place::Place;
use super::trust::tls_config;
use crate::error::reason;
use crate::secret::Secret;

/// The most that is read of an answer. The longest that is of use is a token.
const LONGEST: u64 = 1 << 20;

/// How often a question is sent on.
const MOST_REDIRECTS: usize = 5;

/// The name under which registries see this program.
const USER_AGENT: &str = concat!("runner-auth/", env!("CARGO_PKG_VERSION"));

/// A conversation with a registry on the level of HTTP.
pub(super) struct Connection<'s> {
    registry: &'s RegistryHost,
    settings: &'s Settings,
    deadline: Cell<Instant>,
    /// One for each place: they differ in their proxies and certificates.
    agents: RefCell<HashMap<Origin, Agent>>,
}

/// What is sent.
pub(super) struct Call<'c> {
    pub method: Method,
    pub uri: Uri,
    pub authorization: Option<&'c Secret>,
    pub accept: &'static str,
    /// A form, which is sent by POST.
    pub form: Option<&'c Secret>,
    /// Whether somebody else may answer, who does not get the credential.
    pub may_move: bool,
}

/// What comes back.
pub(super) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Zeroizing<Vec<u8>>,
    /// Another host that answered in the end.
    pub elsewhere: Option<Origin>,
}

impl Reply {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The header in all the lines in which it stands.
    pub fn challenges(&self) -> impl Iterator<Item = &str> {
        let values = self.headers.get_all(header::WWW_AUTHENTICATE).into_iter();
        values.filter_map(|value| value.to_str().ok())
    }

    /// What a status means that answers no question. `who` begins the sentence, and says where.
    pub fn failure(&self, who: &str, place: Option<&Place>) -> Failure {
        let places: Vec<_> = place.into_iter().collect();
        match self.status {
            429 => {
                let wait = self.header("retry-after").and_then(|wait| wait.trim().parse().ok());
                let wait = wait.map_or("later", waiting);
                let message = format!("{who} was asked too often (429): ask again {wait}");
                Failure::at(Obstacle::RateLimited, message, &places)
            }
            status @ 500.. => {
                let message = format!("{who} has a fault of its own ({status}): ask again later");
                Failure::at(Obstacle::ServerError, message, &places)
            }
            status => {
                let message = format!(
                    "{who} answers with status {status}, as no registry does: check its name and port"
                );
                Failure::at(Obstacle::NotARegistry, message, &places)
            }
        }
    }
}

/// How long to wait. A number that a registry sends is not repeated: it could be one that it was sent.
fn waiting(seconds: u64) -> &'static str {
    match seconds {
        0..=60 => "in a minute",
        61..=600 => "in ten minutes",
        601..=3600 => "in an hour",
        _ => "later",
    }
}

impl<'s> Connection<'s> {
    pub fn new(registry: &'s RegistryHost, settings: &'s Settings, deadline: Instant) -> Self {
        Self { registry, settings, deadline: Cell::new(deadline), agents: RefCell::default() }
    }

    /// Leaves half of the time that there is for something else.
    pub fn in_half_the_time<R>(&self, call: impl FnOnce() -> R) -> R {
        let (now, deadline) = (Instant::now(), self.deadline.get());
        self.deadline.set(now + deadline.saturating_duration_since(now) / 2);
        let result = call();
        self.deadline.set(deadline);
        result
    }

    /// Whether a place may be plain HTTP or show any certificate, because a person said so.
    pub fn is_insecure(&self, origin: &Origin) -> bool {
        self.settings.insecure.iter().any(|host| host.origin(origin.tls).as_ref() == Some(origin))
    }

    /// What a place is called in a message.
    pub fn place(&self, origin: &Origin) -> Place {
        match self.registry.origin(origin.tls) {
            Some(registry) if registry != *origin && !self.is_insecure(origin) => {
                Place::told(origin, &registry)
            }
            _ => Place::named(origin),
        }
    }

    /// Sends a request and follows where it leads.
    pub fn send(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        let start = Origin::of(&call.uri).ok_or_else(|| not_a_url(&call.uri))?;
        let (mut uri, mut origin) = (call.uri.clone(), start.clone());
        for _ in 0..=MOST_REDIRECTS {
            let at_home = origin == start;
            let mut reply = self.send_once(call, &uri, &origin, at_home)?;
            if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
                reply.elsewhere = (!at_home).then_some(origin);
                return Ok(reply);
            }
            let next = reply.header("location").and_then(|location| follow(&uri, location));
            let next = next.and_then(|uri| Some((Origin::of(&uri)?, uri)));
            let Some((next_origin, next_uri)) = next else {
                let place = self.place(&origin);
                let message = format!("{place} sends the question on to no URL");
                return Err(Failure::at(Obstacle::Redirected, message, &[&place]));
            };
            let stays = next_origin == start && at_home;
            let leaves = call.may_move && call.form.is_none() && next_origin.is_private();
            if !stays && !leaves {
                let (place, next) = (self.place(&origin), self.place(&next_origin));
                let message = format!(
                    "{place} sends the question on to {next}, where the credential must not go"
                );
                return Err(Failure::at(Obstacle::Redirected, message, &[&place, &next]));
            }
            (uri, origin) = (next_uri, next_origin);
        }
        let place = self.place(&start);
        let message = format!("{place} sends the question on more than {MOST_REDIRECTS} times");
        Err(Failure::at(Obstacle::Redirected, message, &[&place]))
    }

    fn send_once(
        &self,
        call: &Call<'_>,
        uri: &Uri,
        origin: &Origin,
        at_home: bool,
    ) -> Result<Reply, Failure> {
        let mut request = Request::builder()
            .method(&call.method)
            .uri(uri)
            .header(header::ACCEPT, call.accept)
            .header(header::USER_AGENT, USER_AGENT);
        if let Some(secret) = call.authorization.filter(|_| at_home) {
            let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
                let message = "the credential holds a character that can't be sent".to_owned();
                Failure::new(Obstacle::NotARegistry, message)
            })?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let agent = self.agent(origin)?;
        let remaining = self.remaining()?;
        let limited = |error: ureq::http::Error| self.failure(&Error::Http(error), origin);
        let answer = if let Some(form) = call.form {
            let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let request = request.body(form.expose()).map_err(limited)?;
            let request = agent.configure_request(request).timeout_global(Some(remaining)).build();
            agent.run(request)
        } else {
            let request = request.body(()).map_err(limited)?;
            let request = agent.configure_request(request).timeout_global(Some(remaining)).build();
            agent.run(request)
        };
        let mut answer = answer.map_err(|error| self.failure(&error, origin))?;
        let mut body = Zeroizing::new(Vec::new());
        let read = answer.body_mut().as_reader().take(LONGEST + 1).read_to_end(&mut body);
        read.map_err(|error| self.failure(&Error::from(error), origin))?;
        if body.len() as u64 > LONGEST {
            let place = self.place(origin);
            let message =
                format!("{place} answers with more than {LONGEST} bytes, as no registry does");
            return Err(Failure::at(Obstacle::NotARegistry, message, &[&place]));
        }
        let (parts, _) = answer.into_parts();
        let status = parts.status.as_u16();
        Ok(Reply { status, headers: parts.headers, body, elsewhere: None })
    }

    fn remaining(&self) -> Result<Duration, Failure> {
        let remaining = self.deadline.get().saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            Err(Failure::too_late(self.settings.timeout))
        } else {
            Ok(remaining)
        }
    }

    fn agent(&self, origin: &Origin) -> Result<Agent, Failure> {
        if let Some(agent) = self.agents.borrow().get(origin) {
            return Ok(agent.clone());
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(self.settings.proxies.of(origin)?);
        if origin.tls {
            // Its folder of certificates is called as it is in keys and images.
            let host = if self.registry.origin(true).as_ref() == Some(origin) {
                self.registry.clone()
            } else {
                RegistryHost::of_path(&origin.authority())
                    .map_err(|error| Failure::new(Obstacle::Redirected, error.to_string()))?
            };
            let Settings { authorities, certificates, .. } = self.settings;
            let verified = !self.is_insecure(origin);
            config = config.tls_config(tls_config(&host, authorities, certificates, verified)?);
        }
        let agent = Agent::new_with_config(config.build());
        self.agents.borrow_mut().insert(origin.clone(), agent.clone());
        Ok(agent)
    }

    /// What an error of the client means. No text of an error that could hold a URL is repeated.
    fn failure(&self, error: &Error, origin: &Origin) -> Failure {
        let place = self.place(origin);
        let new = |obstacle, problem: &str| {
            Failure::at(obstacle, format!("{place} {problem}"), &[&place])
        };
        match error {
            Error::Timeout(_) => Failure::too_late(self.settings.timeout),
            Error::HostNotFound => name_not_found(&place),
            Error::Io(cause) => {
                let inner = cause.get_ref();
                if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                    return tls_failure(tls, &place);
                }
                if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<Error>()) {
                    return self.failure(error, origin);
                }
                if cause.to_string().starts_with("failed to lookup address") {
                    return name_not_found(&place);
                }
                if Instant::now() >= self.deadline.get() {
                    return Failure::too_late(self.settings.timeout);
                }
                // Any other text than the system's could hold what was received.
                let why = match cause.raw_os_error() {
                    Some(_) => reason(cause),
                    None => cause.kind().to_string(),
                };
                let message = format!("no connection to {place}: {why}");
                Failure::at(Obstacle::NotConnected, message, &[&place])
            }
            Error::Rustls(tls) => tls_failure(tls, &place),
            Error::Tls(_) | Error::Pem(_) | Error::TlsRequired => {
                new(Obstacle::Tls, "can't be talked to over TLS")
            }
            Error::InvalidProxyUrl | Error::ConnectProxyFailed(_) => {
                new(Obstacle::Proxy, "can't be reached: the proxy does not let it through")
            }
            Error::ConnectionFailed => new(Obstacle::NotConnected, "takes no connection"),
            _ => new(Obstacle::NotARegistry, "does not answer as HTTP does: check its port"),
        }
    }
}

fn name_not_found(place: &Place) -> Failure {
    let message = format!("no address is known for {}: check the name", place.host);
    Failure::at(Obstacle::NameNotFound, message, &[place])
}

fn not_a_url(uri: &Uri) -> Failure {
    let host = uri.host().unwrap_or_default();
    Failure::new(Obstacle::NotARegistry, format!("'{host}' can't be asked over HTTP"))
}

/// Why TLS fails, in words that say what to do.
fn tls_failure(error: &rustls::Error, place: &Place) -> Failure {
    use rustls::{AlertDescription as Alert, CertificateError as Bad, Error as Tls};
    let authority = &place.authority;
    let mut obstacle = Obstacle::Tls;
    let problem = match error {
        Tls::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => {
                "shows a certificate that has expired".to_owned()
            }
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "shows a certificate that is not valid yet: check this machine's clock".to_owned()
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "shows a certificate for another name: use the name that stands in it".to_owned()
            }
            Bad::UnknownIssuer => format!(
                "shows a certificate of an authority that is not known here: name it with --ca-file, or \
                 put it into {}/{authority}/ca.crt as Docker needs it",
                super::CERTIFICATES
            ),
            _ => "shows a certificate that can't be verified".to_owned(),
        },
        Tls::AlertReceived(Alert::CertificateRequired) => no_client_certificate(authority),
        Tls::AlertReceived(Alert::BadCertificate | Alert::HandshakeFailure) => format!(
            "ends the handshake: it may want a client certificate ({}/{authority}/client.cert and \
             client.key)",
            super::CERTIFICATES
        ),
        Tls::AlertReceived(_) => "ends the handshake".to_owned(),
        Tls::InvalidMessage(_) => {
            obstacle = Obstacle::NoTls;
            "does not speak TLS: is it plain HTTP, which needs --insecure-registry?".to_owned()
        }
        _ => "can't be talked to over TLS".to_owned(),
    };
    Failure::at(obstacle, format!("{place} {problem}"), &[place])
}

fn no_client_certificate(authority: &str) -> String {
    format!(
        "wants a client certificate: Docker takes it from {0}/{authority}/client.cert and client.key",
        super::CERTIFICATES
    )
}
