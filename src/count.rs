//! How many there are of something, as a sentence says it.

/// `1 registry`, `2 registries`, `2 more keys`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let before = noun.strip_suffix('y').filter(|rest| !rest.ends_with(['a', 'e', 'o', 'u']));
    match (number, before) {
        (1, _) => format!("1 {noun}"),
        (_, Some(before)) => format!("{number} {before}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_no_plural() {
        for (number, noun, expected) in [
            (0, "error", "0 errors"),
            (1, "error", "1 error"),
            (1, "registry", "1 registry"),
            (2, "registry", "2 registries"),
            (1, "more key", "1 more key"),
            (3, "more key", "3 more keys"),
        ] {
            assert_eq!(counted(number, noun), expected);
        }
    }
}
