//! Where a registry is asked.

use std::fmt;
use std::net::IpAddr;

use super::origin::Origin;
use crate::auth::registry::{DOCKER_HUB, HUB_HOST, Registry};
use crate::error::Error;

/// A registry's host, with its port where it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistryHost(String);

impl RegistryHost {
    /// Reads `HOST[:PORT]`, in any spelling that [`Registry::parse`] takes.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRegistry`] when it is no host.
    ///
    /// ```
    /// use runner_auth::registry_client::RegistryHost;
    ///
    /// let host = RegistryHost::parse("https://R.io:5000/v2/").map(|host| host.to_string());
    /// assert_eq!(host.unwrap_or_default(), "r.io:5000");
    /// ```
    pub fn parse(typed: &str) -> Result<Self, Error> {
        Self::of_path(Registry::parse(typed)?.path())
    }

    /// The host of a registry's or an image's path, as GitLab Runner makes one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRegistry`] when it is no host.
    pub fn of_path(path: &str) -> Result<Self, Error> {
        let host = path.split('/').next().unwrap_or_default();
        let valid = host.parse::<ureq::http::uri::Authority>().is_ok_and(|authority| {
            let port = &host[without_port(host).len()..];
            !authority.host().is_empty()
                && !host.contains('@')
                && (port.is_empty() || authority.port_u16().is_some())
        });
        if valid {
            Ok(Self(host.to_lowercase()))
        } else {
            Err(Error::InvalidRegistry {
                problem: "has no host that can be connected to".to_owned(),
            })
        }
    }

    /// As it stands in keys and images, and in the folder of certificates.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is Docker Hub.
    #[must_use]
    pub fn is_docker_hub(&self) -> bool {
        self.0 == DOCKER_HUB
    }

    /// The host that is connected to.
    pub(super) fn authority(&self) -> &str {
        if self.is_docker_hub() { HUB_HOST } else { &self.0 }
    }

    /// Where it is asked, over TLS or not.
    pub(super) fn origin(&self, tls: bool) -> Option<Origin> {
        let scheme = if tls { "https" } else { "http" };
        Origin::of(&format!("{scheme}://{}", self.authority()).parse().ok()?)
    }

    /// Whether it is this machine itself.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(without_port(&self.0))
    }
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `HOST:PORT` without the port; an IPv6 address keeps its brackets.
fn without_port(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    }
}

/// Whether a host is this machine itself, by its name alone: a name server is not asked, since its
/// answer could let a password out in the clear.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_in_keys() {
        for (typed, expected, contacted) in [
            ("r.io", "r.io", "r.io"),
            ("https://R.io/v1/", "r.io", "r.io"),
            ("r.io:5000/group/app", "r.io:5000", "r.io:5000"),
            ("https://index.docker.io/v1/", "docker.io", "registry-1.docker.io"),
            ("registry-1.docker.io", "docker.io", "registry-1.docker.io"),
            ("docker.io/library", "docker.io", "registry-1.docker.io"),
            ("[::1]:5000", "[::1]:5000", "[::1]:5000"),
        ] {
            let host = RegistryHost::parse(typed).expect("a host");
            assert_eq!((host.as_str(), host.authority()), (expected, contacted), "{typed}");
        }
        for typed in ["r.io:x", "r.io:99999", ":5000", "a b", "r.io:"] {
            assert!(RegistryHost::parse(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn this_machine_is_known_by_name_alone() {
        for host in ["localhost", "LOCALHOST:5000", "127.0.0.1", "127.9.8.7:80", "[::1]:5000"] {
            let host = RegistryHost::of_path(host).expect("a host");
            assert!(host.is_loopback(), "{host}");
        }
        for host in ["localhost.example.com", "127.0.0.1.nip.io", "10.0.0.1", "r.io", "[::2]:1"] {
            let host = RegistryHost::of_path(host).expect("a host");
            assert!(!host.is_loopback(), "{host}");
        }
    }
}
