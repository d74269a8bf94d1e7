//! The strings of a document, from its tree and without one.
//!
//! Whoever only looks at each string of thousands of documents needs no places and no members, and a
//! tree costs ten times as much. Nothing is missed for it: what [`AuthDocument::strings`] has of a document
//! comes here as well, and of a broken one comes what can be read.
//!
//! [`AuthDocument::strings`]: super::AuthDocument::strings

use std::ops::Range;

use memchr::{memchr2, memchr3};

use super::json::Object;
use super::{AuthDocument, json};
use crate::secret::Secret;
use crate::toml::letter_case::same_key;

/// How many objects inside each other are looked into; Docker knows three.
const MOST_LEVELS: usize = 8;

/// A piece of a document for the redaction.
pub(crate) struct DocumentString {
    pub span: Range<usize>,
    pub kind: StringKind,
}

impl DocumentString {
    /// The string without its quotes and escapes; `None` when it is another value.
    pub fn decoded(&self, document: &str) -> Option<Secret> {
        json::string(&document[self.span.clone()]).map(Secret::new)
    }
}

/// What a piece of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StringKind {
    /// The name of a member, such as a registry.
    Name,
    /// The name of a credential helper.
    Helper,
    /// A user's name or address.
    User,
    /// Any other value.
    Value,
}

impl AuthDocument<'_> {
    /// The string values of the document, with whether each names a helper, and the keys.
    pub fn strings(&self) -> Vec<DocumentString> {
        let mut strings = Vec::new();
        self.collect_strings(&self.root, false, MOST_LEVELS, &mut strings);
        strings
    }

    /// Below `levels` an object is one value.
    fn collect_strings(
        &self,
        object: &Object,
        helpers: bool,
        levels: usize,
        out: &mut Vec<DocumentString>,
    ) {
        for member in &object.members {
            out.push(DocumentString { span: member.key.clone(), kind: StringKind::Name });
            if levels > 0
                && let Ok(Some(inner)) = json::object_at(self.text, &member.value)
            {
                let helpers = same_key(&member.name, "credHelpers");
                self.collect_strings(&inner, helpers, levels - 1, out);
            } else {
                let kind = kind(&member.name, helpers);
                out.push(DocumentString { span: member.value.clone(), kind });
            }
        }
    }
}

/// Gives each string of the first object of a text, decoded, with what it is: names of members, and their
/// values.
pub(crate) fn each_string(text: &str, mut found: impl FnMut(StringKind, &str)) {
    let bytes = text.as_bytes();
    let mut objects = Objects { depth: 0, helpers: 0 };
    // What the name before a value says of it: what a string is, and whether an object has helpers.
    let mut named = (StringKind::Value, false);
    let mut at = 0;
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr3(b'"', b'{', b'}', rest)) {
        let start = at + next;
        at = start + 1;
        match bytes[start] {
            b'{' => objects.open(named.1),
            b'}' if objects.depth > 1 => objects.close(),
            b'}' => return,
            _ => {
                let Some(end) = string_end(bytes, at) else { return };
                at = end;
                let raw = &text[start..end];
                // No JSON, so the runner has nothing of it either.
                if raw.bytes().any(|byte| byte < b' ') {
                    return;
                }
                // One without escapes is nearly every one, and needs no copy.
                let copy = raw.contains('\\').then(|| json::string(raw).map(Secret::new));
                let value = match &copy {
                    None => &raw[1..raw.len() - 1],
                    Some(Some(copy)) => copy.expose(),
                    Some(None) => continue,
                };
                if bytes[at..].trim_ascii_start().starts_with(b":") {
                    found(StringKind::Name, value);
                    named = (kind(value, objects.hold_helpers()), same_key(value, "credHelpers"));
                } else {
                    found(named.0, value);
                }
            }
        }
    }
}

/// What the value of a member is.
pub(super) fn kind(name: &str, helpers: bool) -> StringKind {
    if helpers || same_key(name, "credsStore") {
        StringKind::Helper
    } else if same_key(name, "username") || same_key(name, "email") {
        StringKind::User
    } else {
        StringKind::Value
    }
}

