//! Values that are no strings: what GitLab Runner's TOML library makes numbers and dates of.
//!
//! `toml_parser` says what a value looks like; whether there is such a number or such a day is asked
//! of the standard library and of `toml_datetime`. The TOML library asks Go's `strconv` and `time`.

use std::borrow::Cow;

use toml_datetime::Datetime;
use toml_parser::decoder::{IntegerRadix, ScalarKind};

use super::versions::{DATE_FORM, LATE_OFFSET, NO_NUMBER, NO_SECONDS, RADIX, Refused, SHORT_HOUR};

/// Why no version reads a value.
pub(super) type Problem = &'static str;

const NO_SUCH_TIME: Problem = "a date or time that does not exist or is not written in full";

/// Checks a value of which `toml_parser` has found the kind, with the digits in `decoded`; gives what
/// some versions refuse.
pub(super) fn check(kind: ScalarKind, decoded: &str) -> Result<Vec<Refused>, Problem> {
    match kind {
        ScalarKind::String | ScalarKind::Boolean(_) => Ok(Vec::new()),
        ScalarKind::Integer(radix) => integer(radix, decoded),
        ScalarKind::Float => float(decoded),
        ScalarKind::DateTime => date(decoded),
    }
}

fn integer(radix: IntegerRadix, digits: &str) -> Result<Vec<Refused>, Problem> {
    let (base, refused) = match radix {
        IntegerRadix::Dec => (10, Vec::new()),
        IntegerRadix::Hex => (16, vec![RADIX]),
        IntegerRadix::Oct => (8, vec![RADIX]),
        IntegerRadix::Bin => (2, vec![RADIX]),
    };
    match i64::from_str_radix(digits, base) {
        Ok(_) => Ok(refused),
        Err(_) => Err("an integer that does not fit into 64 bits"),
    }
}

fn float(text: &str) -> Result<Vec<Refused>, Problem> {
    if text.ends_with("inf") || text.ends_with("nan") {
        return Ok(vec![NO_NUMBER]);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Vec::new()),
        _ => Err("a number that is too large"),
    }
}

fn date(text: &str) -> Result<Vec<Refused>, Problem> {
    let mut refused = Vec::new();
    let parsed = parse(text).or_else(|| {
        // Go takes an hour of one digit, and takes an offset as it comes.
        let (text, short) = with_long_hour(text);
        let (text, late) = without_late_offset(&text);
        refused.extend(short.then_some(SHORT_HOUR));
        refused.extend(late.then_some(LATE_OFFSET));
        parse(&text)
    });
    let date = parsed.ok_or(NO_SUCH_TIME)?;
    if let Some(time) = date.time {
        if time.second == Some(60) {
            return Err(NO_SUCH_TIME);
        }
        if time.second.is_none() {
            refused.push(NO_SECONDS);
        }
        let old = date.date.is_some() && !text.contains([' ', 't', 'z']);
        if !old {
            refused.push(DATE_FORM);
        }
    }
    Ok(refused)
}

fn parse(text: &str) -> Option<Datetime> {
    text.parse().ok()
}

/// The same with an hour of two digits, and whether it had one.
fn with_long_hour(text: &str) -> (Cow<'_, str>, bool) {
    let hour = text.find(['T', 't', ' ']).map_or(0, |at| at + 1);
    let short = text.as_bytes().get(hour + 1) == Some(&b':');
    if short {
        (Cow::Owned(format!("{}0{}", &text[..hour], &text[hour..])), true)
    } else {
        (Cow::Borrowed(text), false)
    }
}

/// The same without an offset that is no offset on Earth, and whether Go from 1.20 on refuses it.
fn without_late_offset(text: &str) -> (Cow<'_, str>, bool) {
    let number = |range: std::ops::Range<usize>| {
        text.get(range).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
    };
    let start = text.len().saturating_sub("+00:00".len());
    let marks = text
        .get(start..)
        .is_some_and(|end| end.starts_with(['+', '-']) && end.as_bytes().get(3) == Some(&b':'));
    let offset: Option<(u8, u8)> = number(start + 1..start + 3).zip(number(start + 4..start + 6));
    match offset.filter(|_| marks && text.contains(['T', 't', ' '])) {
        Some((hours, minutes)) => {
            (Cow::Owned(format!("{}Z", &text[..start])), hours > 24 || minutes > 60)
        }
        None => (Cow::Borrowed(text), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<&'static str>, Problem> {
        date(text).map(|refused| refused.iter().map(|each| each.what).collect())
    }

    #[test]
    fn a_day_that_there_is_not_is_refused() {
        for text in [
            "2024-13-01T00:00:00Z",
            "2023-02-29",
            "1997-09-09T09:09:09.09+0200",
            "12:5:00",
            "1-2",
            "2006-01-01T00:00:60Z",
            "24:00:00",
            "2026-07-05 ",
            "12:13:14.",
        ] {
            assert!(date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_only_some_versions_read_is_known() {
        for (text, expected) in [
            ("2024-02-29", &[][..]),
            ("2024-02-29T10:00:00+02:00", &[]),
            ("2024-02-29 10:00:00", &[DATE_FORM.what]),
            ("10:00:00", &[DATE_FORM.what]),
            ("2024-02-29T10:00Z", &[NO_SECONDS.what]),
            ("2024-02-29T1:00:00Z", &[SHORT_HOUR.what]),
            ("2024-02-29T10:00:00+12:60", &[]),
            ("2024-02-29T10:00:00+25:00", &[LATE_OFFSET.what]),
        ] {
            assert_eq!(names(text), Ok(expected.to_vec()), "{text}");
        }
    }

    #[test]
    fn a_number_that_has_no_room_is_refused() {
        assert!(integer(IntegerRadix::Dec, "99999999999999999999").is_err());
        assert!(integer(IntegerRadix::Dec, "-9223372036854775808").is_ok());
        assert!(float("1e400").is_err());
        assert_eq!(float("-inf"), Ok(vec![NO_NUMBER]));
        assert_eq!(integer(IntegerRadix::Hex, "ff"), Ok(vec![RADIX]));
    }
}
