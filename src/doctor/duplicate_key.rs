//! Keys that differ only in letter case: BurntSushi/toml sets the same field from both, in no
//! particular order.

use std::collections::{HashMap, HashSet};

use super::{Code, Finding};
use crate::runner::known_keys::is_known;
use crate::runner::table::{TableKey, keys_of, own_keys};
use crate::runner::{Config, Runner};
use crate::toml::letter_case::{one_spelling, same_key};
use crate::toml::syntax::NameSet;

/// Tables of a runner whose keys are settings and not names that somebody chose.
const TABLES: &[&str] = &[
    "docker",
    "kubernetes",
    "machine",
    "autoscaler",
    "cache",
    "custom",
    "ssh",
    "parallels",
    "virtualbox",
    "instance",
];

/// Compares the keys of the root, and of each runner with a section that is not ordinary: all keys of the
/// others have their own spelling.
pub(super) fn check(config: &Config<'_>, odd_blocks: &[usize], findings: &mut Vec<Finding>) {
    let syntax = config.syntax();
    let mut root = Vec::new();
    let mut names = NameSet::default();
    for block in syntax.blocks() {
        let headers = block.header().into_iter();
        let pairs = syntax.siblings(block.pairs()).filter(|_| block.header().is_none());
        root.extend(headers.chain(pairs).filter_map(|node| {
            names.insert(syntax.names(node).next()?).then_some(())?;
            Some(TableKey { key: syntax.keys(node).next()?, node, value: None })
        }));
    }
    compare(config, None, &[], &root, findings);
    let mut odd_blocks = odd_blocks.iter().copied().peekable();
    for (number, runner) in config.runners().iter().enumerate() {
        let next = config.runners().get(number + 1).map(|next| next.place().block);
        let is_before = |block: &usize| next.is_none_or(|next| *block < next);
        let mut odd = runner.place().inline.is_some();
        while odd_blocks.next_if(is_before).is_some() {
            odd = true;
        }
        if odd {
            check_runner(config, number, runner, findings);
        }
    }
}

fn check_runner(
    config: &Config<'_>,
    number: usize,
    runner: &Runner<'_>,
    findings: &mut Vec<Finding>,
) {
    let own: Vec<_> = own_keys(config, runner).collect();
    compare(config, Some(number), &["runners"], &own, findings);
    let is_there = |table: &&&str| own.iter().any(|own| same_key(&own.key, table));
    for table in TABLES.iter().filter(is_there) {
        let keys: Vec<_> = keys_of(config, runner, table).collect();
        compare(config, Some(number), &["runners", table], &keys, findings);
    }
}

/// Reports each spelling after the first. A key that GitLab Runner doesn't know does no harm twice.
fn compare(
    config: &Config<'_>,
    runner: Option<usize>,
    section: &[&str],
    keys: &[TableKey<'_>],
    findings: &mut Vec<Finding>,
) {
    if !may_differ_in_case(keys) {
        return;
    }
    let text = config.text();
    let mut seen = HashSet::new();
    let mut spellings: HashMap<String, &TableKey<'_>> = HashMap::new();
    for key in keys.iter().filter(|key| seen.insert(&*key.key)) {
        let first = *spellings.entry(one_spelling(&key.key)).or_insert(key);
        if first.node != key.node && is_known(section, &key.key) {
            let line = text.place(config.syntax().node(first.node).span().start).line;
            let span = config.syntax().node(key.node).span();
            let mut finding = Finding::new(
                text,
                Code::KeyTwice,
                span,
                format!(
                    "'{}' is the same key as '{}' on line {line}: every GitLab Runner loads the file \
                     and picks one of the two at random, at every start and every reload",
                    key.key, first.key
                ),
                "merge the two into one",
            );
            finding.runner = runner;
            findings.push(finding);
        }
    }
}

/// How many keys are compared with each other, which is faster than hashing them.
const FEW: usize = 32;

/// Whether some keys may be the same to the runner and spelt differently: those of nearly every table
/// are not.
fn may_differ_in_case(keys: &[TableKey<'_>]) -> bool {
    let twins = |(number, key): (usize, &TableKey<'_>)| {
        keys[..number].iter().any(|other| same_key(&other.key, &key.key) && other.key != key.key)
    };
    keys.len() > FEW || keys.iter().enumerate().any(twins)
}
