//! What a registry is told about who pulls.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::{HIDDEN, Secret, tokens_in};

/// Base64 as Go's `base64.StdEncoding` reads and writes it: padded, and trailing bits may be set.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// A user and a password, tokens, or both.
///
/// With tokens alone the user and the password are empty.
///
/// ```
/// use runner_auth::{Credential, Secret, Tokens};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let login = Credential::new("ci", Secret::from("s3cret"))?;
/// assert_eq!((login.username(), login.password().expose()), ("ci", "s3cret"));
/// // `auth` in an auth document, and the way back.
/// assert_eq!(login.encode().expose(), "Y2k6czNjcmV0");
/// assert_eq!(Credential::decode("Y2k6czNjcmV0"), Some(login));
/// assert!(Credential::new("ci:", Secret::from("s3cret")).is_err());
///
/// let tokens = Tokens { identity: Some(Secret::from("an-identity-token")), registry: None };
/// let by_token = Credential::with_tokens("", Secret::from(""), tokens)?;
/// assert!(!by_token.tokens().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credential {
    username: String,
    password: Secret,
    tokens: Tokens,
}

/// What some registries give out at `docker login` in place of a password.
///
/// ```
/// use runner_auth::Tokens;
///
/// assert!(Tokens::default().is_empty());
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Tokens {
    /// The member `identitytoken`: it is exchanged for a short-lived one at each pull.
    pub identity: Option<Secret>,
    /// The member `registrytoken`: it is sent as it is.
    pub registry: Option<Secret>,
}

impl Tokens {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.identity.is_none() && self.registry.is_none()
    }
}

/// Checks that a registry can know a user of this name.
///
/// # Errors
///
/// [`Error::InvalidUsername`] when it is empty, holds a colon (which ends the user in
/// `user:password`), or a line break or another control character.
pub fn check_username(username: &str) -> Result<(), Error> {
    let refuse = |problem| Err(Error::InvalidUsername(problem));
    if username.is_empty() {
        return refuse("the user is empty: name one with --username");
    }
    if username.contains(':') {
        return refuse(
            "the user contains a colon, which ends the user in user:password: no registry has such a user",
        );
    }
    if username.chars().any(char::is_control) {
        return refuse("the user holds a line break or another control character");
    }
    Ok(())
}

impl Credential {
    /// Makes a credential of what a person or a script gave.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUsername`] when the user is empty or holds a colon or a control character;
    /// [`Error::InvalidPassword`] when the password is empty or holds what no registry takes.
    pub fn new(username: &str, password: Secret) -> Result<Self, Error> {
        let refuse = |problem| Err(Error::InvalidPassword(problem));
        check_username(username)?;
        if password.expose().is_empty() {
            return refuse("the password is empty: check where it comes from");
        }
        let tokens = Tokens::default();
        Self::checked(Self { username: username.to_owned(), password, tokens })
    }

    /// Makes a credential of tokens, with the user and the password that stand beside them: `docker
    /// login` leaves the user with an empty password there.
    ///
    /// # Errors
    ///
    /// Those of [`Credential::new`], for each part that is not empty.
    pub fn with_tokens(username: &str, password: Secret, tokens: Tokens) -> Result<Self, Error> {
        if tokens.is_empty() {
            return Self::new(username, password);
        }
        Self::checked(Self { username: username.to_owned(), password, tokens })
    }

