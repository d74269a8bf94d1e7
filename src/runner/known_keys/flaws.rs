//! The keys that are not as GitLab Runner wants them: what each one is and where, and what was meant.

use std::borrow::Cow;
use std::ops::Range;

use super::list::{Group, ROOT, RUNNERS};
use super::lookup::{Found, Known, Lookup, find};
use super::{Kind, fits, names};
use crate::runner::Config;
use crate::secret::{HIDDEN, may_be_secret};
use crate::toml::syntax::{Name, NodeId, NodeKind, Syntax};

/// What is wrong with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It must hold something else, and GitLab Runner does not start.
    WrongType {
        /// What it must hold.
        expected: &'static str,
        /// Whether a dotted key stands for one name, such as `net.ipv4.ip_forward` in `sysctls`.
        dotted: bool,
        /// What is right in the place of the span, where there is no doubt.
        right: Option<String>,
    },
    /// It belongs into another section, and is ignored here.
    WrongSection {
        /// The header of the right one.
        section: String,
    },
    /// GitLab Runner does not know it, and ignores it.
    Unknown {
        /// The known key of that section that it resembles.
        nearest: Option<&'static str>,
    },
}

/// A key that is not as GitLab Runner wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlawedKey {
    /// The runner that it belongs to.
    pub runner: Option<usize>,
    /// The key with those of the tables around it, such as `runners.docker.volumes`.
    pub path: String,
    /// The value, or the key where that is what is wrong.
    pub span: Range<usize>,
    pub flaw: Flaw,
}

/// The flawed keys of some blocks.
pub(super) fn flaws(config: &Config<'_>, lookup: Lookup, blocks: &[usize]) -> Vec<FlawedKey> {
    let syntax = config.syntax();
    let mut check = Check { config, syntax, lookup, path: Vec::new(), flaws: Vec::new() };
    for &number in blocks {
        let block = &syntax.blocks()[number];
        check.block(block.header(), block.pairs(), config.runner_of_block(number));
    }
    check.flaws
}

struct Check<'c, 't> {
    config: &'c Config<'t>,
    syntax: &'c Syntax<'t>,
    lookup: Lookup,
    /// The names of the tables that are open and of the key in them.
    path: Vec<Cow<'t, str>>,
    flaws: Vec<FlawedKey>,
}

