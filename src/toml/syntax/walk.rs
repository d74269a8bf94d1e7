//! The way through a parsed text: from a node to those inside it, its keys and value, and what they mean.

use std::borrow::Cow;
use std::ops::Range;

use toml_parser::decoder::Encoding;
use toml_parser::{Raw, Span};

use super::names::Name;
use super::node::{Form, Node, NodeId, NodeKind};
use super::{Decoded, Syntax};
use crate::toml::letter_case::same_key;

impl<'t> Syntax<'t> {
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The number of the first node after `id` that is not inside it.
    #[inline]
    pub fn after(&self, id: NodeId) -> NodeId {
        let node = &self.nodes[id];
        if node.kind == NodeKind::Key { id + 1 } else { node.next as usize }
    }

    /// The nodes right inside `range`, without what is inside those.
    pub fn siblings(&self, range: Range<NodeId>) -> impl Iterator<Item = NodeId> + '_ {
        let mut id = range.start;
        std::iter::from_fn(move || {
            let here = id;
            (here < range.end).then(|| {
                id = self.after(here);
                here
            })
        })
    }

    /// The nodes right inside a node.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.siblings(id + 1..self.after(id))
    }

    /// The keys of a header or a pair, decoded.
    pub fn keys(&self, id: NodeId) -> impl Iterator<Item = Cow<'t, str>> + '_ {
        self.children(id)
            .take_while(|&child| self.nodes[child].kind == NodeKind::Key)
            .map(|child| self.string(child))
    }

    /// Whether the key with a number (from 0) of a header or a pair is `name` to GitLab Runner.
    pub fn key_is(&self, id: NodeId, number: usize, name: &str) -> bool {
        let key = id + 1 + number;
        let Some(node) = self.nodes.get(key).filter(|node| node.kind == NodeKind::Key) else {
            return false;
        };
        if node.form == Form::Plain && node.encoding.is_none() {
            // Bare keys are ASCII.
            let span = node.span();
            return span.len() == name.len() && {
                let text = &self.text[span];
                text == name || same_key(text, name)
            };
        }
        same_key(&self.string(key), name)
    }

    /// The names of a header's or a pair's keys.
    pub fn names(&self, id: NodeId) -> impl Iterator<Item = Name> + '_ {
        let keys = self.nodes[id + 1..].iter().take_while(|node| node.kind == NodeKind::Key);
        keys.map(|key| Name::new(key.next))
    }

    /// The keys of a header or a pair, decoded, each with its name.
    pub fn named_keys(&self, id: NodeId) -> impl Iterator<Item = (Cow<'t, str>, Name)> + '_ {
        self.keys(id).zip(self.names(id))
    }

    /// The name of the only key of a pair; `None` for a dotted one.
    #[inline]
    pub fn simple_name(&self, pair: NodeId) -> Option<Name> {
        match self.nodes.get(pair + 1..)? {
            [key, value, ..] if value.kind != NodeKind::Key => Some(Name::new(key.next)),
            _ => None,
        }
    }

    /// The only key of a pair; `None` for a dotted one.
    pub fn simple_key(&self, pair: NodeId) -> Option<Cow<'t, str>> {
        let mut keys = self.keys(pair);
        let key = keys.next()?;
        keys.next().is_none().then_some(key)
    }

    /// The value of a pair.
    pub fn value(&self, pair: NodeId) -> NodeId {
        let mut id = pair + 1;
        while self.nodes[id].kind == NodeKind::Key {
            id += 1;
        }
        id
    }

    /// Whether a node is a string value.
    pub fn is_string(&self, id: NodeId) -> bool {
        let node = &self.nodes[id];
        node.kind == NodeKind::Scalar && node.encoding.is_some()
    }

    /// The decoded text of a key or a string; of any other scalar, its text as it stands.
    #[inline]
    pub fn string(&self, id: NodeId) -> Cow<'t, str> {
        let node = &self.nodes[id];
        let span = node.span();
        match (node.encoding, node.form) {
            (None, _) => Cow::Borrowed(&self.text[span]),
            (Some(_), Form::Plain) => Cow::Borrowed(&self.text[span.start + 1..span.end - 1]),
            (Some(_), _) => self.decode(node),
        }
    }

    /// The same for what may be a secret.
    pub fn decoded(&self, id: NodeId) -> Decoded<'t> {
        Decoded::new(self.string(id))
    }

    fn decode(&self, node: &Node) -> Cow<'t, str> {
        // It never grows: a copy that is left behind would not be wiped.
        let mut output = String::with_capacity(node.span().len());
        if node.kind == NodeKind::Key {
            self.raw(node).decode_key(&mut output, &mut ());
        } else {
            let _kind = self.raw(node).decode_scalar(&mut output, &mut ());
        }
        Cow::Owned(output)
    }

    /// The quoting of a key or value; `None` when it stands bare.
    pub fn encoding(&self, id: NodeId) -> Option<Encoding> {
        self.nodes[id].encoding
    }

    fn raw(&self, node: &Node) -> Raw<'t> {
        let span = node.span();
        Raw::new_unchecked(
            &self.text[span.clone()],
            node.encoding,
            Span::new_unchecked(span.start, span.end),
        )
    }
}
