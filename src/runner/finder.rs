//! Finds the runners of a config, in either form and in any spelling of `runners`, and reads of each what
//! says which one it is.

use std::borrow::Cow;

use super::executor::Executor;
use super::{Runner, RunnerPlace};
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{Block, ByName, Name, NodeId, NodeKind, Syntax, SyntaxError};

/// `runners` in two spellings, and where.
pub(super) struct TwoSpellings {
    pub key: String,
    pub first: usize,
    pub second: usize,
}

/// Goes through a config once.
pub(super) struct Finder<'s, 't> {
    syntax: &'s Syntax<'t>,
    runners: Vec<Runner<'t>>,
    /// The key `runners` as it is spelled first.
    spelling: Option<(Name, NodeId)>,
    twice: Option<TwoSpellings>,
    /// Whether `runners = […]` has been met.
    array: bool,
    is_runners: ByName<bool>,
    setting: ByName<Option<Setting>>,
}

/// A key of a runner that says what it is: which of [`SETTINGS`], and whether it is spelled like that.
#[derive(Clone, Copy)]
struct Setting {
    number: usize,
    exact: bool,
}

const SETTINGS: [&str; 5] = ["name", "token", "url", "executor", "id"];

impl<'s, 't> Finder<'s, 't> {
    pub fn new(syntax: &'s Syntax<'t>) -> Self {
        Self {
            syntax,
            // What grows is copied, since memory is wiped where it was.
            runners: Vec::with_capacity(elements(syntax)),
            spelling: None,
            twice: None,
            array: false,
            is_runners: ByName::default(),
            setting: ByName::default(),
        }
    }

    /// The runners, in the order of the file, and the second spelling of `runners` where there is one.
    pub fn find(mut self) -> Result<(Vec<Runner<'t>>, Option<TwoSpellings>), SyntaxError> {
        let syntax = self.syntax;
        for (number, block) in syntax.blocks().iter().enumerate() {
            let Some(header) = block.header() else {
                for pair in syntax.siblings(block.pairs()) {
                    self.root_pair(number, pair)?;
                }
                continue;
            };
            let mut names = syntax.names(header);
            let Some(first) = names.next() else { continue };
            if !self.is_runners(first, header) || names.next().is_some() {
                continue;
            }
            let offset = syntax.node(header).span().start;
            if syntax.node(header).kind != NodeKind::ArrayTable {
                return Err(no_array(offset));
            }
            let place = RunnerPlace {
                block: number,
                inline: None,
                element: 0,
                pairs: block.pairs(),
                offset,
            };
            let runner = self.runner(place);
            self.runners.push(runner);
        }
        Ok((self.runners, self.twice))
    }

    /// `runners = [{…}, {…}]`, the inline form.
    fn root_pair(&mut self, block: usize, pair: NodeId) -> Result<(), SyntaxError> {
        let syntax = self.syntax;
        let Some(first) = syntax.names(pair).next() else {
            return Ok(());
        };
        if !self.is_runners(first, pair) {
            return Ok(());
        }
        if self.array {
            return Err(syntax.defined_twice(pair));
        }
        self.array = self.twice.is_none();
        let value = syntax.value(pair);
        let offset = syntax.node(value).span().start;
        if syntax.node(value).kind != NodeKind::Array || syntax.simple_key(pair).is_none() {
            return Err(no_array(offset));
        }
        for (element, table) in syntax.children(value).enumerate() {
            let node = syntax.node(table);
            if node.kind != NodeKind::InlineTable {
                return Err(no_array(node.span().start));
            }
            let pairs = table + 1..syntax.after(table);
            let offset = node.span().start;
            let place = RunnerPlace { block, inline: Some(table), element, pairs, offset };
            let runner = self.runner(place);
            self.runners.push(runner);
        }
        Ok(())
    }

    /// Whether a name is `runners`; notes the first that is spelled otherwise than those before it.
    fn is_runners(&mut self, name: Name, node: NodeId) -> bool {
        let key = || self.syntax.keys(node).next().unwrap_or_default();
        if !self.is_runners.get(name, || same_key(&key(), "runners")) {
            return false;
        }
        let (spelling, first) = *self.spelling.get_or_insert((name, node));
        if spelling != name && self.twice.is_none() {
            let start = |node| self.syntax.node(node).span().start;
            let key = self.syntax.keys(first).next().unwrap_or_default().into_owned();
            self.twice = Some(TwoSpellings { key, first: start(first), second: start(node) });
        }
        true
    }

    fn runner(&mut self, place: RunnerPlace) -> Runner<'t> {
        let syntax = self.syntax;
        let mut values: [Option<(bool, NodeId)>; SETTINGS.len()] = [None; SETTINGS.len()];
        for pair in syntax.siblings(place.pairs.clone()) {
            let Some(name) = syntax.simple_name(pair) else {
                continue;
            };
            let Some(Setting { number, exact }) = self.setting.get(name, || {
                let key = syntax.simple_key(pair)?;
                let number = SETTINGS.iter().position(|setting| same_key(setting, &key))?;
                Some(Setting { number, exact: key == SETTINGS[number] })
            }) else {
                continue;
            };
            // An exact spelling beats another one.
            if exact || values[number].is_none_or(|(exact, _)| !exact) {
                values[number] = Some((exact, syntax.value(pair)));
            }
        }
        let text = |slot: usize| match values[slot] {
            Some((_, id)) if syntax.is_string(id) => syntax.string(id),
            _ => Cow::Borrowed(""),
        };
        let id = values[4].and_then(|(_, id)| {
            let digits = syntax.string(id);
            digits.parse().or_else(|_| digits.replace('_', "").parse()).ok()
        });
        Runner {
            name: text(0),
            token: text(1),
            url: text(2),
            executor: Executor::new(text(3)),
            id,
            place,
        }
    }
}

/// How many headers there are that could each be a runner's.
fn elements(syntax: &Syntax<'_>) -> usize {
    let headers = syntax.blocks().iter().filter_map(Block::header);
    let array = headers.filter(|&header| syntax.node(header).kind == NodeKind::ArrayTable);
    array.filter(|&header| syntax.names(header).nth(1).is_none()).count()
}

fn no_array(offset: usize) -> SyntaxError {
    let problem = "runners is not an array of tables, and GitLab Runner refuses the whole file: \
                   each runner starts with [[runners]]";
    SyntaxError::new(offset, problem)
}
