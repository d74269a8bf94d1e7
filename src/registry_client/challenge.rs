//! What a registry asks for: the `WWW-Authenticate` header.

use http_auth::ChallengeParser;

/// How a registry wants a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// The credential itself.
    Basic,
    /// A token of a realm.
    Bearer(Realm),
}

/// Who gives tokens, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Realm {
    /// The URL to ask.
    pub url: String,
    /// What the registry calls itself there.
    pub service: Option<String>,
    /// What the token must be good for.
    pub scope: Option<String>,
}

impl Challenge {
    /// The challenge that is met: of several `Bearer` counts first, as with containerd; `None` where
    /// there is none that Docker knows. A header can hold several, and there can be several headers.
    pub fn choose<'h>(headers: impl Iterator<Item = &'h str>) -> Option<Self> {
        let mut basic = None;
        for header in headers {
            // What follows something unreadable can't be read either.
            for challenge in ChallengeParser::new(header).map_while(Result::ok) {
                if challenge.scheme.eq_ignore_ascii_case("basic") {
                    basic = Some(Self::Basic);
                } else if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    let parameter = |name: &str| {
                        let mut found = challenge.params.iter();
                        let found = found.find(|(found, _)| found.eq_ignore_ascii_case(name));
                        found
                            .map(|(_, value)| value.to_unescaped())
                            .filter(|value| !value.is_empty())
                    };
                    if let Some(url) = parameter("realm") {
                        let (service, scope) = (parameter("service"), parameter("scope"));
                        return Some(Self::Bearer(Realm { url, service, scope }));
                    }
                }
            }
        }
        basic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(headers: &[&str]) -> Option<Challenge> {
        Challenge::choose(headers.iter().copied())
    }

    fn bearer(url: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        let (service, scope) = (service.map(Into::into), scope.map(Into::into));
        Challenge::Bearer(Realm { url: url.into(), service, scope })
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let hub = "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"";
        assert_eq!(
            choose(&[hub]),
            Some(bearer("https://auth.docker.io/token", Some("registry.docker.io"), None))
        );
        let scoped =
            "bearer Realm=\"https://r.io/t?a=\\\"b\\\"\", scope=\"repository:a:pull,push\"";
        assert_eq!(
            choose(&[scoped]),
            Some(bearer("https://r.io/t?a=\"b\"", None, Some("repository:a:pull,push")))
        );
        assert_eq!(choose(&["Basic realm=\"Registry Realm\""]), Some(Challenge::Basic));
    }

    #[test]
    fn bearer_counts_before_basic_wherever_it_stands() {
        let found = Some(bearer("https://r.io/t", None, None));
        assert_eq!(choose(&["Basic realm=\"r, x\", Bearer realm=\"https://r.io/t\""]), found);
        assert_eq!(choose(&["Bearer realm=\"https://r.io/t\", Basic realm=r"]), found);
        assert_eq!(choose(&["Basic realm=r", "Bearer realm=\"https://r.io/t\""]), found);
        assert_eq!(choose(&["Negotiate, Basic realm=r"]), Some(Challenge::Basic));
    }

    #[test]
    fn what_docker_does_not_know_is_no_challenge() {
        for header in
            ["", "Negotiate", "Digest realm=r, nonce=n", "Bearer service=s", "\"", "Bearer realm="]
        {
            assert_eq!(choose(&[header]), None, "{header}");
        }
    }
}
