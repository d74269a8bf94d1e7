//! The questions to one registry, in their order.
//!
//! First nobody in particular asks: the answer says how a credential is wanted. Then the credential is
//! shown, and then each image is asked for. What is granted is asked for once more without the
//! credential, since a yes that anybody gets proves nothing.

use std::time::Instant;

use ureq::http::{Method, Uri};

use super::answer::{Answers, Failure, Obstacle, RefusalReason, RegistryAnswer, RegistryRefusal};
use super::cause::advice;
use super::challenge::Challenge;
use super::connection::{Call, Connection, Reply};
use super::message::{Asked, Said};
use super::reference::ImageReference;
use super::token::{Granted, Token, basic};
use super::{Inquiry, Settings};
use crate::auth::credential::Credential;
use crate::auth::image_name::is_repository;
use crate::secret::Secret;

/// What Docker takes for a manifest or an index of them.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
                         application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.docker.distribution.manifest.v2+json";

/// Asks everything that an inquiry holds.
pub(super) fn hold(inquiry: &Inquiry, settings: &Settings, deadline: Instant) -> Answers {
    let connection = Connection::new(&inquiry.host, settings, deadline);
    match Conversation::open(inquiry, connection) {
        Ok(conversation) => conversation.answers(),
        Err(failure) => Answers::failed(inquiry, &failure),
    }
}

struct Conversation<'i> {
    inquiry: &'i Inquiry,
    connection: Connection<'i>,
    /// Scheme and host.
    base: String,
    /// How the registry wants a credential; `None` when it wants none.
    challenge: Option<Challenge>,
}

/// What makes a request one of somebody.
enum Pass {
    Nobody,
    Basic(Secret),
    Token(Token),
}

impl Pass {
    fn header(&self) -> Option<Secret> {
        match self {
            Self::Nobody => None,
            Self::Basic(secret) => Some(secret.clone()),
            Self::Token(token) => Some(token.authorization()),
        }
    }
}

/// A pass, or the registry's no.
type Passed = Result<Pass, RegistryRefusal>;

impl<'i> Conversation<'i> {
    /// Asks without a credential. Plain HTTP is spoken only with this machine and with what a person
    /// named, and only when TLS is not.
    fn open(inquiry: &'i Inquiry, connection: Connection<'i>) -> Result<Self, Failure> {
        let host = &inquiry.host;
        let base = |scheme: &str| format!("{scheme}://{}", host.authority());
        let named = host.origin(false).is_some_and(|origin| connection.is_insecure(&origin));
        let plain = host.is_loopback() || named;
        let mut conversation = Self { inquiry, connection, base: base("https"), challenge: None };
        let reply = if plain {
            let no_tls = |failure: &Failure| {
                let Failure { obstacle, .. } = failure;
                matches!(obstacle, Obstacle::NoTls | Obstacle::NotConnected | Obstacle::Timeout)
            };
            // What knows no TLS may wait for more of a question that it doesn't understand.
            let reply =
                conversation.connection.in_half_the_time(|| conversation.ping(&Pass::Nobody));
            if reply.as_ref().is_err_and(no_tls) {
                conversation.base = base("http");
                conversation.ping(&Pass::Nobody)?
            } else {
                reply?
            }
        } else {
            conversation.ping(&Pass::Nobody)?
        };
        match reply.status {
            200..300 if is_registry(&reply) => Ok(conversation),
            200..300 => Err(Failure::new(
                Obstacle::NotARegistry,
                format!(
                    "{} answers, but not as a registry: check its name and port",
                    conversation.base
                ),
            )),
            401 => {
                if let Some(elsewhere) = reply.elsewhere {
                    let place = conversation.connection.place(&elsewhere);
                    let message = format!(
                        "it sends the question on to {place}, which wants a credential: set one for that \
                         registry"
                    );
                    return Err(Failure::at(Obstacle::Redirected, message, &[&place]));
                }
                conversation.challenge = Challenge::choose(reply.challenges());
                if conversation.challenge.is_none() {
                    let message = format!(
                        "{} wants a credential, but neither as Basic nor as Bearer, which is what Docker \
                         knows",
                        conversation.base
                    );
                    return Err(Failure::new(Obstacle::NotARegistry, message));
                }
                Ok(conversation)
            }
            _ => Err(conversation.failure(&reply)),
        }
    }

