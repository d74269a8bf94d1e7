//! What may be shown of an element of a runner's `environment`.

use crate::runner::auth_entry::is_like_variable;
use crate::secret::looks_generated;

/// An element, cut into what may be shown and what may not.
pub(crate) enum Element<'e> {
    /// `NAME=value`.
    Variable { name: &'e str, value: &'e str },
    /// The auth entry's name with blanks, in other letter case or before a colon.
    Misspelled { value: &'e str },
    /// Anything else: a value without its name, perhaps.
    Unknown,
}

impl<'e> Element<'e> {
    pub fn of(text: &'e str) -> Self {
        if let Some((name, value)) = text.split_once('=')
            && is_name(name)
            && !is_base64(name, value)
        {
            return Self::Variable { name, value };
        }
        let end = text.find(['=', ':', '{']).unwrap_or(text.len());
        if is_like_variable(&text[..end]) {
            let value = text[end..].strip_prefix(['=', ':']).unwrap_or(&text[end..]);
            return Self::Misspelled { value };
        }
        Self::Unknown
    }

    /// The bytes that are shown at the start of the element.
    pub fn shown(&self, text: &str) -> usize {
        match self {
            Self::Variable { value, .. } | Self::Misspelled { value } => text.len() - value.len(),
            Self::Unknown => 0,
        }
    }
}

/// What of an element may be an auth document, with its name or without.
pub(super) fn document(text: &str) -> Option<&str> {
    text.find('{').map(|brace| &text[brace..])
}

/// Whether a name is one that a shell takes.
fn is_name(name: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty()
        && name.bytes().all(part)
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
}

/// Whether what stands before the first `=` is rather the whole value: base64 ends with `=`.
fn is_base64(name: &str, rest: &str) -> bool {
    let any = |test: fn(&u8) -> bool| name.as_bytes().iter().any(test);
    let mixed = any(u8::is_ascii_lowercase) && any(u8::is_ascii_uppercase);
    let padding = rest.bytes().all(|byte| byte == b'=');
    let whole = padding && (name.len() + 1 + rest.len()).is_multiple_of(4);
    (mixed && whole)
        || (name.len() >= 8 && (mixed || looks_generated(name) || (padding && !name.contains('_'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_name_is_shown() {
        for (text, shown) in [
            ("DOCKER_AUTH_CONFIG={}", "DOCKER_AUTH_CONFIG="),
            ("_a1=b=c", "_a1="),
            ("API_KEY=", "API_KEY="),
            ("Docker_Auth_Config ={}", "Docker_Auth_Config ="),
            (
                "DOCKER_AUTH_CONFIG: {\"auths\": {\"r.io\": {\"auth\": \"dTpw=\"}}}",
                "DOCKER_AUTH_CONFIG:",
            ),
            ("docker-auth-config{", "docker-auth-config"),
            ("{\"auths\": {\"r.io\": {\"auth\": \"dTpwYXNz=\"}}}", ""),
            ("dTpTM0NSRVRhdXRo=", ""),
            ("secretsecret=", ""),
            ("dTpwYQ==", ""),
            ("dTpwYWI=", ""),
            ("Abc=def", "Abc="),
            ("my name=x", ""),
            ("1A=x", ""),
            ("", ""),
        ] {
            assert_eq!(&text[..Element::of(text).shown(text)], shown, "{text}");
        }
    }
}