    /// The rules for every part, empty or not.
    fn checked(self) -> Result<Self, Error> {
        let refuse = |problem| Err(Error::InvalidPassword(problem));
        let Self { username, password, tokens } = &self;
        if !username.is_empty() {
            check_username(username)?;
        }
        if password.expose().contains('\0') {
            return refuse("the password holds a NUL, which no registry accepts");
        }
        if without_stray_line_end(password.expose()).is_some() {
            return refuse(
                "the password ends with a line end, which no registry accepts: only one final line \
                 end is cut, so take the empty line out",
            );
        }
        if username.is_empty() && !password.expose().is_empty() {
            return refuse("there is a password without a user");
        }
        // What is decoded from an auth has this in the place of such bytes, and so has what a
        // container engine gets from Docker or GitLab Runner.
        if [username, password.expose()].iter().any(|text| text.contains('\u{fffd}')) {
            return refuse(
                "the user or the password is not UTF-8, and would arrive changed: log in to that \
                 registry again in a terminal that speaks UTF-8",
            );
        }
        let blank = |token: &Secret| {
            let text = token.expose();
            text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if [&tokens.identity, &tokens.registry].into_iter().flatten().any(blank) {
            return refuse("the token is empty or holds blanks: log in to that registry again");
        }
        Ok(self)
    }

    /// Reads the `auth` member of an auth document as docker/cli does (`cli/config/configfile`
    /// `decodeAuth`): padded base64, in which line breaks are skipped, of `user:password` with a
    /// user. `None` when it is anything else: the runner then drops the whole document.
    #[must_use]
    pub fn decode(auth: &str) -> Option<Self> {
        Self::decode_any(auth).filter(|credential| !credential.username.is_empty())
    }

    /// The same for versions before 15.10, which take an empty user.
    pub(crate) fn decode_any(auth: &str) -> Option<Self> {
        let text = Secret::from_utf8(decode_base64(auth)?)
            .unwrap_or_else(|bytes| String::from_utf8_lossy(&bytes).into_owned().into());
        let (username, password) = text.expose().split_once(':')?;
        let password = Secret::new(password.trim_matches('\0').to_owned());
        Some(Self { username: username.to_owned(), password, tokens: Tokens::default() })
    }

    /// A credential as it stands in the `username` and `password` members of an auth document,
    /// which need not be one that [`Credential::new`] accepts.
    pub(crate) fn plain(username: &str, password: &str) -> Self {
        let password = Secret::new(password.to_owned());
        Self { username: username.to_owned(), password, tokens: Tokens::default() }
    }

    /// The same credential with the tokens that stand beside it in an auth document.
    pub(crate) fn beside(self, tokens: Tokens) -> Self {
        Self { tokens, ..self }
    }

    /// The members of an auth document that hold this credential.
    pub(crate) fn members(&self) -> Vec<(&'static str, Secret)> {
        let mut members = Vec::new();
        if !self.username.is_empty() {
            members.push(("auth", self.encode()));
        }
        let Tokens { identity, registry } = &self.tokens;
        let tokens = [("identitytoken", identity), ("registrytoken", registry)];
        members.extend(tokens.into_iter().filter_map(|(name, token)| Some((name, token.clone()?))));
        members
    }

    /// The value of `auth` for this credential.
    #[must_use]
    pub fn encode(&self) -> Secret {
        let pair = Zeroizing::new(format!("{}:{}", self.username, self.password.expose()));
        Secret::new(BASE64.encode(pair.as_bytes()))
    }

    /// The user; empty when there are tokens alone.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password.
    #[must_use]
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// The user as it may be shown; empty when there are tokens alone. Some registries take a token in its
    /// place, and any password beside it.
    pub(crate) fn shown_user(&self) -> &str {
        if tokens_in(&self.username).next().is_some() { HIDDEN } else { &self.username }
    }

    /// The user as a report names it: nobody for tokens alone.
    pub(crate) fn named_user(&self) -> Option<String> {
        (!self.username.is_empty()).then(|| self.shown_user().to_owned())
    }

    /// The tokens.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({:?}, {:?})", self.shown_user(), self.password)
    }
}

/// A password without the line end that `echo` without `-n` put behind it; `None` for one that ends
/// otherwise. A key file of many lines ends with one by right, and so may a JSON key on one line.
pub(crate) fn without_stray_line_end(password: &str) -> Option<&str> {
    let cut = password.trim_end_matches(['\n', '\r']);
    let stray = cut.len() < password.len()
        && !cut.contains(['\n', '\r'])
        && !cut.trim_start().starts_with('{');
    stray.then_some(cut)
}

/// Decodes base64 as Go does, which skips line breaks.
pub(crate) fn decode_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if !text.contains(['\r', '\n']) {
        return BASE64.decode(text).ok().map(Zeroizing::new);
    }
    let packed: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.bytes().filter(|byte| !b"\r\n".contains(byte)).collect());
    BASE64.decode(&*packed).ok().map(Zeroizing::new)
}

/// The JSON in a text that is base64 as a whole, in lines of any length; `None` where it is none.
pub(crate) fn json_in_base64(text: &str) -> Option<Secret> {
    let packed: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    let decoded = Secret::from_utf8(decode_base64(&packed)?).ok()?;
    decoded.expose().trim_start().starts_with('{').then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_docker_decodes() {
        for (auth, expected) in [
            ("YWRtaW46SGFyYm9yMTIzNDU=", Some(("admin", "Harbor12345"))),
            ("YWRt\r\naW46SGFyYm9yMTIzNDU=\n", Some(("admin", "Harbor12345"))),
            ("dTpwOnE=", Some(("u", "p:q"))),
            ("dTpwOnF=", Some(("u", "p:q"))),
            ("dTo=", Some(("u", ""))),
            ("dTpwAAA=", Some(("u", "p"))),
            ("YWRtaW46SGFyYm9yMTIzNDU", None),
            ("OnA=", None),
            ("dXA=", None),
            ("not base64", None),
            ("dTpw_w==", None),
            ("", None),
        ] {
            let found = Credential::decode(auth);
            let found = found.as_ref().map(|found| (found.username(), found.password().expose()));
            assert_eq!(found, expected, "{auth:?}");
        }
    }

    #[test]
    fn only_what_echo_adds_is_cut() {
        for (password, expected) in [
            ("pw\n", Some("pw")),
            ("pw\r\n", Some("pw")),
            ("pw\n\n", Some("pw")),
            ("pw", None),
            ("a\nb\n", None),
            ("a\nb", None),
            ("{}\n", None),
        ] {
            assert_eq!(without_stray_line_end(password), expected, "{password:?}");
        }
    }

    #[test]
    fn refuses_what_no_registry_takes() {
        for (username, password) in
            [("", "p"), ("a:b", "p"), ("a\nb", "p"), ("a", ""), ("a", "p\n"), ("a", "p\0")]
        {
            assert!(Credential::new(username, Secret::new(password.into())).is_err());
        }
        for password in ["{\n  \"k\": 1\n}\n", "{\"k\": 1}\n", "-----\nkey\n-----\n", "a\nb"] {
            assert!(Credential::new("_json_key", Secret::new(password.into())).is_ok());
        }
    }
}
