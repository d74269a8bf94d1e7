//! Which keys of a config GitLab Runner knows, and what each must hold.
//!
//! BurntSushi/toml sets the fields of Go structs: a known key with a value of another type stops
//! the runner (`incompatible types`), an unknown key is ignored without a word.

mod list;

use std::ops::Range;

use crate::runner::Config;
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{NodeId, NodeKind, Syntax};
use list::{Group, ROOT, RUNNERS};

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

/// Compares every key of a config with those that GitLab Runner knows.
pub(crate) fn check(config: &Config<'_>) -> Vec<FlawedKey> {
    let mut check = Check { syntax: config.syntax(), runner: None, flaws: Vec::new() };
    let place = |number: usize| config.runners()[number].place();
    let mut next = 0;
    for (number, block) in config.syntax().blocks().iter().enumerate() {
        // Headers below `runners` belong to the runner before them.
        if block.header.is_some() && next < config.runners().len() && place(next).block == number {
            check.runner = Some(next);
            next += 1;
        }
        check.block(block.header, block.pairs.clone());
    }
    check.flaws
}

/// Whether GitLab Runner knows a key of the root (`&[]`), of a runner (`&["runners"]`) or of a
/// runner's table (`&["runners", "docker"]`).
pub(crate) fn is_known(section: &[&str], key: &str) -> bool {
    let mut groups = ROOT;
    for name in section {
        match find(groups, name).map(|(kind, _)| kind) {
            Some(Kind::Table(inner) | Kind::List(&Kind::Table(inner))) => groups = inner,
            _ => return false,
        }
    }
    find(groups, key).is_some()
}

/// The kind of a key with its right spelling.
fn find(groups: &[Group], key: &str) -> Option<(Kind, &'static str)> {
    names(groups).find(|(_, name)| same_key(name, key))
}

