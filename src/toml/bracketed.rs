//! Adding to and taking from what stands between two brackets: an array, or an inline table.
//!
//! What is added takes the layout of its neighbours: one line or one line each, indent, trailing
//! comma or none, line end. What is taken out takes its comma and its line with it; neighbours and
//! their comments stay.

use std::collections::HashSet;
use std::ops::Range;

use crate::secret::Secret;
use crate::toml::edit::Edit;
use crate::toml::lines::{
    after_newline, deeper, leading_blank, line_end, line_indent, line_start, newline_at,
    newline_before, skip_blank,
};

/// An array or inline table: its brackets, and the spans of what it holds.
pub(crate) struct List<'t> {
    text: &'t str,
    /// From the opening bracket to after the closing one.
    span: Range<usize>,
    items: Vec<Range<usize>>,
}

impl<'t> List<'t> {
    pub fn new(text: &'t str, span: Range<usize>, items: Vec<Range<usize>>) -> Self {
        Self { text, span, items }
    }

    /// Adds items at the end.
    pub fn append(&self, new: &[Secret]) -> Vec<Edit> {
        if new.is_empty() {
            return Vec::new();
        }
        let Some(last) = self.items.last() else {
            return vec![self.append_first(new)];
        };
        let comma = self.comma_after(last);
        let Some(prefix) = self.line_prefix(last) else {
            return vec![self.append_inline(last, comma, new)];
        };
        let anchor = comma.map_or(last.end, |comma| comma + 1);
        let at = self.line_rest(anchor).unwrap_or(anchor);
        let newline = newline_at(self.text, at);
        let blank = prefix.replace(',', "");
        let each = |before: &[&str], after: &str| {
            let around = |item: &Secret| {
                let parts: Vec<_> = before.iter().copied().chain([item.expose(), after]).collect();
                Secret::concat(&parts)
            };
            Secret::join(&new.iter().map(around).collect::<Vec<_>>(), "")
        };
        match comma {
            Some(_) => vec![Edit::insert(at, each(&[newline, &blank], ","))],
            // Commas stand at the start of each line.
            None if prefix.contains(',') => {
                vec![Edit::insert(at, each(&[newline, prefix], ""))]
            }
            None if at == last.end => {
                vec![Edit::insert(at, each(&[",", newline, prefix], ""))]
            }
            None => {
                let items = Secret::join(new, &format!(",{newline}{prefix}"));
                let added = Secret::concat(&[newline, prefix, items.expose()]);
                vec![Edit::insert(last.end, ","), Edit::insert(at, added)]
            }
        }
    }

    fn append_first(&self, new: &[Secret]) -> Edit {
        let inner = self.span.start + 1..self.span.end - 1;
        let body = &self.text[inner.clone()];
        let Some(last_line) = body.rfind('\n') else {
            return Edit::insert(
                inner.start,
                Secret::concat(&[body, Secret::join(new, ", ").expose()]),
            );
        };
        // Below the comments, above the line of the closing bracket.
        let line_end = last_line - usize::from(body[..last_line].ends_with('\r'));
        let comment = body.lines().skip(1).find(|line| line.trim_start().starts_with('#'));
        let indent = match comment {
            Some(line) => leading_blank(line).to_owned(),
            None => deeper(line_indent(self.text, self.span.start)),
        };
        let newline = newline_before(self.text, inner.end);
        let items = Secret::join(new, &format!(",{newline}{indent}"));
        let added = Secret::concat(&[newline, &indent, items.expose()]);
        Edit::insert(inner.start + line_end, added)
    }

    fn append_inline(&self, last: &Range<usize>, comma: Option<usize>, new: &[Secret]) -> Edit {
        let between = match &self.items[..] {
            [.., before, _] => &self.text[before.end..last.start],
            _ => ", ",
        };
        let plain = between.trim_matches([' ', '\t']) == ",";
        let between = if plain { between } else { ", " };
        let Some(comma) = comma else {
            let items = Secret::join(new, between);
            return Edit::insert(last.end, Secret::concat(&[between, items.expose()]));
        };
        let (before, after) = between.split_once(',').unwrap_or(("", " "));
        let items = Secret::join(new, &format!("{before},{after}"));
        Edit::insert(comma + 1, Secret::concat(&[after, items.expose(), before, ","]))
    }

    /// Takes items out, given by their numbers in ascending order.
    pub fn remove(&self, gone: &[usize]) -> Vec<Edit> {
        let all: HashSet<usize> = gone.iter().copied().collect();
        let kept = |number: &usize| !all.contains(number);
        let last_kept = (0..self.items.len()).rfind(kept);
        let mut spans = Vec::new();
        for &number in gone {
            let follows = last_kept.is_some_and(|last| number < last);
            self.remove_one(number, follows, &mut spans);
        }
        let trailing = gone.last().is_some_and(|&last| last + 1 == self.items.len());
        if let (Some(kept), Some(last), true) = (last_kept, self.items.last(), trailing)
            && self.comma_after(last).is_none()
            && let Some(comma) = self.comma_after(&self.items[kept])
        {
            spans.push(comma..comma + 1);
        }
        union(spans).into_iter().map(Edit::remove).collect()
    }

