//! Why a text that was meant to be an auth document is none, and the document that was meant.

use zeroize::Zeroizing;

use super::broken_toml::TYPOGRAPHIC;
use crate::auth::credential::json_in_base64;
use crate::auth::document::{AuthDocument, DocumentError};

/// How many mistakes on top of each other are looked through.
const MOST: usize = 8;

/// How many braces may be forgotten at the end.
const MOST_BRACES: usize = 3;

/// What somebody did to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    ByteOrderMark,
    Quotes,
    TypographicQuotes,
    EscapedTwice,
    Base64,
    SingleQuotes,
    WrappedLine,
    TrailingComma,
    HardBlank,
    NoBraces,
    NoClosingBrace,
}

impl Mistake {
    const ALL: [Self; 11] = [
        Self::ByteOrderMark,
        Self::Quotes,
        Self::TypographicQuotes,
        Self::EscapedTwice,
        Self::Base64,
        Self::SingleQuotes,
        Self::WrappedLine,
        Self::TrailingComma,
        Self::HardBlank,
        Self::NoBraces,
        Self::NoClosingBrace,
    ];

    /// What goes on behind "the auth document".
    pub fn problem(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "starts with a byte order mark",
            Self::Quotes => "has quotes around it as for a shell, which are a part of the value",
            Self::TypographicQuotes => "has typographic quotes, as a word processor makes them",
            Self::EscapedTwice => "is escaped twice: its quotes keep a \\ before them",
            Self::Base64 => "is base64 as a whole, where only each auth inside it should be",
            Self::SingleQuotes => "has single quotes, where JSON takes only double ones",
            Self::WrappedLine => {
                "has a line end inside a string, as when a terminal or base64 has wrapped it"
            }
            Self::TrailingComma => "is not valid JSON: nothing follows this comma",
            Self::HardBlank => "has blanks from a web page (U+00A0), which JSON does not take",
            Self::NoBraces => "is not a JSON object: the opening brace before this is missing",
            Self::NoClosingBrace => {
                "is JSON that ends too early: a closing brace or quote is missing"
            }
        }
    }

    /// The text without this mistake; `None` where it was not made.
    fn mended(self, text: &str) -> Option<String> {
        let parses = |text: String| AuthDocument::parse_literal(&text).is_ok().then_some(text);
        match self {
            Self::ByteOrderMark => text.strip_prefix('\u{feff}').map(str::to_owned),
            Self::Quotes => ['\'', '"', '`'].iter().find_map(|&quote| {
                let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
                inner.contains('{').then(|| inner.trim().to_owned())
            }),
            Self::TypographicQuotes => {
                let found = text.contains(TYPOGRAPHIC) && !text.contains('"');
                found.then(|| text.replace(TYPOGRAPHIC, "\""))
            }
            Self::EscapedTwice => {
                let first = text.strip_prefix('{')?.trim_start();
                first.starts_with("\\\"").then_some(())?;
                serde_json::from_str(&format!("\"{text}\"")).ok()
            }
            Self::Base64 => {
                json_in_base64(text).map(|json| std::mem::take(&mut *json.into_inner()))
            }
            Self::SingleQuotes => {
                let found = text.starts_with('{') && text.contains('\'') && !text.contains('"');
                found.then(|| text.replace('\'', "\""))
            }
            Self::WrappedLine => {
                let joined: String = joined(text)?;
                Some(joined)
            }
            Self::TrailingComma => without_trailing_commas(text).and_then(parses),
            Self::HardBlank => {
                text.contains('\u{a0}').then(|| text.replace('\u{a0}', " ")).and_then(parses)
            }
            Self::NoBraces => text.starts_with('"').then(|| format!("{{{text}}}")).and_then(parses),
            Self::NoClosingBrace => {
                let ends = text.starts_with('{') && text.ends_with(['}', '"']);
                let counts = 1..=MOST_BRACES;
                ends.then(|| counts.map(|count| format!("{text}{}", "}".repeat(count))))
                    .into_iter()
                    .flatten()
                    .find_map(parses)
            }
        }
    }
}

