//! Auth entries that stand where GitLab Runner does not look for them.

use std::collections::HashMap;
use std::ops::Range;

use super::{Code, Finding};
use crate::runner::Config;
use crate::runner::auth_entry::VARIABLE;
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{NodeId, NodeKind, Syntax};

/// Finds them in the whole file.
pub(super) fn check(config: &Config<'_>, findings: &mut Vec<Finding>) {
    let syntax = config.syntax();
    let mut places = HashMap::new();
    for (number, runner) in config.runners().iter().enumerate() {
        let place = runner.place();
        places.insert(place.inline.map_or(Place::Block(place.block), Place::Inline), number);
    }
    let mut search = Search { config, places, owner: None, findings };
    for (number, block) in syntax.blocks().iter().enumerate() {
        let own = search.places.get(&Place::Block(number)).copied();
        let below = block.header.is_some_and(|header| {
            syntax.keys(header).next().is_some_and(|key| same_key(&key, "runners"))
        });
        search.owner = own.or(search.owner.filter(|_| below));
        // A service has an environment of its own, which is passed to it.
        let service = block
            .header
            .and_then(|header| syntax.keys(header).last())
            .is_some_and(|key| same_key(&key, "services"));
        if !service {
            search.pairs(block.pairs.clone(), own.is_some());
        }
    }
}

/// Where a runner's own keys stand.
#[derive(PartialEq, Eq, Hash)]
enum Place {
    Block(usize),
    Inline(NodeId),
}

struct Search<'s, 't> {
    config: &'s Config<'t>,
    places: HashMap<Place, usize>,
    /// The runner that the section belongs to.
    owner: Option<usize>,
    findings: &'s mut Vec<Finding>,
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
            let environment = same_key(&last, "environment");
            if own && simple && environment {
                continue;
            }
            let value = self.syntax().value(pair);
            let array = self.syntax().node(value).kind == NodeKind::Array;
            // A script may well begin with such an assignment.
            if environment || array || !self.syntax().is_string(value) {
                self.value(value);
            }
        }
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
                let owner = self.places.get(&Place::Inline(id)).copied();
                let before = self.owner;
                self.owner = owner.or(before);
                self.pairs(id + 1..self.syntax().after(id), owner.is_some());
                self.owner = before;
            }
            _ if self.syntax().is_string(id) => {
                let text = self.syntax().string(id);
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
        let mut finding = Finding::new(
            self.config.text(),
            Code::MisplacedEnvironment,
            span,
            format!(
                "GitLab Runner doesn't look for {VARIABLE} here, only in the environment array right \
                 under [[runners]]"
            ),
            "move it to the runner's own environment, before its sub-tables",
        );
        finding.runner = self.owner;
        self.findings.push(finding);
    }
}
