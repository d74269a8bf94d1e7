//! Values of a template that nobody filled in.

use crate::auth::credential::Credential;

/// What people write where something else is to come.
const WORDS: &[&str] = &[
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "fillme",
    "fillmein",
    "fixme",
    "todo",
    "tbd",
    "placeholder",
    "insertpasswordhere",
    "inserttokenhere",
    "inserthere",
    "redacted",
];

/// What they begin with.
const BEGINNINGS: &[&str] =
    &["your-", "your_", "my-secret", "insert-", "insert_", "<your", "enter-", "enter_"];

/// What stands around the name of what is to come.
const AROUND: &[(&str, &str)] = &[
    ("<", ">"),
    ("{{", "}}"),
    ("__", "__"),
    ("%", "%"),
    ("@@", "@@"),
    ("${{", "}}"),
    ("<%", "%>"),
];

/// Whether a value waits for another one, such as `<password>`, `CHANGEME` or `…`.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = value.trim().to_lowercase();
    let around = |(before, after): &(&str, &str)| {
        value.len() > before.len() + after.len()
            && value.starts_with(before)
            && value.ends_with(after)
    };
    let dots =
        value.len() > 2 && value.chars().all(|letter| matches!(letter, '.' | '…' | '*' | 'x'));
    WORDS.iter().any(|word| is_word(&value, word))
        || BEGINNINGS.iter().any(|beginning| value.starts_with(beginning))
        || AROUND.iter().any(around)
        || dots
}

/// Whether the letters and digits of a value make a word.
fn is_word(value: &str, word: &str) -> bool {
    value.chars().filter(|letter| letter.is_alphanumeric()).eq(word.chars())
}

/// Whether a credential waits for one. Somebody may have such a password, so it is no more than likely.
pub(crate) fn is_unfilled(credential: &Credential) -> bool {
    is_placeholder(credential.username()) || is_placeholder(credential.password().expose())
}

#[cfg(test)]
mod tests {
    use super::is_placeholder;

    #[test]
    fn what_waits_for_a_value_is_told_from_one() {
        for value in [
            "<password>",
            "CHANGEME",
            "change-me",
            "…",
            "...",
            "xxx",
            "****",
            "{{ harbor_auth }}",
            "__TOKEN__",
            "%PASSWORD%",
            "your-password",
            "<hidden-1>",
            "TODO",
            "${{ secrets.X }}",
        ] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in
            ["", "x", "hunter2", "dTpw", "password", "registry.example.com", "xx1", "<", "%"]
        {
            assert!(!is_placeholder(value), "{value}");
        }
    }
}
