//! Proof, before anything is written, that the patched text differs only as intended.
//!
//! Bytes outside the edits are the same by construction. Here each block that an edit touches is
//! parsed again and compared in meaning with what was asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::edit::{self, Edit, splice_text};
use crate::environment::is_auth_entry;
use crate::error::Error;
use crate::letter_case::same_key;
use crate::runner::{Config, Runner, RunnerPlace};
use crate::syntax::{Meaning, Syntax};

/// A block (a header and its pairs) after the edits.
pub(crate) struct PatchedBlock {
    /// Its number in the old text.
    pub block: usize,
    /// Its new text.
    pub text: String,
}

/// What is expected of each block.
pub(crate) struct Proof<'c, 't> {
    config: &'c Config<'t>,
    blocks: BTreeMap<usize, Expected>,
}

#[derive(Default)]
struct Expected {
    runners: Vec<(RunnerPlace, Option<String>)>,
    edits: Vec<Edit>,
}

impl<'c, 't> Proof<'c, 't> {
    pub fn new(config: &'c Config<'t>) -> Self {
        Self { config, blocks: BTreeMap::new() }
    }

    /// Expects that these edits leave a runner with exactly this auth entry, or with none.
    pub fn expect(&mut self, runner: &Runner<'_>, entry: Option<String>, edits: &[Edit]) {
        let expected = self.blocks.entry(runner.place().block).or_default();
        expected.runners.push((runner.place().clone(), entry));
        expected.edits.extend_from_slice(edits);
    }

    /// Checks every block.
    pub fn check(self) -> Result<Vec<PatchedBlock>, Error> {
        let config = self.config;
        let blocks = self.blocks.into_iter();
        blocks.map(|(block, expected)| check_block(config, block, expected)).collect()
    }
}

fn check_block(
    config: &Config<'_>,
    block: usize,
    mut expected: Expected,
) -> Result<PatchedBlock, Error> {
    let not_proved = |difference: &str| Error::NotProved {
        path: config.text().label().to_owned(),
        difference: difference.to_owned(),
    };
    let syntax = config.syntax();
    let old = &syntax.blocks()[block];
    edit::sort(&mut expected.edits);
    let inside = |edit: &Edit| edit.span.start >= old.span.start && edit.span.end <= old.span.end;
    let ordered = expected.edits.windows(2).all(|two| two[0].span.end <= two[1].span.start);
    if !expected.edits.iter().all(inside) || !ordered {
        return Err(not_proved("the edits overlap or leave their section"));
    }
    let edits: Vec<_> = expected.edits.iter().map(|edit| edit.within(old.span.start)).collect();
    let text = splice_text(&syntax.text()[old.span.clone()], &edits);
    {
        let after =
            Syntax::parse(&text).map_err(|_| not_proved("the new section does not parse"))?;
        let Some(new) = after.blocks().last() else {
            return Err(not_proved("the new section is empty"));
        };
        let headers = 1 + usize::from(old.header.is_some());
        let keys = |syntax: &Syntax<'_>, header: Option<usize>| -> Vec<String> {
            header.map_or(Vec::new(), |id| syntax.keys(id).map(Cow::into_owned).collect())
        };
        if after.blocks().len() != headers || keys(syntax, old.header) != keys(&after, new.header) {
            return Err(not_proved("the new section has other headers"));
        }
        let mut wanted = Meaning::of_pairs(syntax, old.pairs.clone());
        for (place, entry) in &expected.runners {
            if expect_entry(&mut wanted, place, entry.as_deref()).is_none() {
                return Err(not_proved("the runner's section has another shape"));
            }
        }
        if wanted != Meaning::of_pairs(&after, new.pairs.clone()) {
            return Err(not_proved("the new section means something else"));
        }
    }
    Ok(PatchedBlock { block, text })
}

/// Changes the meaning of a block as it was asked for.
fn expect_entry<'m>(
    block: &mut Meaning<'m>,
    place: &RunnerPlace,
    entry: Option<&'m str>,
) -> Option<()> {
    let mut table = block;
    if place.inline.is_some() {
        table = match member(table, "runners")? {
            Meaning::Array(runners) => runners.get_mut(place.element)?,
            _ => return None,
        };
    }
    let new = entry.map(|entry| Meaning::String(Cow::Borrowed(entry)));
    let Some(environment) = member(table, "environment") else {
        if let (Meaning::Table(table), Some(new)) = (table, new) {
            table.insert(Cow::Borrowed("environment"), Meaning::Array(vec![new]));
        }
        return Some(());
    };
    let Meaning::Array(entries) = environment else {
        return None;
    };
    let auth = |each: &Meaning<'_>| matches!(each, Meaning::String(text) if is_auth_entry(text));
    let last = entries.iter().rposition(auth).unwrap_or(entries.len());
    let behind = entries.split_off(last.min(entries.len()));
    entries.retain(|each| !auth(each));
    entries.extend(new);
    entries.extend(behind.into_iter().filter(|each| !auth(each)));
    Some(())
}

fn member<'a, 'm>(table: &'a mut Meaning<'m>, name: &str) -> Option<&'a mut Meaning<'m>> {
    match table {
        Meaning::Table(table) => {
            table.iter_mut().find(|(key, _)| same_key(key, name)).map(|(_, value)| value)
        }
        _ => None,
    }
}
