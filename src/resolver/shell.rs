//! Words as a POSIX shell takes them.

use std::borrow::Cow;

/// Quotes a word where it needs quotes.
#[must_use]
pub fn quote(word: &str) -> Cow<'_, str> {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(harmless) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_are_quoted_where_they_need_it() {
        assert_eq!(quote("registry.example.com:5000"), "registry.example.com:5000");
        assert_eq!(quote("it's mine"), r"'it'\''s mine'");
    }
}
