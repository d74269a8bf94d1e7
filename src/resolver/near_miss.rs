//! Keys that a person could have meant for an image although none of them fits it.

use crate::auth::key::Key;
use crate::auth::registry::{DOCKER_HUB, HUB_NAMES, key_path_in};
use crate::auth::runner_version::RunnerVersion;

/// How many are named.
const MOST: usize = 3;

/// A key that nearly fits an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// The key.
    pub key: Key,
    /// Its path.
    pub path: String,
    /// Why it doesn't fit.
    pub reason: Miss,
}

/// Why a key nearly fits, the closest first.
///
/// ```
/// use runner_auth::Miss;
///
/// assert_eq!(Miss::Port.reason(), "the port differs, so it is another registry");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Miss {
    /// The key fits, but stands outside `auths`.
    Unwrapped,
    /// The image is named by its digest without a tag, which leaves `@sha256` in its path.
    Digest,
    /// Without a scheme, `/v1` or `/v2` is a part of the key's path.
    ApiPath,
    /// Docker Hub in a spelling that no image has.
    HubName,
    /// The key's host has a `*`, which GitLab Runner takes as it is.
    Wildcard,
    /// `http://` is no scheme to GitLab Runner 17.5 to 18.0.
    HttpScheme,
    /// The key has blanks around it.
    Blanks,
    /// The same path in other letter case, or before 17.5 the same host.
    LetterCase,
    /// The key's path goes on where the image's ends.
    TooLong,
    /// The same host and another path.
    OtherPath,
    /// The same host with another port, or one of the two without.
    Port,
    /// `localhost` and `127.0.0.1` are different registries.
    Loopback,
}

impl Miss {
    /// Why the key doesn't fit, in plain words.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unwrapped => {
                "it fits, but is outside \"auths\", where GitLab Runner looks for no credential"
            }
            Self::Digest => {
                "the image is named by its digest alone, so its path ends with @sha256: a key for \
                 the host or the group fits it"
            }
            Self::ApiPath => {
                "without https:// before it, /v1 or /v2 is a part of the path that images must have"
            }
            Self::HubName => "Docker Hub is https://index.docker.io/v1/ or docker.io",
            Self::Wildcard => "GitLab Runner knows no * in a host: name each registry",
            Self::HttpScheme => "GitLab Runner 17.5 to 18.0 takes no http:// for a scheme",
            Self::Blanks => "it has blanks around it",
            Self::LetterCase => "the letter case differs",
            Self::TooLong => "its path goes on where the image's ends",
            Self::OtherPath => "it is for another part of that registry",
            Self::Port => "the port differs, so it is another registry",
            Self::Loopback => "localhost and 127.0.0.1 are different registries",
        }
    }
}

/// The keys that come closest to an image, the closest first; `outside` are those that should stand
/// in `auths`, and `candidates` the paths under which a credential is looked for.
pub(super) fn find<'k>(
    image_path: &str,
    candidates: &[String],
    keys: impl Iterator<Item = &'k Key>,
    outside: impl Iterator<Item = &'k Key>,
    version: RunnerVersion,
) -> Vec<NearMiss> {
    let near = keys.filter_map(|key| {
        let path = key_path_in(key.as_str(), version);
        let reason = miss(image_path, candidates, key.as_str(), &path)?;
        Some(NearMiss { key: key.clone(), path, reason })
    });
    let unwrapped = outside.filter_map(|key| {
        let path = key_path_in(key.as_str(), version);
        let reason = Miss::Unwrapped;
        candidates.contains(&path).then(|| NearMiss { key: key.clone(), path, reason })
    });
    let mut misses: Vec<NearMiss> = near.chain(unwrapped).collect();
    misses.sort_by(|left, right| (left.reason, &left.key).cmp(&(right.reason, &right.key)));
    misses.truncate(MOST);
    misses
}

fn miss(image: &str, candidates: &[String], key: &str, path: &str) -> Option<Miss> {
    let (image_host, host) = (host(image), host(path));
    if image_host == DOCKER_HUB && host != DOCKER_HUB && HUB_NAMES.contains(&host) {
        return Some(Miss::HubName);
    }
    if host == image_host {
        if image.strip_suffix("@sha256") == Some(path) {
            return Some(Miss::Digest);
        }
        if ["/v1", "/v2"].contains(&&path[host.len()..]) {
            return Some(Miss::ApiPath);
        }
        if candidates.iter().any(|candidate| candidate.eq_ignore_ascii_case(path)) {
            return Some(Miss::LetterCase);
        }
        let longer = path.strip_prefix(image).is_some_and(|rest| rest.starts_with('/'));
        return Some(if longer { Miss::TooLong } else { Miss::OtherPath });
    }
    if host.contains('*') && fits(host, image_host) {
        return Some(Miss::Wildcard);
    }
    if host == "http:" && path.trim_start_matches("http://").eq_ignore_ascii_case(image_host) {
        return Some(Miss::HttpScheme);
    }
    if key.trim() != key && host.trim() == image_host {
        return Some(Miss::Blanks);
    }
    if host.eq_ignore_ascii_case(image_host) {
        return Some(Miss::LetterCase);
    }
    let (name, image_name) = (without_port(host), without_port(image_host));
    let loopback = |name: &str| name == "localhost" || name == "127.0.0.1";
    if name == image_name {
        Some(Miss::Port)
    } else if loopback(name) && loopback(image_name) {
        Some(Miss::Loopback)
    } else {
        None
    }
}

/// Whether a host is one of those that a pattern with `*` stands for.
fn fits(pattern: &str, host: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == host };
    let Some(mut host) = host.strip_prefix(start) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match host.find(piece) {
            Some(at) => host = &host[at + piece.len()..],
            None => return false,
        }
    }
    host.ends_with(end)
}

fn host(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}

fn without_port(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}
