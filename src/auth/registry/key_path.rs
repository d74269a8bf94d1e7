//! What GitLab Runner makes of a key of `auths`, from version to version.

use std::borrow::Cow;

use super::{DOCKER_HUB, HUB_INDEX, HUB_SITE};
use crate::auth::runner_version::RunnerVersion;

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
    path_of(key).into_owned()
}

/// The same without a copy of a key that is its own path, as most are.
pub(crate) fn path_of(key: &str) -> Cow<'_, str> {
    path_in(key, RunnerVersion::LATEST)
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
    path_in(key, version).into_owned()
}

fn path_in(key: &str, version: RunnerVersion) -> Cow<'_, str> {
    if !version.matches_paths() {
        return host_only(key, version).into();
    }
    let http = version.reads_http_keys() || !starts_with_ignoring_case(key, "http://");
    if let Some(rest) = without_scheme(key).filter(|_| http) {
        let host = lower(rest.split('/').next().unwrap_or_default());
        return if host == HUB_INDEX { DOCKER_HUB.into() } else { host };
    }
    let key = key.strip_suffix('/').unwrap_or(key);
    let (host, path) = key.split_once('/').map_or((key, None), |(host, path)| (host, Some(path)));
    match path {
        None => lower(host),
        Some(path) => format!("{}/{}", lower(host), without_tag(path)).into(),
    }
}

/// What versions before 17.5 make of a key.
fn host_only(key: &str, version: RunnerVersion) -> String {
    let lower = if version.lowers_keys() { lower(key) } else { key.into() };
    let cut = lower.strip_prefix("http://");
    // From 13.4 on both schemes are cut, one after the other.
    let rest = cut.unwrap_or(&lower);
    let again = cut.is_none() || version.lowers_keys();
    let rest = rest.strip_prefix("https://").filter(|_| again).unwrap_or(rest);
    let host = rest.split('/').next().unwrap_or_default();
    if host == HUB_INDEX { DOCKER_HUB.to_owned() } else { host.to_owned() }
}

/// Lower case as Go's `strings.ToLower` makes it: each letter by itself.
pub(crate) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return text.into();
    }
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

pub(super) fn without_scheme(key: &str) -> Option<&str> {
    ["http://", "https://"]
        .into_iter()
        .find_map(|scheme| starts_with_ignoring_case(key, scheme).then(|| &key[scheme.len()..]))
}

/// Cuts a `:tag` that follows the last `/`.
pub(super) fn without_tag(path: &str) -> &str {
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
    let path = path_of(key);
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
        Some(
            "without a dot or a port, an image's first part is a name on Docker Hub, which is docker.io",
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_host_is_itself_to_every_version() {
        for key in ["r.io", "r.io:5000", "localhost", "10.0.0.1", "docker.io", "a-b.c:1"] {
            assert!(is_plain_host(key), "{key}");
            for (version, _) in RunnerVersion::SPANS {
                assert_eq!(key_path_in(key, version), key, "{version}");
            }
        }
        for key in ["", "R.io", "r.io/", "r.io/ns", "https://r.io", "index.docker.io", "$A", ".io"]
        {
            assert!(!is_plain_host(key), "{key}");
        }
    }

    #[test]
    fn letters_are_lowered_as_go_does() {
        // Rust makes two characters of the first, and another sigma of the last.
        assert_eq!(key_path("\u{130}\u{3a3}.io"), "i\u{3c3}.io");
        assert_eq!(lower("\u{3a3}"), "\u{3c3}");
    }
}
