//! A file that GitLab Runner can't load, and what usually makes it so.

use super::{Code, Finding};
use crate::error::Error;
use crate::toml::text::{ConfigText, Place};

/// Quotes that a word processor or a chat makes of `"` and `'`.
pub(super) const TYPOGRAPHIC: &[char] = &[
    '\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}',
    '\u{bb}',
];

const REFUSED: &str = "refuses the whole file";

/// What is wrong with the text, in words a person can act on.
struct Cause {
    message: &'static str,
    advice: &'static str,
}

/// A file that GitLab Runner can't load.
pub(super) fn finding(text: &ConfigText, error: &Error) -> Finding {
    let (place, message) = match error {
        Error::InvalidToml { place, problem, .. } => (*place, problem.clone()),
        Error::InvalidEnvironment { place, .. } => {
            (*place, "this environment is not an array of strings".to_owned())
        }
        // Nothing else comes of parsing.
        other => (Place { line: 1, column: 1 }, other.to_string()),
    };
    let cause = cause(text, place, &message);
    let advice = match (error, &cause) {
        (_, Some(cause)) => cause.advice,
        (Error::InvalidEnvironment { .. }, _) => "write it as environment = ['NAME=value']",
        _ if message.starts_with("this is JSON") => {
            "an auth document goes into a runner with runner-auth set --auth-config; name the \
             config.toml here"
        }
        _ if message.contains("single quotes") => {
            "put single quotes around the whole entry, and leave the JSON as it is"
        }
        _ if message.contains("is defined twice") => {
            "merge the two into one, or take one of them out"
        }
        _ => "correct this line: until then nothing in the file is used",
    };
    let message = cause.map_or(message, |cause| cause.message.to_owned());
    let message = if message.contains(REFUSED) {
        message
    } else {
        format!("{message}; GitLab Runner {REFUSED}")
    };
    let mut finding = Finding::new(text, Code::InvalidToml, 0..0, message, advice);
    finding.place = place;
    finding
}

/// Whether a text is UTF-16, which PowerShell and some editors write.
pub(super) fn is_utf16(text: &ConfigText) -> bool {
    let bytes = text.bytes();
    bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")
}

fn cause(text: &ConfigText, place: Place, message: &str) -> Option<Cause> {
    if is_utf16(text) {
        return Some(Cause {
            message: "the file is UTF-16, as PowerShell's > and some editors write it",
            advice: "save it as UTF-8 without a byte order mark, in PowerShell with Out-File \
                     -Encoding utf8",
        });
    }
    let line = &text.as_str()[text.line(place.line.checked_sub(1)?)];
    let line = line.trim_end_matches(['\r', '\n']);
    let before: String = line.chars().take(place.column - 1).collect();
    let here = line.chars().nth(place.column - 1);
    if here.is_some_and(|letter| TYPOGRAPHIC.contains(&letter)) {
        return Some(Cause {
            message: "these are typographic quotes, as a word processor or a chat makes them",
            advice: "type \" or ' in place of each of them",
        });
    }
    let string = message.contains("basic string") || message.contains("literal string");
    if string && here.is_none() {
        let open = before.trim_end().ends_with(['{', '[', ',']);
        let next = text.as_str()[text.line(place.line - 1).end..].lines().next();
        let quote = if message.contains("literal") { '\'' } else { '"' };
        return Some(if open && message.contains("literal") {
            Cause {
                message: "a string between single quotes can't go on in the next line",
                advice: "put three single quotes (''') before and after the entry, or write the JSON \
                         on one line",
            }
        } else if next.is_none_or(|next| is_line_of_its_own(next, quote)) {
            Cause {
                message: "the quote that closes this string is missing",
                advice: "close the string with a quote at the end of this line, or before the ] that \
                         ends its array",
            }
        } else {
            Cause {
                message: "the line ends inside a string, as when a terminal or a mail program has \
                          wrapped it",
                advice: "join this line with the next, without a blank between them",
            }
        });
    }
    if message.contains("must be quoted") && line.contains("DOCKER_AUTH_CONFIG") {
        return Some(Cause {
            message: "this entry has no quotes around it",
            advice: "put single quotes around the whole entry, and leave the JSON as it is",
        });
    }
    let escape = message.contains("unicode value digits") || message.contains("escape");
    escape.then_some(Cause {
        message: "between double quotes a \\ begins an escape, and this is none",
        advice: "write \\\\ for a \\, or put single quotes around the string",
    })
}

/// Whether a line begins something new, so that it can't be the rest of a string that was wrapped:
/// that one would hold the string's closing quote.
fn is_line_of_its_own(line: &str, quote: char) -> bool {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return true;
    }
    if line.matches(quote).count() % 2 == 1 {
        return false;
    }
    let pair = line.split_once('=').is_some_and(|(key, value)| {
        let bare = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
        let begins = |letter: char| letter.is_ascii_alphanumeric() || "\"'[{+-".contains(letter);
        let key = key.trim_end();
        !key.is_empty() && key.chars().all(bare) && value.trim_start().starts_with(begins)
    });
    pair || line.starts_with('[') && line.contains(']')
}
