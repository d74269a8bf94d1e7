//! A text cut at its headers: each block is a table, or an element of an array of tables, as it is written.

use std::ops::Range;

use super::{Node, NodeId, NodeKind};

/// Stands for the header of a block that has none.
const NO_HEADER: u32 = u32::MAX;

/// A header with the pairs that follow it, up to the next header; the first block has none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    /// [`NO_HEADER`] in the first block.
    header: u32,
    pairs: [u32; 2],
    span: [u32; 2],
}

impl Block {
    /// The header.
    pub fn header(&self) -> Option<NodeId> {
        (self.header != NO_HEADER).then_some(self.header as usize)
    }

    /// The nodes of the pairs.
    pub fn pairs(&self) -> Range<NodeId> {
        self.pairs[0] as usize..self.pairs[1] as usize
    }

    /// The bytes from the header's first bracket to that of the next header.
    pub fn span(&self) -> Range<usize> {
        self.span[0] as usize..self.span[1] as usize
    }
}

/// The nodes cut at the headers.
// Nodes and bytes fit: a text of 4 GiB is refused, and each node is a byte at least.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn blocks(nodes: &[Node], length: usize) -> Vec<Block> {
    let headers = || {
        let mut id = 0;
        std::iter::from_fn(move || {
            while let Some(node) = nodes.get(id) {
                let header = id;
                id = node.next as usize;
                if node.kind != NodeKind::Pair {
                    return Some(header);
                }
            }
            None
        })
    };
    let mut blocks = Vec::with_capacity(headers().count() + 1);
    let mut open = Block { header: NO_HEADER, pairs: [0, 0], span: [0, 0] };
    for header in headers() {
        let node = &nodes[header];
        open.pairs[1] = header as u32;
        open.span[1] = node.start;
        blocks.push(open);
        open = Block { header: header as u32, pairs: [node.next; 2], span: [node.start; 2] };
    }
    open.pairs[1] = nodes.len() as u32;
    open.span[1] = length as u32;
    blocks.push(open);
    blocks
}
