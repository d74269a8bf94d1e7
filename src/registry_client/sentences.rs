//! What registries are known to say to a refusal, code by code and sentence by sentence.

use crate::secret::HIDDEN;

/// The error codes of the distribution specification, of its older versions and of `OAuth` 2, and
/// those of single registries.
const CODES: &[&str] = &[
    "access_denied",
    "blob_unknown",
    "blocked",
    "denied",
    "digest_invalid",
    "forbidden",
    "insufficient_scope",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_token",
    "manifest_blob_unknown",
    "manifest_invalid",
    "manifest_unknown",
    "manifest_unverified",
    "name_invalid",
    "name_unknown",
    "not_found",
    "pagination_number_invalid",
    "range_invalid",
    "size_invalid",
    "tag_invalid",
    "temporarily_unavailable",
    "toomanyrequests",
    "unauthorized",
    "unauthorized_client",
    "unavailable",
    "unknown",
    "unsupported",
    "unsupported_grant_type",
];

/// Sentences in the spelling in which they are repeated; `*` stands for what differs from one answer
/// to another. Of several that fit the longest counts.
const SENTENCES: &[&str] = &[
    // Distribution, and what is built on it.
    "authentication required, visit https://aka.ms/acr/authorization for more information",
    "authentication required",
    "requested access to the resource is denied",
    "access to the resource is denied",
    "repository name not known to registry",
    "invalid repository name",
    "manifest unknown",
    "manifest invalid",
    "manifest tag did not match URI",
    "blob unknown to registry",
    "the operation is unsupported",
    "service unavailable",
    "too many requests",
    "unknown error",
    "insufficient scope",
    "invalid token",
    "token expired",
    "no basic auth credentials",
    "access denied",
    "permission denied",
    "not authorized",
    "not found",
    "unauthenticated",
    "unauthorized",
    "forbidden",
    "denied",
    "401 unauthorized",
    "403 forbidden",
    "404 not found",
    // Docker Hub.
    "incorrect username or password",
    "authentication required - email must be verified before using account",
    "your account must log in with a Personal Access Token (PAT) - learn more at \
     docs.docker.com/go/access-tokens",
    "personal access token is expired",
    "access token has insufficient scopes",
    "too many failed login attempts for username or IP address",
    "you have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
    "you have reached your unauthenticated pull rate limit",
    "you have reached your pull rate limit. You may increase the limit by authenticating and upgrading: \
     https://www.docker.com/increase-rate-limit",
    "you have reached your pull rate limit",
    // Harbor.
    "unauthorized to access repository: *, action: pull, push",
    "unauthorized to access repository: *, action: pull",
    "unauthorized to access repository: *, action: *",
    "project * not found",
    "artifact * not found",
    "repository * not found",
    "the artifact * is not signed",
    "current image with * vulnerabilities cannot be pulled due to configured policy in *",
    // GitLab.
    "access forbidden",
    "HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA \
     enabled and you must use a personal access token instead of a password",
    "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was \
     incorrect or you're required to use a token instead of a password",
    "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was \
     incorrect or you're required to use a token instead of a password. If a token was provided, it was \
     either incorrect, expired, or improperly scoped",
    "HTTP Basic: Access denied",
    "your account has been blocked",
    // GitHub.
    "the token provided does not match expected scopes",
    "permission_denied: the token provided does not match expected scopes",
    "permission_denied: read_package",
    "user cannot be authenticated with the token provided",
    "installation not allowed to * organization package",
    "installation not allowed to Read organization package",
    // Amazon ECR.
    "your authorization token has expired. Reauthenticate and try again",
    "your authorization token is invalid",
    "the repository with name '*' does not exist in the registry with id '*'",
    "requested image not found",
    "user: * is not authorized to perform: ecr:* on resource: *",
    "user: * is not authorized to perform: ecr:BatchGetImage on resource: *",
    "user: * is not authorized to perform: ecr:GetDownloadUrlForLayer on resource: *",
    "rate exceeded",
    // Google.
    "unauthenticated request. Unauthenticated requests do not have permission \"*\" on resource \"*\" \
     (or it may not exist)",
    "permission \"*\" denied on resource \"*\" (or it may not exist)",
    "unauthenticated request. Unauthenticated requests do not have permission \
     \"artifactregistry.repositories.downloadArtifacts\" on resource \"*\" (or it may not exist)",
    "permission \"artifactregistry.repositories.downloadArtifacts\" denied on resource \"*\" (or it may \
     not exist)",
    "you don't have the needed permissions to perform this operation, and you may have invalid \
     credentials",
    "failed authentication",
    // Azure.
    "invalid username or password",
    "application not registered with AAD",
    "invalid clientid or client secret",
    "aad access token with sp failed client id must be guid",
    "client with IP '*' is not allowed access, refer https://aka.ms/acr/firewall to grant access",
    "client with IP '*' is not allowed access",
    // Quay.
    "access to the requested resource is not authorized",
    "requires authentication",
    "invalid bearer token format",
    "could not find robot with specified username",
    "could not find robot with username: * and supplied password",
    "the username or password is incorrect",
    "unable to find user",
    "this user has been disabled. Please contact your administrator",
    "repository does not exist",
    // Artifactory and Nexus.
    "wrong username was used",
    "bad credentials",
    "bad props auth token",
    "the client does not have permission for manifest",
    "the client does not have permission to pull from the repository",
    "the named manifest is not known to the registry",
    "failed to authenticate",
    "authentication is required",
    "authentication failed",
    "invalid credentials",
    "user is locked",
];