    /// The spans that go with one item. `follows` says that an item which stays comes after it.
    fn remove_one(&self, number: usize, follows: bool, spans: &mut Vec<Range<usize>>) {
        let item = &self.items[number];
        let comma = self.comma_after(item);
        let close = comma
            .filter(|&comma| !self.text[item.end..comma].contains('\n'))
            .map_or(item.end, |comma| comma + 1);
        let whole_line = self.line_prefix(item).zip(self.line_rest(close));
        if let Some((prefix, rest)) = whole_line
            && !(prefix.contains(',') && close > item.end)
        {
            spans.push(line_start(self.text, item.start)..after_newline(self.text, rest));
            let later = comma.filter(|_| close == item.end && !prefix.contains(','));
            if let Some(comma) = later {
                spans.push(comma..skip_blank(self.text, comma + 1));
            }
            return;
        }
        if follows {
            let end = comma.map_or(item.end, |comma| comma + 1);
            // A comment before the comma belongs to the neighbours.
            if self.text[item.end..end].contains('#') {
                spans.push(item.clone());
                spans.push(end - 1..end);
            } else {
                spans.push(item.start..skip_blank(self.text, end));
            }
            return;
        }
        let end = comma.map_or(item.end, |comma| comma + 1);
        let before = number.checked_sub(1).map(|before| &self.items[before]);
        let Some(before) = before else {
            let end = if comma.is_none() { skip_blank(self.text, end) } else { end };
            spans.push(item.start..end);
            return;
        };
        let separator = self.comma_after(before).map_or(before.end, |at| at + 1);
        if self.text[separator..item.start].contains('#') {
            let blank = self.line_prefix(item).map_or(0, str::len);
            spans.push(item.start - blank..end);
        } else if comma.is_some() {
            spans.push(separator..end);
        } else {
            // The blank before the comma came with it.
            let comma = separator.saturating_sub(1).max(before.end);
            let blank = skip_blank(self.text, before.end) == comma;
            spans.push(if blank { before.end } else { comma }..end);
        }
    }

    /// Where the comma after an item stands.
    fn comma_after(&self, item: &Range<usize>) -> Option<usize> {
        let mut at = item.end;
        let bytes = self.text.as_bytes();
        while at < self.span.end {
            match bytes[at] {
                b',' => return Some(at),
                b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                b'#' => at = line_end(self.text, at),
                _ => return None,
            }
        }
        None
    }

    /// What stands before an item on its line, if that is white space and perhaps a comma.
    fn line_prefix(&self, item: &Range<usize>) -> Option<&'t str> {
        let start = line_start(self.text, item.start);
        let prefix = &self.text[start..item.start];
        let blank = prefix.chars().all(|letter| matches!(letter, ' ' | '\t' | ','));
        (blank && start > self.span.start && prefix.matches(',').count() < 2).then_some(prefix)
    }

    /// The end of the line if nothing but white space and a comment is left on it after `at`.
    fn line_rest(&self, at: usize) -> Option<usize> {
        let rest = skip_blank(self.text, at);
        match self.text.as_bytes().get(rest) {
            Some(b'#' | b'\n' | b'\r') if rest < self.span.end => Some(line_end(self.text, rest)),
            _ => None,
        }
    }
}

