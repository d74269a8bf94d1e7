//! The name of an image as the registry's protocol needs it.

use std::fmt;

use super::host::RegistryHost;
use crate::auth::registry::{DOCKER_HUB, HUB_INDEX, shown};
use crate::error::Error;

/// An image: the registry, the repository, and a tag or a digest.
///
/// ```
/// use runner_auth::registry_client::ImageReference;
///
/// let image = ImageReference::parse("nginx").expect("an image");
/// assert_eq!((image.host().as_str(), image.repository()), ("docker.io", "library/nginx"));
/// assert_eq!(image.version(), "latest");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    typed: String,
    host: RegistryHost,
    repository: String,
    version: String,
}

impl ImageReference {
    /// Reads an image's name as Docker does (`distribution/reference`): no registry means Docker Hub,
    /// no tag means `latest`, and a digest counts before a tag.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when Docker would not take it for an image.
    pub fn parse(typed: &str) -> Result<Self, Error> {
        let refuse = || {
            Error::Usage(format!(
                "'{}' is no image that Docker takes: its name is in lower-case letters, such as \
                 registry.example.com/group/app:1.0",
                shown(typed)
            ))
        };
        let (name, digest) = match typed.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (typed, None),
        };
        let slash = name.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match name[slash..].split_once(':') {
            Some((last, tag)) => (&name[..slash + last.len()], Some(tag)),
            None => (name, None),
        };
        let (host, path) = match name.split_once('/') {
            Some((first, rest)) if is_host(first) => (first, rest.to_owned()),
            _ => (DOCKER_HUB, name.to_owned()),
        };
        let host = if host == HUB_INDEX { DOCKER_HUB } else { host };
        let host = RegistryHost::of_path(host).map_err(|_| refuse())?;
        let repository = if host.is_docker_hub() && !path.contains('/') {
            format!("library/{path}")
        } else {
            path
        };
        let version = digest.or(tag).unwrap_or("latest");
        let fits =
            is_repository(&repository) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
        if !fits {
            return Err(refuse());
        }
        Ok(Self { typed: typed.to_owned(), host, version: version.to_owned(), repository })
    }

    /// The registry.
    #[must_use]
    pub fn host(&self) -> &RegistryHost {
        &self.host
    }

    /// The path of the image in the registry.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag or the digest.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

fn is_host(first: &str) -> bool {
    first.contains(['.', ':'])
        || first == "localhost"
        || first.chars().any(|letter| letter.is_ascii_uppercase())
}

/// Parts of lower-case letters and digits, with single separators between them. What can't stand in a
/// URL can't stand here either.
pub(super) fn is_repository(path: &str) -> bool {
    let part = |part: &str| {
        let inner = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "._-".contains(letter)
        };
        let outer = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        part.chars().all(inner) && part.starts_with(outer) && part.ends_with(outer)
    };
    path.len() <= 255 && path.split('/').all(part)
}

fn is_tag(tag: &str) -> bool {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    (1..=128).contains(&tag.len()) && tag.chars().all(letter) && !tag.starts_with(['.', '-'])
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hash)| {
        !algorithm.is_empty()
            && algorithm
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "+._-".contains(letter))
            && hash.len() >= 32
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_read_as_docker_reads_them() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        for (typed, host, repository, version) in [
            ("nginx", "docker.io", "library/nginx", "latest"),
            ("nginx:1.25", "docker.io", "library/nginx", "1.25"),
            ("me/app", "docker.io", "me/app", "latest"),
            ("index.docker.io/me/app", "docker.io", "me/app", "latest"),
            ("r.io/app:1", "r.io", "app", "1"),
            ("localhost/app", "localhost", "app", "latest"),
            ("R.io:5000/g/app:1", "r.io:5000", "g/app", "1"),
            (&format!("r.io/g/app:1@{digest}"), "r.io", "g/app", &digest),
            (&format!("app@{digest}"), "docker.io", "library/app", &digest),
        ] {
            let image = ImageReference::parse(typed).expect("an image");
            let found = (image.host().as_str(), image.repository(), image.version());
            assert_eq!(found, (host, repository, version), "{typed}");
        }
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for typed in [
            "",
            "r.io/",
            "r.io/App",
            "r.io/a//b",
            "r.io/a/../b",
            "r.io/a?b",
            "r.io/a:",
            "r.io/a@x",
            "r.io/a:b c",
            "https://r.io/a",
            "r.io/a%2fb",
            "r.io/-a",
            "user:pw@r.io/a",
        ] {
            assert!(ImageReference::parse(typed).is_err(), "{typed}");
        }
    }
}