/// The objects that are open.
struct Objects {
    depth: usize,
    /// A bit for each of the innermost, the lowest for the last: whether its members are helpers. Further
    /// out than this nothing is a helper.
    helpers: u64,
}

impl Objects {
    fn open(&mut self, helpers: bool) {
        self.depth += 1;
        self.helpers = (self.helpers << 1) | u64::from(helpers);
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.helpers >>= 1;
    }

    fn hold_helpers(&self) -> bool {
        self.helpers & 1 == 1
    }
}

/// Where a string ends that begins before a byte; behind its quote.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let next = at + memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[next] == b'"' {
            return Some(next + 1);
        }
        at = next + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn without_tree(text: &str) -> Vec<(StringKind, String)> {
        let mut all = Vec::new();
        each_string(text, |kind, value| all.push((kind, value.to_owned())));
        all
    }

    fn from_tree(text: &str) -> Option<Vec<(StringKind, String)>> {
        let document = AuthDocument::parse_literal(text).ok()?;
        let strings = document.strings().into_iter();
        let decoded = strings.filter_map(|string| {
            let value = string.decoded(text)?;
            Some((string.kind, value.expose().to_owned()))
        });
        Some(decoded.collect())
    }

    #[test]
    fn each_kind_is_told() {
        let text = r#"{"credHelpers": {"a.io": "h", "b.io": "i"}, "CredsStore": "s", "auths": {"c.io":
            {"auth": "x\u0041\"", "Username": "u", "email": "e", "password": "p"}}, "x": 1} {"y": "z"}"#;
        let strings = without_tree(text);
        assert_eq!(Some(&strings), from_tree(text).as_ref());
        let values = |wanted: StringKind| -> Vec<&str> {
            let all = strings.iter().filter(|(kind, _)| *kind == wanted);
            all.map(|(_, value)| value.as_str()).collect()
        };
        assert_eq!(values(StringKind::Helper), ["h", "i", "s"]);
        assert_eq!(values(StringKind::User), ["u", "e"]);
        assert_eq!(values(StringKind::Value), ["xA\"", "p"]);
        let names = "credHelpers a.io b.io CredsStore auths c.io auth Username email password x";
        assert_eq!(values(StringKind::Name).join(" "), names);
    }

    fn json() -> impl Strategy<Value = String> {
        let string = || {
            prop::sample::select(vec![
                "\"\"",
                "\"x\"",
                "\"a:b\"",
                "\"q\\\"{\"",
                "\"\\\\\"",
                "\"\\u0041\"",
                "\"\\ud800\"",
                "\"é}\"",
            ])
        };
        let leaf = prop_oneof![
            string().prop_map(str::to_owned),
            prop::sample::select(vec!["1", "null", "true", "[]", "[\"in\", \"array\"]"])
                .prop_map(str::to_owned),
        ];
        leaf.prop_recursive(5, 40, 5, move |inner| {
            let name = prop_oneof![
                prop::sample::select(vec![
                    "\"auths\"",
                    "\"auth\"",
                    "\"username\"",
                    "\"email\"",
                    "\"credsStore\"",
                    "\"credHelpers\"",
                    "\"CredHelpers\"",
                    "\"r.io\"",
                ]),
                string(),
            ];
            let blank = prop::sample::select(vec!["", " ", "\n", "\t "]);
            prop::collection::vec((name, blank, inner), 0..5).prop_map(|members| {
                let members = members
                    .iter()
                    .map(|(name, blank, value)| format!("{blank}{name}{blank}:{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            })
        })
    }

    proptest! {
        #![proptest_config(crate::property::cases(500))]

        /// Of a document comes what its tree has, in that order; only in arrays there is more.
        #[test]
        fn nothing_of_the_tree_is_missed(text in json(), tail in "[ {}\":a]{0,4}") {
            let text = format!("{text}{tail}");
            let mut strings = without_tree(&text).into_iter();
            for string in from_tree(&text).unwrap_or_default() {
                prop_assert!(strings.any(|other| other == string), "{} lacks {:?}", text, string);
            }
        }
    }
}