/// Joins spans that touch or overlap, in order.
fn union(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_by_key(|span| (span.start, span.end));
    let mut out: Vec<Range<usize>> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => out.push(span),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::edit::splice_text;
    use crate::toml::syntax::Syntax;

    fn list<'t>(syntax: &Syntax<'t>) -> List<'t> {
        let array = syntax.value(0);
        let items = syntax.children(array).map(|id| syntax.node(id).span()).collect();
        List::new(syntax.text(), syntax.node(array).span(), items)
    }

    fn parsed(text: &str) -> Syntax<'_> {
        Syntax::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
    }

    #[test]
    fn an_added_item_looks_like_its_neighbours() {
        for (before, after) in [
            ("a=[]", "a=['n']"),
            ("a=[ ]", "a=[ 'n' ]"),
            ("a=[\n]", "a=[\n  'n'\n]"),
            ("\ta=[\r\n\t]", "\ta=[\r\n\t\t'n'\r\n\t]"),
            ("a=[\n    # x, y\n  ]", "a=[\n    # x, y\n    'n'\n  ]"),
            ("a=[1]", "a=[1, 'n']"),
            ("a=[1,]", "a=[1, 'n',]"),
            ("a=[ 1 , 2 ]", "a=[ 1 , 2 , 'n' ]"),
            ("a=[1,2]", "a=[1,2,'n']"),
            ("a=[1,2,]", "a=[1,2,'n',]"),
            ("a=[\n 1\n]", "a=[\n 1,\n 'n'\n]"),
            ("a=[\n 1,\n]", "a=[\n 1,\n 'n',\n]"),
            ("a=[\r\n 1 # x\r\n]", "a=[\r\n 1, # x\r\n 'n'\r\n]"),
            ("a=[\n 1, # x, y\n # z\n]", "a=[\n 1, # x, y\n 'n',\n # z\n]"),
            ("a=[1,\n   2]", "a=[1,\n   2,\n   'n']"),
            ("a=[1 # x\n]", "a=[1, 'n' # x\n]"),
            ("a=[ 1\n  , 2\n]", "a=[ 1\n  , 2\n  , 'n'\n]"),
            ("a=[\n 1, 2,\n 3, 4\n]", "a=[\n 1, 2,\n 3, 4, 'n'\n]"),
        ] {
            let edits = list(&parsed(before)).append(&["'n'".into()]);
            assert_eq!(splice_text(before, &edits).expose(), after, "{before:?}");
            parsed(after);
        }
    }

    #[test]
    fn two_added_items_look_like_their_neighbours() {
        for (before, after) in [
            ("a=[]", "a=['n', 'm']"),
            ("a=[\n]", "a=[\n  'n',\n  'm'\n]"),
            ("a=[1]", "a=[1, 'n', 'm']"),
            ("a=[ 1 , 2 , ]", "a=[ 1 , 2 , 'n' , 'm' , ]"),
            ("a=[\n 1\n]", "a=[\n 1,\n 'n',\n 'm'\n]"),
            ("a=[\n 1,\n]", "a=[\n 1,\n 'n',\n 'm',\n]"),
            ("a=[\r\n 1 # x\r\n]", "a=[\r\n 1, # x\r\n 'n',\r\n 'm'\r\n]"),
            ("a=[ 1\n  , 2\n]", "a=[ 1\n  , 2\n  , 'n'\n  , 'm'\n]"),
        ] {
            let edits = list(&parsed(before)).append(&["'n'".into(), "'m'".into()]);
            assert_eq!(splice_text(before, &edits).expose(), after, "{before:?}");
            parsed(after);
        }
    }

    #[test]
    fn a_removed_item_takes_its_comma_and_line() {
        for (before, gone, after) in [
            ("a=[1]", &[0][..], "a=[]"),
            ("a=[1,]", &[0], "a=[]"),
            ("a=[ 1 ]", &[0], "a=[ ]"),
            ("a=[1, 2, 3]", &[0], "a=[2, 3]"),
            ("a=[1, 2, 3]", &[1], "a=[1, 3]"),
            ("a=[1, 2, 3]", &[2], "a=[1, 2]"),
            ("a=[1, 2, 3,]", &[2], "a=[1, 2,]"),
            ("a=[ 1 , 2 ]", &[1], "a=[ 1 ]"),
            ("a=[1, 2, 3]", &[1, 2], "a=[1]"),
            ("a=[1, 2, 3,]", &[1, 2], "a=[1,]"),
            ("a=[1, 2, 3]", &[0, 1, 2], "a=[]"),
            ("a=[\n 1,\n 2\n]", &[0], "a=[\n 2\n]"),
            ("a=[\n 1,\n 2\n]", &[1], "a=[\n 1\n]"),
            ("a=[\n 1, # x\n 2 # y\n]", &[1], "a=[\n 1 # x\n]"),
            ("a=[\r\n 1, # x\r\n 2, # y\r\n]", &[0], "a=[\r\n 2, # y\r\n]"),
            ("a=[\n # z\n 1,\n]", &[0], "a=[\n # z\n]"),
            ("a=[1,\n   2]", &[1], "a=[1]"),
            ("a=[1, # x\n   2]", &[1], "a=[1 # x\n]"),
            ("a=[1, # x\n   2]", &[0], "a=[# x\n   2]"),
            ("a=[1 # x\n , 2]", &[0], "a=[ # x\n  2]"),
            ("a=[ 1\n  , 2\n  , 3\n]", &[1], "a=[ 1\n  , 3\n]"),
            ("a=[ 1\n  , 2\n  , 3\n]", &[2], "a=[ 1\n  , 2\n]"),
            ("a=[\n  1\n  , 2\n]", &[0], "a=[\n  2\n]"),
            ("a=[\n 1,\n 2,\n 3\n]", &[1, 2], "a=[\n 1\n]"),
        ] {
            let edits = list(&parsed(before)).remove(gone);
            assert_eq!(splice_text(before, &edits).expose(), after, "{before:?} {gone:?}");
            parsed(after);
        }
    }
}
