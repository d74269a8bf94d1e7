//! The name of an image as the registry's protocol needs it.

use std::fmt;

use super::host::RegistryHost;
use crate::auth::image_name::{parts, refusal};
use crate::auth::registry::{DOCKER_HUB, HUB_INDEX};
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
        let refuse = || Error::Usage(refusal(typed));
        let (host, path, version) = parts(typed).ok_or_else(refuse)?;
        let host = if host == HUB_INDEX { DOCKER_HUB } else { host };
        let host = RegistryHost::of_path(host).map_err(|_| refuse())?;
        let repository = if host.is_docker_hub() && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
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
    fn a_host_that_nobody_can_connect_to_is_refused() {
        assert!(ImageReference::parse("r.io:99999/app").is_err());
    }
}
