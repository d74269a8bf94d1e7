//! Registries and other addresses without what may be secret in them.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use memchr::memchr;

use super::Registry;
use super::key_path::without_scheme;
use crate::secret::{HIDDEN, is_random, looks_generated};

/// A key, or another address, as it may be shown: without the user, password and query that
/// somebody put into it as into a URL.
///
/// What only looks like an address is no less secret: a password may hold a slash, and the scheme
/// may be forgotten. So all before the last `@` goes, and a host that can be none.
#[must_use]
pub fn shown(key: &str) -> Cow<'_, str> {
    if is_plain(key) {
        return Cow::Borrowed(key);
    }
    if let Some((image, digest)) = key.rsplit_once("@sha256:")
        && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        && matches!(shown(image), Cow::Borrowed(_))
    {
        return Cow::Borrowed(key);
    }
    let scheme = without_scheme(key).map_or(0, |rest| key.len() - rest.len());
    let (scheme, rest) = key.split_at(scheme);
    let (user, rest) =
        rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    let query = |text: &str| text.find(['?', '#', '=', '&', ';']);
    let (address, rest) = rest.split_at(query(rest).unwrap_or(rest.len()));
    if user.is_some_and(|user| query(user).is_some()) || !is_address(address) {
        // Where the secret starts or ends can't be told.
        return Cow::Owned(format!("{scheme}{HIDDEN}"));
    }
    if user.is_none() && rest.is_empty() {
        return Cow::Borrowed(key);
    }
    let user = user.map_or(String::new(), |_| format!("{HIDDEN}@"));
    let rest = if rest.is_empty() { "" } else { HIDDEN };
    Cow::Owned(format!("{scheme}{user}{address}{rest}"))
}

/// An image as it may be shown: somebody may have put a user and a password before it.
pub(crate) fn shown_image(image: &str) -> Cow<'_, str> {
    let (name, digest) = image.split_once("@sha256:").unwrap_or((image, ""));
    let is_digest = digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    if name.contains(['@', '?']) || !is_digest { shown(image) } else { Cow::Borrowed(image) }
}

/// The path of a key as it may be shown.
#[must_use]
pub fn shown_path<'p>(key: &str, path: &'p str) -> Cow<'p, str> {
    match shown(key) {
        Cow::Borrowed(_) => Cow::Borrowed(path),
        // What is left of a key that holds a secret may be a piece of that.
        Cow::Owned(whole) if whole.ends_with(path) => Cow::Borrowed(path),
        Cow::Owned(_) => Cow::Borrowed(HIDDEN),
    }
}

/// Whether a text is a registry in the way people name one, `HOST[:PORT][/PATH]` in small letters, and so
/// no secret.
pub(crate) fn is_ordinary(text: &str) -> bool {
    // As long as a host may be, and a path of some length.
    const LONGEST: usize = 512;
    let host = text.split('/').next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let word = |label: &str| label.len() > 1 && label.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_name = name == "localhost"
        || name.parse::<Ipv4Addr>().is_ok()
        || name.rsplit_once('.').map_or(!port.is_empty(), |(_, last)| word(last));
    text.len() <= LONGEST
        && is_name
        && !text.bytes().any(|byte| byte.is_ascii_uppercase())
        && !looks_generated(text)
        && Registry::parse(text).is_ok()
}

/// An address without what [`shown`] hides.
#[must_use]
pub fn without_user(url: &str) -> String {
    shown(url).replace(&format!("{HIDDEN}@"), "").replace(HIDDEN, "")
}

/// Whether an address has none of the signs that make it worth a look; nearly each one.
fn is_plain(address: &str) -> bool {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'/' | b'-')
    };
    let host = memchr(b'/', address.as_bytes()).map_or(address, |slash| &address[..slash]);
    address.bytes().all(plain)
        && (host.len() < SHORTEST_BASE64 || memchr(b'.', host.as_bytes()).is_some())
}