fn names(groups: &[Group]) -> impl Iterator<Item = (Kind, &'static str)> + '_ {
    groups.iter().flat_map(|(kind, names)| names.split_whitespace().map(|name| (*kind, name)))
}

/// A table on the way down to a key.
#[derive(Clone)]
struct Section {
    path: Vec<String>,
    kind: Kind,
}

impl Section {
    fn below(&self, key: &str, kind: Kind) -> Self {
        let mut path = self.path.clone();
        path.push(key.to_owned());
        Self { path, kind }
    }
}

struct Check<'c, 't> {
    syntax: &'c Syntax<'t>,
    runner: Option<usize>,
    flaws: Vec<FlawedKey>,
}

impl Check<'_, '_> {
    fn block(&mut self, header: Option<NodeId>, pairs: Range<NodeId>) {
        let syntax = self.syntax;
        let mut section = Section { path: Vec::new(), kind: Kind::Table(ROOT) };
        if let Some(header) = header {
            let array = syntax.node(header).kind == NodeKind::ArrayTable;
            let keys: Vec<_> = syntax.keys(header).collect();
            let runners = keys.first().is_some_and(|key| same_key(key, "runners"));
            let runner = self.runner.filter(|_| runners);
            for (number, key) in keys.iter().enumerate() {
                let last = number + 1 == keys.len();
                let span = syntax.node(header).span();
                let Some(below) = self.descend(&section, key, span.clone(), runner) else { return };
                section = below;
                section.kind = match section.kind {
                    Kind::List(inner) if !last || array => *inner,
                    kind @ (Kind::Table(_) | Kind::Map(_)) if !last || !array => kind,
                    Kind::Any => return,
                    kind => {
                        self.wrong(&section, kind, span, runner, false);
                        return;
                    }
                };
            }
            self.pairs(&section, pairs, runner);
        } else {
            self.pairs(&section, pairs, None);
        }
    }

    fn pairs(&mut self, section: &Section, pairs: Range<NodeId>, runner: Option<usize>) {
        let syntax = self.syntax;
        for pair in syntax.siblings(pairs) {
            let mut here = section.clone();
            let mut keys = syntax.keys(pair).peekable();
            let span = syntax.node(pair).span();
            let value = syntax.value(pair);
            let own = span.start..syntax.node(value).span().start;
            let own = own.start..own.start + trimmed(&syntax.text()[own.clone()]);
            let mut first = true;
            while let Some(key) = keys.next() {
                let Some(below) = self.descend(&here, &key, own.clone(), runner) else { break };
                if keys.peek().is_some()
                    && !matches!(below.kind, Kind::Table(_) | Kind::Map(_) | Kind::Any)
                {
                    // Below a map the dots are meant to be part of a name.
                    let dotted = matches!(here.kind, Kind::Map(_)) && first;
                    let rest: Vec<_> = keys.collect();
                    let whole = below.below(&rest.join("."), below.kind);
                    self.wrong(&whole, below.kind, own.clone(), runner, dotted);
                    break;
                }
                first = false;
                here = below;
                if keys.peek().is_none() {
                    self.value(&here, value, runner);
                }
            }
        }
    }

    fn value(&mut self, section: &Section, value: NodeId, runner: Option<usize>) {
        let syntax = self.syntax;
        let node = syntax.node(value);
        let fits = match (section.kind, node.kind) {
            (Kind::Any, _) => true,
            (Kind::Table(_) | Kind::Map(_), NodeKind::InlineTable) => {
                self.pairs(section, value + 1..syntax.after(value), runner);
                true
            }
            (Kind::TextList | Kind::TextOrList, NodeKind::Array) => {
                syntax.children(value).all(|child| syntax.is_string(child))
            }
            (Kind::List(inner), NodeKind::Array) => {
                let runners = section.path.len() == 1 && *inner == Kind::Table(RUNNERS);
                for (element, child) in syntax.children(value).enumerate() {
                    let runner = if runners { Some(element) } else { runner };
                    let inside = Section { path: section.path.clone(), kind: *inner };
                    self.value(&inside, child, runner);
                }
                true
            }
            (kind, NodeKind::Scalar) => self.fits(kind, value),
            _ => false,
        };
        if !fits {
            self.wrong(section, section.kind, node.span(), runner, false);
            let right = self.right(section.kind, value);
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

    fn fits(&self, kind: Kind, value: NodeId) -> bool {
        if self.syntax.is_string(value) {
            return matches!(kind, Kind::Text | Kind::TextOrList | Kind::Duration | Kind::Date);
        }
        let text = self.syntax.string(value);
        let flag = matches!(&*text, "true" | "false");
        let date = text.contains(':') || text.get(4..5) == Some("-") && !text.starts_with('-');
        let based = text.starts_with("0x") || text.starts_with("0o") || text.starts_with("0b");
        let whole = based || !text.contains(['.', 'e', 'E', 'n']);
        match kind {
            Kind::Flag => flag,
            Kind::Date => date,
            Kind::Number | Kind::Duration => !flag && !date && whole,
            Kind::Float => !flag && !date,
            _ => false,
        }
    }

    /// The section or value under a key; `None` where the key is unknown, which is noted.
    fn descend(
        &mut self,
        section: &Section,
        key: &str,
        span: Range<usize>,
        runner: Option<usize>,
    ) -> Option<Section> {
        let groups = match section.kind {
            Kind::Table(groups) => groups,
            Kind::Map(kind) => return Some(section.below(key, *kind)),
            _ => return Some(section.below(key, Kind::Any)),
        };
        if let Some((kind, name)) = find(groups, key) {
            return Some(section.below(name, kind));
        }
        let section_of = |section: &Section| owner_of(section, key);
        let flaw = match section_of(section) {
            Some(section) => Flaw::WrongSection { section },
            None => Flaw::Unknown { nearest: nearest(groups, key) },
        };
        let path = section.below(key, Kind::Any).path.join(".");
        self.flaws.push(FlawedKey { runner, path, span, flaw });
        None
    }

    fn wrong(
        &mut self,
        section: &Section,
        kind: Kind,
        span: Range<usize>,
        runner: Option<usize>,
        dotted: bool,
    ) {
        let key = &self.syntax.text()[span.clone()];
        let bare = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let right = (dotted && key.chars().all(bare)).then(|| format!("\"{key}\""));
        let flaw = Flaw::WrongType { expected: kind.words(), dotted, right };
        self.flaws.push(FlawedKey { runner, path: section.path.join("."), span, flaw });
    }
}

/// How long a text is without the blanks and the `=` at its end.
fn trimmed(text: &str) -> usize {
    text.trim_end_matches(|letter: char| letter == '=' || letter.is_whitespace()).len()
}

/// The header of the section that an unknown key belongs into: of the tables of a runner the one
/// that knows it, when there is only one.
fn owner_of(section: &Section, key: &str) -> Option<String> {
    let inside = section.path.first().is_some_and(|name| name == "runners");
    if !inside && find(RUNNERS, key).is_some() {
        return Some("[[runners]]".to_owned());
    }
    if !inside {
        return None;
    }
    if section.path.len() > 1 && find(RUNNERS, key).is_some() {
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
    use crate::toml::text::ConfigText;

    fn flaws(text: &str) -> Vec<(String, Option<usize>, Flaw)> {
        let text = ConfigText::new("config.toml", text.as_bytes().to_vec());
        let config = Config::parse(&text).unwrap();
        check(&config).into_iter().map(|flaw| (flaw.path, flaw.runner, flaw.flaw)).collect()
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
