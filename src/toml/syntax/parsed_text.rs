//! A text together with what was read in it, for whoever keeps both.

use std::ops::Range;

use super::{Block, Node, Refusals, Syntax, SyntaxError};
use crate::secret::Secret;

/// A TOML text that parses.
pub(crate) struct ParsedText {
    text: Secret,
    nodes: Vec<Node>,
    comments: Vec<Range<usize>>,
    blocks: Vec<Block>,
    refusals: Refusals,
}

impl ParsedText {
    pub fn new(text: Secret) -> Result<Self, SyntaxError> {
        let Syntax { nodes, comments, blocks, refusals, .. } = Syntax::parse(text.expose())?;
        Ok(Self { text, nodes, comments, blocks, refusals })
    }

    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// What was read. The lists are copied, which costs little beside reading them again.
    pub fn syntax(&self) -> Syntax<'_> {
        Syntax {
            text: self.text.expose(),
            nodes: self.nodes.clone(),
            comments: self.comments.clone(),
            blocks: self.blocks.clone(),
            refusals: self.refusals.clone(),
        }
    }
}
