//! Tokens of GitLab, GitHub and Docker Hub, wherever somebody has put them.

use std::ops::Range;

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

#[cfg(test)]
mod tests {
    use super::*;

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
