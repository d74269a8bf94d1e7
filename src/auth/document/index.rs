//! What is looked up in a document again and again: worked out once, when it is first asked for.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::{AuthDocument, Entry, FEW, Style};
use crate::auth::registry::{key_path, path_of};

#[derive(Default)]
pub(super) struct Index {
    /// Where the key stands that answers for a registry.
    places: OnceCell<HashMap<String, Range<usize>>>,
    /// The path of each entry with its number, sorted.
    paths: OnceCell<Vec<(String, usize)>>,
    /// The keys that a helper answers for; `None` is a store, for every key.
    helped: OnceCell<HashSet<Option<String>>>,
    style: OnceCell<Style>,
}

impl AuthDocument<'_> {
    /// Where the key stands that answers for a registry: the helper's, or the last one in `auths`.
    pub fn place_of(&self, key: &str) -> Option<Range<usize>> {
        let places = self.index.places.get_or_init(|| {
            let auths = self
                .entries
                .iter()
                .map(|entry| (entry.key.as_str().to_owned(), self.key_place(entry)));
            let helpers = self.helpers.iter().filter_map(|helper| {
                Some((helper.key_text()?.to_owned(), self.helper_place(helper)))
            });
            auths.chain(helpers).collect()
        });
        places.get(key).cloned()
    }

    /// The members of `auths` with this path.
    pub fn at_path(&self, path: &str) -> Vec<&Entry> {
        if self.entries.len() <= FEW {
            let here = |entry: &&Entry| path_of(entry.key.as_str()) == path;
            return self.entries.iter().filter(here).collect();
        }
        let paths = self.index.paths.get_or_init(|| {
            let numbered = self.entries.iter().enumerate();
            let mut paths: Vec<_> =
                numbered.map(|(number, entry)| (key_path(entry.key.as_str()), number)).collect();
            paths.sort_unstable();
            paths
        });
        let first = paths.partition_point(|(other, _)| other.as_str() < path);
        let same = paths[first..].iter().take_while(|(other, _)| other == path);
        same.map(|&(_, number)| &self.entries[number]).collect()
    }

    /// Whether a helper with a name, or a store, may answer for a key.
    pub fn is_helped(&self, key: &str) -> bool {
        let helped = self.index.helped.get_or_init(|| {
            let named = self.helpers.iter().filter(|helper| !helper.name.is_empty());
            named.map(|helper| helper.key_text().map(str::to_owned)).collect()
        });
        helped.contains(&None) || helped.contains(&Some(key.to_owned()))
    }

    /// How the document is laid out.
    pub(super) fn style(&self) -> &Style {
        self.index.style.get_or_init(|| {
            let auths = self.auths.iter().filter_map(|(_, object)| object.as_ref());
            let entries = self.entries.iter().filter_map(|entry| entry.object.as_ref());
            Style::of(self.text, std::iter::once(&self.root).chain(auths).chain(entries))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::property::cases(500))]

        /// The same whether few are compared or more are looked up.
        #[test]
        fn few_credentials_are_found_as_many_are(
            keys in prop::collection::vec(
                prop::sample::select(&["r.io", "R.io", "https://r.io/v1/", "r.io/a", "s.io"][..]),
                0..3 * FEW,
            ),
        ) {
            let members: Vec<_> = keys.iter().map(|key| format!("\"{key}\": {{}}")).collect();
            let text = format!("{{\"auths\": {{{}}}}}", members.join(", "));
            let document = AuthDocument::parse_literal(&text).unwrap();
            let numbers = |entries: Vec<&Entry>| entries.iter().map(|it| it.member).collect::<Vec<_>>();
            let last = |(number, key): &(usize, &&str)| !keys[number + 1..].contains(key);
            let effective = keys.iter().enumerate().filter(last).map(|(number, _)| number);
            prop_assert_eq!(numbers(document.effective()), effective.collect::<Vec<_>>());
            for path in ["r.io", "r.io/a", "s.io", "t.io"] {
                let same = keys.iter().enumerate().filter(|(_, key)| key_path(key) == path);
                let same: Vec<_> = same.map(|(number, _)| number).collect();
                prop_assert_eq!(numbers(document.at_path(path)), same);
            }
        }
    }
}
