//! Words as a POSIX shell takes them.

use std::borrow::Cow;

use crate::toml::enclosure::Enclosure;
use crate::toml::text::ConfigText;

/// Quotes a word where it needs quotes.
///
/// The library `shlex` joins pieces in different quotes within one word, which a shell reads, and neither systemd nor
/// Compose do: the commands that are shown here go there as well.
#[must_use]
pub fn quote(word: &str) -> Cow<'_, str> {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(harmless) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

/// An option with its value, with a blank before it. A value that looks like an option is tied to it.
pub fn option(name: &str, value: &str) -> String {
    let blank = if value.starts_with('-') { "" } else { " " };
    format!(" {name}{blank}{}", quote(value))
}

/// The option that names where a config stands in its YAML file, with a blank before it.
pub fn yaml_path(text: &ConfigText) -> String {
    let inside = text.enclosure().and_then(Enclosure::path);
    inside.map_or(String::new(), |inside| option("--yaml-path", inside))
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
