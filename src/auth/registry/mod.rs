//! Registries as people and auth documents spell them.
//!
//! The rules are those of GitLab Runner's `helpers/docker/auth` (17.5 and later): a key of `auths`
//! becomes a path, and two keys with one path are the same registry, of which only one can win.

mod key_path;
mod shown;

use std::fmt;

use crate::auth::runner_version::RunnerVersion;
use crate::error::Error;

pub(crate) use key_path::{is_plain_host, lower, path_of};
pub use key_path::{key_path, key_path_in, why_it_never_matches};
use key_path::{without_scheme, without_tag};
pub(crate) use shown::{is_ordinary, shown_image};
pub use shown::{shown, shown_path, without_user};

/// The key that every GitLab Runner from 12.9 on takes for Docker Hub.
pub const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Docker Hub's path.
pub(crate) const DOCKER_HUB: &str = "docker.io";

/// Docker Hub's web site, from where people copy it.
const HUB_SITE: &str = "hub.docker.com";

/// Docker Hub's other host.
pub(crate) const HUB_INDEX: &str = "index.docker.io";

/// The host from which Docker Hub's images are pulled.
pub(crate) const HUB_HOST: &str = "registry-1.docker.io";

/// What people call Docker Hub.
pub(crate) const HUB_NAMES: &[&str] = &[
    DOCKER_HUB,
    HUB_INDEX,
    HUB_HOST,
    "registry.hub.docker.com",
    HUB_SITE,
    "docker.com",
    "dockerhub",
    "docker-hub",
];

/// Hosts with pages about images.
const HUB_PAGES: &[&str] = &[HUB_SITE, "docker.com", "www.docker.com"];

/// The port of a host, where it has one.
fn port(host: &str) -> Option<&str> {
    let colon = host.rfind(':')?;
    // The colons of an IPv6 address stand between brackets.
    (!host[colon..].contains(']')).then(|| &host[colon + 1..])
}

/// What of a path is the name of an image whose digest stands there too, without the digits that
/// are cut like a tag.
fn digested(path: &str) -> Option<&str> {
    path.strip_suffix("@sha256").or_else(|| path.strip_suffix("@sha512"))
}

/// A registry, or a part of one, as a person names it: `HOST[:PORT][/PATH]`.
///
/// ```
/// use runner_auth::Registry;
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let registry = Registry::parse("R.io:5000/group")?;
/// assert_eq!((registry.typed(), registry.path()), ("R.io:5000/group", "r.io:5000/group"));
/// assert!(registry.is("r.io:5000/group/") && !registry.is("r.io:5000"));
///
/// // With a scheme the path is lost: GitLab Runner takes such a key for the whole host.
/// let whole = Registry::parse("https://r.io/group")?;
/// assert_eq!((whole.key(), whole.lost_path()), ("r.io", Some("group")));
///
/// let hub = Registry::parse("docker.io")?;
/// assert_eq!(hub.key(), "https://index.docker.io/v1/");
/// assert!(hub.is_dead_hub_key("index.docker.io"));
///
/// // What stands in a document already may be any text.
/// assert_eq!(Registry::named("two words").key(), "two words");
/// # Ok(())
/// # }
/// ```
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
        if let Some(image) = digested(rest)
            && is_plain_host(host)
            && host.contains('.')
        {
            let group = image.rsplit_once('/').map(|(group, _)| format!("{host}/{group}"));
            let group = group.map_or(String::new(), |group| format!(" and whose group is {group}"));
            return refuse(format!(
                "holds the digest of an image, whose registry is {host}{group}"
            ));
        }
        if path.contains('@') {
            return refuse("holds a user before an @, where only the registry is to stand".into());
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
            let may_be_image = !host[..host.len() - port.len()].contains(['.', '[']);
            return refuse(if may_be_image {
                "has a port that is no number from 1 to 65535; an image on Docker Hub has the \
                 registry docker.io"
                    .into()
            } else {
                "has a port that is no number from 1 to 65535".into()
            });
        }
        let name = port(host).map_or(host, |port| &host[..host.len() - port.len() - 1]);
        if name.contains(':') && !name.starts_with('[') {
            return refuse("has more than one port; an IPv6 address stands between [ and ]".into());
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
        // Of an image that was pasted what can be named.
        let path = without_tag(path.split('@').next().unwrap_or_default().trim_end_matches('/'));
        // What Docker itself puts behind a host.
        let plain = ["", "v1", "v2"].contains(&path) || HUB_NAMES.contains(&host);
        (!plain).then_some(path)
    }

    /// Whether an image was typed, whose tag GitLab Runner cuts from a key.
    pub(crate) fn had_tag(&self) -> bool {
        let path = self.typed.trim_end_matches('/').split_once('/').map(|(_, path)| path);
        without_scheme(&self.typed).is_none() && path.is_some_and(|path| without_tag(path) != path)
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
        path_of(key) == self.path
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
        self.path == DOCKER_HUB && [HUB_INDEX, HUB_SITE].contains(&&*path_of(key))
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
            "nginx:1.25",
            "r.io:5000:80",
            "::1:5000",
            "r.io/group/app@sha256:0123",
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
        for (typed, tag) in [
            ("r.io/app:1.2", true),
            ("r.io:5000/group/app:latest", true),
            ("r.io:5000/group/app", false),
            ("r.io:5000", false),
            ("https://r.io/app:1.2", false),
        ] {
            assert_eq!(Registry::parse(typed).map(|found| found.had_tag()).ok(), Some(tag));
        }
        let lost = |typed: &str| Registry::named(typed).lost_path().map(str::to_owned);
        assert_eq!(lost("https://r.io/group/app").as_deref(), Some("group/app"));
        assert_eq!(lost("https://r.io/app:1@sha256:0123").as_deref(), Some("app"));
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
}
