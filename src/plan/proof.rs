//! Proof, before anything is written, that the patched text differs only as intended.
//!
//! Bytes outside the edits are the same by construction. Here each block that an edit touches is
//! parsed again and compared in meaning with what was asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::Error;
use crate::plan::changed_pairs::{Pairs, changed_pairs};
use crate::plan::pull_policy::PolicyPlace;
use crate::runner::auth_entry::is_auth_entry;
use crate::runner::{Config, RunnerPlace, environment, pull_policy};
use crate::secret::Secret;
use crate::toml::edit::{self, Edit, splice_piece, splice_text};
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{Block, Decoded, Meaning, NodeId, NodeKind, ParsedText, Syntax};

/// A block (a header and its pairs) after the edits.
pub(crate) struct PatchedBlock {
    /// Its number in the old text.
    pub block: usize,
    /// The numbers of its edits in the plan.
    pub edits: Range<usize>,
    /// Its new text.
    pub text: ParsedText,
}

/// What a block means after the edits that it did not mean before.
pub(crate) enum Wish {
    /// A runner has exactly this auth entry, or none.
    AuthEntry { runner: RunnerPlace, entry: Option<Secret> },
    /// A runner has no `environment`, since it held nothing but auth entries.
    NoEnvironment { runner: RunnerPlace },
    /// `pull_policy` has this value.
    PullPolicy { place: PolicyPlace, value: Meaning<'static> },
}

/// What is expected of each block.
pub(crate) struct Proof<'c, 't> {
    config: &'c Config<'t>,
    blocks: BTreeMap<usize, Expected>,
}

#[derive(Default)]
struct Expected {
    wishes: Vec<Wish>,
    edits: Vec<Edit>,
}

impl<'c, 't> Proof<'c, 't> {
    pub fn new(config: &'c Config<'t>) -> Self {
        Self { config, blocks: BTreeMap::new() }
    }

    /// Expects this of a block.
    pub fn expect(&mut self, block: usize, wish: Wish) {
        let wishes = &mut self.blocks.entry(block).or_default().wishes;
        if wishes.is_empty() {
            // Mostly the only one of its block.
            wishes.reserve_exact(1);
        }
        wishes.push(wish);
    }

    /// Adds an edit of a block; several at one place come in the order given.
    pub fn edit(&mut self, block: usize, edit: Edit) {
        self.blocks.entry(block).or_default().edits.push(edit);
    }

    /// Checks every block; gives the edits in the order of the file, and what the blocks become.
    pub fn check(mut self) -> Result<(Vec<Edit>, Vec<PatchedBlock>), Error> {
        let mut patched = Vec::with_capacity(self.blocks.len());
        let mut count = 0;
        for (&block, expected) in &mut self.blocks {
            edit::sort(&mut expected.edits);
            let text = check_block(self.config, block, expected)?;
            let edits = count..count + expected.edits.len();
            count = edits.end;
            patched.push(PatchedBlock { block, edits, text });
        }
        let new_section = |wish: &Wish| {
            matches!(wish, Wish::PullPolicy { place: PolicyPlace::NewSection { .. }, .. })
        };
        if self.blocks.values().flat_map(|block| &block.wishes).any(new_section) {
            self.check_tables()?;
        }
        let edits = self.blocks.into_values().flat_map(|expected| expected.edits).collect();
        Ok((edits, patched))
    }

    /// Checks that a new section opens no table of the file a second time.
    fn check_tables(&self) -> Result<(), Error> {
        let edits: Vec<_> =
            self.blocks.values().flat_map(|block| block.edits.iter().cloned()).collect();
        let text = splice_text(self.config.syntax().text(), &edits);
        match Syntax::parse(text.expose()) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::NotProved {
                path: self.config.text().label().to_owned(),
                difference: "the new section does not fit into the file".to_owned(),
            }),
        }
    }
}

fn check_block(
    config: &Config<'_>,
    block: usize,
    expected: &Expected,
) -> Result<ParsedText, Error> {
    let not_proved = |difference: &str| Error::NotProved {
        path: config.text().label().to_owned(),
        difference: difference.to_owned(),
    };
    let syntax = config.syntax();
    let old = &syntax.blocks()[block];
    let inside =
        |edit: &Edit| edit.span.start >= old.span().start && edit.span.end <= old.span().end;
    let ordered = expected.edits.windows(2).all(|two| two[0].span.end <= two[1].span.start);
    if !expected.edits.iter().all(inside) || !ordered {
        return Err(not_proved("the edits overlap or leave their section"));
    }
    let text = splice_piece(syntax.text(), old.span(), &expected.edits);
    ParsedText::checked(text, |after| check_meaning(syntax, old, expected, after))
        .map_err(|_| not_proved("the new section does not parse"))?
        .map_err(not_proved)
}

