//! The shape of a TOML text: which spans are headers, keys and values.
//!
//! The events of `toml_parser` are kept as one flat list of nodes in the order of the text. Each
//! node knows its span and where the nodes inside it end, so a whole value is skipped in one step
//! and nothing is decoded before somebody asks for it.

mod duplicates;
mod meaning;

use std::borrow::Cow;
use std::ops::Range;

use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::parser::{EventReceiver, RecursionGuard, parse_document};
use toml_parser::{ErrorSink, ParseError, Raw, Source, Span};

pub(crate) use meaning::Meaning;

/// How deep arrays and inline tables may nest; a real config nests three levels.
const MAX_DEPTH: u32 = 128;

/// What is wrong with a TOML text, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub offset: usize,
    pub problem: String,
}

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

/// One header, pair, key or value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub kind: NodeKind,
    encoding: Option<Encoding>,
    start: u32,
    end: u32,
    /// See [`Syntax::after`].
    next: u32,
}

impl Node {
    pub fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The number of a node in its [`Syntax`].
pub(crate) type NodeId = usize;

/// A header with the pairs that follow it, up to the next header; the first block has none.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// The header.
    pub header: Option<NodeId>,
    /// The nodes of the pairs.
    pub pairs: Range<NodeId>,
    /// The bytes from the header's first bracket to that of the next header.
    pub span: Range<usize>,
}

/// A parsed TOML text.
pub(crate) struct Syntax<'t> {
    text: &'t str,
    nodes: Vec<Node>,
    comments: Vec<Range<usize>>,
    blocks: Vec<Block>,
}

impl<'t> Syntax<'t> {
    /// Parses `text` and checks what GitLab Runner's TOML library checks: escapes, numbers, keys
    /// and tables that are there twice.
    pub fn parse(text: &'t str) -> Result<Self, SyntaxError> {
        if u32::try_from(text.len()).is_err() {
            return Err(SyntaxError { offset: 0, problem: "the file is larger than 4 GiB".into() });
        }
        let source = Source::new(text);
        let tokens = source.lex().into_vec();
        let mut builder = Builder::new(source, tokens.len());
        let mut error = None;
        let mut guard = RecursionGuard::new(&mut builder, MAX_DEPTH);
        parse_document(&tokens, &mut guard, &mut error);
        if let Some(error) = error {
            return Err(describe(text, &error));
        }
        // They take more room than all that comes of them.
        drop(tokens);
        let Builder { nodes, comments, .. } = builder;
        let blocks = blocks(&nodes, text.len());
        let syntax = Self { text, nodes, comments, blocks };
        duplicates::check(&syntax)?;
        Ok(syntax)
    }

    pub fn text(&self) -> &'t str {
        self.text
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The number of the first node after `id` that is not inside it.
    pub fn after(&self, id: NodeId) -> NodeId {
        self.nodes[id].next as usize
    }

    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The block that holds a byte offset.
    pub fn block_at(&self, offset: usize) -> usize {
        self.blocks.partition_point(|block| block.span.start <= offset).saturating_sub(1)
    }

    /// The comments, each from its `#` to before the line end.
    pub fn comments(&self) -> &[Range<usize>] {
        &self.comments
    }

