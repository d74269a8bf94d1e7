//! The usual causes of a refusal, from what registries are known for.

use super::answer::{RefusalReason, RegistryRefusal};
use super::challenge::{Challenge, Realm};
use super::host::RegistryHost;
use crate::auth::credential::Credential;

/// What most often lies behind a refusal, and what to do.
pub(super) fn advice(
    refusal: &RegistryRefusal,
    host: &RegistryHost,
    credential: Option<&Credential>,
    challenge: Option<&Challenge>,
) -> Option<String> {
    let credential = credential?;
    let user = credential.username();
    let wrong = refusal.reason == RefusalReason::WrongCredential;
    let no_permission = refusal.reason == RefusalReason::NoPermission;
    if !wrong && !no_permission {
        return None;
    }
    let name = host.as_str();
    // It would arrive with the line end that echo adds.
    let advice = if wrong && credential.password().expose().ends_with(['\n', '\r']) {
        "the password ends with a line break, as echo without -n leaves it: set it again"
    } else if name.ends_with(".amazonaws.com") || user == "AWS" {
        "a token of Amazon ECR runs out after 12 hours: get a new one, or leave it to \
         docker-credential-ecr-login with set --credential-helper ecr-login --delegate"
    } else if host.is_docker_hub() && wrong {
        "Docker Hub takes no password where two-factor sign-in is on: make an access token that may \
         read, and set it in place of the password"
    } else if name == "ghcr.io" {
        "GitHub's registry wants a classic token with read:packages"
    } else if user.starts_with("robot$") {
        if wrong {
            "a Harbor robot has a secret of its own, an end date, and the name with robot$ before it"
        } else {
            "a Harbor robot needs pull on the project of the image"
        }
    } else if is_gitlab(challenge) || user.starts_with("gitlab+deploy-token-") {
        "GitLab says so also of a deploy or access token that lacks read_registry, has ended, or \
         belongs to another project"
    } else {
        return None;
    };
    Some(advice.to_owned())
}

/// Whether the realm is GitLab's (`/jwt/auth`).
fn is_gitlab(challenge: Option<&Challenge>) -> bool {
    let Some(Challenge::Bearer(Realm { url, service, .. })) = challenge else { return false };
    service.as_deref() == Some("container_registry")
        || url.split('?').next().is_some_and(|url| url.ends_with("/jwt/auth"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry_client::message::Said;

    fn found(host: &str, user: &str, password: &str, reason: RefusalReason, realm: &str) -> String {
        let host = RegistryHost::parse(host).expect("a host");
        let credential = Credential::plain(user, password);
        let realm = Realm { url: realm.into(), service: None, scope: None };
        let refusal = RegistryRefusal::new(reason, Said::default());
        let challenge = Challenge::Bearer(realm);
        advice(&refusal, &host, Some(&credential), Some(&challenge)).unwrap_or_default()
    }

    #[test]
    fn the_usual_causes_are_named() {
        use RefusalReason::{NoPermission, NoSuchImage, WrongCredential};
        let realm = "https://r.io/token";
        for (host, user, password, reason, realm, expected) in [
            ("docker.io", "me", "pw", WrongCredential, realm, "two-factor"),
            ("docker.io", "me", "pw", NoPermission, realm, ""),
            ("1.dkr.ecr.eu-west-1.amazonaws.com", "AWS", "pw", WrongCredential, realm, "12 hours"),
            ("harbor.example.com", "robot$ci", "pw", NoPermission, realm, "needs pull"),
            ("harbor.example.com", "robot$p+ci", "pw", WrongCredential, realm, "secret of its own"),
            (
                "r.io",
                "x",
                "pw",
                WrongCredential,
                "https://gitlab.example.com/jwt/auth",
                "read_registry",
            ),
            ("r.io", "gitlab+deploy-token-1", "pw", WrongCredential, realm, "read_registry"),
            ("ghcr.io", "me", "pw", WrongCredential, realm, "read:packages"),
            ("r.io", "ci", "pw\n", WrongCredential, realm, "echo without -n"),
            ("r.io", "ci", "pw", WrongCredential, realm, ""),
            ("docker.io", "me", "pw", NoSuchImage, realm, ""),
        ] {
            let advice = found(host, user, password, reason, realm);
            assert!(advice.contains(expected), "{host} {user}: {advice}");
            assert_eq!(advice.is_empty(), expected.is_empty(), "{host} {user}: {advice}");
        }
    }
}
