//! Which proxy stands before a host.
//!
//! The rules are those of Docker's daemon, which are Go's (`golang.org/x/net/http/httpproxy`):
//! `HTTPS_PROXY` for TLS, `HTTP_PROXY` for the rest, both also in lower case, none for this machine or
//! for what `NO_PROXY` lists.

use std::fmt;
use std::net::IpAddr;

use zeroize::Zeroizing;

use super::answer::{Failure, Obstacle};
use super::host::is_loopback;
use super::origin::Origin;

/// The proxies of an environment. The URL of a proxy can hold a password.
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<Zeroizing<String>>,
    https: Option<Zeroizing<String>>,
    exceptions: Vec<Exception>,
}

/// Hosts that need no proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Exception {
    All,
    /// An address with its number of leading bits that count.
    Network(IpAddr, u32),
    Address(IpAddr, Option<u16>),
    /// A domain with the dot before it, and whether the domain itself is meant as well.
    Domain(String, bool, Option<u16>),
}

impl Proxies {
    /// The proxies that an environment names.
    #[must_use]
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |upper: &str, lower: &str| {
            [upper, lower].into_iter().filter_map(&variable).find(|value| !value.is_empty())
        };
        let exceptions = either("NO_PROXY", "no_proxy").unwrap_or_default();
        Self {
            http: either("HTTP_PROXY", "http_proxy").map(Zeroizing::new),
            https: either("HTTPS_PROXY", "https_proxy").map(Zeroizing::new),
            exceptions: exceptions.split(',').filter_map(Exception::parse).collect(),
        }
    }

    /// The proxy for a place.
    pub(super) fn of(&self, origin: &Origin) -> Result<Option<ureq::Proxy>, Failure> {
        let (name, url) =
            if origin.tls { ("HTTPS_PROXY", &self.https) } else { ("HTTP_PROXY", &self.http) };
        let Some(url) = url.as_ref().filter(|_| self.applies_to(&origin.host, origin.port)) else {
            return Ok(None);
        };
        // To Go a socks5 proxy looks names up itself.
        let url = match url.split_once("://") {
            Some(("socks5", rest)) => Zeroizing::new(format!("socks5h://{rest}")),
            _ => url.clone(),
        };
        ureq::Proxy::new(&url).map(Some).map_err(|_| {
            let message = format!("{name} is no URL of a proxy: write it as http://HOST:PORT");
            Failure::new(Obstacle::Proxy, message)
        })
    }

    fn applies_to(&self, host: &str, port: u16) -> bool {
        !is_loopback(host) && !self.exceptions.iter().any(|exception| exception.fits(host, port))
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |url: &Option<Zeroizing<String>>| if url.is_some() { "set" } else { "none" };
        let (http, https) = (set(&self.http), set(&self.https));
        write!(f, "Proxies(http {http}, https {https}, except {:?})", self.exceptions)
    }
}

impl Exception {
    fn parse(item: &str) -> Option<Self> {
        let item = item.trim().to_lowercase();
        if item == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = item.split_once('/')
            && let (Ok(address), Ok(bits)) = (address.parse::<IpAddr>(), bits.parse::<u32>())
        {
            let most = if address.is_ipv4() { 32 } else { 128 };
            return (bits <= most).then_some(Self::Network(address, bits));
        }
        let (host, port) = split_port(&item);
        if let Ok(address) = host.parse() {
            return Some(Self::Address(address, port));
        }
        let domain = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        match domain.strip_prefix('.') {
            _ if domain.is_empty() => None,
            Some(_) => Some(Self::Domain(domain.to_owned(), false, port)),
            None => Some(Self::Domain(format!(".{domain}"), true, port)),
        }
    }

    fn fits(&self, host: &str, port: u16) -> bool {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let same_port = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        match self {
            Self::All => true,
            Self::Network(network, count) => address
                .is_some_and(|address| first_bits(address, *count) == first_bits(*network, *count)),
            Self::Address(wanted, wanted_port) => {
                address == Some(*wanted) && same_port(wanted_port)
            }
            Self::Domain(domain, itself, wanted_port) => {
                (host.ends_with(domain.as_str()) || (*itself && host == &domain[1..]))
                    && same_port(wanted_port)
            }
        }
    }
}

