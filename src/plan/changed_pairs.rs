//! Which pairs of a section the proof has to compare: those with the same bytes before and after a change mean the
//! same, unless another pair has a part in what they mean.

use std::ops::Range;

use crate::toml::syntax::{NodeId, Syntax};

/// Where more pairs change than these, all of the section are compared: to look up each key that stays among theirs
/// would cost more.
const FEW: usize = 8;

/// The pairs of a section.
pub(super) struct Pairs<'s, 't> {
    pub syntax: &'s Syntax<'t>,
    pub all: Range<NodeId>,
}

impl Pairs<'_, '_> {
    fn text(&self, pair: NodeId) -> &str {
        &self.syntax.text()[self.syntax.node(pair).span()]
    }

    /// This pair and those behind it.
    fn starting_with(&self, start: NodeId) -> Vec<NodeId> {
        let mut pairs = Vec::with_capacity(FEW);
        pairs.extend(self.syntax.siblings(start..self.all.end));
        pairs
    }

    /// The nodes of some pairs that follow each other.
    fn nodes(&self, pairs: &[NodeId]) -> Range<NodeId> {
        let all = pairs.first().zip(pairs.last());
        all.map_or(self.all.end..self.all.end, |(first, last)| *first..self.syntax.after(*last))
    }

    /// Whether one of some pairs has the first key of a pair of another text.
    fn has_key_of(&self, pairs: &[NodeId], other: &Self, pair: NodeId) -> bool {
        let key = other.syntax.keys(pair).next();
        pairs.iter().any(|&pair| self.syntax.keys(pair).next() == key)
    }
}

/// The nodes of the pairs that are left of two texts of a section without those, at its start and its end, that
/// are the same in both. Of these none has the key `wished` or a key of those that are left, so that they mean
/// by themselves what they mean.
pub(super) fn changed_pairs(
    old: &Pairs<'_, '_>,
    new: &Pairs<'_, '_>,
    wished: &str,
) -> [Range<NodeId>; 2] {
    // What a dotted key means takes the other keys of its table.
    let stays = |before: NodeId, after: NodeId| {
        old.text(before) == new.text(after)
            && old.syntax.simple_name(before).is_some()
            && !old.syntax.key_is(before, 0, wished)
    };
    let [mut before, mut after] =
        [old, new].map(|text| text.syntax.siblings(text.all.clone()).peekable());
    while let (Some(&one), Some(&other)) = (before.peek(), after.peek())
        && stays(one, other)
    {
        before.next();
        after.next();
    }
    let start = |at: Option<&NodeId>, text: &Pairs<'_, '_>| at.map_or(text.all.end, |&id| id);
    let starts = [start(before.peek(), old), start(after.peek(), new)];
    let (before, after) = (old.starting_with(starts[0]), new.starting_with(starts[1]));
    let ends = before.iter().rev().zip(after.iter().rev());
    let end = ends.take_while(|(one, other)| stays(**one, **other)).count();
    let (rest, stay) = before.split_at(before.len() - end);
    let come = &after[..after.len() - end];
    let mut stay = old.syntax.siblings(old.all.start..starts[0]).chain(stay.iter().copied());
    let alone = |pair| !old.has_key_of(rest, old, pair) && !new.has_key_of(come, old, pair);
    // No pair that stays has the wished key: where all that change have it, none can have a key of theirs.
    let others = |text: &Pairs<'_, '_>, pairs: &[NodeId]| {
        pairs.iter().any(|&pair| !text.syntax.key_is(pair, 0, wished))
    };
    let may_touch = others(old, rest) || others(new, come);
    if rest.len().max(come.len()) > FEW || (may_touch && !stay.all(alone)) {
        return [old.all.clone(), new.all.clone()];
    }
    [old.nodes(rest), new.nodes(come)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::syntax::Meaning;
    use proptest::prelude::*;

    const PAIRS: &[&str] = &[
        "a = 1\n",
        "a = 2\n",
        "a.b = 1\n",
        "\"a\" = 3\n",
        "b = { a = 1 }\n",
        "c.d = 1\n",
        "c.e = 1\n",
        "environment = []\n",
        "Environment = []\n",
        "environment = ['a']\n",
        "# a\n",
    ];

    proptest! {
        #![proptest_config(crate::property::cases(2000))]

        #[test]
        fn what_is_left_tells_whether_two_sections_mean_the_same(
            old in prop::collection::vec(prop::sample::select(PAIRS), 0..8),
            change in (0_usize..8, 0_usize..3, prop::collection::vec(prop::sample::select(PAIRS), 0..3)),
        ) {
            let (at, gone, come) = change;
            let mut new = old.clone();
            let at = at.min(new.len());
            new.splice(at..(at + gone).min(old.len()), come);
            let (old, new) = (old.concat(), new.concat());
            let (Ok(old), Ok(new)) = (Syntax::parse(&old), Syntax::parse(&new)) else { return Ok(()) };
            let [old, new] = [&old, &new]
                .map(|syntax| Pairs { syntax, all: syntax.blocks()[0].pairs() });
            let [rest, come] = changed_pairs(&old, &new, "environment");
            prop_assert_eq!(
                Meaning::of_pairs(old.syntax, old.all.clone())
                    == Meaning::of_pairs(new.syntax, new.all.clone()),
                Meaning::of_pairs(old.syntax, rest.clone())
                    == Meaning::of_pairs(new.syntax, come.clone())
            );
            for (text, left) in [(&old, rest), (&new, come)] {
                let wished = text.syntax.siblings(text.all.clone());
                let mut wished = wished.filter(|&pair| text.syntax.key_is(pair, 0, "environment"));
                prop_assert!(wished.all(|pair| left.contains(&pair)));
            }
        }
    }
}