    fn answers(self) -> Answers {
        let inquiry = self.inquiry;
        let credential = inquiry.credential.as_ref();
        let login = credential.map(|credential| self.login(credential).unwrap_or_else(Into::into));
        let images = inquiry.images.iter().map(|image| match &login {
            // The registry would say the same again, and perhaps shut the user out.
            Some(no @ (RegistryAnswer::Refused(_) | RegistryAnswer::Unreachable(_))) => no.clone(),
            login => {
                let proved = matches!(login, Some(RegistryAnswer::Accepted { .. }));
                self.image(image, credential, proved).unwrap_or_else(Into::into)
            }
        });
        let images = images.collect();
        Answers { credential: login, images }
    }

    /// Whether the registry accepts the credential.
    fn login(&self, credential: &Credential) -> Result<RegistryAnswer, Failure> {
        let Some(challenge) = self.challenge.clone() else { return Ok(RegistryAnswer::Anonymous) };
        let path = &self.inquiry.path;
        let asked = Asked::default();
        let scope = is_repository(path).then(|| scope(path));
        let mut note = None;
        let mut passed = self.pass(&challenge, Some(credential), scope.as_deref(), &asked)?;
        if scope.is_some() && passed.is_err() {
            passed = self.pass(&challenge, Some(credential), None, &asked)?;
            // Variables may have brought a secret into the path: it is not repeated.
            note = passed.is_ok().then(|| {
                "it gives nothing for this path itself, which may be a group of images: name one of \
                 them with --image"
                    .to_owned()
            });
        }
        let pass = match passed {
            Ok(pass) => pass,
            Err(refusal) => return Ok(self.refused(refusal)),
        };
        let reply = self.ping(&pass)?;
        match reply.status {
            200..300 => {}
            401 | 403 => {
                return Ok(self.refused(refusal(RefusalReason::WrongCredential, &reply, &asked)));
            }
            _ => return Err(self.failure(&reply)),
        }
        if let Pass::Token(token) = &pass
            && self.anybody_gets_in(&challenge, scope.as_deref(), token)?
        {
            return Ok(RegistryAnswer::Anonymous);
        }
        Ok(RegistryAnswer::Accepted { note })
    }

    /// Whether a token without a credential does as well, and is made out to nobody else.
    fn anybody_gets_in(
        &self,
        challenge: &Challenge,
        scope: Option<&str>,
        token: &Token,
    ) -> Result<bool, Failure> {
        let pass = match self.pass(challenge, None, scope, &Asked::default()) {
            Ok(Ok(pass)) => pass,
            Ok(Err(_)) => return Ok(false),
            Err(failure) => return not_for_anybody(failure),
        };
        if let Pass::Token(other) = &pass
            && token.is_personal(other)
        {
            return Ok(false);
        }
        match self.ping(&pass) {
            Ok(reply) => Ok(reply.is_success()),
            Err(failure) => not_for_anybody(failure),
        }
    }

    /// Whether the registry has an image and lets the credential pull it. `proved` says that it knows
    /// the credential.
    fn image(
        &self,
        image: &ImageReference,
        credential: Option<&Credential>,
        proved: bool,
    ) -> Result<RegistryAnswer, Failure> {
        let denied = match credential {
            Some(_) if proved => RefusalReason::NoPermission,
            Some(_) => RefusalReason::WrongCredential,
            None => RefusalReason::NoCredential,
        };
        match self.manifest(image, credential, denied)? {
            Some(refusal) => Ok(self.refused(refusal)),
            None if credential.is_none() => Ok(RegistryAnswer::Anonymous),
            None => {
                let anybody = match self.manifest(image, None, RefusalReason::NoCredential) {
                    Ok(refusal) => refusal.is_none(),
                    Err(failure) => not_for_anybody(failure)?,
                };
                Ok(if anybody {
                    RegistryAnswer::Anonymous
                } else {
                    RegistryAnswer::Accepted { note: None }
                })
            }
        }
    }