impl<'t> Check<'_, 't> {
    /// `runner` is the one that headers below `runners` belong to.
    fn block(&mut self, header: Option<NodeId>, pairs: Range<NodeId>, runner: Option<usize>) {
        self.path.clear();
        let Some(header) = header else { return self.pairs(Kind::Table(ROOT), pairs, None) };
        if let Some(table) = self.enter(header, runner) {
            self.pairs(table, pairs, runner);
        }
    }

    /// Goes down to the table that a header names; `None` where there is nothing to compare with.
    fn enter(&mut self, header: NodeId, runner: Option<usize>) -> Option<Kind> {
        let syntax = self.syntax;
        let array = syntax.node(header).kind == NodeKind::ArrayTable;
        let span = || syntax.node(header).span();
        let mut kind = Kind::Table(ROOT);
        let mut keys = syntax.named_keys(header).peekable();
        while let Some(key) = keys.next() {
            let last = keys.peek().is_none();
            kind = match self.descend(kind, key, span, runner)? {
                Kind::List(inner) if !last || array => *inner,
                kind @ (Kind::Table(_) | Kind::Map(_)) if !last || !array => kind,
                Kind::Any => return None,
                kind => {
                    self.wrong(kind, span(), runner, false);
                    return None;
                }
            };
        }
        Some(kind)
    }

    fn pairs(&mut self, table: Kind, pairs: Range<NodeId>, runner: Option<usize>) {
        let depth = self.path.len();
        for pair in self.syntax.siblings(pairs) {
            self.pair(table, pair, runner);
            self.path.truncate(depth);
        }
    }

    fn pair(&mut self, table: Kind, pair: NodeId, runner: Option<usize>) {
        let syntax = self.syntax;
        let value = syntax.value(pair);
        let own = || {
            let span = syntax.node(pair).span().start..syntax.node(value).span().start;
            span.start..span.start + trimmed(&syntax.text()[span.clone()])
        };
        let mut keys = syntax.named_keys(pair).peekable();
        let (mut here, mut first) = (table, true);
        while let Some(key) = keys.next() {
            let Some(below) = self.descend(here, key, own, runner) else { return };
            if keys.peek().is_none() {
                return self.value(below, value, runner);
            }
            if !matches!(below, Kind::Table(_) | Kind::Map(_) | Kind::Any) {
                // Below a map the dots are meant to be part of a name.
                let dotted = matches!(here, Kind::Map(_)) && first;
                self.path.extend(keys.map(|(key, _)| key));
                return self.wrong(below, own(), runner, dotted);
            }
            (here, first) = (below, false);
        }
    }

    fn value(&mut self, kind: Kind, value: NodeId, runner: Option<usize>) {
        let syntax = self.syntax;
        let node = syntax.node(value);
        let fits = match (kind, node.kind) {
            (Kind::Any, _) => true,
            (Kind::Table(_) | Kind::Map(_), NodeKind::InlineTable) => {
                self.pairs(kind, value + 1..syntax.after(value), runner);
                true
            }
            (Kind::TextList | Kind::TextOrList, NodeKind::Array) => holds_strings(syntax, value),
            (Kind::List(inner), NodeKind::Array) => {
                let runners = self.path.len() == 1 && inner.is_of(RUNNERS);
                for (element, child) in syntax.children(value).enumerate() {
                    let runner = if runners { Some(element) } else { runner };
                    self.value(*inner, child, runner);
                }
                true
            }
            (kind, NodeKind::Scalar) => fits(node, kind),
            _ => false,
        };
        if !fits {
            self.wrong(kind, node.span(), runner, false);
            let right = self.right(kind, value);
            if let Some(FlawedKey { flaw: Flaw::WrongType { right: slot, .. }, .. }) =
                self.flaws.last_mut()
            {
                *slot = right;
            }
        }
    }

    /// The value that was meant: a string in its array, a flag or number without its quotes, or a
    /// word in quotes.
    fn right(&self, kind: Kind, value: NodeId) -> Option<String> {
        let syntax = self.syntax;
        let raw = &syntax.text()[syntax.node(value).span()];
        let text = syntax.string(value);
        match kind {
            Kind::TextList if syntax.is_string(value) => Some(format!("[{raw}]")),
            Kind::Flag if matches!(&*text, "true" | "false") => Some(text.into_owned()),
            Kind::Number if text.len() < 10 && text.parse::<u32>().is_ok() => {
                Some(text.into_owned())
            }
            Kind::Text if matches!(raw, "true" | "false") || raw.parse::<i64>().is_ok() => {
                Some(format!("\"{raw}\""))
            }
            _ => None,
        }
    }

    /// Goes down to a section or value and says what it must be; `None` where the key is unknown,
    /// which is noted.
    fn descend(
        &mut self,
        kind: Kind,
        (key, name): (Cow<'t, str>, Name),
        span: impl Fn() -> Range<usize>,
        runner: Option<usize>,
    ) -> Option<Kind> {
        let groups = match kind {
            Kind::Table(groups) => groups,
            Kind::Map(&kind) => {
                self.path.push(key);
                return Some(kind);
            }
            _ => {
                self.path.push(key);
                return Some(Kind::Any);
            }
        };
        let table = self.lookup.table(groups);
        if let Some(Found { known, .. }) = self.lookup.find(table, name, || &key) {
            let Known { kind, name, .. } = known;
            self.path.push(Cow::Borrowed(name));
            return Some(kind);
        }
        let flaw = match owner_of(&self.path, &key) {
            Some(section) => Flaw::WrongSection { section },
            None => Flaw::Unknown { nearest: nearest(groups, &key) },
        };
        self.path.push(key);
        self.flaws.push(FlawedKey { runner, path: self.shown_path(), span: span(), flaw });
        None
    }

    /// The path at hand, without what somebody may have taken for a key.
    fn shown_path(&self) -> String {
        let is_secret = |key| may_be_secret(key) || !self.config.secrets_in(key).is_empty();
        let shown = self.path.iter().map(|key| if is_secret(key) { HIDDEN } else { key });
        shown.collect::<Vec<_>>().join(".")
    }

    fn wrong(&mut self, kind: Kind, span: Range<usize>, runner: Option<usize>, dotted: bool) {
        let key = &self.syntax.text()[span.clone()];
        let bare = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let right = (dotted && key.chars().all(bare)).then(|| format!("\"{key}\""));
        let flaw = Flaw::WrongType { expected: kind.words(), dotted, right };
        self.flaws.push(FlawedKey { runner, path: self.shown_path(), span, flaw });
    }
}

fn holds_strings(syntax: &Syntax<'_>, array: NodeId) -> bool {
    syntax.children(array).all(|child| syntax.is_string(child))
}

/// How long a text is without the blanks and the `=` at its end.
fn trimmed(text: &str) -> usize {
    text.trim_end_matches(|letter: char| letter == '=' || letter.is_whitespace()).len()
}

/// The header of the section that an unknown key belongs into: of the tables of a runner the one
/// that knows it, when there is only one.
fn owner_of(path: &[Cow<'_, str>], key: &str) -> Option<String> {
    let inside = path.first().is_some_and(|name| name == "runners");
    if !inside && find(RUNNERS, key).is_some() {
        return Some("[[runners]]".to_owned());
    }
    if !inside {
        return None;
    }
    if path.len() > 1 && find(RUNNERS, key).is_some() {
        return Some("[[runners]]".to_owned());
    }
    if find(ROOT, key).is_some() {
        return Some("the top of the file".to_owned());
    }
    let mut owners = names(RUNNERS).filter_map(|(kind, name)| match kind {
        Kind::Table(groups) => find(groups, key).map(|_| name),
        _ => None,
    });
    let pulling = ["docker", "kubernetes"];
    match (owners.next(), owners.next()) {
        (Some(name), None) => Some(format!("[runners.{name}]")),
        (Some(name), Some(_)) if pulling.contains(&name) => Some(format!("[runners.{name}]")),
        _ => None,
    }
}

/// The known key that another one resembles: the nearest of those that need at most two letters
/// in every three to be changed.
fn nearest(groups: &[Group], key: &str) -> Option<&'static str> {
    let key = key.to_lowercase();
    let near =
        names(groups).map(|(_, name)| (strsim::osa_distance(&key, &name.to_lowercase()), name));
    let most = key.chars().count() / 3;
    near.filter(|(distance, _)| *distance <= most).min().map(|(_, name)| name)
}
