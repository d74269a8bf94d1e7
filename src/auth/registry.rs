//! Registries as people and auth documents spell them.
//!
//! The rules are those of GitLab Runner's `helpers/docker/auth` (17.5 and later): a key of `auths`
//! becomes a path, and two keys with one path are the same registry, of which only one can win.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv4Addr;

use crate::auth::runner_version::RunnerVersion;
use crate::error::Error;
use crate::secret::{HIDDEN, looks_generated};

/// The key that every GitLab Runner from 12.9 on takes for Docker Hub.
pub const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Docker Hub's path.
pub(crate) const DOCKER_HUB: &str = "docker.io";

/// Docker Hub's web site, from where people copy it.
const HUB_SITE: &str = "hub.docker.com";

/// Docker Hub's other host.
pub(crate) const HUB_INDEX: &str = "index.docker.io";

/// What people call Docker Hub.
const HUB_NAMES: &[&str] = &[
    DOCKER_HUB,
    HUB_INDEX,
    "registry-1.docker.io",
    "registry.hub.docker.com",
    "hub.docker.com",
    "docker.com",
    "dockerhub",
    "docker-hub",
];

/// Hosts with pages about images.
const HUB_PAGES: &[&str] = &["hub.docker.com", "docker.com", "www.docker.com"];

/// The port of a host, where it has one.
fn port(host: &str) -> Option<&str> {
    let colon = host.rfind(':')?;
    // The colons of an IPv6 address stand between brackets.
    (!host[colon..].contains(']')).then(|| &host[colon + 1..])
}

/// The path that GitLab Runner makes of a key of `auths`.
///
/// With `http://` or `https://` only the lower-cased host counts; without a scheme the path stays,
/// a trailing `/` and a `:tag` are cut.
///
/// ```
/// use runner_auth::key_path;
///
/// assert_eq!(key_path("https://R.io/v1/"), "r.io");
/// assert_eq!(key_path("my.HOST/With/Path"), "my.host/With/Path");
/// assert_eq!(key_path("my.host:5000/ns/image:latest"), "my.host:5000/ns/image");
/// assert_eq!(key_path("https://index.docker.io/v1/"), "docker.io");
/// assert_eq!(key_path("index.docker.io"), "index.docker.io");
/// ```
#[must_use]
pub fn key_path(key: &str) -> String {
    key_path_in(key, RunnerVersion::LATEST)
}

/// The same as a given version of GitLab Runner does it.
///
/// Before 17.5 only the host counts (`convertToHostname`), before 13.4 in the letter case in which it
/// stands; from 17.5 up to 18.0 `http://` is not taken for a scheme.
///
/// ```
/// use runner_auth::RunnerVersion;
/// use runner_auth::key_path_in;
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// assert_eq!(key_path_in("index.docker.io", RunnerVersion::parse("17.4")?), "docker.io");
/// assert_eq!(key_path_in("R.io/group", RunnerVersion::parse("14.7")?), "r.io");
/// assert_eq!(key_path_in("R.io/group", RunnerVersion::parse("12.9")?), "R.io");
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn key_path_in(key: &str, version: RunnerVersion) -> String {
    if !version.matches_paths() {
        return host_only(key, version);
    }
    let http = version.reads_http_keys() || !starts_with_ignoring_case(key, "http://");
    if let Some(rest) = without_scheme(key).filter(|_| http) {
        let host = lower(rest.split('/').next().unwrap_or_default());
        return if host == HUB_INDEX { DOCKER_HUB.to_owned() } else { host };
    }
    let key = key.strip_suffix('/').unwrap_or(key);
    let (host, path) = key.split_once('/').map_or((key, None), |(host, path)| (host, Some(path)));
    match path {
        None => lower(host),
        Some(path) => format!("{}/{}", lower(host), without_tag(path)),
    }
}

/// What versions before 17.5 make of a key.
fn host_only(key: &str, version: RunnerVersion) -> String {
    let lower = if version.lowers_keys() { lower(key) } else { key.to_owned() };
    let cut = lower.strip_prefix("http://");
    // From 13.4 on both schemes are cut, one after the other.
    let rest = cut.unwrap_or(&lower);
    let again = cut.is_none() || version.lowers_keys();
    let rest = rest.strip_prefix("https://").filter(|_| again).unwrap_or(rest);
    let host = rest.split('/').next().unwrap_or_default();
    if host == HUB_INDEX { DOCKER_HUB.to_owned() } else { host.to_owned() }
}