    /// Asks for a manifest; `None` is a yes.
    fn manifest(
        &self,
        image: &ImageReference,
        credential: Option<&Credential>,
        denied: RefusalReason,
    ) -> Result<Option<RegistryRefusal>, Failure> {
        let (scope, asked) = (scope(image.repository()), Asked::image(image));
        let mut challenge = self.challenge.clone();
        loop {
            let passed = match &challenge {
                Some(challenge) => self.pass(challenge, credential, Some(&scope), &asked)?,
                None => Ok(Pass::Nobody),
            };
            let pass = match passed {
                Ok(pass) => pass,
                Err(refusal) => return Ok(Some(RegistryRefusal { reason: denied, ..refusal })),
            };
            let path = format!("/v2/{}/manifests/{}", image.repository(), image.version());
            let mut reply = self.call(Method::HEAD, &path, &pass, MANIFESTS, true)?;
            if (400..500).contains(&reply.status) && reply.status != 429 {
                // Only this one comes with the registry's words, and some know no other.
                reply = self.call(Method::GET, &path, &pass, MANIFESTS, true)?;
            }
            match (reply.status, &reply.elsewhere) {
                (200..300, _) => return Ok(None),
                (401 | 403, Some(elsewhere)) => {
                    let place = self.connection.place(elsewhere);
                    let message = format!(
                        "it sends the question on to {place}, which wants a credential of its own"
                    );
                    return Err(Failure::at(Obstacle::Redirected, message, &[&place]));
                }
                (401, None) if challenge.is_none() => {
                    // A registry that lets anybody in, but not to every image.
                    challenge = Challenge::choose(reply.challenges());
                    if challenge.is_none() {
                        return Ok(Some(refusal(denied, &reply, &asked)));
                    }
                }
                (401 | 403, None) => return Ok(Some(refusal(denied, &reply, &asked))),
                (404, _) => return Ok(Some(refusal(RefusalReason::NoSuchImage, &reply, &asked))),
                _ => return Err(self.failure(&reply)),
            }
        }
    }

    /// Meets a challenge.
    fn pass(
        &self,
        challenge: &Challenge,
        credential: Option<&Credential>,
        scope: Option<&str>,
        asked: &Asked,
    ) -> Result<Passed, Failure> {
        if let Some(token) = credential.and_then(|credential| credential.tokens().registry.clone())
        {
            return Ok(Ok(Pass::Token(Token::stored(token))));
        }
        let realm = match challenge {
            Challenge::Bearer(realm) => realm,
            Challenge::Basic => {
                return Ok(match credential {
                    None => Ok(Pass::Nobody),
                    Some(credential) if credential.username().is_empty() => {
                        let reason = RefusalReason::WrongCredential;
                        let mut refusal = RegistryRefusal::new(reason, Said::default());
                        refusal.advice = Some(
                            "it wants a user and a password, and there is a token alone".into(),
                        );
                        Err(refusal)
                    }
                    Some(credential) => Ok(Pass::Basic(basic(credential))),
                });
            }
        };
        Ok(match realm.grant(&self.connection, credential, scope, asked)? {
            Granted::Token(token) => Ok(Pass::Token(token)),
            Granted::Refused(refusal) => Err(refusal),
        })
    }

    fn ping(&self, pass: &Pass) -> Result<Reply, Failure> {
        let may_move = matches!(pass, Pass::Nobody);
        self.call(Method::GET, "/v2/", pass, "application/json", may_move)
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        pass: &Pass,
        accept: &'static str,
        may_move: bool,
    ) -> Result<Reply, Failure> {
        let uri: Uri = format!("{}{path}", self.base).parse().map_err(|_| {
            Failure::new(Obstacle::NotARegistry, format!("{} is no URL", self.base))
        })?;
        let authorization = pass.header();
        self.connection.send(&Call {
            method,
            uri,
            authorization: authorization.as_ref(),
            accept,
            form: None,
            may_move,
        })
    }

    fn failure(&self, reply: &Reply) -> Failure {
        reply.failure(&self.base, None)
    }

    /// A refusal with its usual cause.
    fn refused(&self, mut refusal: RegistryRefusal) -> RegistryAnswer {
        let Inquiry { host, credential, .. } = self.inquiry;
        if refusal.advice.is_none() {
            let challenge = self.challenge.as_ref();
            refusal.advice = advice(&refusal, host, credential.as_ref(), challenge);
        }
        RegistryAnswer::Refused(refusal)
    }
}

impl From<Failure> for RegistryAnswer {
    fn from(failure: Failure) -> Self {
        Self::Unreachable(failure)
    }
}

fn refusal(reason: RefusalReason, reply: &Reply, asked: &Asked) -> RegistryRefusal {
    RegistryRefusal::new(reason, Said::in_answer(&reply.body, asked))
}

fn scope(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

/// Who asks too often without a credential is not let in without one.
fn not_for_anybody(failure: Failure) -> Result<bool, Failure> {
    if failure.obstacle == Obstacle::RateLimited { Ok(false) } else { Err(failure) }
}

/// Whether a yes is that of a registry, and not of any web server with a page for everything.
fn is_registry(reply: &Reply) -> bool {
    reply.header("docker-distribution-api-version").is_some()
        || reply.body.trim_ascii().is_empty()
        || serde_json::from_slice::<serde::de::IgnoredAny>(&reply.body).is_ok()
}
