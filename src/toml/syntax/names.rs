//! Keys by number: two keys have the same number where they have the same name, as each of them means it.
//!
//! A config says the same few names over and over. To compare numbers costs little beside comparing
//! texts, and what is to be known about a name is found out once.

use std::borrow::Cow;
use std::collections::HashMap;

/// The number of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name(u32);

impl Name {
    pub(super) fn new(number: u32) -> Self {
        Self(number)
    }

    /// Names are numbered from 0 on, in the order in which a text says them first.
    pub(super) fn number(self) -> usize {
        self.0 as usize
    }
}

/// A set of names that is emptied at no cost.
#[derive(Default)]
pub(crate) struct NameSet {
    emptied: u32,
    /// How often the set had been emptied when each name came in, and one more.
    since: Vec<u32>,
}

impl NameSet {
    /// Whether the name was not in it.
    pub fn insert(&mut self, name: Name) -> bool {
        if self.since.len() <= name.number() {
            self.since.resize((name.number() + 1).next_power_of_two().max(FEW), 0);
        }
        let now = self.emptied + 1;
        std::mem::replace(&mut self.since[name.number()], now) != now
    }

    pub fn clear(&mut self) {
        self.emptied += 1;
    }

    /// Whether the name was ever in it.
    pub fn had(&self, name: Name) -> bool {
        self.since.get(name.number()).is_some_and(|since| *since > 0)
    }
}

/// What a question about a name is answered. It is asked once for each name, but for the last of many.
#[derive(Default)]
pub(crate) struct ByName<T> {
    answers: Vec<Option<T>>,
}

/// How many answers are kept.
const ANSWERS: usize = 4096;

impl<T: Copy> ByName<T> {
    pub fn get(&mut self, name: Name, answer: impl FnOnce() -> T) -> T {
        if name.number() >= ANSWERS {
            return answer();
        }
        if self.answers.len() <= name.number() {
            self.answers.resize(name.number() + 1, None);
        }
        *self.answers[name.number()].get_or_insert_with(answer)
    }
}

/// Numbers the names of one text.
pub(super) struct Names<'t> {
    list: Vec<(Ends, Cow<'t, str>)>,
    /// The numbers of all names, once there are more than a few.
    numbers: HashMap<Cow<'t, str>, u32>,
    /// The numbers of names that were asked for last, each in the place that follows from its letters. Most
    /// are found here; those of a text that is made to collide are found in the map.
    recent: Vec<u32>,
}

/// So many names, as a section has, are looked through one by one.
const FEW: usize = 32;

/// How many are kept as recent at most. A short text has few names.
const RECENT: usize = 1024;

impl<'t> Names<'t> {
    /// Those of a text with so many bytes.
    pub fn for_text(length: usize) -> Self {
        let recent = (length / 16).next_power_of_two().min(RECENT);
        let list = Vec::with_capacity(recent.min(FEW / 2));
        Self { list, numbers: HashMap::new(), recent: vec![0; recent] }
    }

    /// The number of a name.
    #[inline]
    pub fn number(&mut self, name: Cow<'t, str>) -> u32 {
        let ends = Ends::of(&name);
        let recent = self.recent[ends.place(self.recent.len())];
        if let Some((other, text)) = self.list.get(recent as usize)
            && *other == ends
            && (name.len() <= WHOLE || *text == name)
        {
            return recent;
        }
        self.look_up(ends, name)
    }

    #[cold]
    fn look_up(&mut self, ends: Ends, name: Cow<'t, str>) -> u32 {
        let number = self.known(ends, &name).unwrap_or_else(|| self.add(ends, name));
        let place = ends.place(self.recent.len());
        self.recent[place] = number;
        number
    }

    fn known(&self, ends: Ends, name: &str) -> Option<u32> {
        if self.list.len() > FEW {
            return self.numbers.get(name).copied();
        }
        let known = self.list.iter().position(|(other, text)| *other == ends && text == name);
        known.and_then(|number| u32::try_from(number).ok())
    }

    fn add(&mut self, ends: Ends, name: Cow<'t, str>) -> u32 {
        // A text is shorter than 4 GiB, and a key is more than a byte of it: there are enough numbers.
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push((ends, name));
        if self.list.len() > FEW {
            // With the first that is too many come all before it.
            let there = self.numbers.len();
            let numbers = u32::try_from(there).unwrap_or(u32::MAX)..;
            let new = self.list[there..].iter().map(|(_, name)| name.clone());
            self.numbers.extend(new.zip(numbers));
        }
        next
    }
}

/// How many bytes the two ends of a name have together: up to this length they are the whole of it.
const WHOLE: usize = 16;

/// The length, the first eight bytes and the last eight of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ends {
    length: usize,
    first: u64,
    last: u64,
}

impl Ends {
    #[inline]
    fn of(name: &str) -> Self {
        let bytes = name.as_bytes();
        let (first, last) = if let (Some(first), Some(last)) =
            (bytes.first_chunk::<8>(), bytes.last_chunk::<8>())
        {
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) =
            (bytes.first_chunk::<4>(), bytes.last_chunk::<4>())
        {
            (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
        } else {
            (bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0)
        };
        Self { length: bytes.len(), first, last }
    }

    /// The place among so many.
    // The highest bits depend on all others.
    #[allow(clippy::cast_possible_truncation)]
    fn place(self, places: usize) -> usize {
        let mixed = self.first ^ self.last.rotate_left(29) ^ self.length as u64;
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize & (places - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::property::cases(256))]

        #[test]
        fn equal_names_have_equal_numbers(names in prop::collection::vec("[ab]{0,20}", 0..600)) {
            let mut numbered = Names::for_text(4000);
            let numbers: Vec<_> =
                names.iter().map(|name| numbered.number(Cow::Borrowed(name))).collect();
            for (at, name) in names.iter().enumerate() {
                for (other, before) in names[..at].iter().enumerate() {
                    prop_assert_eq!(name == before, numbers[at] == numbers[other]);
                }
            }
        }
    }
}
