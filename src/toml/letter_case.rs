//! Equality without regard to letter case, as Go's standard library decides it.
//!
//! GitLab Runner finds the keys of `config.toml` and the members of an auth document with Go's
//! `strings.EqualFold` (BurntSushi/toml `decode.go`) and the folding of `encoding/json`. Both fold
//! ASCII letters and, because Unicode has three letters for some of them, also `ſ` (U+017F) to `s`
//! and the Kelvin sign (U+212A) to `k`. Keys that matter to this crate are plain ASCII, so those
//! two are the only ones beyond ASCII that can make a key match.

/// Says whether two keys are the same to GitLab Runner.
#[must_use]
#[inline]
pub fn same_key(left: &str, right: &str) -> bool {
    // Most keys differ in their first letter, and every key of a config is compared.
    if let (Some(one), Some(other)) = (left.bytes().next(), right.bytes().next())
        && one.is_ascii()
        && other.is_ascii()
        && !one.eq_ignore_ascii_case(&other)
    {
        return false;
    }
    same_letters(left, right)
}

fn same_letters(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
        || ((!left.is_ascii() || !right.is_ascii())
            && left.chars().map(folded).eq(right.chars().map(folded)))
}

/// A key as every key is spelled that is the same to GitLab Runner.
pub(crate) fn one_spelling(key: &str) -> String {
    key.chars().map(folded).collect()
}

fn folded(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::same_key;

    #[test]
    fn keys_are_folded_as_go_does() {
        assert!(same_key("environment", "Environment"));
        assert!(same_key("runners", "runner\u{17f}"));
        assert!(!same_key("runners", "runner"));
    }
}
