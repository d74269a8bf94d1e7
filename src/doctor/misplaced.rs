//! Auth entries that stand where GitLab Runner does not look for them.

use std::collections::HashMap;
use std::ops::Range;

use super::misspelled::Meant;
use super::{Code, Finding};
use crate::runner::Config;
use crate::runner::auth_entry::VARIABLE;
use crate::runner::environment::{self, Environment, new_pair};
use crate::runner::layout::{own_indent, own_table};
use crate::toml::bracketed::List;
use crate::toml::edit::Edit;
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{NodeId, NodeKind, Syntax};
use crate::toml::table::WrittenTable;

/// How many letters of a misspelt `environment` may differ.
const MOST: usize = 2;

/// Finds them in the sections that are not ordinary: in the others there are none.
pub(super) fn check(config: &Config<'_>, odd_blocks: &[usize], findings: &mut Vec<Finding>) {
    let syntax = config.syntax();
    let runners = config.runners().iter().enumerate();
    let inline = runners.filter_map(|(number, runner)| Some((runner.place().inline?, number)));
    let before = findings.len();
    let (inline, movable) = (inline.collect(), Vec::new());
    let mut search = Search { config, inline, owner: None, misspelt: None, findings, movable };
    for &number in odd_blocks {
        let block = &syntax.blocks()[number];
        search.owner = config.runner_of_block(number);
        let own = search.owner.is_some_and(|own| config.runners()[own].place().block == number);
        // A service has an environment of its own, which is passed to it.
        let service = block
            .header()
            .and_then(|header| syntax.keys(header).last())
            .is_some_and(|key| same_key(&key, "services"));
        if !service {
            search.pairs(block.pairs(), own);
        }
    }
    let movable = search.movable;
    // Of several a person must say which one counts.
    let mut counts: HashMap<Option<usize>, usize> = HashMap::new();
    for finding in &findings[before..] {
        *counts.entry(finding.runner).or_default() += 1;
    }
    for (number, pair) in movable {
        let finding = &mut findings[number];
        let owner = finding.runner.filter(|_| counts[&finding.runner] == 1);
        let edits = owner.and_then(|owner| moved(config, owner, pair, finding.span.clone()));
        finding.edits = edits.unwrap_or_default();
    }
}

struct Search<'s, 't> {
    config: &'s Config<'t>,
    /// The runners that are inline tables.
    inline: HashMap<NodeId, usize>,
    /// The runner that the section belongs to.
    owner: Option<usize>,
    /// The key that was meant to be the runner's `environment`.
    misspelt: Option<String>,
    findings: &'s mut Vec<Finding>,
    /// The numbers of findings about an element of an array `environment`, with the pair of that.
    movable: Vec<(usize, NodeId)>,
}

impl<'t> Search<'_, 't> {
    fn syntax(&self) -> &Syntax<'t> {
        self.config.syntax()
    }

    /// `own` says whether these are a runner's own pairs, in which `environment` counts.
    fn pairs(&mut self, pairs: Range<NodeId>, own: bool) {
        let nodes: Vec<_> = self.syntax().siblings(pairs).collect();
        for pair in nodes {
            let last = self.syntax().keys(pair).last().unwrap_or_default();
            let simple = self.syntax().simple_key(pair).is_some();
            if same_key(&last, VARIABLE) {
                let span = self.syntax().node(pair).span();
                self.found(span);
                continue;
            }
            let environment = same_key(&last, environment::KEY);
            if own && simple && environment {
                continue;
            }
            let value = self.syntax().value(pair);
            let array = self.syntax().node(value).kind == NodeKind::Array;
            let misspelt = own && simple && array && self.is_meant(&last);
            self.misspelt = misspelt.then(|| String::from(&*last));
            // A script may well begin with such an assignment.
            if environment || array || !self.syntax().is_string(value) {
                let before = self.findings.len();
                self.value(value);
                if environment && array && simple {
                    let found = before..self.findings.len();
                    self.movable.extend(found.map(|number| (number, pair)));
                }
            }
            self.misspelt = None;
        }
    }

    /// Whether a key of the runner's own was meant to be its `environment`, which is not there.
    fn is_meant(&self, key: &str) -> bool {
        let runner = self.owner.map(|owner| &self.config.runners()[owner]);
        strsim::osa_distance(&key.to_lowercase(), environment::KEY) <= MOST
            && runner.is_some_and(|runner| {
                Environment::of(self.config, runner).is_ok_and(|own| own.is_none())
            })
    }

    fn value(&mut self, id: NodeId) {
        match self.syntax().node(id).kind {
            NodeKind::Array => {
                let children: Vec<_> = self.syntax().children(id).collect();
                for child in children {
                    self.value(child);
                }
            }
            NodeKind::InlineTable => {
                let owner = self.inline.get(&id).copied();
                let before = self.owner;
                self.owner = owner.or(before);
                self.pairs(id + 1..self.syntax().after(id), owner.is_some());
                self.owner = before;
            }
            _ if self.syntax().is_string(id) => {
                let text = self.syntax().decoded(id);
                let name = text.split('=').next().unwrap_or_default();
                if name.len() < text.len() && name.trim() == VARIABLE {
                    let span = self.syntax().node(id).span();
                    self.found(span);
                }
            }
            _ => {}
        }
    }

    fn found(&mut self, span: Range<usize>) {
        let (message, advice) = match &self.misspelt {
            Some(key) => (
                format!(
                    "GitLab Runner knows no '{key}' and so finds no {VARIABLE} here: 'environment' is \
                     meant"
                ),
                "call it environment",
            ),
            None => (
                format!(
                    "GitLab Runner doesn't look for {VARIABLE} here, only in the environment array \
                     right under [[runners]]"
                ),
                "move it to the runner's own environment, before its sub-tables",
            ),
        };
        let text = self.config.text();
        let mut finding = Finding::new(text, Code::MisplacedEnvironment, span, message, advice);
        finding.runner = self.owner;
        self.findings.push(finding);
    }
}

/// The edits that take an entry out of the array of a pair and give it to its runner.
fn moved(
    config: &Config<'_>,
    owner: usize,
    pair: NodeId,
    entry: Range<usize>,
) -> Option<Vec<Edit>> {
    let syntax = config.syntax();
    let runner = &config.runners()[owner];
    let array = syntax.value(pair);
    let items: Vec<_> = syntax.children(array).map(|id| syntax.node(id).span()).collect();
    let number = items.iter().position(|item| *item == entry)?;
    let text = &syntax.text()[entry];
    // One with blanks in its name is another mistake.
    let body = text.trim_start_matches(['"', '\'', '\r', '\n']);
    body.strip_prefix(VARIABLE)?.strip_prefix('=')?;
    let mut edits = match Environment::of(config, runner).ok()? {
        Some(environment) if environment.auth().is_some() || is_meant(&environment) => return None,
        Some(environment) => environment.append(text.into()),
        None => {
            own_table(config, runner).add(&[new_pair(&text.into())], || own_indent(config, runner))
        }
    };
    let block = syntax.block_at(syntax.node(pair).span().start);
    let whole = WrittenTable::of_block(syntax, block).remove(pair).filter(|_| items.len() == 1);
    let list = || List::new(syntax.text(), syntax.node(array).span(), items).remove(&[number]);
    edits.extend(whole.unwrap_or_else(list));
    Some(edits)
}

/// Whether an entry of the runner itself was meant to be an auth entry: a person must say which.
fn is_meant(environment: &Environment<'_, '_>) -> bool {
    environment.values().any(|value| Meant::new(&value).is_some())
}
