//! The shape of a TOML text: which spans are headers, keys and values.
//!
//! The events of `toml_parser` are kept as one flat list of nodes in the order of the text. Each
//! node knows its span and where the nodes inside it end, so a whole value is skipped in one step
//! and nothing is decoded before somebody asks for it.

mod blocks;
mod builder;
mod decoded;
mod duplicates;
mod earlier;
mod expressions;
mod meaning;
mod names;
mod node;
mod parsed_text;
mod plain;
mod redefinition;
mod scalar;
mod versions;
mod walk;

use std::ops::Range;

use crate::toml::text::ConfigText;
use blocks::blocks;
use builder::Builder;
use names::Names;
use versions::Refused;

pub(crate) use blocks::Block;
pub(crate) use decoded::Decoded;
pub(crate) use earlier::Twice;
#[cfg(fuzzing)]
pub(crate) use expressions::compare_readings;
pub(crate) use meaning::Meaning;
pub(crate) use names::{ByName, Name, NameSet};
pub(crate) use node::{Form, Node, NodeId, NodeKind};
pub(crate) use parsed_text::ParsedText;
pub(crate) use versions::{
    BYTE_ORDER_MARK, KEY_TWICE, NOT_UTF8, Refusal, Refusals, TABLE_TWICE, Versions,
};

/// What is wrong with a TOML text, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub offset: usize,
    pub problem: String,
    /// Where the first of two definitions stands.
    pub first: Option<usize>,
}

impl SyntaxError {
    pub fn new(offset: usize, problem: impl Into<String>) -> Self {
        Self { offset, problem: problem.into(), first: None }
    }
}

/// A parsed TOML text.
pub(crate) struct Syntax<'t> {
    text: &'t str,
    nodes: Vec<Node>,
    comments: Vec<Range<usize>>,
    blocks: Vec<Block>,
    refusals: Refusals,
}

impl<'t> Syntax<'t> {
    /// Parses a config. What only some versions of GitLab Runner refuse is noted; a text is refused
    /// that no version reads.
    pub fn of_config(config: &'t ConfigText) -> Result<Self, SyntaxError> {
        let mut syntax = Self::parse(config.as_str())?;
        if config.has_byte_order_mark() {
            syntax.refusals.note(0, BYTE_ORDER_MARK);
        }
        if let Some(offset) = config.first_invalid_utf8() {
            syntax.refusals.note(offset, NOT_UTF8);
        }
        syntax.check_readable()?;
        Ok(syntax)
    }

    /// Parses `text` and checks what GitLab Runner's TOML library checks: escapes, numbers, dates,
    /// keys and tables that are there twice.
    pub fn parse(text: &'t str) -> Result<Self, SyntaxError> {
        let (mut syntax, dotted) = Self::read(text)?;
        if dotted || duplicates::check(&syntax).is_err() {
            syntax.check_redefinitions(dotted)?;
        }
        syntax.check_readable()?;
        Ok(syntax)
    }

    /// Reads a text as it comes, and says whether a key of a pair has dots.
    fn read(text: &'t str) -> Result<(Self, bool), SyntaxError> {
        if u32::try_from(text.len()).is_err() {
            return Err(SyntaxError::new(0, "the file is larger than 4 GiB"));
        }
        let Builder { nodes, comments, refusals, dotted, .. } = expressions::read(text)?;
        let blocks = blocks(&nodes, text.len());
        let mut syntax = Self { text, nodes, comments, blocks, refusals };
        syntax.number_names();
        Ok((syntax, dotted))
    }

    fn number_names(&mut self) {
        let mut names = Names::for_text(self.text.len());
        for id in 0..self.nodes.len() {
            if self.nodes[id].kind == NodeKind::Key {
                self.nodes[id].next = names.number(self.string(id));
            }
        }
    }

