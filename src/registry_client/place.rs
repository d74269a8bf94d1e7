//! What a place is called in a message.
//!
//! A registry names its realm and where it sends a question on to, and can put anything into the name
//! of a host. So a host is shown if it is the registry's own or a person named it, or if it is made of
//! the registry's own labels and of words that hosts are called by.

use std::fmt;

use super::origin::Origin;
use crate::secret::{HIDDEN, Secret};

/// Labels of the hosts of realms and registries.
const LABELS: &[&str] = &[
    "accounts",
    "amazonaws",
    "api",
    "artifactory",
    "auth",
    "azure",
    "azurecr",
    "blob",
    "cache",
    "cdn",
    "cloud",
    "cloudflare",
    "cloudfront",
    "cluster",
    "cn",
    "co",
    "code",
    "com",
    "container",
    "containers",
    "core",
    "corp",
    "de",
    "dev",
    "dkr",
    "docker",
    "docker-registry",
    "ecr",
    "eu",
    "example",
    "gcr",
    "ghcr",
    "git",
    "github",
    "githubusercontent",
    "gitlab",
    "google",
    "googleapis",
    "harbor",
    "hub",
    "id",
    "identity",
    "idp",
    "index",
    "int",
    "internal",
    "intranet",
    "invalid",
    "io",
    "jfrog",
    "keycloak",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "login",
    "microsoft",
    "mirror",
    "net",
    "nexus",
    "oauth",
    "oauth2",
    "org",
    "pkg",
    "private",
    "production",
    "proxy",
    "public",
    "quay",
    "r2",
    "registry",
    "registry-1",
    "registry-auth",
    "repo",
    "s3",
    "sso",
    "storage",
    "svc",
    "test",
    "token",
    "tokens",
    "windows",
    "www",
    "zot",
];

/// Ports that registries and realms usually have.
const PORTS: &[u16] = &[80, 443, 5000, 5001, 5050, 8080, 8081, 8082, 8083, 8443];

/// More labels could be a text.
const MOST_LABELS: usize = 6;

/// The name of a place, as far as it may be shown.
pub(super) struct Place {
    shown: String,
    words: Option<Secret>,
    /// The same without the scheme, as folders of certificates are called.
    pub authority: String,
    /// The same without the port.
    pub host: String,
}

impl Place {
    /// A place that a person has named.
    pub fn named(origin: &Origin) -> Self {
        Self::new(origin, origin.host.clone(), origin.authority(), None)
    }

    /// A place that a registry has named.
    pub fn told(origin: &Origin, registry: &Origin) -> Self {
        let known_host = origin.host == registry.host || is_plain(&origin.host, &registry.host);
        let known_port = PORTS.contains(&origin.port) || origin.port == registry.port;
        if known_host && known_port {
            return Self::named(origin);
        }
        let host = if known_host { &origin.host } else { HIDDEN };
        let port = if known_port { "" } else { &format!(":{HIDDEN}") };
        let words = Some(Secret::new(origin.url()));
        Self::new(origin, host.to_owned(), format!("{host}{port}"), words)
    }

    fn new(origin: &Origin, host: String, authority: String, words: Option<Secret>) -> Self {
        let shown = format!("{}://{authority}", origin.scheme());
        Self { shown, words, authority, host }
    }

    /// The whole name, where not all of it may be shown.
    pub fn words(&self) -> Option<&Secret> {
        self.words.as_ref()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Whether a host is made of common labels and those of the registry.
fn is_plain(host: &str, registry: &str) -> bool {
    let is_known =
        |label: &str| LABELS.contains(&label) || registry.split('.').any(|own| own == label);
    host.split('.').count() <= MOST_LABELS
        && host.split('.').all(is_known)
        // An address is a number.
        && host.contains(|letter: char| letter.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Origin {
        Origin::of(&url.parse().expect("a URL")).expect("an origin")
    }

    #[test]
    fn a_host_with_a_name_that_hosts_have_is_shown() {
        let registry = origin("https://registry.acme.com:5000");
        for (url, expected) in [
            ("https://registry.acme.com:5000", "https://registry.acme.com:5000"),
            ("https://registry.acme.com", "https://registry.acme.com"),
            ("https://gitlab.acme.com", "https://gitlab.acme.com"),
            ("https://auth.docker.io", "https://auth.docker.io"),
            ("https://Xk7mQz4L.test", "https://<hidden>"),
            ("https://586b376d.acme.com", "https://<hidden>"),
            ("https://auth.acme.com:12345", "https://auth.acme.com:<hidden>"),
            ("http://88.107.55.109:8080", "http://<hidden>"),
            ("http://[fe80::1]:12345", "http://<hidden>:<hidden>"),
            ("https://io.io.com.io.com.com.io", "https://<hidden>"),
        ] {
            let place = Place::told(&origin(url), &registry);
            assert_eq!(place.to_string(), expected);
            let words = place.words().map(|words| words.expose().to_owned());
            let hidden = expected.contains(HIDDEN).then(|| url.to_lowercase());
            assert_eq!(words, hidden, "{url}");
        }
        // What of an address the registry's own has is no reason to show another.
        let registry = origin("http://10.0.0.4:5000");
        let place = Place::told(&origin("http://10.0.4.10:5000"), &registry);
        assert_eq!(place.to_string(), "http://<hidden>");
    }

    #[test]
    fn labels_are_sorted_and_stand_there_once() {
        assert!(LABELS.is_sorted_by(|one, other| one < other));
    }
}
