//! From the parser's events to nodes, with a look at each value.

use std::borrow::Cow;
use std::ops::Range;

use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::parser::EventReceiver;
use toml_parser::{ErrorSink, ParseError, Raw, Span};

use super::scalar;
use super::versions::{
    BLANK_AFTER_BACKSLASH, CONTROL_CHARACTER, DOTTED_KEY, ESCAPE, LINES_IN_TABLE, MIXED_ARRAY,
    QUOTE_AT_END, Refusals, Refused, TRAILING_COMMA,
};
use super::{Form, Node, NodeId, NodeKind};

/// How many dotted parts a key may have; a real one has three.
const MAX_PARTS: usize = 128;

/// How many bytes of a text there are for each node, at the least, unless it is dense.
const BYTES_OF_A_NODE: usize = 8;

/// How many bytes are read before the room for the nodes of the rest is asked for.
const SAMPLE: usize = 1 << 16;

/// How many nodes a plain line has at most that is no array.
const NODES_OF_A_LINE: usize = 16;

/// How many quotes stand at each end of a string on several lines.
const QUOTES: usize = 3;

/// Turns the parser's events into nodes.
pub(super) struct Builder<'t> {
    pub text: &'t str,
    /// Where the piece of the text begins that the parser reads, from which it counts.
    pub base: usize,
    pub nodes: Vec<Node>,
    pub comments: Vec<Range<usize>>,
    pub refusals: Refusals,
    /// Whether the key of a pair has dots.
    pub dotted: bool,
    /// The nodes that are still open: a header, or pairs, arrays and inline tables.
    open: Vec<NodeId>,
    /// Where a comma stands behind which nothing has come yet.
    comma: Option<usize>,
}

impl<'t> Builder<'t> {
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            base: 0,
            nodes: Vec::with_capacity(text.len().min(SAMPLE) / BYTES_OF_A_NODE),
            comments: Vec::new(),
            refusals: Refusals::default(),
            dotted: false,
            open: Vec::new(),
            comma: None,
        }
    }

    /// Asks for the room that the rest of a text needs if it is as dense as the text up to `at`. Room that
    /// is not used would be wiped all the same, and doubling would need the memory of both for a moment.
    pub fn make_room(&mut self, at: usize) {
        let length = self.nodes.len();
        if self.nodes.capacity() - length < NODES_OF_A_LINE && at > 0 {
            let rest = length.saturating_mul(self.text.len() - at) / at;
            self.nodes.reserve_exact(rest + rest / 32 + length / 8 + NODES_OF_A_LINE);
        }
    }

    /// Adds a node without any inside.
    // Spans fit: `Syntax::parse` refuses a text that is longer.
    #[allow(clippy::cast_possible_truncation)]
    pub fn add(
        &mut self,
        kind: NodeKind,
        form: Form,
        encoding: Option<Encoding>,
        span: Range<usize>,
    ) -> NodeId {
        let id = self.nodes.len();
        let (start, end) = (span.start as u32, span.end as u32);
        self.nodes.push(Node { kind, form, encoding, start, end, next: id as u32 + 1 });
        id
    }

    /// Ends a node behind those that came after it, which are inside it.
    // As in `add`: each node is a byte of the text at least.
    #[allow(clippy::cast_possible_truncation)]
    pub fn finish(&mut self, id: NodeId, end: usize) {
        let next = self.nodes.len() as u32;
        self.nodes[id].end = end as u32;
        self.nodes[id].next = next;
    }

    fn push(
        &mut self,
        kind: NodeKind,
        form: Form,
        encoding: Option<Encoding>,
        span: Span,
    ) -> NodeId {
        self.add(kind, form, encoding, self.base + span.start()..self.base + span.end())
    }

    fn open(&mut self, kind: NodeKind, span: Span) {
        let id = self.push(kind, Form::Neither, None, span);
        self.open.push(id);
    }

    /// Ends the innermost open node, and the pair whose value it is.
    fn close(&mut self, end: usize) {
        if let Some(id) = self.open.pop() {
            self.finish(id, self.base + end);
        }
    }

    fn close_pair(&mut self, end: usize) {
        if self.open.last().is_some_and(|&id| self.nodes[id].kind == NodeKind::Pair) {
            self.close(end);
        }
    }

    fn note(&mut self, offset: usize, refused: Refused) {
        self.refusals.note(self.base + offset, refused);
    }

    fn inside(&self) -> Option<NodeKind> {
        self.open.last().map(|&id| self.nodes[id].kind)
    }

    fn text(&self, span: Span) -> &'t str {
        let (start, end) = (self.base + span.start(), self.base + span.end());
        self.text.get(start..end).unwrap_or_default()
    }

    fn check_key(
        &mut self,
        text: &str,
        span: Span,
        encoding: Option<Encoding>,
        error: &mut dyn ErrorSink,
    ) {
        Raw::new_unchecked(text, encoding, span).decode_key(&mut Cow::Borrowed(""), error);
        self.check_string(text, span.start(), encoding);
    }

    fn check_value(
        &mut self,
        span: Span,
        encoding: Option<Encoding>,
        error: &mut dyn ErrorSink,
    ) -> Form {
        let text = self.text(span);
        let raw = Raw::new_unchecked(text, encoding, span);
        if encoding.is_some() {
            // What it stands for is not wanted here, and may be a secret.
            let _string = raw.decode_scalar(&mut (), error);
            self.check_string(text, span.start(), encoding);
            return form(text, encoding);
        }
        let mut output = Cow::Borrowed("");
        let kind = raw.decode_scalar(&mut output, error);
        if output.is_empty() {
            error.report_error(ParseError::new("no value").with_unexpected(span));
            return Form::Neither;
        }
        match scalar::check(kind, &output) {
            Ok(refused) => {
                for refused in refused {
                    self.note(span.start(), refused);
                }
            }
            Err(problem) => error.report_error(ParseError::new(problem).with_unexpected(span)),
        }
        match kind {
            ScalarKind::String => Form::Plain,
            ScalarKind::Boolean(_) => Form::Flag,
            ScalarKind::Integer(_) => Form::Integer,
            ScalarKind::Float => Form::Float,
            ScalarKind::DateTime => Form::Time,
        }
    }

    /// Looks for what a string holds that only some versions read.
    fn check_string(&mut self, text: &str, start: usize, encoding: Option<Encoding>) {
        let lines = matches!(encoding, Some(Encoding::MlBasicString | Encoding::MlLiteralString));
        let escapes = matches!(encoding, Some(Encoding::BasicString | Encoding::MlBasicString));
        // Where the three quotes begin that end it.
        let mut end = lines.then(|| text.len().saturating_sub(QUOTES));
        if escapes && text.contains('\\') {
            let bytes = text.as_bytes();
            let mut at = 0;
            while let Some(next) = text.get(at..).and_then(|rest| rest.find('\\')) {
                let escape = at + next;
                match bytes.get(escape + 1) {
                    Some(b'e' | b'x') => self.note(start + escape, ESCAPE),
                    Some(b' ' | b'\t' | b'\r') => {
                        self.note(start + escape, BLANK_AFTER_BACKSLASH);
                    }
                    _ => {}
                }
                at = escape + 2;
                // An escaped quote is none that could end the string.
                end = end.filter(|&end| end != at);
            }
        }
        if let Some(end) = end.filter(|&end| end > QUOTES)
            && text.as_bytes()[end - 1] == text.as_bytes()[0]
        {
            self.note(start + end, QUOTE_AT_END);
        }
    }

    /// Looks for values of several types in an array, which the first TOML did not allow.
    fn check_array(&mut self, array: NodeId) {
        let mut id = array + 1;
        let mut first = None;
        while id < self.nodes.len() {
            let kind = self.value_type(id);
            if *first.get_or_insert(kind) != kind {
                self.refusals.note(self.nodes[id].start as usize, MIXED_ARRAY);
                return;
            }
            id = self.nodes[id].next as usize;
        }
    }

    /// The type of a value as the first TOML tells them apart.
    fn value_type(&self, id: NodeId) -> (NodeKind, Form) {
        let Node { kind, form, .. } = self.nodes[id];
        (kind, if form == Form::Coded { Form::Plain } else { form })
    }
}