/// Lower case as Go's `strings.ToLower` makes it: each letter by itself.
pub(crate) fn lower(text: &str) -> String {
    text.chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect()
}

/// Whether every version takes a key for itself, and finds it for the images whose host is spelt like it.
pub(crate) fn is_plain_host(key: &str) -> bool {
    let letter = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b'-')
    };
    key.starts_with(|first: char| first.is_ascii_alphanumeric())
        && key.bytes().all(letter)
        && key != HUB_INDEX
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start))
}

fn without_scheme(key: &str) -> Option<&str> {
    ["http://", "https://"]
        .into_iter()
        .find_map(|scheme| starts_with_ignoring_case(key, scheme).then(|| &key[scheme.len()..]))
}

/// Cuts a `:tag` that follows the last `/`.
fn without_tag(path: &str) -> &str {
    let last = path.rfind('/').map_or(0, |slash| slash + 1);
    path[last..].rfind(':').map_or(path, |colon| &path[..last + colon])
}

/// Why no image of any name can match a key of `auths`; `None` for a key that can match.
///
/// ```
/// use runner_auth::why_it_never_matches;
///
/// assert!(why_it_never_matches("registry.example.com").is_none());
/// assert!(why_it_never_matches("index.docker.io").is_some());
/// ```
#[must_use]
pub fn why_it_never_matches(key: &str) -> Option<&'static str> {
    let path = key_path(key);
    let host = path.split('/').next().unwrap_or_default();
    if path.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        Some("it holds blanks")
    } else if host.is_empty() {
        Some("it names no host")
    } else if host == HUB_INDEX {
        Some("without https:// before it, it is not Docker Hub (from GitLab Runner 17.5 on)")
    } else if host == HUB_SITE {
        Some("that is Docker Hub's web site, and no registry")
    } else if path.contains("://") {
        Some("only http:// and https:// are taken for a scheme")
    } else if host.contains(['@', '*']) {
        Some("no image's host holds an @ or a *")
    } else if path.split('/').any(|part| ["", ".", ".."].contains(&part)) {
        Some("it holds an empty part, or one of dots")
    } else if !host.contains(['.', ':']) && host != "localhost" {
        Some("without a dot or a port, an image's first part is a name on Docker Hub")
    } else {
        None
    }
}

/// A key, or another address, as it may be shown: without the user, password and query that
/// somebody put into it as into a URL.
///
/// What only looks like an address is no less secret: a password may hold a slash, and the scheme
/// may be forgotten. So all before the last `@` goes, and a host that can be none.
#[must_use]
pub fn shown(key: &str) -> Cow<'_, str> {
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
        && !encoded
}

/// Whether the name of a variable stands in the place of a host.
fn is_variable(name: &str) -> bool {
    let Some(name) = name.strip_prefix('$') else { return false };
    let braces = name.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
    let letter = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    braces.unwrap_or(name).bytes().all(letter)
}

/// Whether a word in the place of a host is more likely base64 or a token: hosts are written in
/// small letters, with hyphens where they are long.
fn is_base64(name: &str) -> bool {
    let any = |test: fn(&u8) -> bool| name.as_bytes().iter().any(test);
    let (lower, upper) = (any(u8::is_ascii_lowercase), any(u8::is_ascii_uppercase));
    name.len() >= 12 && ((lower && upper) || (name.len() >= 20 && !name.contains('-')))
}

/// A registry, or a part of one, as a person names it: `HOST[:PORT][/PATH]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registry {
    typed: String,
    path: String,
    /// Another key than the usual one.
    key: Option<String>,
}