/// Whether the host of an address can be one: its port is a number, and it is no other word in the
/// place of one, such as a password.
fn is_address(address: &str) -> bool {
    let host = address.split('/').next().unwrap_or_default();
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, port),
        _ => (host, ""),
    };
    let encoded = address.split('%').skip(1).any(|rest| {
        rest.as_bytes().first_chunk::<2>().is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    });
    let bracketed = name.starts_with('[') && name.ends_with(']');
    port.bytes().all(|byte| byte.is_ascii_digit())
        && (bracketed || !name.contains(':'))
        && (name.contains('.') || !port.is_empty() || !is_base64(name) || is_variable(name))
        // A web token has dots, and so have GitLab's newer ones.
        && !name.split(['.', '-', '_']).any(is_random)
        && !encoded
}

/// Whether the name of a variable stands in the place of a host.
fn is_variable(name: &str) -> bool {
    let Some(name) = name.strip_prefix('$') else { return false };
    let braces = name.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
    let letter = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    braces.unwrap_or(name).bytes().all(letter)
}

/// How short a word in the place of a host may be to be taken for base64.
const SHORTEST_BASE64: usize = 12;

/// Whether a word in the place of a host is more likely base64, hex or a token: hosts are written in
/// small letters, with hyphens where they are long.
fn is_base64(name: &str) -> bool {
    let any = |test: fn(&u8) -> bool| name.as_bytes().iter().any(test);
    let (lower, upper) = (any(u8::is_ascii_lowercase), any(u8::is_ascii_uppercase));
    let long = name.len() >= SHORTEST_BASE64;
    let hex = any(u8::is_ascii_digit) && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    (lower && upper && (long || looks_generated(name)))
        || (long && hex)
        || (name.len() >= 20 && !name.contains('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::property::cases(1000))]

        #[test]
        fn a_plain_address_is_one(address in "[a-z0-9./:@%-]{0,30}") {
            prop_assert!(!is_plain(&address) || is_address(&address), "{}", address);
        }
    }

    #[test]
    fn a_key_is_shown_without_user_and_query() {
        for (key, expected) in [
            ("https://ci:s3cret@r.io/v1/", "https://<hidden>@r.io/v1/"),
            ("https://ci:s3/cr@et@r.io/v1/", "https://<hidden>@r.io/v1/"),
            ("ci:s3cret@r.io/group", "<hidden>@r.io/group"),
            ("s3cret@r.io:5000", "<hidden>@r.io:5000"),
            ("ftp://ci:s3cret@r.io", "<hidden>@r.io"),
            ("r.io/v1/?token=s3cret", "r.io/v1/<hidden>"),
            ("r.io/v1?token=s3@cret", "<hidden>"),
            ("https://ci:s3?cret@r.io", "https://<hidden>"),
            ("https://ci:s3cret", "https://<hidden>"),
            ("ci:s3cret%40r.io", "<hidden>"),
            ("dTpTM0NSRVRhdXRo", "<hidden>"),
            ("586b376d517a344c", "<hidden>"),
            ("PassW0rd!", "<hidden>"),
            ("glpat-bzox79OfKE9FD2LjoXXF4CvyxA.01.0r03gxo7s", "<hidden>"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjaSJ9.dBjftJeZ4CVPmB92K27", "<hidden>"),
            ("registry01", "registry01"),
            ("586b376d517a344c:5000", "586b376d517a344c:5000"),
        ] {
            assert_eq!(shown(key), expected, "{key}");
        }
        for key in [
            "r.io/app@sha256:0f",
            "r.io:5000/Group2/app",
            "https://index.docker.io/v1/",
            "[::1]:5000",
            "localhost",
            "MyCompanyRegistry01.Example.com",
            "*.dkr.ecr.eu-central-1.amazonaws.com",
            "${REGISTRY_OF_THE_COMPANY}/group",
            "",
        ] {
            assert_eq!(shown(key), key);
        }
        assert_eq!(shown_image("alpine:latest"), "alpine:latest");
        assert_eq!(shown_image("u:s3cret@r.io/app:1"), "<hidden>@r.io/app:1");
        assert_eq!(shown_image("r.io/app@sha256:12ab"), "r.io/app@sha256:12ab");
        assert_ne!(shown_image("r.io/app@sha256:s3cret"), "r.io/app@sha256:s3cret");
        assert_eq!(without_user("https://ci:s3/cret@r.io/"), "https://r.io/");
        assert_eq!(without_user("ci:s3cret@gitlab.example.com"), "gitlab.example.com");
    }
}