    /// The nodes right inside `range`, without what is inside those.
    pub fn siblings(&self, range: Range<NodeId>) -> impl Iterator<Item = NodeId> + '_ {
        let mut id = range.start;
        std::iter::from_fn(move || {
            let here = id;
            (here < range.end).then(|| {
                id = self.nodes[here].next as usize;
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
    pub fn string(&self, id: NodeId) -> Cow<'t, str> {
        let node = &self.nodes[id];
        let raw = &self.text[node.span()];
        let mut output = Cow::Borrowed("");
        match (node.kind, node.encoding) {
            (NodeKind::Key, _) => self.raw(node).decode_key(&mut output, &mut ()),
            (_, Some(_)) => drop(self.raw(node).decode_scalar(&mut output, &mut ())),
            (_, None) => output = Cow::Borrowed(raw),
        }
        output
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

/// The nodes cut at the headers.
fn blocks(nodes: &[Node], length: usize) -> Vec<Block> {
    let mut blocks = vec![Block { header: None, pairs: 0..0, span: 0..length }];
    let mut id = 0;
    while let Some(node) = nodes.get(id) {
        let next = node.next as usize;
        if node.kind != NodeKind::Pair {
            let start = node.start as usize;
            if let Some(block) = blocks.last_mut() {
                block.span.end = start;
            }
            let pairs = next..next;
            blocks.push(Block { header: Some(id), pairs, span: start..length });
        } else if let Some(block) = blocks.last_mut() {
            block.pairs.end = next;
        }
        id = next;
    }
    blocks
}

/// Turns the parser's events into nodes.
struct Builder<'t> {
    source: Source<'t>,
    nodes: Vec<Node>,
    comments: Vec<Range<usize>>,
    /// The nodes that are still open: a header, or pairs, arrays and inline tables.
    open: Vec<NodeId>,
}

impl<'t> Builder<'t> {
    fn new(source: Source<'t>, tokens: usize) -> Self {
        Self {
            source,
            nodes: Vec::with_capacity(tokens / 2),
            comments: Vec::new(),
            open: Vec::new(),
        }
    }

    fn push(&mut self, kind: NodeKind, encoding: Option<Encoding>, span: Span) -> NodeId {
        let id = self.nodes.len();
        // Spans fit: `Syntax::parse` refuses a text that is longer.
        #[allow(clippy::cast_possible_truncation)]
        self.nodes.push(Node {
            kind,
            encoding,
            start: span.start() as u32,
            end: span.end() as u32,
            next: id as u32 + 1,
        });
        id
    }

    fn open(&mut self, kind: NodeKind, span: Span) {
        let id = self.push(kind, None, span);
        self.open.push(id);
    }

    /// Ends the innermost open node, and the pair whose value it is.
    #[allow(clippy::cast_possible_truncation)]
    fn close(&mut self, end: usize) {
        let next = self.nodes.len() as u32;
        if let Some(id) = self.open.pop() {
            self.nodes[id].end = end as u32;
            self.nodes[id].next = next;
        }
    }

    fn close_pair(&mut self, end: usize) {
        if self.open.last().is_some_and(|&id| self.nodes[id].kind == NodeKind::Pair) {
            self.close(end);
        }
    }

    fn check(&self, span: Span, encoding: Option<Encoding>, key: bool, error: &mut dyn ErrorSink) {
        let Some(text) = self.source.input().get(span.start()..span.end()) else {
            return;
        };
        let raw = Raw::new_unchecked(text, encoding, span);
        let mut output = Cow::Borrowed("");
        if key {
            raw.decode_key(&mut output, error);
        } else if !matches!(raw.decode_scalar(&mut output, error), ScalarKind::String)
            && output.is_empty()
        {
            error.report_error(ParseError::new("no value").with_unexpected(span));
        }
    }
}

impl EventReceiver for Builder<'_> {
    fn std_table_open(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.open(NodeKind::Table, span);
    }

    fn std_table_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.close(span.end());
    }

    fn array_table_open(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.open(NodeKind::ArrayTable, span);
    }

    fn array_table_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.close(span.end());
    }

    fn inline_table_open(&mut self, span: Span, _: &mut dyn ErrorSink) -> bool {
        self.open(NodeKind::InlineTable, span);
        true
    }

    fn inline_table_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.close(span.end());
        self.close_pair(span.end());
    }

    fn array_open(&mut self, span: Span, _: &mut dyn ErrorSink) -> bool {
        self.open(NodeKind::Array, span);
        true
    }

    fn array_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.close(span.end());
        self.close_pair(span.end());
    }

    fn simple_key(&mut self, span: Span, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        let inside = self.open.last().map(|&id| self.nodes[id].kind);
        if matches!(inside, None | Some(NodeKind::InlineTable)) {
            self.open(NodeKind::Pair, span);
        }
        self.check(span, kind, true, error);
        self.push(NodeKind::Key, kind, span);
    }

    fn scalar(&mut self, span: Span, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        self.check(span, kind, false, error);
        self.push(NodeKind::Scalar, kind, span);
        self.close_pair(span.end());
    }

    fn comment(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.comments.push(span.start()..span.end());
    }

    fn newline(&mut self, span: Span, error: &mut dyn ErrorSink) {
        // To `toml_parser` a lone carriage return ends a line, to GitLab Runner's library it
        // doesn't: what follows could be a comment to one and a key to the other.
        if self.source.input().get(span.start()..span.end()) == Some("\r") {
            let problem = "a carriage return without a line feed";
            error.report_error(ParseError::new(problem).with_unexpected(span));
        }
    }
}

/// The parser's message, which names what it met but never repeats the text.
fn describe(text: &str, error: &ParseError) -> SyntaxError {
    let span = error.unexpected().or(error.context());
    let offset = span.map_or(text.len(), |span| span.start()).min(text.len());
    let mut problem = format!("this is not TOML: {}", error.description());
    if pasted_json(text, offset) {
        problem.push_str(
            "; JSON between double quotes needs single quotes around it: \
             'DOCKER_AUTH_CONFIG={\"auths\": …}'",
        );
    }
    SyntaxError { offset, problem }
}

/// Whether the text around `offset` is the usual mistake: JSON pasted between double quotes, so
/// that its own first quote ends the string.
fn pasted_json(text: &str, offset: usize) -> bool {
    let bytes = text.as_bytes();
    let start = bytes[..offset].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let end = bytes[offset..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(bytes.len(), |at| offset + at);
    let line = &text[start..end];
    line.find("\"DOCKER_AUTH_CONFIG=").is_some_and(|at| line[at + 1..].contains("{\""))
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
        assert_eq!(&syntax.text()[block.span.clone()], "[t]\ne = 2\n");
        assert_eq!(syntax.siblings(block.pairs.clone()).count(), 1);
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
