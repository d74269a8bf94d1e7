//! Runner tokens: the whole one is a secret, its first characters are how GitLab's pages and the
//! runner's log name a runner.

/// How many characters GitLab Runner shows (16.0 and later; 8 before).
const SHORT: usize = 9;
const SHORT_BEFORE_16: usize = 8;

/// The part of a token that GitLab Runner shows (`common/config.go` `ShortDescription`,
/// `helpers/shorten_token.go`): without its prefix, the first nine characters.
#[must_use]
pub fn short(token: &str) -> &str {
    first(without_prefix(token), SHORT)
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
            || given == first(bare, SHORT_BEFORE_16))
}

fn without_prefix(token: &str) -> &str {
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
            ("glrt-abcdefghijkl", "abcdefghi"),
            ("glrt-t3_abcdefghijkl", "abcdefghi"),
            ("t2_abcdefghijkl", "abcdefghi"),
            ("glrtr-abcdefghijkl", "abcdefghi"),
            ("glcbt-abcdefghijkl", "abcdefghi"),
            ("GR1348941abcdefghijkl", "abcdefghi"),
            ("GRabcdefghijkl", "GRabcdefg"),
            ("short", "short"),
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
        assert!(!is("", ""));
        assert!(is("abc", "abc"));
    }

    #[test]
    fn the_short_token_has_no_prefix() {
        assert_eq!(short("glrt-t1_4qCqD8pEo7XzKkP3uDnw"), "4qCqD8pEo");
        assert_eq!(short("4qCqD8pEo7XzKkP3uDnw"), "4qCqD8pEo");
        assert_eq!(short("GR13489414qCqD8pEo7XzKkP3uDn"), "4qCqD8pEo");
        assert_eq!(short(""), "");
    }
}
