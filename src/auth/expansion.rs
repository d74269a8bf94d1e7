//! `$NAME` and `${NAME}` in the values of a runner's `environment`.
//!
//! GitLab Runner expands each value once by the other variables with Go's `os.Expand`
//! (`common/variables.go` `ExpandValue`): an unknown name becomes nothing, `$$` becomes `$`, and a
//! `$` that no name follows stays. Job and project variables take part too; they can't be known
//! here, so a name that the runner itself doesn't set is reported.

use std::ops::Range;

use memchr::memchr;

use crate::auth::registry::is_ordinary;
use crate::secret::{HIDDEN, Secret, looks_generated, names_a_secret};
use crate::toml::syntax::Decoded;

/// A value after expansion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expanded<'t> {
    /// The value with every known name replaced and every unknown one cut out.
    pub text: Decoded<'t>,
    /// What of it came out of variables, in the order of the text.
    pub values: Vec<Value>,
    /// The names that the runner's own `environment` doesn't set, in order of appearance; for bad
    /// syntax (`${}`, an open `${`) what is swallowed.
    pub unknown: Vec<String>,
}

/// The value of a variable in an expanded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Where it is.
    pub span: Range<usize>,
    /// What stands in its place in the text before: `$NAME`.
    pub written: String,
    /// What it looks like.
    pub look: Look,
}

/// What the value of a variable looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A secret: by the variable's name, or since it looks generated.
    Secret,
    /// A registry, as people name them.
    Registry,
    /// Anything else.
    Text,
}

impl Look {
    fn of(name: &str, value: &str) -> Self {
        if names_a_secret(name) || looks_generated(value) {
            Self::Secret
        } else if is_ordinary(value) {
            Self::Registry
        } else {
            Self::Text
        }
    }
}

impl Expanded<'_> {
    /// A text that holds no variable.
    pub fn literal(text: &str) -> Expanded<'_> {
        Expanded { text: Decoded::new(text), values: Vec::new(), unknown: Vec::new() }
    }
}

/// A piece of an expanded text with the names of variables in the place of those values that are to be
/// hidden. `None` where none of them lies in it; what stands in the midst of one is a text like any
/// other.
pub fn written(
    text: &str,
    piece: Range<usize>,
    values: &[Value],
    hide: impl Fn(Look) -> bool,
) -> Option<String> {
    let first = values.partition_point(|value| value.span.end <= piece.start);
    let inside = values[first..].iter().take_while(|value| value.span.start < piece.end);
    let mut out = String::new();
    let mut at = piece.start;
    for Value { span, written, .. } in inside.filter(|value| hide(value.look)) {
        match (span.start < piece.start, piece.end < span.end) {
            (true, true) => return None,
            (false, false) => {}
            _ => return Some(HIDDEN.to_owned()),
        }
        out.push_str(&text[at..span.start]);
        out.push_str(written);
        at = span.end;
    }
    if out.is_empty() {
        return None;
    }
    out.push_str(&text[at..piece.end]);
    Some(out)
}

/// Expands `text`; `lookup` gives a variable's value.
pub(crate) fn expand(text: &str, lookup: impl Fn(&str) -> Option<Secret>) -> Expanded<'_> {
    if memchr(b'$', text.as_bytes()).is_none() {
        return Expanded::literal(text);
    }
    let mut out = Pieces::default();
    let mut unknown = Vec::new();
    let mut rest = text;
    while let Some(at) = memchr(b'$', rest.as_bytes()) {
        out.text(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, length) = name(after);
        match name {
            Some("$") => out.text("$"),
            Some(name) => match lookup(name) {
                Some(value) => out.value(name, &rest[at..=at + length], value),
                None => unknown.push(name.to_owned()),
            },
            None if length == 0 => out.text("$"),
            None => unknown.push(after[..length].to_owned()),
        }
        rest = &after[length..];
    }
    out.text(rest);
    let pieces: Vec<_> = out.all.iter().map(Piece::text).collect();
    Expanded { text: Decoded::new(pieces.concat()), values: out.values, unknown }
}

/// The pieces of an expanded value, one after the other.
#[derive(Default)]
struct Pieces<'t> {
    all: Vec<Piece<'t>>,
    values: Vec<Value>,
    length: usize,
}

impl<'t> Pieces<'t> {
    fn text(&mut self, text: &'t str) {
        self.length += text.len();
        self.all.push(Piece::Text(text));
    }

    fn value(&mut self, name: &str, written: &str, value: Secret) {
        let span = self.length..self.length + value.expose().len();
        self.length = span.end;
        let look = Look::of(name, value.expose());
        self.values.push(Value { span, written: written.to_owned(), look });
        self.all.push(Piece::Value(value));
    }
}

/// A piece of an expanded value.
enum Piece<'t> {
    Text(&'t str),
    Value(Secret),
}

impl Piece<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Value(value) => value.expose(),
        }
    }
}

/// Whether GitLab sets a variable for every job by itself, such as `CI_JOB_TOKEN`.
#[must_use]
pub fn is_predefined(name: &str) -> bool {
    name.starts_with("CI_") || name.starts_with("GITLAB_")
}

/// Whether a text holds a variable that GitLab sets for each job.
#[must_use]
pub fn holds_predefined(text: &str) -> bool {
    let names = text.match_indices('$').filter_map(|(at, _)| name(&text[at + 1..]).0);
    names.into_iter().any(is_predefined)
}

/// The name at the start of `text`, as Go's `os.Expand` cuts it, and how many bytes it takes.
/// Bad syntax (`${}`, an open `${`) has no name but takes bytes.
fn name(text: &str) -> (Option<&str>, usize) {
    let special = |byte: u8| b"*#$@!?-0123456789".contains(&byte);
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'{') => {
            let closing = text.find('}');
            match closing {
                Some(1) => (None, 2),
                Some(end) => (Some(&text[1..end]), end + 1),
                None => (None, 1),
            }
        }
        Some(&byte) if special(byte) => (Some(&text[..1]), 1),
        _ => {
            let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let length = bytes.iter().take_while(|byte| part(byte)).count();
            ((length > 0).then(|| &text[..length]), length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_names_as_go_does() {
        let lookup = |name: &str| (name == "A").then(|| "x".into());
        for (text, expected) in [
            ("$A", "x"),
            ("${A}b", "xb"),
            ("$Ab", ""),
            ("$A-b", "x-b"),
            ("$", "$"),
            ("a$", "a$"),
            ("$$A", "$A"),
            ("${$}A", "$A"),
            ("$\u{e4}", "$\u{e4}"),
            ("$1A", "A"),
            ("${}A", "A"),
            ("${A", "A"),
            ("$ A", "$ A"),
        ] {
            assert_eq!(&*expand(text, lookup).text, expected, "{text}");
        }
    }

    #[test]
    fn a_name_is_filled_in_and_two_dollars_are_one() {
        let lookup = |name: &str| (name == "USER").then(|| "ci".into());
        let expanded = expand("$USER:${PASS}$$5 costs $ 5", lookup);
        assert_eq!(&*expanded.text, "ci:$5 costs $ 5");
        assert_eq!(expanded.unknown, ["PASS"]);
    }
}
