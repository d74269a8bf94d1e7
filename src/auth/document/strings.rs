//! The strings of a document, read without a tree.
//!
//! Whoever only looks at each string of thousands of documents needs no members with their places, and a
//! tree costs ten times as much.

use std::ops::Range;

use memchr::{memchr, memchr3};

use super::walk::{Walk, string_end};
use super::{AuthDocument, json};
use crate::secret::Secret;
use crate::toml::letter_case::same_key;
use crate::toml::syntax::Decoded;

/// How many objects inside each other are looked into; Docker knows three.
const MOST_LEVELS: usize = 8;

/// Room for as many strings as most documents have: two credentials have seven.
const ROOM: usize = 8;

/// A piece of a document for the redaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DocumentString {
    pub span: Range<usize>,
    pub kind: StringKind,
}

impl DocumentString {
    /// The string without its quotes and escapes; `None` when it is another value.
    pub fn decoded<'d>(&self, document: &'d str) -> Option<Decoded<'d>> {
        let raw = &document[self.span.clone()];
        let inside = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
        match inside.filter(|inside| memchr(b'\\', inside.as_bytes()).is_none()) {
            Some(inside) => Some(Decoded::new(inside)),
            None => json::string(raw).map(Decoded::new),
        }
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
    /// The names of its members and their values, in the order of the text.
    pub fn strings(&self) -> Vec<DocumentString> {
        strings_in(self.text, &self.root.span)
    }
}

/// The names and values of the object at the start of a text, and where that ends; `None` where no
/// object stands. It need not be one that GitLab Runner takes for an auth document.
pub(crate) fn strings(text: &str) -> Option<(Vec<DocumentString>, usize)> {
    let span = json::object_span(text)?;
    let strings = strings_in(text, &span);
    Some((strings, span.end))
}

fn strings_in(text: &str, object: &Range<usize>) -> Vec<DocumentString> {
    let found = Vec::with_capacity(ROOM);
    let mut strings = Strings { text, walk: Walk::new(text, object), found };
    strings.object(false, MOST_LEVELS);
    strings.found
}

struct Strings<'t> {
    text: &'t str,
    walk: Walk<'t>,
    found: Vec<DocumentString>,
}

impl Strings<'_> {
    /// Finds those of the object that stands here. Below `levels` an object is one value.
    fn object(&mut self, helpers: bool, levels: usize) {
        self.walk.open();
        while let Some(span) = self.walk.name() {
            let name = DocumentString { span, kind: StringKind::Name };
            let decoded = name.decoded(self.text);
            let is = |key: &str| decoded.as_ref().is_some_and(|name| same_key(name, key));
            let inside = is("credHelpers");
            let kind = kind(is, helpers);
            self.found.push(name);
            if self.walk.is_at_object() && levels > 0 {
                self.object(inside, levels - 1);
            } else {
                let span = self.walk.value();
                self.found.push(DocumentString { span, kind });
            }
        }
        self.walk.close();
    }
}

/// Gives each string of the first object of a text, decoded, with what it is: names of members, and their
/// values, those in arrays too. What [`strings`] has comes here as well, and of a broken object comes what
/// can be read.
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
                    named = (
                        kind(|key| same_key(value, key), objects.hold_helpers()),
                        same_key(value, "credHelpers"),
                    );
                } else {
                    found(named.0, value);
                }
            }
        }
    }
}

/// What the value of a member is; `is` tells whether the member has a name.
fn kind(is: impl Fn(&str) -> bool, helpers: bool) -> StringKind {
    if helpers || is("credsStore") {
        StringKind::Helper
    } else if is("username") || is("email") {
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

#[cfg(test)]
mod tests {
    use super::super::json::Object;
    use super::super::walk::documents::json as any_json;
    use super::*;
    use proptest::prelude::*;

    fn without_tree(text: &str) -> Vec<(StringKind, String)> {
        let mut all = Vec::new();
        each_string(text, |kind, value| all.push((kind, value.to_owned())));
        all
    }

    /// The same from trees of `serde_json`'s, with where each stands.
    fn of_object(text: &str, object: &Object, helpers: bool, levels: usize) -> Vec<DocumentString> {
        let mut all = Vec::new();
        for member in &object.members {
            all.push(DocumentString { span: member.key.clone(), kind: StringKind::Name });
            let inner = json::object_at(text, &member.value);
            if let Some(inner) = inner.filter(|_| levels > 0) {
                let helpers = same_key(member.name(text), "credHelpers");
                all.extend(of_object(text, &inner, helpers, levels - 1));
            } else {
                let kind = kind(|key| same_key(member.name(text), key), helpers);
                all.push(DocumentString { span: member.value.clone(), kind });
            }
        }
        all
    }

    fn decoded(text: &str) -> Option<Vec<(StringKind, String)>> {
        let (strings, _) = strings(text)?;
        let decoded = strings.into_iter().filter_map(|string| {
            let value = string.decoded(text)?;
            Some((string.kind, (*value).to_owned()))
        });
        Some(decoded.collect())
    }

    #[test]
    fn each_kind_is_told() {
        let text = r#"{"credHelpers": {"a.io": "h", "b.io": "i"}, "CredsStore": "s", "auths": {"c.io":
            {"auth": "x\u0041\"", "Username": "u", "email": "e", "password": "p"}}, "x": 1} {"y": "z"}"#;
        let strings = without_tree(text);
        assert_eq!(Some(&strings), decoded(text).as_ref());
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

    proptest! {
        #![proptest_config(crate::property::cases(500))]

        /// Each stands where the tree has it.
        #[test]
        fn a_walk_finds_what_a_tree_has(text in any_json(), tail in "[ {}\":a]{0,4}") {
            let text = format!("{text}{tail}");
            let tree = json::first_object(&text).ok();
            let of_tree = tree.map(|tree| {
                let end = tree.span.end;
                (of_object(&text, &tree, false, MOST_LEVELS), end)
            });
            prop_assert_eq!(strings(&text), of_tree, "{}", text);
        }

        /// Of a document comes what a walk finds, in that order; only in arrays there is more.
        #[test]
        fn nothing_of_a_document_is_missed(text in any_json(), tail in "[ {}\":a]{0,4}") {
            let text = format!("{text}{tail}");
            let mut without_walk = without_tree(&text).into_iter();
            for string in decoded(&text).unwrap_or_default() {
                prop_assert!(without_walk.any(|other| other == string), "{} lacks {:?}", text, string);
            }
        }
    }
}
