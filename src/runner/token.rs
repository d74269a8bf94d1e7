//! Runner tokens: the whole one is a secret, its first characters are how GitLab's pages and the
//! runner's log name a runner.

/// How many characters GitLab Runner shows (16.0 and later; 8 before).
const SHORT: usize = 9;
const SHORT_BEFORE_16: usize = 8;

/// What an instance may put before the prefixes of its tokens at most (GitLab's
/// `instance_token_prefix`).
const INSTANCE_PREFIX: usize = 20;

/// The part of a token that GitLab shows: without its prefix, the first nine characters. Of a token
/// that is too short for one of GitLab's, half at most: the rest of it must stay a secret.
///
/// GitLab Runner's own log shows the same (`common/config.go` `ShortDescription`,
/// `helpers/shorten_token.go`) but for two cases, in which it would tell no runner from another: it does
/// not know the prefix that an instance may set (`acme-glrt-…`, tried with its listing and read up to
/// 19.3), and of a variable (`token = "$RUNNER_TOKEN"`, from 18.10) nine characters are no name. A
/// variable is shown whole.
#[must_use]
pub fn short(token: &str) -> &str {
    if is_variable(token) {
        return token;
    }
    let bare = without_prefix(token);
    first(bare, SHORT.min(bare.chars().count() / 2))
}

/// Whether a token stands in a variable of the runner's own process.
fn is_variable(token: &str) -> bool {
    let Some(name) = token.strip_prefix('$') else { return false };
    let inner = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    inner.bytes().all(letter) && inner.starts_with(|first: char| !first.is_ascii_digit())
}

/// Whether what a person gave names this token: the whole of it, or its first eight or nine
/// characters, with or without the prefix. An empty token has no name.
#[must_use]
pub fn is(token: &str, given: &str) -> bool {
    let (bare, given_bare) = (without_prefix(token), without_prefix(given));
    !token.is_empty()
        && !given.is_empty()
        && (token == given
            || (given_bare == bare && !bare.is_empty())
            || given_bare == first(bare, SHORT)
            || given_bare == first(bare, SHORT_BEFORE_16)
            // What looks like a prefix may be the token's own first characters.
            || given == first(bare, SHORT)
            || given == first(bare, SHORT_BEFORE_16)
            // What the runner's own log shows of a token with the prefix of an instance.
            || (token.contains("-glrt-") && given == first(token, SHORT))
            || (given_bare == short(token) && !given_bare.is_empty()))
}

fn without_prefix(token: &str) -> &str {
    // Behind the prefix of an instance the others follow.
    let instance = token.find("-glrt-").filter(|&end| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        (1..=INSTANCE_PREFIX).contains(&end) && token[..end].bytes().all(letter)
    });
    let token = instance.map_or(token, |end| &token[end + 1..]);
    let typed = |token: &'_ str| -> Option<usize> {
        ["t1_", "t2_", "t3_"].iter().any(|kind| token.starts_with(kind)).then_some(3)
    };
    if let Some(rest) = token.strip_prefix("glrt-") {
        return &rest[typed(rest).unwrap_or(0)..];
    }
    if let Some(length) = typed(token) {
        return &token[length..];
    }
    for prefix in ["glrtr-", "glcbt-"] {
        if let Some(rest) = token.strip_prefix(prefix) {
            return rest;
        }
    }
    let registration = token.strip_prefix("GR").filter(|rest| {
        rest.len() >= 7 && rest.bytes().take(7).all(|byte| byte.is_ascii_hexdigit())
    });
    registration.map_or(token, |rest| &rest[7..])
}

fn first(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_cut() {
        for (token, expected) in [
            ("glrt-abcdefghijklmnopqrst", "abcdefghi"),
            ("glrt-t3_abcdefghijklmnopqrst", "abcdefghi"),
            ("t2_abcdefghijklmnopqrst", "abcdefghi"),
            ("glrtr-abcdefghijklmnopqrst", "abcdefghi"),
            ("glcbt-abcdefghijklmnopqrst", "abcdefghi"),
            ("GR1348941abcdefghijklmnopqrst", "abcdefghi"),
            ("GRabcdefghijklmnopqrst", "GRabcdefg"),
            ("abcdefghi", "abcd"),
            ("glrt-abcdefgh", "abcd"),
            ("a", ""),
            ("acme-glrt-abcdefghijklmnopqrst", "abcdefghi"),
            ("acme-glrt-t1_abcdefghijklmnopqrst", "abcdefghi"),
            ("a-c.m_e-glrt-abcdefghijklmnopqrst", "abcdefghi"),
            ("-glrt-abcdefghijklmnopqrst", "-glrt-abc"),
            ("longer-than-an-instance-can-set-glrt-abc", "longer-th"),
            ("$RUNNER_TOKEN", "$RUNNER_TOKEN"),
            ("${RUNNER_TOKEN}", "${RUNNER_TOKEN}"),
            ("$1abcdefghijklmnopqrst", "$1abcdefg"),
            ("$a-bcdefghijklmnopqrst", "$a-bcdefg"),
        ] {
            assert_eq!(short(token), expected);
        }
    }

    #[test]
    fn a_token_is_named_by_eight_or_nine_characters_or_all() {
        let token = "glrt-t1_abcdefghijkl";
        for given in
            [token, "abcdefgh", "abcdefghi", "abcdefghijkl", "glrt-abcdefghi", "glrt-t1_abcdefgh"]
        {
            assert!(is(token, given), "{given}");
        }
        for given in ["", "abcdefg", "abcdefghij", "glrt-"] {
            assert!(!is(token, given), "{given}");
        }
        let prefixed = "acme-glrt-t1_abcdefghijklmnopqrst";
        // The last is what the runner's own log shows of each token of such an instance.
        for given in [prefixed, "abcdefghi", "abcdefgh", "glrt-abcdefghi", "acme-glrt"] {
            assert!(is(prefixed, given), "{given}");
        }
        assert!(is("$RUNNER_TOKEN", "$RUNNER_TOKEN") && !is("$RUNNER_TOKEN", "$RUNNER"));
        assert!(!is("", ""));
        assert!(is("abc", "abc"));
        // What is shown of a short one names it.
        assert!(is("glrt-abcdefgh", "abcd") && !is("a", "b"));
    }

    #[test]
    fn the_short_token_has_no_prefix() {
        assert_eq!(short("glrt-t1_4qCqD8pEo7XzKkP3uDnw"), "4qCqD8pEo");
        assert_eq!(short("4qCqD8pEo7XzKkP3uDnw"), "4qCqD8pEo");
        assert_eq!(short("GR13489414qCqD8pEo7XzKkP3uDn"), "4qCqD8pEo");
        assert_eq!(short(""), "");
    }
}