impl Registry {
    /// Reads a registry in any of the spellings people use: with a scheme, with `/v1/`, in capital
    /// letters, Docker Hub under its several names.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRegistry`] when it is empty or holds characters that no registry can hold.
    ///
    /// ```
    /// use runner_auth::Registry;
    ///
    /// # fn main() -> Result<(), runner_auth::Error> {
    /// assert_eq!(Registry::parse("R.io/v2/")?.path(), "r.io/v2");
    /// assert_eq!(Registry::parse("https://R.io/v2/")?.path(), "r.io");
    /// assert_eq!(Registry::parse("index.docker.io")?.key(), "https://index.docker.io/v1/");
    /// assert!(Registry::parse("my registry").is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn parse(typed: &str) -> Result<Self, Error> {
        let refuse = |problem: String| Err(Error::InvalidRegistry { problem });
        // Blanks come along when a name is copied.
        let typed = typed.trim();
        let mut path = key_path(typed);
        let (host, rest) = path.split_once('/').unwrap_or((&path, ""));
        if host.is_empty() {
            return refuse("names no host".into());
        }
        if path.contains('@') {
            return refuse("holds a user or a digest; the user goes into --username".into());
        }
        let allowed =
            |letter: char| letter.is_ascii_alphanumeric() || "-._:/[]%+~".contains(letter);
        if !path.chars().all(allowed) || path.contains("//") {
            return refuse("holds characters that no registry has".into());
        }
        if HUB_PAGES.contains(&host) && !rest.is_empty() {
            return refuse(
                "is a page of Docker Hub's site; Docker Hub itself is docker.io, and a part of it is \
                 docker.io/NAME"
                    .into(),
            );
        }
        if let Some(port) = port(host)
            && !(port.bytes().all(|byte| byte.is_ascii_digit())
                && port.parse::<u16>().is_ok_and(|port| port > 0))
        {
            return refuse("has a port that is no number from 1 to 65535".into());
        }
        if HUB_NAMES.contains(&host) && rest.is_empty() {
            DOCKER_HUB.clone_into(&mut path);
        }
        // Docker takes no image with capitals in its name.
        let registry = Self { typed: typed.to_owned(), path: path.to_lowercase(), key: None };
        match why_it_never_matches(registry.key()) {
            Some(reason) => refuse(format!("would match no image: {reason}")),
            None => Ok(registry),
        }
    }

    /// A registry that is already in a document, under whatever key somebody wrote: any text.
    #[must_use]
    pub fn named(typed: &str) -> Self {
        let literal = || Self { typed: typed.to_owned(), path: key_path(typed), key: None };
        match Self::parse(typed) {
            // A key with capitals in its path is another one than the same without.
            Ok(registry) if registry.path == key_path(typed) || registry.path == DOCKER_HUB => {
                Self { typed: typed.to_owned(), ..registry }
            }
            _ => literal(),
        }
    }

    /// The path that was typed behind a scheme. A key with a scheme stands for the whole host,
    /// whatever follows it, so that the credential covers more than its words say.
    #[must_use]
    pub fn lost_path(&self) -> Option<&str> {
        let (host, path) = without_scheme(&self.typed)?.split_once('/')?;
        let path = path.trim_end_matches('/');
        // What Docker itself puts behind a host.
        let plain = ["", "v1", "v2"].contains(&path) || HUB_NAMES.contains(&host);
        (!plain).then_some(path)
    }

    /// The path that GitLab Runner compares.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The key under which a new credential for this registry is written: the one that every
    /// version of GitLab Runner understands.
    #[must_use]
    pub fn key(&self) -> &str {
        let usual = if self.path == DOCKER_HUB { DOCKER_HUB_KEY } else { &self.path };
        self.key.as_deref().unwrap_or(usual)
    }

    /// The same registry under a key that every version of GitLab Runner takes for its host, and the
    /// Docker client inside a job for none: `https://HOST`. A part of a registry has such a key as it
    /// is.
    ///
    /// Source: docker/cli 28.3 to 29.7, `cli/config/configfile/file.go` and
    /// `cli/config/memorystore/store.go`: it looks for the host as it stands in the image, or for
    /// `https://index.docker.io/v1/`; tried with 29.7.2.
    ///
    /// ```
    /// use runner_auth::Registry;
    ///
    /// # fn main() -> Result<(), runner_auth::Error> {
    /// assert_eq!(Registry::parse("r.io:5000")?.for_the_runner_alone().key(), "https://r.io:5000");
    /// assert_eq!(Registry::parse("r.io/ns")?.for_the_runner_alone().key(), "r.io/ns");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn for_the_runner_alone(mut self) -> Self {
        if !self.path.contains('/') {
            self.key = Some(format!("https://{}", self.path));
        }
        self
    }

    /// Whether a key that stands for this registry may stay: each version of GitLab Runner finds it, and
    /// it is the one that was asked for, if any was.
    pub(crate) fn keeps(&self, key: &str) -> bool {
        self.is_in_every_version(key) && self.key.as_deref().is_none_or(|wanted| wanted == key)
    }

    /// Whether a key of an auth document stands for this registry.
    #[must_use]
    pub fn is(&self, key: &str) -> bool {
        key_path(key) == self.path
    }

    /// Whether each version of GitLab Runner finds this registry under a key that stands for it: not
    /// so in capital letters (before 13.4) or behind `http://` (17.5 to 18.0).
    fn is_in_every_version(&self, key: &str) -> bool {
        RunnerVersion::SPANS
            .iter()
            .all(|(version, _)| key_path_in(key, *version) == key_path_in(self.key(), *version))
    }

    /// Whether a key is Docker Hub in the spelling that GitLab Runner from 17.5 on never matches,
    /// and this registry is Docker Hub.
    #[must_use]
    pub fn is_dead_hub_key(&self, key: &str) -> bool {
        self.path == DOCKER_HUB && [HUB_INDEX, HUB_SITE].contains(&key_path(key).as_str())
    }

    /// What the person typed.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_lowered_as_go_does() {
        // Rust makes two characters of the first, and another sigma of the last.
        assert_eq!(key_path("\u{130}\u{3a3}.io"), "i\u{3c3}.io");
        assert_eq!(lower("\u{3a3}"), "\u{3c3}");
    }

    #[test]
    fn unusable_registries_are_refused() {
        for typed in [
            "",
            "/",
            "https://",
            "a b",
            "user@host",
            "r.io//x",
            "r.io/$X",
            "'",
            "registry",
            "host:abc",
            "r.io:99999",
            "r.io:0",
            "r.io:+1",
            "hub.docker.com/r/org/app",
            "*.r.io",
        ] {
            assert!(Registry::parse(typed).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn registries_are_taken_as_people_type_them() {
        for (typed, key) in [
            (" r.io\n", "r.io"),
            ("R.IO:5000/Ns", "r.io:5000/ns"),
            ("dockerhub", DOCKER_HUB_KEY),
            ("hub.docker.com", DOCKER_HUB_KEY),
            ("https://R.io/v2/", "r.io"),
            ("[::1]:5000", "[::1]:5000"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(
                Registry::parse(typed).map(|found| found.key().to_owned()).ok().as_deref(),
                Some(key)
            );
        }
        let lost = |typed: &str| Registry::named(typed).lost_path().map(str::to_owned);
        assert_eq!(lost("https://r.io/group/app").as_deref(), Some("group/app"));
        for whole in
            ["https://r.io", "https://r.io/v1/", "r.io/group", "https://index.docker.io/v1/"]
        {
            assert_eq!(lost(whole), None);
        }
    }

    #[test]
    fn a_registry_is_told_from_a_secret() {
        for registry in [
            "registry.example.com",
            "registry.example.com:5000/group/app",
            "localhost/app",
            "registry:5000",
            "10.0.0.7:8088",
        ] {
            assert!(is_ordinary(registry), "{registry}");
        }
        for text in [
            "hunter",
            "Summer.2024",
            "summer.2024",
            "u:p@r.io",
            "S3cret.example",
            "r.io/Xk7mQz4Lw9",
            "https://r.io",
            "p:1a",
            "",
            ".",
        ] {
            assert!(!is_ordinary(text), "{text}");
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
        ] {
            assert_eq!(shown(key), expected, "{key}");
        }
        for key in [
            "r.io/app@sha256:0f",
            "r.io:5000/Group2/app",
            "https://index.docker.io/v1/",
            "[::1]:5000",
            "localhost",
            "*.dkr.ecr.eu-central-1.amazonaws.com",
            "${REGISTRY_OF_THE_COMPANY}/group",
            "",
        ] {
            assert_eq!(shown(key), key);
        }
        assert_eq!(without_user("https://ci:s3/cret@r.io/"), "https://r.io/");
        assert_eq!(without_user("ci:s3cret@gitlab.example.com"), "gitlab.example.com");
    }
}