    /// Asks for each version whether it takes a key or table that stands again.
    fn check_redefinitions(&mut self, dotted: bool) -> Result<(), SyntaxError> {
        let mut by = Versions::NONE;
        let mut first: Option<NodeId> = None;
        for version in Versions::EACH {
            // The first one refuses keys with dots before that.
            if dotted && version == Versions::V0_3 {
                continue;
            }
            if let Some(id) = redefinition::first_refused(self, version) {
                by = by.with(version);
                first = Some(first.map_or(id, |first| first.min(id)));
            }
        }
        let Some(id) = first else { return Ok(()) };
        let pair = self.nodes[id].kind == NodeKind::Pair;
        let offset = self.node(id).span().start;
        if by == if dotted { Versions::SINCE_1_2 } else { Versions::ALL } {
            let Twice { name, first, .. } = self.twice(id);
            let problem =
                format!("{name} is defined twice, and GitLab Runner refuses the whole file");
            return Err(SyntaxError { offset, problem, first });
        }
        let what = if pair { KEY_TWICE } else { TABLE_TWICE };
        self.refusals.note(offset, Refused { what, by });
        Ok(())
    }

    /// The error for two definitions of one key where only one can be changed.
    pub(crate) fn defined_twice(&self, id: NodeId) -> SyntaxError {
        let twice = self.twice(id);
        let problem = format!("{} is defined twice: {}", twice.name, twice.consequence());
        SyntaxError { offset: self.node(id).span().start, problem, first: twice.first }
    }

    /// Refuses a text of which each version refuses a part.
    fn check_readable(&self) -> Result<(), SyntaxError> {
        let Some(refusals) = self.refusals.fatal() else { return Ok(()) };
        let line = |offset: usize| self.text[..offset].matches('\n').count() + 1;
        let reasons: Vec<_> = refusals
            .iter()
            .map(|Refusal { offset, what, by }| {
                format!("{} for {what} on line {}", by.runners(), line(*offset))
            })
            .collect();
        let problem = format!("GitLab Runner refuses the whole file: {}", reasons.join(", "));
        Err(SyntaxError::new(refusals[0].offset, problem))
    }

    /// What some versions of GitLab Runner refuse and others read, each kind once.
    pub fn refusals(&self) -> &[Refusal] {
        self.refusals.all()
    }

    pub fn text(&self) -> &'t str {
        self.text
    }

    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The block that holds a byte offset.
    pub fn block_at(&self, offset: usize) -> usize {
        self.blocks.partition_point(|block| block.span().start <= offset).saturating_sub(1)
    }

    /// The comments, each from its `#` to before the line end.
    pub fn comments(&self) -> &[Range<usize>] {
        &self.comments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> SyntaxError {
        match Syntax::parse(text) {
            Ok(_) => panic!("{text:?} parses"),
            Err(error) => error,
        }
    }

    #[test]
    fn nodes_nest() -> Result<(), SyntaxError> {
        let syntax = Syntax::parse("a.b = [1, {c = 'x', d = []}]\n[t]\ne = 2\n")?;
        let pair = 0;
        assert_eq!(syntax.keys(pair).collect::<Vec<_>>(), ["a", "b"]);
        let array = syntax.value(pair);
        let kinds: Vec<_> = syntax.children(array).map(|id| syntax.node(id).kind).collect();
        assert_eq!(kinds, [NodeKind::Scalar, NodeKind::InlineTable]);
        assert_eq!(syntax.node(pair).span(), 0..28);
        assert_eq!(syntax.blocks().len(), 2);
        let block = &syntax.blocks()[1];
        assert_eq!(&syntax.text()[block.span()], "[t]\ne = 2\n");
        assert_eq!(syntax.siblings(block.pairs()).count(), 1);
        Ok(())
    }

    #[test]
    fn pasted_json_is_named() {
        let error = problem("environment = [\"DOCKER_AUTH_CONFIG={\"auths\": {}}\"]\n");
        assert!(error.problem.contains("single quotes"), "{error:?}");
        assert!(!error.problem.contains("auths\": {}"), "{error:?}");
    }

    #[test]
    fn what_the_runner_refuses_is_refused() {
        for text in
            ["a = ", "a = b", "a = \"\\q\"", "a = 1\ra = 2", "[a", "a = [", "= 1", "a = 1 b"]
        {
            problem(text);
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let text = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(problem(&text).problem.contains("depth"));
    }
}