/// Checks that a block means what it meant before, but for what was wished.
fn check_meaning(
    syntax: &Syntax<'_>,
    old: &Block,
    expected: &Expected,
    after: &Syntax<'_>,
) -> Result<(), &'static str> {
    let keys = |syntax: &Syntax<'_>, header: Option<NodeId>| -> Vec<String> {
        header.map_or(Vec::new(), |id| syntax.keys(id).map(Cow::into_owned).collect())
    };
    let Some((new, added)) = after.blocks()[usize::from(old.header().is_some())..].split_first()
    else {
        return Err("the new section is empty");
    };
    let same_header = match (old.header(), new.header()) {
        (Some(old), Some(new)) => syntax.keys(old).eq(after.keys(new)),
        (old, new) => old == new,
    };
    if !same_header {
        return Err("the new section has other headers");
    }
    let [old_pairs, new_pairs] = compared(
        &Pairs { syntax, all: old.pairs() },
        &Pairs { syntax: after, all: new.pairs() },
        &expected.wishes,
    );
    let mut wanted = Meaning::of_pairs(syntax, old_pairs);
    let mut wanted_added = Vec::new();
    for wish in &expected.wishes {
        if let Wish::PullPolicy { place: PolicyPlace::NewSection { table }, value } = wish {
            let mut header = keys(syntax, old.header());
            header.push(table.clone());
            wanted_added.push((NodeKind::Table, header, only(pull_policy::KEY, value)));
        } else if grant(&mut wanted, wish).is_none() {
            return Err("the runner's section has another shape");
        }
    }
    if wanted != Meaning::of_pairs(after, new_pairs) {
        return Err("the new section means something else");
    }
    let added = added.iter().filter_map(|block| {
        let kind = after.node(block.header()?).kind;
        let meaning = Meaning::of_pairs(after, block.pairs());
        Some((kind, keys(after, block.header()), meaning))
    });
    if added.collect::<Vec<_>>() != wanted_added {
        return Err("another section comes in");
    }
    Ok(())
}

/// The pairs whose meaning is compared.
fn compared(old: &Pairs<'_, '_>, new: &Pairs<'_, '_>, wishes: &[Wish]) -> [Range<NodeId>; 2] {
    match wishes {
        [Wish::AuthEntry { runner, .. } | Wish::NoEnvironment { runner }]
            if runner.inline.is_none() =>
        {
            changed_pairs(old, new, environment::KEY)
        }
        _ => [old.all.clone(), new.all.clone()],
    }
}

/// A table with one key.
fn only<'m>(key: &'m str, value: &Meaning<'m>) -> Meaning<'m> {
    Meaning::Table(BTreeMap::from([(Cow::Borrowed(key), value.clone())]))
}

/// Changes the meaning of a block as it was asked for.
fn grant<'m>(block: &mut Meaning<'m>, wish: &'m Wish) -> Option<()> {
    match wish {
        Wish::AuthEntry { runner, entry } => {
            expect_entry(own_table(block, runner)?, entry.as_ref().map(Secret::expose))
        }
        Wish::NoEnvironment { runner } => expect_no_environment(own_table(block, runner)?),
        Wish::PullPolicy { place, value } => {
            let table = match place {
                PolicyPlace::Section => block,
                PolicyPlace::Own { runner, table } => table_in(own_table(block, runner)?, table)?,
                PolicyPlace::NewSection { .. } => return None,
            };
            if let Some(there) = member(table, pull_policy::KEY) {
                *there = value.clone();
            } else if let Meaning::Table(table) = table {
                table.insert(Cow::Borrowed(pull_policy::KEY), value.clone());
            }
            Some(())
        }
    }
}

/// The table of a runner's own keys in its block.
fn own_table<'a, 'm>(
    block: &'a mut Meaning<'m>,
    runner: &RunnerPlace,
) -> Option<&'a mut Meaning<'m>> {
    if runner.inline.is_none() {
        return Some(block);
    }
    match member(block, "runners")? {
        Meaning::Array(runners) => runners.get_mut(runner.element),
        _ => None,
    }
}

/// A table in a table, which is made where there is none.
fn table_in<'a, 'm>(table: &'a mut Meaning<'m>, name: &'m str) -> Option<&'a mut Meaning<'m>> {
    let Meaning::Table(table) = table else { return None };
    let known = table.keys().find(|key| same_key(key, name)).cloned();
    let key = known.unwrap_or(Cow::Borrowed(name));
    Some(table.entry(key).or_insert_with(|| Meaning::Table(BTreeMap::new())))
}

/// Puts an auth entry into the meaning of a runner in place of those that are there.
fn expect_entry<'m>(table: &mut Meaning<'m>, entry: Option<&'m str>) -> Option<()> {
    let new = entry.map(|entry| Meaning::String(Decoded::new(entry)));
    let Some(environment) = member(table, environment::KEY) else {
        if let (Meaning::Table(table), Some(new)) = (table, new) {
            table.insert(Cow::Borrowed(environment::KEY), Meaning::Array(vec![new]));
        }
        return Some(());
    };
    let Meaning::Array(entries) = environment else {
        return None;
    };
    let last = entries.iter().rposition(is_auth).unwrap_or(entries.len());
    let behind = entries.split_off(last.min(entries.len()));
    entries.retain(|each| !is_auth(each));
    entries.extend(new);
    entries.extend(behind.into_iter().filter(|each| !is_auth(each)));
    Some(())
}

/// Takes the `environment` out of a runner's meaning.
fn expect_no_environment(table: &mut Meaning<'_>) -> Option<()> {
    let Meaning::Table(table) = table else { return None };
    let key = table.keys().find(|key| same_key(key, environment::KEY)).cloned()?;
    match table.remove(&key)? {
        Meaning::Array(entries) if entries.iter().all(is_auth) => Some(()),
        _ => None,
    }
}

fn is_auth(entry: &Meaning<'_>) -> bool {
    matches!(entry, Meaning::String(text) if is_auth_entry(text))
}

fn member<'a, 'm>(table: &'a mut Meaning<'m>, name: &str) -> Option<&'a mut Meaning<'m>> {
    match table {
        Meaning::Table(table) => {
            table.iter_mut().find(|(key, _)| same_key(key, name)).map(|(_, value)| value)
        }
        _ => None,
    }
}
