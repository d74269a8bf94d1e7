//! Where a request goes: scheme, host and port.

use ureq::http::Uri;

use super::host::is_loopback;

/// The part of a URL that says who gets to see a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub tls: bool,
    /// In lower case, an IPv6 address in brackets.
    pub host: String,
    pub port: u16,
}

impl Origin {
    /// The origin of an absolute URL; `None` for one that is not HTTP, or that holds a user.
    pub fn of(uri: &Uri) -> Option<Self> {
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = authority.host().to_lowercase();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        (!host.is_empty()).then_some(Self { tls, host, port })
    }

    /// Whether nobody else can listen: TLS, or this machine.
    pub fn is_private(&self) -> bool {
        self.tls || is_loopback(&self.host)
    }

    /// `HOST:PORT` without the usual port.
    pub fn authority(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        match self.port {
            port if port == usual => self.host.clone(),
            port => format!("{}:{port}", self.host),
        }
    }

    pub fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// The whole of it. A registry may have named it: for a message there is
    /// [`Place`](super::place::Place).
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority())
    }
}

/// Where a `Location` leads, seen from `base`: an absolute URL, one without a scheme, or a path.
pub(super) fn follow(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next()?;
    if location.contains("://") {
        return location.parse().ok();
    }
    if location.starts_with("//") {
        return format!("{}:{location}", base.scheme_str()?).parse().ok();
    }
    let rest = location.starts_with('/').then_some(location)?;
    format!("{}://{}{rest}", base.scheme_str()?, base.authority()?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().expect("a URL")
    }

    #[test]
    fn the_same_place_in_several_spellings() {
        let origin = |text: &str| Origin::of(&uri(text));
        assert_eq!(origin("https://R.io/v2/"), origin("https://r.io:443/x"));
        assert_ne!(origin("https://r.io"), origin("http://r.io"));
        assert_ne!(origin("https://r.io"), origin("https://r.io:444"));
        assert_eq!(origin("https://ci:pw@r.io"), None);
        assert_eq!(origin("ftp://r.io"), None);
        assert_eq!(origin("/v2/"), None);
    }

    #[test]
    fn locations_are_followed_from_where_they_stand() {
        let base = uri("https://r.io:5000/v2/");
        for (location, expected) in [
            ("/v2/x?y=1#z", Some("https://r.io:5000/v2/x?y=1")),
            ("//q.io/v2/", Some("https://q.io/v2/")),
            ("http://q.io/v2/", Some("http://q.io/v2/")),
            ("x", None),
            ("", None),
        ] {
            let found = follow(&base, location).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{location}");
        }
    }
}
