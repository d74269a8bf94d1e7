//! What looks like a secret, where nothing says that it is one.

use std::borrow::Cow;

/// Parts of names that say a secret follows, by their first letter.
fn names(first: u8) -> &'static [&'static str] {
    match first {
        b'p' => &["pass", "pwd", "private"],
        b's' => &["secret"],
        b't' => &["token"],
        b'k' => &["key"],
        b'a' => &["auth"],
        b'c' => &["cred"],
        b'b' => &["bearer"],
        _ => &[],
    }
}

/// A secret that is shorter is masked in its own place only: it is a part of other words.
pub(crate) const SHORTEST: usize = 6;

/// Whether a key or variable with this name, in any letter case, holds a secret.
pub(crate) fn names_a_secret(name: &str) -> bool {
    let name = if name.is_ascii() { Cow::Borrowed(name) } else { Cow::Owned(name.to_lowercase()) };
    let name = name.as_bytes();
    name.iter().enumerate().any(|(start, first)| {
        names(first.to_ascii_lowercase()).iter().any(|part| {
            let here = name.get(start..start + part.len());
            here.is_some_and(|here| here.eq_ignore_ascii_case(part.as_bytes()))
        })
    })
}

/// Whether a text holds what could be a secret: a word that looks generated, or a long one of
/// letters and digits or of both letter cases.
pub(crate) fn looks_like_secret(text: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || "+/=_-".contains(letter);
    let mut words = text.split(|letter: char| !is_word(letter));
    let long = |piece: &str| piece.chars().count() >= MOST_LETTERS;
    words.any(|word| {
        let classes = Classes::of(word);
        (classes.length >= 12 && classes.count() >= 2) || pieces(word).any(long)
    }) || looks_generated(text)
}

/// Whether a text holds a word that no language has and nobody would call a thing: letters with
/// digits, or many digits.
pub(crate) fn looks_generated(text: &str) -> bool {
    // Without a digit nothing does.
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_digit()) {
        return false;
    }
    pieces(text).any(|piece| {
        let classes = Classes::of(piece);
        (classes.length >= 6 && classes.count() == 3) || (classes.length >= 8 && classes.digit)
    })
}

/// Whether a text is made of nothing but words and what stands between words; every piece of it is then.
pub(crate) fn is_wordy(text: &str) -> bool {
    // A short text of letters is, and nearly every key is one.
    let plain = |byte: u8| {
        byte.is_ascii_alphabetic()
            | matches!(byte, b' ' | b'.' | b',' | b':' | b';' | b'/' | b'_' | b'-')
    };
    if text.len() < MOST_LETTERS && text.bytes().fold(true, |all, byte| all & plain(byte)) {
        return true;
    }
    let (mut alphabetic, mut sign) = (false, false);
    let mut word = Word::default();
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            word.bytes += letter.len_utf8();
            word.letters += 1;
            word.alphabetic |= letter.is_alphabetic();
            word.numeric |= letter.is_numeric();
            alphabetic |= word.alphabetic;
        } else {
            sign |= !" .,:;/_-".contains(letter);
            if word.is_distinct() {
                return false;
            }
            word = Word::default();
        }
        // What long texts have at their beginning.
        if sign && alphabetic {
            return false;
        }
    }
    !word.is_distinct()
}

/// No word of a language that people put into a config has as many letters.
const MOST_LETTERS: usize = 24;

/// What a word is made of.
#[derive(Default)]
struct Word {
    bytes: usize,
    letters: usize,
    alphabetic: bool,
    numeric: bool,
}

impl Word {
    /// Whether no language has it.
    fn is_distinct(&self) -> bool {
        let long = if self.alphabetic { SHORTEST } else { 8 };
        (self.numeric && self.bytes >= long) || self.letters >= MOST_LETTERS
    }
}

/// Whether what stands in the place of a key could be a secret that somebody took for one.
pub(crate) fn may_be_secret(key: &str) -> bool {
    looks_generated(key) || key.bytes().any(|byte| matches!(byte, b'@' | b'?' | b'=' | b'&' | b'%'))
}

/// Whether a value is one word, as the name of an executor or of a policy is: what else stands in
/// the place of one could be a secret.
pub(crate) fn is_word(value: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+".contains(&byte);
    let any = |test: fn(&u8) -> bool| value.as_bytes().iter().skip(1).any(test);
    // A capital may begin a word, and all of it may be capitals.
    let cases = any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase);
    value.len() <= 32
        && value.bytes().all(letter)
        && !cases
        && !looks_like_secret(&value.to_lowercase())
}

/// The words of a text, cut at all punctuation.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric())
}

/// What a word is made of.
struct Classes {
    lower: bool,
    upper: bool,
    digit: bool,
    length: usize,
}

impl Classes {
    fn of(word: &str) -> Self {
        let any = |test: fn(char) -> bool| word.chars().any(test);
        Self {
            lower: any(char::is_lowercase),
            upper: any(char::is_uppercase),
            digit: any(char::is_numeric),
            length: word.chars().count(),
        }
    }

    fn count(&self) -> usize {
        usize::from(self.lower) + usize::from(self.upper) + usize::from(self.digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_no_capitals_in_its_midst() {
        for word in ["docker", "Docker", "docker+machine", "docker-autoscaler", "DOCKER", ""] {
            assert!(is_word(word), "{word}");
        }
        for text in ["dTpCZmdtanFwYXoxMjM", "dTpwYXNzd", "docker machine", "Harbor12345"] {
            assert!(!is_word(text), "{text}");
        }
    }

    #[test]
    fn secrets_are_told_from_words() {
        for secret in [
            "Harbor12345",
            "dTpTM0NSRVRhdXRo",
            "glrt-4qCqD8pEoxyzAbCdEf12",
            "12345678",
            "S3cret",
            "AKIAIOSFODNN7EXAMPLE",
            "see 0f1e2d3c4b, please",
            "abcdefghijklmnopqrstuvwxyz",
        ] {
            assert!(looks_like_secret(secret), "{secret}");
        }
        for words in [
            "the fast one, since 2024-05-01",
            "https://docs.gitlab.com/runner/configuration/",
            "runner-01 of GitLab",
            "self-hosted machines (x86_64) in eu-west",
            "DOCKER_AUTH_CONFIG",
        ] {
            assert!(!looks_like_secret(words), "{words}");
        }
    }
}
