//! The edits that give a runner its pull policies.

use crate::error::Error;
use crate::runner::executor::Pull;
use crate::runner::invalid;
use crate::runner::layout::{new_section, own_table, section_indents};
use crate::runner::pull_policy::{KEY, PullPolicy, listed, names, values};
use crate::runner::table::{TableKey, keys_of, own_keys, sections};
use crate::runner::{Config, Runner, RunnerPlace};
use crate::secret::Secret;
use crate::toml::bracketed::List;
use crate::toml::edit::Edit;
use crate::toml::letter_case::same_key;
use crate::toml::lines::line_indent;
use crate::toml::syntax::{NodeId, NodeKind};
use crate::toml::table::{NewPair, WrittenTable};

/// What changes for one runner.
pub(crate) struct PolicyChange {
    /// The block in which it changes.
    pub block: usize,
    /// The edits there.
    pub edits: Vec<Edit>,
    /// What comes to the runner's own keys.
    pub own_pair: Option<NewPair>,
    /// Where the policies then stand.
    pub place: PolicyPlace,
    /// Whether they then are an array.
    pub array: bool,
}

/// Where `pull_policy` stands in a block.
#[derive(Debug, Clone)]
pub(crate) enum PolicyPlace {
    /// The block is the section that holds it.
    Section,
    /// The block gets a section behind it, `[runners.TABLE]`, that holds nothing else.
    NewSection { table: String },
    /// It is among the runner's own keys: in an inline table or behind a dot.
    Own { runner: RunnerPlace, table: &'static str },
}

/// Plans these policies for a runner; `None` when it has them.
///
/// # Errors
///
/// [`Error::PullPolicyRefused`] and [`Error::KeyTwice`].
pub(crate) fn plan(
    config: &Config<'_>,
    runner: &Runner<'_>,
    wanted: &[PullPolicy],
) -> Result<Option<PolicyChange>, Error> {
    let executor = runner.executor();
    let Some(table) = executor.table() else {
        let meant = executor.nearest().map(|nearest| format!(" (did you mean {nearest}?)"));
        let problem = match executor.pull() {
            Pull::None => format!("its executor {executor} pulls no images"),
            Pull::Driver => format!("its executor {executor} leaves the pulls to a driver"),
            _ => executor.why_unknown().map_or_else(
                || "it has no executor".to_owned(),
                |unknown| unknown + &meant.unwrap_or_default(),
            ),
        };
        let problem =
            format!("{problem}: leave --pull-policy out, or select other runners with --executor");
        return Err(refused(config, runner, runner.place().offset, problem));
    };
    let context = PolicyContext { config, runner, table, wanted };
    let spelled = context.spelled()?;
    context.check_allowed()?;
    Ok(match context.key(KEY)? {
        Some((_, value)) => context.change(value),
        None => Some(context.add(spelled)),
    })
}

struct PolicyContext<'c, 't> {
    config: &'c Config<'t>,
    runner: &'c Runner<'t>,
    /// `docker` or `kubernetes`.
    table: &'static str,
    wanted: &'c [PullPolicy],
}

impl PolicyContext<'_, '_> {
    /// The table's name where it stands; there may be one spelling of it, and it names a table.
    fn spelled(&self) -> Result<Option<NodeId>, Error> {
        let syntax = self.config.syntax();
        let found = own_keys(self.config, self.runner);
        let found: Vec<_> = found.filter(|found| same_key(&found.key, self.table)).collect();
        let is_table = |found: &TableKey<'_>| match (found.value, syntax.node(found.node).kind) {
            (Some(value), _) => syntax.node(value).kind == NodeKind::InlineTable,
            (None, NodeKind::ArrayTable) => syntax.keys(found.node).count() > 2,
            (None, _) => true,
        };
        if let Some(other) = found.iter().find(|found| !is_table(found)) {
            let problem = format!(
                "{0} is no table, and GitLab Runner refuses the whole file: write it as \
                 [runners.{0}]",
                self.table
            );
            return Err(self.refused(other.node, problem));
        }
        Ok(self.only(found.iter())?.and_then(|first| {
            let behind = usize::from(syntax.node(first.node).kind != NodeKind::Pair);
            syntax.children(first.node).nth(behind)
        }))
    }

