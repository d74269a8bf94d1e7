//! Which keys of a config GitLab Runner knows, and what each must hold.
//!
//! BurntSushi/toml sets the fields of Go structs: a known key with a value of another type stops
//! the runner (`incompatible types`), an unknown key is ignored without a word.

mod list;
mod lookup;
mod ordinary;

use std::borrow::Cow;
use std::ops::Range;

use crate::runner::Config;
use crate::secret::{HIDDEN, may_be_secret};
use crate::toml::syntax::{Form, Name, Node, NodeId, NodeKind, Syntax};
use list::{Group, ROOT, RUNNERS};
use lookup::{Found, Known, Lookup, find};

/// What a key must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Flag,
    Number,
    Float,
    /// A number of nanoseconds, or (from 15.9 on) a string such as `1h30m`.
    Duration,
    Date,
    TextList,
    TextOrList,
    Any,
    List(&'static Kind),
    /// A table whose keys somebody chose.
    Map(&'static Kind),
    Table(&'static [Group]),
}

impl Kind {
    /// Whether it is this table. To compare all that both hold would take long.
    fn is_of(self, table: &'static [Group]) -> bool {
        matches!(self, Self::Table(groups) if std::ptr::eq(groups, table))
    }

    /// What it is in the words of a message.
    fn words(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Flag => "true or false",
            Self::Number => "a whole number",
            Self::Float => "a number",
            Self::Duration => "a duration such as \"1h30m\"",
            Self::Date => "a date",
            Self::TextList | Self::List(Self::Text) => "an array of strings",
            Self::TextOrList => "a string or an array of strings",
            Self::List(Self::Table(_)) => "an array of tables ([[…]])",
            Self::List(_) => "an array of numbers",
            Self::Map(Self::Text) => "a table of strings",
            Self::Map(_) | Self::Table(_) => "a table ([…])",
            Self::Any => "anything",
        }
    }
}

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

/// The keys of a config beside those that GitLab Runner knows.
pub(crate) struct Keys {
    /// Those that are not as it wants them.
    pub flaws: Vec<FlawedKey>,
    /// The blocks, in order, that are not ordinary: see [`ordinary`].
    pub odd_blocks: Vec<usize>,
}

/// Compares every key of a config with those that GitLab Runner knows.
pub(crate) fn check(config: &Config<'_>) -> Keys {
    let syntax = config.syntax();
    let mut lookup = Lookup::new();
    let odd_blocks = ordinary::odd_blocks(syntax, &mut lookup);
    Keys { flaws: flaws(config, lookup, &odd_blocks), odd_blocks }
}

/// The flawed keys of some blocks.
fn flaws(config: &Config<'_>, lookup: Lookup, blocks: &[usize]) -> Vec<FlawedKey> {
    let syntax = config.syntax();
    let mut check = Check { syntax, lookup, path: Vec::new(), flaws: Vec::new() };
    for &number in blocks {
        let block = &syntax.blocks()[number];
        check.block(block.header(), block.pairs(), config.runner_of_block(number));
    }
    check.flaws
}

/// The flawed keys of all blocks, however ordinary.
#[cfg(test)]
pub(crate) fn check_every_block(config: &Config<'_>) -> Vec<FlawedKey> {
    let every: Vec<_> = (0..config.syntax().blocks().len()).collect();
    flaws(config, Lookup::new(), &every)
}

/// Whether GitLab Runner knows a key of the root (`&[]`), of a runner (`&["runners"]`) or of a
/// runner's table (`&["runners", "docker"]`).
pub(crate) fn is_known(section: &[&str], key: &str) -> bool {
    let mut groups = ROOT;
    for name in section {
        match find(groups, name).map(|known| known.kind) {
            Some(Kind::Table(inner) | Kind::List(&Kind::Table(inner))) => groups = inner,
            _ => return false,
        }
    }
    find(groups, key).is_some()
}

fn names(groups: &[Group]) -> impl Iterator<Item = (Kind, &'static str)> + '_ {
    groups.iter().flat_map(|(kind, names)| names.split_whitespace().map(|name| (*kind, name)))
}

struct Check<'c, 't> {
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
        let shown = self.path.iter().map(|key| if may_be_secret(key) { HIDDEN } else { key });
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

/// Whether a scalar is of a kind.
fn fits(scalar: &Node, kind: Kind) -> bool {
    match scalar.form {
        Form::Plain | Form::Coded => {
            matches!(kind, Kind::Text | Kind::TextOrList | Kind::Duration | Kind::Date)
        }
        Form::Flag => matches!(kind, Kind::Flag),
        Form::Integer => matches!(kind, Kind::Number | Kind::Duration | Kind::Float),
        Form::Float => matches!(kind, Kind::Float),
        Form::Time => matches!(kind, Kind::Date),
        Form::Neither => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::letter_case::same_key;
    use crate::toml::text::ConfigText;

    fn flaws(text: &str) -> Vec<(String, Option<usize>, Flaw)> {
        let text = ConfigText::new("config.toml", text.as_bytes().to_vec());
        let config = Config::parse(&text).unwrap();
        check(&config).flaws.into_iter().map(|flaw| (flaw.path, flaw.runner, flaw.flaw)).collect()
    }

    #[test]
    fn no_key_stands_twice_in_a_table_and_none_is_empty() {
        fn walk(kind: Kind, tables: &mut usize) {
            match kind {
                Kind::Table(groups) => {
                    *tables += 1;
                    let all: Vec<_> = names(groups).map(|(_, name)| name).collect();
                    assert!(!all.is_empty());
                    for (number, name) in all.iter().enumerate() {
                        assert!(!all[..number].iter().any(|other| same_key(other, name)), "{name}");
                    }
                    names(groups).for_each(|(kind, _)| walk(kind, tables));
                }
                Kind::List(inner) | Kind::Map(inner) => walk(*inner, tables),
                _ => {}
            }
        }
        let mut tables = 0;
        walk(Kind::Table(ROOT), &mut tables);
        assert!(tables > 50, "{tables}");
    }

    #[test]
    fn a_usual_config_is_ordinary() {
        let text = "concurrent = 4\n[session_server]\nsession_timeout = 1800\n\
            [[runners]]\nname = 'a'\ntoken_expires_at = 0001-01-01T00:00:00Z\n\
            environment = ['DOCKER_AUTH_CONFIG={}']\n[runners.feature_flags]\nFF_X = true\n\
            [runners.cache]\n[runners.cache.s3]\nSecretKey = 'x'\n\
            [runners.docker]\nprivileged = false\nvolumes = ['/cache']\n\
            [[runners.docker.services]]\nname = 'x'\n";
        for (text, odd) in [
            (text.to_owned(), vec![]),
            (text.replace("privileged", "Privileged"), vec![6]),
            (text.replace("'/cache'", "'DOCKER_AUTH_CONFIG=x'"), vec![6]),
            (text.replace("FF_X", "docker_auth_config"), vec![3]),
            (text.replace("1800", "'1800'"), vec![1]),
        ] {
            let text = ConfigText::new("config.toml", text.into_bytes());
            assert_eq!(check(&Config::parse(&text).unwrap()).odd_blocks, odd, "{text:?}");
        }
    }

    #[test]
    fn types_are_compared() {
        for (text, fine) in [
            ("concurrent = 4\ncheck_interval = 1_0\n", true),
            ("concurrent = '4'\n", false),
            ("concurrent = 4.0\n", false),
            ("[session_server]\nsession_timeout = 0x10\n", true),
            ("[[session_server]]\n", false),
            ("session_server = 1\n", false),
            ("connection_max_age = '15m'\n", true),
            ("[[runners]]\nlimit = true\n", false),
            ("[[runners]]\ntoken_expires_at = 0001-01-01T00:00:00Z\n", true),
            ("[[runners]]\n[runners.docker]\nvolumes = '/cache'\n", false),
            ("[[runners]]\n[runners.docker]\nvolumes = ['/cache', 1]\n", false),
            ("[[runners]]\n[runners.docker]\nprivileged = 'true'\n", false),
            ("[[runners]]\n[runners.docker]\npull_policy = ['always']\n", true),
            ("[[runners]]\n[runners.docker]\npull_policy = 'always'\n", true),
            ("[[runners]]\n[runners.docker.sysctls]\n'net.ipv4.ip_forward' = '1'\n", true),
            ("[[runners]]\n[runners.docker.sysctls]\nnet.ipv4.ip_forward = '1'\n", false),
            ("[[runners]]\n[runners.docker.services_devices]\n'a' = ['b']\n", true),
            ("[[runners]]\n[[runners.docker.services]]\nname = 'x'\nalias = 'y'\n", true),
            ("[[runners]]\n[runners.docker.services]\nname = 'x'\n", false),
            ("[[runners]]\n[runners.feature_flags]\nFF_X = 'true'\n", false),
            ("[[runners]]\n[runners.machine]\nIdleScaleFactor = 1\n", true),
            ("[[runners]]\n[runners.machine]\nidlecount = 1.5\n", false),
            (
                "[[runners]]\n[runners.autoscaler.plugin_config]\na = 1\n[runners.autoscaler.plugin_config.b]\nc = []\n",
                true,
            ),
            (
                "[[runners]]\n[[runners.kubernetes.volumes.host_path]]\nname = 'x'\nread_only = false\n",
                true,
            ),
            ("runners = [{name = 'a', docker = {image = 'x', privileged = 1}}]\n", false),
            ("runners = [{name = 'a', docker.image = 'x'}]\n", true),
        ] {
            assert_eq!(flaws(text).is_empty(), fine, "{text}: {:?}", flaws(text));
        }
    }

    #[test]
    fn unknown_keys_are_told_from_misplaced_ones() {
        let unknown = |nearest| Flaw::Unknown { nearest };
        let misplaced = |section: &str| Flaw::WrongSection { section: section.to_owned() };
        for (text, path, flaw) in [
            ("concurency = 1\n", "concurency", unknown(Some("concurrent"))),
            (
                "[[runners]]\nprivileged = true\n",
                "runners.privileged",
                misplaced("[runners.docker]"),
            ),
            (
                "[[runners]]\nconcurrent = 1\n",
                "runners.concurrent",
                misplaced("the top of the file"),
            ),
            ("environment = []\n[[runners]]\n", "environment", misplaced("[[runners]]")),
            (
                "[[runners]]\n[runners.docker]\nenvironment = []\n",
                "runners.docker.environment",
                misplaced("[[runners]]"),
            ),
            (
                "[[runners]]\n[runners.docker]\nvolume = []\n",
                "runners.docker.volume",
                unknown(Some("volumes")),
            ),
            (
                "[[runners]]\n[runners.dokcer]\nimage = 1\n",
                "runners.dokcer",
                unknown(Some("docker")),
            ),
            ("[[runner]]\nname = 'x'\n", "runner", unknown(Some("runners"))),
            ("zzz = 1\n", "zzz", unknown(None)),
        ] {
            let runner = text.starts_with("[[runners]]").then_some(0);
            assert_eq!(flaws(text), [(path.to_owned(), runner, flaw)], "{text}");
        }
    }
}
