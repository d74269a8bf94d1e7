//! A text together with what was read in it, for whoever keeps both.

use std::convert::Infallible;
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
        let Ok(parsed) = Self::checked::<Infallible>(text, |_| Ok(()))?;
        Ok(parsed)
    }

    /// Reads a text, and keeps it when it passes a check.
    pub fn checked<E>(
        text: Secret,
        check: impl FnOnce(&Syntax<'_>) -> Result<(), E>,
    ) -> Result<Result<Self, E>, SyntaxError> {
        let syntax = Syntax::parse(text.expose())?;
        if let Err(error) = check(&syntax) {
            return Ok(Err(error));
        }
        let Syntax { nodes, comments, blocks, refusals, .. } = syntax;
        Ok(Ok(Self { text, nodes, comments, blocks, refusals }))
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
