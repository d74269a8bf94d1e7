//! Text that must not be shown, and what looks as if it must not.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use zeroize::Zeroizing;

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

/// What stands for a secret where no number tells it from others.
pub(crate) const HIDDEN: &str = "<hidden>";

/// A password, a token or anything else that must not reach a terminal, a log or a crash report.
///
/// There is no `Display`, `Debug` prints a fixed word, and the memory is wiped on drop.
///
/// ```
/// use runner_auth::Secret;
///
/// let secret = Secret::new("Harbor12345".to_owned());
/// assert_eq!(format!("{secret:?}"), "Secret(hidden)");
/// assert_eq!(secret.expose(), "Harbor12345");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over `text`; the caller keeps no copy.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Every call is a place where a secret can leak: keep them few.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text, which still wipes itself.
    pub(crate) fn into_inner(self) -> Zeroizing<String> {
        self.0
    }

    /// The text in some bytes, without a copy of them; what is no UTF-8 comes back.
    pub(crate) fn from_utf8(mut bytes: Zeroizing<Vec<u8>>) -> Result<Self, Zeroizing<Vec<u8>>> {
        let text = String::from_utf8(std::mem::take(&mut *bytes));
        text.map(Self::new).map_err(|error| Zeroizing::new(error.into_bytes()))
    }

    /// Texts one after the other, in memory of the right size from the start: a text that grows
    /// leaves copies behind that nobody wipes.
    pub(crate) fn concat(parts: &[&str]) -> Self {
        Self::new(parts.concat())
    }

    /// Secrets with a text between each two of them, made in the same way.
    pub(crate) fn join(parts: &[Self], between: &str) -> Self {
        let parts: Vec<_> = parts.iter().map(Self::expose).collect();
        Self::new(parts.join(between))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

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

/// What tokens begin with: GitLab's of runners, of people and of machines, GitHub's and Docker Hub's.
const PREFIXES: &[&str] = &[
    "glrt-",
    "glrtr-",
    "glcbt-",
    "glpat-",
    "gldt-",
    "glptt-",
    "glft-",
    "glsoat-",
    "glagent-",
    "glimt-",
    "GR1348941",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "dckr_pat_",
    "dckr_oat_",
];

/// The least bytes that a token has with its prefix.
const LEAST: usize = 12;

/// The least bytes of a word that is taken for a token though it begins like nothing else.
const LEAST_RANDOM: usize = 16;

/// Whether a word has letters of both cases and digits, in an order that no name has.
pub(crate) fn is_random(word: &str) -> bool {
    if word.len() < LEAST_RANDOM {
        return false;
    }
    let class = |byte: u8| match byte {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let mut has = [false; 4];
    word.bytes().for_each(|byte| has[class(byte)] = true);
    let changes = |counts: fn(usize, usize) -> bool| {
        let (these, next) = (word.bytes().map(class), word.bytes().skip(1).map(class));
        these.zip(next).filter(|(one, next)| one != next && counts(*one, *next)).count()
    };
    let all = changes(|_, _| true);
    // A capital begins a word of a name, and signs stand between words.
    let within = changes(|one, next| (one, next) != (0, 1) && one != 3 && next != 3);
    has[..3] == [true; 3] && (all * 2 >= word.len() || within * 4 >= word.len())
}

/// Where tokens stand in a text that somebody wrote freely: words that begin as tokens do,
/// and words as random as GitLab's older ones, which begin like nothing else.
pub(crate) fn tokens_in(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let ends = |letter: char| letter.is_whitespace() || "()[]{}<>,;'\"".contains(letter);
    let mut at = 0;
    let words = text.split_inclusive(ends).map(move |word| {
        let start = at;
        at += word.len();
        start..start + word.trim_end_matches(ends).len()
    });
    words.filter_map(|word| {
        let whole = &text[word.clone()];
        if whole.len() < LEAST {
            return None;
        }
        let begins = PREFIXES.iter().filter_map(|prefix| whole.find(prefix)).min();
        let begins = begins.filter(|start| whole.len() - start >= LEAST);
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let mut parts = whole.split(|letter| !is_part(letter));
        // A name may stand before it: runner-TOKEN.
        let random = |part: &str| is_random(part) || part.split(['-', '_', '.']).any(is_random);
        let random = || parts.any(random).then_some(0);
        Some(word.start + begins.or_else(random)?..word.end)
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

    #[test]
    fn tokens_are_found_in_names() {
        let found = |text: &str| tokens_in(text).map(|at| text[at].to_owned()).collect::<Vec<_>>();
        for (name, tokens) in [
            ("glrt-4qCqD8pEo7XzKkP3uDnw", &["glrt-4qCqD8pEo7XzKkP3uDnw"][..]),
            ("build (glrt-t1_4qCqD8pEo.01.1a2b3c), old", &["glrt-t1_4qCqD8pEo.01.1a2b3c"]),
            ("my-glpat-4qCqD8pEo7XzKk", &["glpat-4qCqD8pEo7XzKk"]),
            ("4qCqD8pEo7XzKkP3uDnw", &["4qCqD8pEo7XzKkP3uDnw"]),
            (
                "a 4qCqD8pEo7XzKkP3uDnw, 4qC-D8pEo7_zKkP3uDnw",
                &["4qCqD8pEo7XzKkP3uDnw", "4qC-D8pEo7_zKkP3uDnw"],
            ),
            ("at glrt-abcdefghi%75%66 here", &["glrt-abcdefghi%75%66"]),
            ("runner-q7Wd2KqQRfbSqQSYMUKLNFELA (old)", &["runner-q7Wd2KqQRfbSqQSYMUKLNFELA"]),
            ("ci dckr_pat_abcDEF123-xyz", &["dckr_pat_abcDEF123-xyz"]),
            ("ghp_4qcqd8peo7xz", &["ghp_4qcqd8peo7xz"]),
            ("BuildServer2024ForGitLab", &[]),
            ("devops-runner", &[]),
            ("glrt-runner", &[]),
            ("3f2a9b8c7d6e", &[]),
            ("i-0abc123def4567890", &[]),
            ("gitlab-runner-7f8b9c6d5-x2k4j", &[]),
            ("HarborRegistryRunner2024", &[]),
            ("ip-10-0-1-23.eu-central-1.compute.internal", &[]),
            ("Docker-in-Docker-Runner-01-for-Team-A", &[]),
            ("r\u{fc}nner", &[]),
        ] {
            assert_eq!(found(name), tokens, "{name}");
        }
    }
}