    /// The first of some spellings of a key, if they are all the same.
    fn only<'k, 't>(
        &self,
        mut found: impl Iterator<Item = &'k TableKey<'t>>,
    ) -> Result<Option<&'k TableKey<'t>>, Error>
    where
        't: 'k,
    {
        let (syntax, text) = (self.config.syntax(), self.config.text());
        let Some(first) = found.next() else { return Ok(None) };
        match found.find(|other| other.key != first.key) {
            None => Ok(Some(first)),
            Some(other) => Err(Error::KeyTwice {
                path: text.label().to_owned(),
                key: first.key.clone().into_owned(),
                first: text.place(syntax.node(first.node).span().start),
                second: text.place(syntax.node(other.node).span().start),
            }),
        }
    }

    /// A key of the table, in any letter case: its node and its value.
    fn key(&self, name: &str) -> Result<Option<(NodeId, NodeId)>, Error> {
        let keys: Vec<_> = keys_of(self.config, self.runner, self.table).collect();
        let found = || keys.iter().filter(|key| same_key(&key.key, name));
        let Some(first) = self.only(found())? else {
            return Ok(None);
        };
        if let Some(second) = found().nth(1).filter(|_| first.value.is_some()) {
            let twice = self.config.syntax().defined_twice(second.node);
            return Err(invalid(self.config.text(), twice));
        }
        match first.value {
            Some(value) => Ok(Some((first.node, value))),
            None => Err(self.refused(
                first.node,
                format!(
                    "{name} is a table here, and GitLab Runner refuses the whole file: it is a \
                     string or an array of strings"
                ),
            )),
        }
    }

    /// Whether `allowed_pull_policies` has each policy; an empty array allows what is set.
    fn check_allowed(&self) -> Result<(), Error> {
        let syntax = self.config.syntax();
        let Some((pair, value)) = self.key("allowed_pull_policies")? else {
            return Ok(());
        };
        let listed_there = values(syntax, value);
        let allows =
            |policy: PullPolicy| listed_there.iter().any(|&value| names(syntax, value, policy));
        let missing = self.wanted.iter().find(|&&policy| !allows(policy));
        let Some(missing) = missing.filter(|_| !listed_there.is_empty()) else {
            return Ok(());
        };
        let allowed: Vec<_> =
            PullPolicy::ALL.into_iter().filter(|&policy| allows(policy)).collect();
        let instead = if allowed.is_empty() {
            String::new()
        } else {
            format!(", or choose among {}", listed(&allowed))
        };
        let problem = format!(
            "allowed_pull_policies leaves out {missing} here, so jobs would fail or pull as if it \
             were not set: add it there{instead}"
        );
        Err(self.refused(pair, problem))
    }

    /// Changes the value that is there.
    fn change(&self, value: NodeId) -> Option<PolicyChange> {
        let syntax = self.config.syntax();
        let span = syntax.node(value).span();
        let items = values(syntax, value);
        let is = |&item: &NodeId, &policy: &PullPolicy| names(syntax, item, policy);
        if items.len() == self.wanted.len()
            && items.iter().zip(self.wanted).all(|(item, policy)| is(item, policy))
        {
            return None;
        }
        let literal = items.iter().find(|&&item| syntax.is_string(item)).is_some_and(|&item| {
            let start = syntax.node(item).span().start;
            syntax.text()[start..].starts_with('\'')
        });
        let quote = if literal { '\'' } else { '"' };
        let first = syntax.comments().partition_point(|comment| comment.start < span.start);
        let commented =
            syntax.comments().get(first).is_some_and(|comment| comment.start < span.end);
        let is_array = syntax.node(value).kind == NodeKind::Array;
        // An array keeps its layout and comments; one without comments gives way to a string.
        let array = self.wanted.len() > 1 || (is_array && commented);
        let edits = if is_array && array {
            self.change_items(value, &items, quote)
        } else {
            vec![Edit::new(span.clone(), self.written(quote))]
        };
        let block = syntax.block_at(span.start);
        let place = if block == self.runner.place().block {
            self.own_place()
        } else {
            PolicyPlace::Section
        };
        Some(PolicyChange { block, edits, own_pair: None, place, array })
    }

