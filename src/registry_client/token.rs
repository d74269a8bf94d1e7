//! Tokens that a realm gives for a credential.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use ureq::http::{Method, Uri};
use zeroize::Zeroizing;

use super::answer::{Failure, Obstacle, RefusalReason, RegistryRefusal};
use super::challenge::Realm;
use super::connection::{Call, Connection, Reply};
use super::message::{Asked, Said};
use super::origin::Origin;
use super::place::Place;
use crate::auth::credential::Credential;
use crate::secret::Secret;

/// What this program calls itself to a realm.
const CLIENT: &str = "runner-auth";

/// What needs no escape in a form or a query.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A token, with who it is for where that can be told.
pub(super) struct Token {
    pub secret: Secret,
    subject: Option<String>,
}

/// What a realm says.
pub(super) enum Granted {
    Token(Token),
    Refused(RegistryRefusal),
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Realm {
    /// Asks for a token, good for `scope` beside what the challenge names; as nobody without a
    /// credential.
    pub fn grant(
        &self,
        connection: &Connection<'_>,
        credential: Option<&Credential>,
        scope: Option<&str>,
        asked: &Asked,
    ) -> Result<Granted, Failure> {
        let url = self.uri()?;
        let origin = Origin::of(&url).ok_or_else(|| unsafe_realm("is no URL that can be asked"))?;
        let place = connection.place(&origin);
        if !origin.is_private() && !connection.is_insecure(&origin) {
            let message = format!(
                "the realm that it names {place} is plain HTTP: a password would go there in the clear"
            );
            return Err(Failure::at(Obstacle::UnsafeRealm, message, &[&place]));
        }
        let mut scopes: Vec<&str> = self.scope.as_deref().into_iter().chain(scope).collect();
        scopes.dedup();
        let identity = credential.and_then(|credential| credential.tokens().identity.as_ref());
        let reply = match identity {
            Some(identity) => self.post(connection, url, identity, &scopes),
            None => self.get(connection, &url, credential, &scopes),
        }?;
        let who = format!("its realm {place}");
        match reply.status {
            200..300 => read(&reply, &place).map(Granted::Token),
            // An identity token that ran out is a bad request (RFC 6749, 5.2).
            401 | 403 => Ok(refused(&reply, credential, asked)),
            400 if identity.is_some() => Ok(refused(&reply, credential, asked)),
            _ => Err(reply.failure(&who, Some(&place))),
        }
    }

    fn uri(&self) -> Result<Uri, Failure> {
        self.url.parse().map_err(|_| unsafe_realm("is no URL"))
    }

    fn get(
        &self,
        connection: &Connection<'_>,
        url: &Uri,
        credential: Option<&Credential>,
        scopes: &[&str],
    ) -> Result<Reply, Failure> {
        let user = credential.map(Credential::username).filter(|user| !user.is_empty());
        let mut pairs = vec![("account", user), ("service", self.service.as_deref())];
        pairs.extend(scopes.iter().map(|scope| ("scope", Some(*scope))));
        pairs.push(("client_id", Some(CLIENT)));
        let query = query(&pairs);
        let separator = if url.query().is_some() { '&' } else { '?' };
        let whole = format!("{url}{separator}{query}");
        let uri = whole.parse().map_err(|_| unsafe_realm("is no URL that a query fits behind"))?;
        let authorization = user.and(credential).map(basic);
        connection.send(&Call {
            method: Method::GET,
            uri,
            authorization: authorization.as_ref(),
            accept: "application/json",
            form: None,
            may_move: false,
        })
    }

    /// Exchanges an identity token, as `OAuth2` does.
    fn post(
        &self,
        connection: &Connection<'_>,
        uri: Uri,
        identity: &Secret,
        scopes: &[&str],
    ) -> Result<Reply, Failure> {
        let scopes = scopes.join(" ");
        let form = query(&[
            ("grant_type", Some("refresh_token")),
            ("service", self.service.as_deref()),
            ("client_id", Some(CLIENT)),
            ("scope", (!scopes.is_empty()).then_some(scopes.as_str())),
            ("refresh_token", Some(identity.expose())),
        ]);
        connection.send(&Call {
            method: Method::POST,
            uri,
            authorization: None,
            accept: "application/json",
            form: Some(&Secret::new(form)),
            may_move: false,
        })
    }
}

impl Token {
    /// A token from an auth document.
    pub fn stored(secret: Secret) -> Self {
        Self { secret, subject: None }
    }

    /// Whether it is made out to somebody, and `other` to somebody else or to nobody.
    pub fn is_personal(&self, other: &Self) -> bool {
        self.subject.is_some() && self.subject != other.subject
    }

    pub fn authorization(&self) -> Secret {
        Secret::new(format!("Bearer {}", self.secret.expose()))
    }
}

/// The header for a user and a password.
pub(super) fn basic(credential: &Credential) -> Secret {
    Secret::new(format!("Basic {}", credential.encode().expose()))
}

fn unsafe_realm(problem: &str) -> Failure {
    Failure::new(Obstacle::UnsafeRealm, format!("the realm that it names {problem}"))
}

fn query(pairs: &[(&str, Option<&str>)]) -> String {
    let filled = pairs.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    let pairs =
        filled.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ESCAPED)));
    pairs.collect::<Vec<_>>().join("&")
}

fn read(reply: &Reply, place: &Place) -> Result<Token, Failure> {
    let no_token = || {
        let message = format!("its realm {place} answers without a token");
        Failure::at(Obstacle::NotARegistry, message, &[place])
    };
    let answer: TokenAnswer = serde_json::from_slice(&reply.body).map_err(|_| no_token())?;
    let both = [answer.token, answer.access_token].map(|token| token.map(Secret::new));
    let token = both.into_iter().flatten().find(|token| !token.expose().is_empty());
    let printable = |token: &Secret| token.expose().bytes().all(|byte| byte.is_ascii_graphic());
    let secret = token.filter(printable).ok_or_else(no_token)?;
    let subject = subject(secret.expose());
    Ok(Token { secret, subject })
}

/// Who a JSON Web Token is made out to. Nothing is believed for it: it only tells two tokens apart.
fn subject(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: Option<String>,
    }
    let payload = token.split('.').nth(1)?.trim_end_matches('=');
    let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload).ok()?);
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    claims.sub.filter(|subject| !subject.is_empty())
}

fn refused(reply: &Reply, credential: Option<&Credential>, asked: &Asked) -> Granted {
    let reason = match credential {
        Some(_) => RefusalReason::WrongCredential,
        None => RefusalReason::NoCredential,
    };
    Granted::Refused(RegistryRefusal::new(reason, Said::in_answer(&reply.body, asked)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_who_it_is_for() {
        let token = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(subject(&token(r#"{"sub":"ci"}"#)).as_deref(), Some("ci"));
        for other in [token(r#"{"sub":""}"#), token("{}"), "opaque".into(), "a.b.c".into()] {
            assert_eq!(subject(&other), None, "{other}");
        }
    }

    #[test]
    fn a_query_is_escaped() {
        let pairs = [("a", Some("x y&z=1/:")), ("b", None), ("c", Some("\u{e4}"))];
        assert_eq!(query(&pairs), "a=x%20y%26z%3D1%2F%3A&c=%C3%A4");
    }
}