/// A text that is no document, with what was done to it.
pub(super) struct Broken {
    /// The mistakes, the outermost first.
    pub mistakes: Vec<Mistake>,
    /// The text without them.
    pub mended: Zeroizing<String>,
    /// What is wrong with it even then.
    pub error: Option<DocumentError>,
}

impl Broken {
    /// Looks at a text that does not parse; `None` where nothing is known to have been done to it.
    pub fn new(text: &str) -> Option<Self> {
        let mut mistakes = Vec::new();
        let mut mended = Zeroizing::new(text.trim().to_owned());
        loop {
            let error = AuthDocument::parse_literal(&mended).err();
            let next = Mistake::ALL.into_iter().find_map(|mistake| {
                let text = mistake.mended(&mended)?;
                Some((mistake, Zeroizing::new(text)))
            });
            match next.filter(|_| error.is_some() && mistakes.len() < MOST) {
                Some((mistake, text)) => {
                    mistakes.push(mistake);
                    mended = text;
                }
                None if mistakes.is_empty() => return None,
                None => return Some(Self { mistakes, mended, error }),
            }
        }
    }
}

/// The text without line ends inside its strings; `None` where there are none.
fn joined(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut escaped, mut wrapped) = (false, false, false);
    for letter in text.chars() {
        if inside && matches!(letter, '\n' | '\r') {
            wrapped = true;
            continue;
        }
        if letter == '"' && !escaped {
            inside = !inside;
        }
        escaped = letter == '\\' && !escaped;
        out.push(letter);
    }
    wrapped.then_some(out)
}

/// The text without commas before a closing bracket; `None` where there are none.
fn without_trailing_commas(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut escaped, mut cut) = (false, false, false);
    for (at, letter) in text.char_indices() {
        if letter == '"' && !escaped {
            inside = !inside;
        }
        escaped = letter == '\\' && !escaped;
        let last = || text[at + 1..].trim_start().starts_with(['}', ']']);
        if letter == ',' && !inside && last() {
            cut = true;
            continue;
        }
        out.push(letter);
    }
    cut.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::{Broken, Mistake};

    #[test]
    fn what_was_done_is_found_and_undone() {
        let good = r#"{"auths": {"r.io": {"auth": "dTpw"}}}"#;
        let escaped = good.replace('"', "\\\"");
        for (text, mistakes) in [
            (format!("'{good}'"), &[Mistake::Quotes][..]),
            (format!("\u{feff}{good}"), &[Mistake::ByteOrderMark]),
            (escaped.clone(), &[Mistake::EscapedTwice]),
            (format!("\"{escaped}\""), &[Mistake::Quotes, Mistake::EscapedTwice]),
            (good.replace('"', "'"), &[Mistake::SingleQuotes]),
            (good.replace('"', "\u{201d}"), &[Mistake::TypographicQuotes]),
            (good.replace("dT", "dT\n"), &[Mistake::WrappedLine]),
            (good.replace("}}}", "},}}"), &[Mistake::TrailingComma]),
            (good.replace(": ", ":\u{a0}"), &[Mistake::HardBlank]),
            (good[1..good.len() - 1].to_owned(), &[Mistake::NoBraces]),
            (good[..good.len() - 2].to_owned(), &[Mistake::NoClosingBrace]),
            (
                "eyJhdXRocyI6IHsici5pbyI6IHsiYXV0aCI6\nICJkVHB3In19fQ==".to_owned(),
                &[Mistake::Base64],
            ),
        ] {
            let broken = Broken::new(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(broken.mistakes, mistakes, "{text}");
            assert_eq!(broken.error, None, "{text}");
            assert_eq!(broken.mended.replace([' ', '\n'], ""), good.replace(' ', ""), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_behind_it_is_told() {
        let broken = Broken::new(r#"'{"credHelpers": "ecr-login"}'"#).unwrap();
        assert_eq!(broken.mistakes, [Mistake::Quotes]);
        assert!(broken.error.is_some_and(|error| error.problem.contains("credHelpers")));
    }

    #[test]
    fn nothing_is_guessed() {
        for text in ["", "x", "null", "[]", "hello world", "{", "{\"a\": nope}", "'x'"] {
            assert!(Broken::new(text).is_none(), "{text}");
        }
    }
}