    /// Changes an array element by element.
    fn change_items(&self, array: NodeId, items: &[NodeId], quote: char) -> Vec<Edit> {
        let syntax = self.config.syntax();
        let spans: Vec<_> = items.iter().map(|&item| syntax.node(item).span()).collect();
        let list = List::new(syntax.text(), syntax.node(array).span(), spans.clone());
        let mut wanted = self.wanted.iter().peekable();
        let is_kept = |&number: &usize| {
            wanted.next_if(|&&policy| names(syntax, items[number], policy)).is_some()
        };
        let (_, gone): (Vec<_>, Vec<_>) = (0..items.len()).partition(is_kept);
        if wanted.peek().is_none() {
            return list.remove(&gone);
        }
        let quoted: Vec<_> = self
            .wanted
            .iter()
            .map(|policy| Secret::from(format!("{quote}{policy}{quote}")))
            .collect();
        let both = items.len().min(quoted.len());
        let differs = |number: &usize| !names(syntax, items[*number], self.wanted[*number]);
        let mut edits: Vec<_> = (0..both)
            .filter(differs)
            .map(|number| Edit::new(spans[number].clone(), quoted[number].clone()))
            .collect();
        let surplus: Vec<_> = (both..items.len()).collect();
        edits.extend(list.remove(&surplus));
        edits.extend(list.append(&quoted[both..]));
        edits
    }

    /// Adds the key to the table, or the table with it; `spelled` is the table's name if it
    /// stands somewhere.
    fn add(&self, spelled: Option<NodeId>) -> PolicyChange {
        let syntax = self.config.syntax();
        let own = self.runner.place();
        let array = self.wanted.len() > 1;
        let new = |key: &str| NewPair { key: key.to_owned(), value: self.written('"').into() };
        let section = sections(self.config, self.runner).find(|(header, _)| {
            let mut keys = syntax.keys(*header).skip(1);
            keys.next().is_some_and(|key| same_key(&key, self.table)) && keys.next().is_none()
        });
        if let Some((header, _)) = section {
            let start = syntax.node(header).span().start;
            let block = syntax.block_at(start);
            let indent = || {
                let (outer, inner) = section_indents(self.config, self.runner);
                let step = inner.strip_prefix(&outer).unwrap_or_default();
                format!("{}{step}", line_indent(syntax.text(), start))
            };
            let edits =
                WrittenTable::of_block(self.config.syntax(), block).add(&[new(KEY)], indent);
            return PolicyChange {
                block,
                edits,
                own_pair: None,
                place: PolicyPlace::Section,
                array,
            };
        }
        let change = |edits: Vec<Edit>, own_pair: Option<NewPair>, place: PolicyPlace| {
            PolicyChange { block: own.block, edits, own_pair, place, array }
        };
        let pair = syntax
            .siblings(own.pairs.clone())
            .find(|&pair| syntax.keys(pair).next().is_some_and(|key| same_key(&key, self.table)));
        let raw = spelled.map_or(self.table, |key| &syntax.text()[syntax.node(key).span()]);
        match pair {
            Some(pair) if syntax.simple_key(pair).is_some() => {
                let table = WrittenTable::of_inline(syntax, own.block, syntax.value(pair));
                change(table.add(&[new(KEY)], String::new), None, self.own_place())
            }
            // A header would open this table a second time, which newer parsers refuse; whoever
            // reads this file knows dotted keys already.
            Some(_) => {
                let pair = new(&format!("{raw}.{KEY}"));
                change(Vec::new(), Some(pair), self.own_place())
            }
            None if own.inline.is_some() => {
                let table = own_table(self.config, self.runner);
                let (equals, pad) = (table.equals(), if table.is_padded() { " " } else { "" });
                let value = format!("{{{pad}{KEY}{equals}{}{pad}}}", self.written('"'));
                let pair = NewPair { key: raw.to_owned(), value: value.into() };
                change(Vec::new(), Some(pair), self.own_place())
            }
            None => {
                let edit = new_section(self.config, self.runner, raw, &new(KEY));
                let table = spelled.map_or(self.table.into(), |key| syntax.string(key));
                let place = PolicyPlace::NewSection { table: table.into_owned() };
                change(vec![edit], None, place)
            }
        }
    }