/// `HOST:PORT` in its parts; an IPv6 address loses its brackets.
fn split_port(item: &str) -> (&str, Option<u16>) {
    let (host, port) = match item.rsplit_once(':') {
        // More colons belong to an address without a port.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (item, None),
        },
        _ => (item, None),
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

/// The kind of an address with its first bits.
fn first_bits(address: IpAddr, count: u32) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => {
            let bits = u32::from(address).checked_shr(32 - count).unwrap_or(0);
            (true, bits.into())
        }
        IpAddr::V6(address) => (false, u128::from(address).checked_shr(128 - count).unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skips(exceptions: &str, host: &str, port: u16) -> bool {
        let proxies =
            Proxies::from_environment(|name| (name == "NO_PROXY").then(|| exceptions.to_owned()));
        !proxies.applies_to(host, port)
    }

    #[test]
    fn exceptions_are_read_as_docker_reads_them() {
        for (exceptions, host, port, expected) in [
            ("r.io", "r.io", 443, true),
            ("R.IO", "r.io", 443, true),
            ("r.io", "sub.r.io", 443, true),
            ("r.io", "other.io", 443, false),
            ("r.io", "bar.io", 443, false),
            (".r.io", "sub.r.io", 443, true),
            (".r.io", "r.io", 443, false),
            ("*.r.io", "sub.r.io", 443, true),
            ("*.r.io", "r.io", 443, false),
            ("r.io:5000", "r.io", 5000, true),
            ("r.io:5000", "r.io", 443, false),
            ("q.io, r.io", "r.io", 443, true),
            ("*", "r.io", 443, true),
            ("", "r.io", 443, false),
            (" , ", "r.io", 443, false),
            ("10.0.0.0/8", "10.9.8.7", 443, true),
            ("10.0.0.0/8", "11.0.0.1", 443, false),
            ("10.0.0.0/0", "11.0.0.1", 443, true),
            ("10.0.0.1/32", "10.0.0.1", 443, true),
            ("10.0.0.1/32", "10.0.0.2", 443, false),
            ("10.0.0.1/33", "10.0.0.1", 443, false),
            ("10.0.0.0/8", "r.io", 443, false),
            ("192.168.1.200", "192.168.1.200", 8088, true),
            ("192.168.1.200:8088", "192.168.1.200", 8088, true),
            ("192.168.1.200:8088", "192.168.1.200", 443, false),
            ("fd00::/8", "[fd12::1]", 443, true),
            ("fd00::/8", "[fe12::1]", 443, false),
            ("fd00::1", "[fd00::1]", 443, true),
            ("[fd00::1]:5000", "[fd00::1]", 5000, true),
            // This machine never needs one.
            ("", "localhost", 443, true),
            ("", "127.0.0.1", 443, true),
            ("", "[::1]", 443, true),
        ] {
            assert_eq!(skips(exceptions, host, port), expected, "{exceptions:?} {host}:{port}");
        }
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let proxies = Proxies::from_environment(|name| {
            let value = match name {
                "HTTPS_PROXY" => "http://secure.proxy:3128",
                "http_proxy" => "ci:pr0xy-s3cret@plain.proxy:3129",
                "NO_PROXY" => "none.io",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let proxy = |tls, host: &str| {
            let origin = Origin { tls, host: host.into(), port: 5000 };
            let found = proxies.of(&origin).expect("a proxy");
            found.map(|proxy| (proxy.host().to_owned(), proxy.port()))
        };
        assert_eq!(proxy(true, "r.io"), Some(("secure.proxy".into(), 3128)));
        assert_eq!(proxy(false, "r.io"), Some(("plain.proxy".into(), 3129)));
        assert_eq!(proxy(true, "none.io"), None);
        assert!(!format!("{proxies:?}").contains("pr0xy-s3cret"));
        let broken = Proxies::from_environment(|_| Some("://s3cret".into()));
        let origin = Origin { tls: true, host: "r.io".into(), port: 443 };
        let failure = broken.of(&origin).expect_err("no proxy");
        assert!(!failure.message.contains("s3cret"));
    }
}
