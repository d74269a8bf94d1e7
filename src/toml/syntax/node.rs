//! One piece of a parsed text: what it is, where it stands, and where what is inside it ends.

use std::ops::Range;

use toml_parser::decoder::Encoding;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// `[a.b]`; the keys are inside, the pairs of the table follow.
    Table,
    /// `[[a.b]]`, likewise.
    ArrayTable,
    /// `a.b = value`; the keys are inside, then the value.
    Pair,
    Key,
    Scalar,
    Array,
    InlineTable,
}

/// What a key or a scalar is, and how much it takes to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Something else.
    Neither,
    /// A key or string that means what stands there, between its quotes if it has any.
    Plain,
    /// A key or string that has to be decoded.
    Coded,
    Flag,
    Integer,
    Float,
    /// A date, a time or both.
    Time,
}

/// One header, pair, key or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    pub kind: NodeKind,
    pub form: Form,
    pub(super) encoding: Option<Encoding>,
    pub(super) start: u32,
    pub(super) end: u32,
    /// What [`super::Syntax::after`] says; of a key, which has nothing inside, the number of its name.
    pub(super) next: u32,
}

impl Node {
    pub fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The number of a node in its [`super::Syntax`].
pub(crate) type NodeId = usize;