    fn own_place(&self) -> PolicyPlace {
        PolicyPlace::Own { runner: self.runner.place().clone(), table: self.table }
    }

    /// The value: a string for one policy, which versions before 13.8 read too.
    fn written(&self, quote: char) -> String {
        let quoted: Vec<_> =
            self.wanted.iter().map(|policy| format!("{quote}{policy}{quote}")).collect();
        match &quoted[..] {
            [one] => one.clone(),
            _ => format!("[{}]", quoted.join(", ")),
        }
    }

    fn refused(&self, node: NodeId, problem: String) -> Error {
        let offset = self.config.syntax().node(node).span().start;
        refused(self.config, self.runner, offset, problem)
    }
}

fn refused(config: &Config<'_>, runner: &Runner<'_>, offset: usize, problem: String) -> Error {
    Error::PullPolicyRefused {
        path: config.text().label().to_owned(),
        place: config.text().place(offset),
        runner: config.title(runner),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::credential::Credential;
    use crate::auth::registry::Registry;
    use crate::plan::{Plan, Request};
    use crate::secret::Secret;
    use crate::toml::text::ConfigText;

    fn patched(before: &str, pull_policies: &[PullPolicy], credential: bool) -> String {
        let text = ConfigText::new("config.toml", before.as_bytes().to_vec());
        let config = Config::parse(&text).expect("a config");
        let login = Credential::new("u", Secret::new("p".into())).expect("a credential");
        let registry = Registry::parse("r.io").expect("a registry");
        let request = Request::Set {
            logins: if credential { vec![(registry, login)] } else { Vec::new() },
            replace: false,
            pull_policies: pull_policies.to_vec(),
        };
        let plan = Plan::make(&config, &[0], &request).expect("a plan");
        String::from_utf8(plan.apply(&config)).expect("UTF-8")
    }

    /// TOML 1.1, which GitLab Runner reads from 18.9 on: no case for older libraries to read.
    #[test]
    fn an_inline_runner_of_several_lines_gets_both_pairs() {
        let before = "runners = [{\n  executor = 'docker' # last\n}]\n";
        let after = patched(before, &[PullPolicy::Always], true);
        let expected = "runners = [{\n  executor = 'docker', # last\n  environment = \
                        ['DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \"dTpw\"}}}'],\n  \
                        docker = {pull_policy = \"always\"}\n}]\n";
        assert_eq!(after, expected);
    }

    #[test]
    fn a_value_gives_way_to_a_value() {
        use PullPolicy::{Always, IfNotPresent, Never};
        for (before, wanted, after) in [
            ("''", &[Always][..], "'always'"),
            ("1", &[Always], "\"always\""),
            ("{x = 'y'}", &[Always, Never], "[\"always\", \"never\"]"),
            ("\"\"\"never\"\"\"", &[Always], "\"always\""),
            ("'''never'''", &[Always], "'always'"),
            ("[]", &[Always], "\"always\""),
            ("[]", &[Always, Never], "[\"always\", \"never\"]"),
            ("[ 'never', ]", &[Always, Never], "[ 'always', 'never', ]"),
            ("['never', \"always\"]", &[IfNotPresent, Always], "['if-not-present', \"always\"]"),
            ("['a', 'always', 'b', 'never']", &[Always, Never], "['always', 'never']"),
            ("['a', 'b', 'c']", &[Always, Never], "['always', 'never']"),
            ("[ # x\n1\n]", &[Always], "[ # x\n\"always\"\n]"),
            ("[ # x\n]", &[Always], "[ # x\n  \"always\"\n]"),
            ("['always']", &[Always], "['always']"),
        ] {
            let text = |value: &str| {
                format!("[[runners]]\nexecutor = 'docker'\n[runners.docker]\npull_policy = {value}")
            };
            assert_eq!(patched(&text(before), wanted, false), text(after), "{before}");
        }
    }
}
