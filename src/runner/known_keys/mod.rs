//! Which keys of a config GitLab Runner knows, and what each must hold.
//!
//! BurntSushi/toml sets the fields of Go structs: a known key with a value of another type stops
//! the runner (`incompatible types`), an unknown key is ignored without a word.

mod flaws;
mod list;
mod lookup;
mod ordinary;

use crate::runner::Config;
use crate::toml::syntax::{Form, Node};
use flaws::flaws;
use list::{Group, ROOT};
use lookup::{Lookup, find};

pub(crate) use flaws::{Flaw, FlawedKey};

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
    groups.iter().flat_map(|(kind, names)| names.split_ascii_whitespace().map(|name| (*kind, name)))
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
