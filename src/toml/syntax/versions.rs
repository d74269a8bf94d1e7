//! What some versions of GitLab Runner's TOML library read and others refuse.
//!
//! The library is Go's BurntSushi/toml: 0.3.1 in GitLab Runner up to 15.8 (TOML 0.4), a commit after
//! 1.2 from 15.9, 1.3 from 16.11, 1.4 from 17.6 and 1.6 (TOML 1.1) from 18.9.

/// Versions of the library, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Versions(u8);

impl Versions {
    pub const NONE: Self = Self(0);
    /// GitLab Runner up to 15.8.
    pub const V0_3: Self = Self(1);
    /// 15.9 to 17.5.
    pub const V1_2: Self = Self(2);
    /// 17.6 to 18.8.
    pub const V1_4: Self = Self(4);
    /// From 18.9 on.
    pub const V1_6: Self = Self(8);
    /// Those that know TOML 1.0.
    pub const SINCE_1_2: Self = Self(14);
    /// Those that don't know TOML 1.1.
    pub const BEFORE_1_6: Self = Self(7);
    pub const ALL: Self = Self(15);

    /// Each version for itself, the oldest first.
    pub const EACH: [Self; 4] = [Self::V0_3, Self::V1_2, Self::V1_4, Self::V1_6];

    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The versions of GitLab Runner that have these, as words: `up to 15.8`.
    pub fn runners(self) -> String {
        const FIRST: [&str; 4] = ["", "15.9", "17.6", "18.9"];
        const LAST: [&str; 4] = ["15.8", "17.5", "18.8", ""];
        let mut spans = Vec::new();
        let mut next = 0;
        while let Some(first) = (next..4).find(|&number| self.holds(Self::EACH[number])) {
            let after = (first..4).find(|&number| !self.holds(Self::EACH[number])).unwrap_or(4);
            let last = after - 1;
            spans.push(match (first, last) {
                (0, 3) => "in every version".to_owned(),
                (0, _) => format!("up to {}", LAST[last]),
                (_, 3) => format!("from {} on", FIRST[first]),
                _ => format!("from {} to {}", FIRST[first], LAST[last]),
            });
            next = after;
        }
        spans.join(" and ")
    }
}

/// Something for which some versions refuse the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What it is, as a noun.
    pub what: &'static str,
    /// Who refuses it.
    pub by: Versions,
}

/// The first place of such a thing in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub offset: usize,
    pub what: &'static str,
    pub by: Versions,
}

/// What a text holds of them, each kind once.
#[derive(Debug, Default, Clone)]
pub(crate) struct Refusals(Vec<Refusal>);

impl Refusals {
    pub fn note(&mut self, offset: usize, refused: Refused) {
        let Refused { what, by } = refused;
        if by != Versions::NONE && !self.0.iter().any(|known| known.what == what && known.by == by)
        {
            self.0.push(Refusal { offset, what, by });
        }
    }

    pub fn all(&self) -> &[Refusal] {
        &self.0
    }

    /// The refusals after which no version is left, when there are such.
    pub fn fatal(&self) -> Option<&[Refusal]> {
        let mut by = Versions::NONE;
        let last = self.0.iter().position(|refusal| {
            by = by.with(refusal.by);
            by == Versions::ALL
        });
        last.map(|last| &self.0[..=last])
    }
}

macro_rules! refused {
    ($($name:ident: $by:ident, $what:literal;)*) => {
        $(pub(crate) const $name: Refused = Refused { what: $what, by: Versions::$by };)*
    };
}

const V1_2_TO_1_4: Versions = Versions::V1_2.with(Versions::V1_4);

refused! {
    BYTE_ORDER_MARK: V0_3, "a byte order mark";
    NOT_UTF8: SINCE_1_2, "a byte that is no UTF-8";
    CONTROL_CHARACTER: SINCE_1_2, "a control character in a comment";
    DOTTED_KEY: V0_3, "a key with dots";
    RADIX: V0_3, "a hexadecimal, octal or binary number";
    NO_NUMBER: V0_3, "inf or nan";
    DATE_FORM: V0_3, "a time alone, or a date and a time with a blank or small letters";
    MIXED_ARRAY: V0_3, "an array of values of several types";
    BLANK_AFTER_BACKSLASH: V0_3, "a backslash at the end of a line with a blank or a carriage return after it";
    QUOTE_AT_END: V0_3, "a quote right before the three that end a string";
    ESCAPE: BEFORE_1_6, "an escape \\e or \\x";
    LINES_IN_TABLE: BEFORE_1_6, "an inline table on several lines";
    NO_SECONDS: BEFORE_1_6, "a time without seconds";
    LATE_OFFSET: V1_6, "an offset of more than a day";
}

/// A key that is defined twice: which versions refuse it depends on its values.
pub(crate) const KEY_TWICE: &str = "a key that is defined twice";

/// A table that is defined twice, likewise.
pub(crate) const TABLE_TWICE: &str = "a table that is defined twice";

pub(crate) const TRAILING_COMMA: Refused =
    Refused { what: "an inline table with a comma at its end", by: V1_2_TO_1_4 };

pub(crate) const SHORT_HOUR: Refused =
    Refused { what: "an hour of one digit", by: Versions::V1_4.with(Versions::V1_6) };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_as_people_know_them() {
        for (versions, words) in [
            (Versions::V0_3, "up to 15.8"),
            (Versions::SINCE_1_2, "from 15.9 on"),
            (Versions::BEFORE_1_6, "up to 18.8"),
            (V1_2_TO_1_4, "from 15.9 to 18.8"),
            (Versions::V0_3.with(Versions::V1_6), "up to 15.8 and from 18.9 on"),
            (Versions::V1_2.with(Versions::V1_6), "from 15.9 to 17.5 and from 18.9 on"),
            (Versions::ALL, "in every version"),
        ] {
            assert_eq!(versions.runners(), words);
        }
    }
}