/// A known code, in small letters.
pub(super) fn code(said: &str) -> Option<&'static str> {
    CODES.iter().find(|code| code.eq_ignore_ascii_case(said)).copied()
}

/// A known sentence as it may be repeated, with nothing in the place of what differs but one of the
/// names that were `asked` for, and whether that is all that was said.
pub(super) fn sentence(said: &str, asked: &[&str]) -> Option<(String, bool)> {
    let said: Vec<_> = said.split_whitespace().collect();
    let said = said.join(" ");
    let said = once(said.trim_end_matches('.'));
    let fitting = SENTENCES.iter().filter_map(|known| Some((known, fill(known, said, asked)?)));
    fitting.max_by_key(|(known, _)| known.len()).map(|(_, filled)| filled)
}

/// Half of a text that says the same thing twice, as Harbor does.
fn once(text: &str) -> &str {
    let halves = text.len().checked_sub(2).map(|both| both / 2);
    let halves = halves.and_then(|half| Some((text.get(..half)?, text.get(half..)?)));
    match halves {
        Some((one, rest)) if rest.strip_prefix(": ") == Some(one) => one,
        _ => text,
    }
}

/// A known sentence with what was said in its gaps; `None` when something else was said.
fn fill(known: &str, said: &str, asked: &[&str]) -> Option<(String, bool)> {
    let mut shown = String::with_capacity(known.len());
    let (mut rest, mut whole) = (said, true);
    let mut pieces = known.split('*');
    let first = pieces.next().unwrap_or_default();
    rest = without_prefix(rest, first)?;
    shown.push_str(first);
    for piece in pieces {
        let (gap, behind) = if piece.is_empty() { (rest, "") } else { cut(rest, piece)? };
        let name = asked.iter().find(|name| name.eq_ignore_ascii_case(gap));
        whole &= name.is_some();
        shown.push_str(name.copied().unwrap_or(HIDDEN));
        shown.push_str(piece);
        rest = behind;
    }
    if rest.is_empty() {
        return Some((shown, whole));
    }
    // More may follow, but not in the middle of a word.
    let ends = !rest.starts_with(|letter: char| letter.is_alphanumeric() || "-_'".contains(letter));
    ends.then(|| (format!("{shown} {HIDDEN}"), false))
}

fn without_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let start = text.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// What stands before and behind a piece.
fn cut<'t>(text: &'t str, piece: &str) -> Option<(&'t str, &'t str)> {
    text.char_indices().find_map(|(at, _)| {
        let behind = without_prefix(&text[at..], piece)?;
        Some((&text[..at], behind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(said: &str) -> Option<String> {
        sentence(said, &["library/app", "1.2", "library/app:1.2"]).map(|(shown, _)| shown)
    }

    #[test]
    fn sentences_are_known_in_any_letter_case_with_or_without_a_stop() {
        for (said, expected) in [
            ("Authentication required.", Some("authentication required")),
            ("http basic:  access denied", Some("HTTP Basic: Access denied")),
            (
                "HTTP Basic: Access denied. See https://gitlab.example.com/help",
                Some("HTTP Basic: Access denied <hidden>"),
            ),
            ("access forbidden", Some("access forbidden")),
            (
                "permission \"artifactregistry.repositories.downloadArtifacts\" denied on resource \
                 \"projects/p/locations/l/repositories/r\" (or it may not exist)",
                Some(
                    "permission \"artifactregistry.repositories.downloadArtifacts\" denied on resource \
                     \"<hidden>\" (or it may not exist)",
                ),
            ),
            (
                "User: arn:aws:sts::123:role is not authorized to perform: ecr:BatchGetImage on resource: \
                 arn:aws:ecr:r:1:repository/app because no identity-based policy allows it",
                Some(
                    "user: <hidden> is not authorized to perform: ecr:BatchGetImage on resource: <hidden>",
                ),
            ),
            ("access forbiddenXk7", None),
            ("denied-Xk7", None),
            ("Xk7 denied", None),
            ("", None),
        ] {
            assert_eq!(shown(said).as_deref(), expected, "{said}");
        }
    }

    #[test]
    fn gaps_hold_what_was_asked_for_and_nothing_else() {
        let harbor = "unauthorized to access repository: library/app, action: pull";
        for (said, expected) in [
            (harbor, harbor),
            (&*format!("{harbor}: {harbor}"), harbor),
            (
                "unauthorized to access repository: Xk7mQz4L, action: pull",
                "unauthorized to access repository: <hidden>, action: pull",
            ),
            ("artifact LIBRARY/app:1.2 not found", "artifact library/app:1.2 not found"),
            (
                "The repository with name 'library/app' does not exist in the registry with id '586b376d'",
                "the repository with name 'library/app' does not exist in the registry with id '<hidden>'",
            ),
            (
                "unauthorized to access repository: library/app, action: Xk7",
                "unauthorized to access repository: library/app, action: <hidden>",
            ),
        ] {
            assert_eq!(shown(said).as_deref(), Some(expected), "{said}");
        }
    }

    #[test]
    fn each_sentence_is_known_as_a_whole() {
        for (number, known) in SENTENCES.iter().enumerate() {
            let example = known.replace('*', "library/app");
            let found = sentence(&example, &["library/app"]);
            assert_eq!(found, Some((example, true)), "{known}");
            assert!(!SENTENCES[..number].contains(known), "{known} stands there twice");
        }
        assert_eq!(code("Toomanyrequests"), Some("toomanyrequests"));
        assert_eq!(code("Xk7"), None);
    }
}