/// What a key or string is.
fn form(text: &str, encoding: Option<Encoding>) -> Form {
    let plain = match encoding {
        None | Some(Encoding::LiteralString) => true,
        Some(Encoding::BasicString) => !text.contains('\\'),
        Some(Encoding::MlLiteralString | Encoding::MlBasicString) => false,
    };
    if plain { Form::Plain } else { Form::Coded }
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
        self.comma = None;
        self.open(NodeKind::InlineTable, span);
        true
    }

    fn inline_table_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        if let Some(comma) = self.comma.take() {
            self.note(comma, TRAILING_COMMA);
        }
        self.close(span.end());
        self.close_pair(span.end());
    }

    fn array_open(&mut self, span: Span, _: &mut dyn ErrorSink) -> bool {
        self.comma = None;
        self.open(NodeKind::Array, span);
        true
    }

    fn array_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.comma = None;
        if let Some(&array) = self.open.last() {
            self.check_array(array);
        }
        self.close(span.end());
        self.close_pair(span.end());
    }

    fn simple_key(&mut self, span: Span, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        self.comma = None;
        match self.inside() {
            None | Some(NodeKind::InlineTable) => self.open(NodeKind::Pair, span),
            Some(NodeKind::Pair) => {
                self.dotted = true;
                self.note(span.start(), DOTTED_KEY);
                let parts = self.open.last().map_or(0, |&pair| self.nodes.len() - pair);
                if parts > MAX_PARTS {
                    let problem = "this key has too many parts";
                    error.report_error(ParseError::new(problem).with_unexpected(span));
                }
            }
            _ => {}
        }
        let text = self.text(span);
        self.check_key(text, span, kind, error);
        self.push(NodeKind::Key, form(text, kind), kind, span);
    }

    fn scalar(&mut self, span: Span, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        self.comma = None;
        let form = self.check_value(span, kind, error);
        self.push(NodeKind::Scalar, form, kind, span);
        self.close_pair(span.end());
    }

    fn value_sep(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.comma = Some(span.start());
    }

    fn comment(&mut self, span: Span, error: &mut dyn ErrorSink) {
        if self.inside() == Some(NodeKind::InlineTable) {
            self.note(span.start(), LINES_IN_TABLE);
        }
        let control = |byte: u8| (byte < b' ' && byte != b'\t') || byte == 0x7f;
        if let Some(at) = self.text(span).bytes().position(control) {
            if self.text(span).contains('\0') {
                error.report_error(ParseError::new("a NUL in a comment").with_unexpected(span));
            }
            self.note(span.start() + at, CONTROL_CHARACTER);
        }
        self.comments.push(self.base + span.start()..self.base + span.end());
    }

    fn newline(&mut self, span: Span, error: &mut dyn ErrorSink) {
        if self.inside() == Some(NodeKind::InlineTable) {
            self.note(span.start(), LINES_IN_TABLE);
        }
        // To `toml_parser` a lone carriage return ends a line, to GitLab Runner's library it
        // doesn't: what follows could be a comment to one and a key to the other.
        if self.text(span) == "\r" {
            let problem = "a carriage return without a line feed";
            error.report_error(ParseError::new(problem).with_unexpected(span));
        }
    }
}
