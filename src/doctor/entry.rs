//! Entries that set no `DOCKER_AUTH_CONFIG`, or set it for nothing.

use std::collections::HashMap;
use std::ops::Range;

use super::cause::Broken;
use super::remedy::{self, Remedies};
use super::subject::Subject;
use super::{Code, Finding};
use crate::auth::document::AuthDocument;
use crate::runner::Config;
use crate::runner::auth_entry::{AuthEntries, VARIABLE, is_auth_entry, is_like_variable};
use crate::runner::environment::Environment;
use crate::runner::executor::Pull;
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{NodeId, NodeKind, Syntax};

/// Checks the entries of a runner's `environment`, but for what is in the auth document.
pub(super) fn check(
    config: &Config<'_>,
    number: usize,
    environment: &Environment<'_, '_>,
    remedies: &Remedies<'_>,
    findings: &mut Vec<Finding>,
) {
    let text = config.text();
    let runner = &config.runners()[number];
    let meant: Vec<_> = environment
        .values()
        .enumerate()
        .filter_map(|(entry, value)| Some((entry, Meant::new(&value)?)))
        .collect();
    // Of several, or beside one that counts, a person must say which is meant.
    let alone = meant.len() == 1 && environment.auth().is_none();
    for (entry, meant) in meant {
        let span = environment.span(entry);
        let (code, message, advice) = if meant.named {
            (
                Code::MisspelledVariable,
                format!(
                    "this entry sets no {VARIABLE}: GitLab Runner takes the name up to the first = \
                     as it is written, blanks and letter case included"
                ),
                format!("write {VARIABLE}= before the JSON, without blanks"),
            )
        } else {
            (
                Code::UnnamedAuthEntry,
                format!(
                    "this is an auth document, and no {VARIABLE}= stands before it: it sets no \
                     variable"
                ),
                format!("write {VARIABLE}= before the JSON"),
            )
        };
        let finding = Finding::new(text, code, span.clone(), message, advice);
        let command = meant
            .written
            .as_deref()
            .zip(remedies.path)
            .and_then(|(written, path)| remedy::rename_variable(path, text, span, written));
        let edit = environment.rename(entry, meant.name, &format!("{VARIABLE}="));
        let edits = edit.filter(|_| alone).map(|edit| vec![edit]);
        findings.push(finding.of_runner(number).mended_by(command).fixed_by(edits));
    }
    if let Some(AuthEntries { counts: entry, .. }) = environment.auth() {
        let executor = runner.executor();
        let (code, message, advice, remedy) = match executor.pull() {
            Pull::None => (
                Code::ExecutorIgnoresIt,
                format!(
                    "the executor {executor} pulls no images, so the runner itself has no use for \
                     this entry"
                ),
                "keep it if the jobs read it themselves, else take it out",
                remedies.of(number).remove_entry(),
            ),
            Pull::Driver => (
                Code::DriverDecides,
                "with the executor custom its driver decides: it gets this entry as \
                 CUSTOM_ENV_DOCKER_AUTH_CONFIG"
                    .to_owned(),
                "look whether the driver reads it",
                None,
            ),
            Pull::Runner | Pull::Kubelet | Pull::Unknown => return,
        };
        let span = environment.span(entry.number);
        let finding = Finding::new(text, code, span, message, advice).of_runner(number);
        findings.push(finding.mended_by(remedy));
    }
}

/// An entry that was meant to be an auth entry.
struct Meant {
    /// Whether something like the variable's name stands there, with an `=` or alone.
    named: bool,
    /// The name as it is written, where an `=` follows it.
    written: Option<String>,
    /// The bytes in whose place the variable's name with its `=` belongs.
    name: Range<usize>,
}

impl Meant {
    fn new(entry: &str) -> Option<Self> {
        if is_auth_entry(entry) {
            return None;
        }
        let name = entry.split('=').next().unwrap_or_default();
        if name.len() < entry.len() && is_like_variable(name) {
            let written = Some(name.to_owned());
            return Some(Self { named: true, written, name: 0..name.len() + 1 });
        }
        // The = may be forgotten, or a colon in its place; the JSON itself may hold one.
        let name = entry.split(['{', ':', '=']).next().unwrap_or_default();
        if is_like_variable(name) {
            let json = entry.find('{').unwrap_or(entry.len());
            let named = name.len() == entry.len();
            let meant = named || json < entry.len();
            return meant.then_some(Self { named, written: None, name: 0..json });
        }
        is_document(entry).then_some(Self { named: false, written: None, name: 0..0 })
    }
}

/// Whether a text holds credentials as an auth document does.
fn is_document(text: &str) -> bool {
    let holds = |text: &str| {
        AuthDocument::parse_literal(text)
            .is_ok_and(|document| document.has_auths() || !document.helpers().is_empty())
    };
    let brace = text.trim_start().starts_with(['{', '\'', '"']);
    brace && (holds(text) || Broken::new(text).is_some_and(|broken| holds(&broken.mended)))
}

/// Entries that the last one hides, whatever is in it. Where that can be read, storing one of its
/// credentials anew leaves one entry.
pub(super) fn shadowed(
    subject: &Subject<'_>,
    document: Option<&AuthDocument<'_>>,
    findings: &mut Vec<Finding>,
) {
    if subject.hidden.is_empty() {
        return;
    }
    let text = subject.config.text();
    let last = subject.environment.span(subject.entry.number);
    let effective = document.map(AuthDocument::effective).unwrap_or_default();
    let mended = effective.into_iter().find_map(|entry| {
        let user = entry.username()?;
        subject.remedy.set(&entry.key, Some(&user))
    });
    for entry in &subject.hidden {
        let finding = subject.finding(
            Code::ShadowedEntry,
            subject.environment.span(entry.number),
            format!(
                "GitLab Runner takes the last auth entry, the one on line {}, and not this one",
                text.place(last.start).line
            ),
            "take out the one that is not meant; runner-auth set leaves one",
        );
        findings.push(finding.mended_by(mended.clone()));
    }
}

/// Says once a file who can read the credentials.
pub(super) fn visible_to_jobs(config: &Config<'_>, findings: &mut Vec<Finding>) {
    for runner in config.runners() {
        let Ok(Some(environment)) = Environment::of(config, runner) else { continue };
        let Some(entries) = environment.auth() else { continue };
        let entries = entries.hidden.iter().chain([&entries.counts]);
        let mut stored = entries.filter(|entry| holds_something(entry.document()));
        let Some(entry) = stored.next() else { continue };
        findings.push(Finding::new(
            config.text(),
            Code::VisibleToJobs,
            environment.span(entry.number),
            "every job on a runner can print its auth entry, and the job log does not mask it",
            "use accounts that can only pull; from Docker CLI 28.3 on, a docker login in a job loses \
             to this entry",
        ));
        return;
    }
}

/// Whether there can be a credential in a document, or in what is none but was meant to be.
fn holds_something(document: &str) -> bool {
    let text = document.trim();
    let nothing =
        text.is_empty() || text.trim_start_matches('$').trim_matches(['{', '}']) == VARIABLE;
    let empty = AuthDocument::parse_literal(text)
        .is_ok_and(|document| document.root_members().is_empty() || document.is_empty());
    !nothing && !empty
}

/// Finds auth entries that stand where GitLab Runner doesn't look for them.
pub(super) fn misplaced(config: &Config<'_>, findings: &mut Vec<Finding>) {
    let syntax = config.syntax();
    let mut places = HashMap::new();
    for (number, runner) in config.runners().iter().enumerate() {
        let place = runner.place();
        places.insert(place.inline.map_or(Place::Block(place.block), Place::Inline), number);
    }
    let mut search = Search { config, places, owner: None, findings };
    for (number, block) in syntax.blocks().iter().enumerate() {
        let own = search.places.get(&Place::Block(number)).copied();
        let below = block.header.is_some_and(|header| {
            syntax.keys(header).next().is_some_and(|key| same_key(&key, "runners"))
        });
        search.owner = own.or(search.owner.filter(|_| below));
        // A service has an environment of its own, which is passed to it.
        let service = block
            .header
            .and_then(|header| syntax.keys(header).last())
            .is_some_and(|key| same_key(&key, "services"));
        if !service {
            search.pairs(block.pairs.clone(), own.is_some());
        }
    }
}

/// Where a runner's own keys stand.
#[derive(PartialEq, Eq, Hash)]
enum Place {
    Block(usize),
    Inline(NodeId),
}

struct Search<'s, 't> {
    config: &'s Config<'t>,
    places: HashMap<Place, usize>,
    /// The runner that the section belongs to.
    owner: Option<usize>,
    findings: &'s mut Vec<Finding>,
}

impl<'t> Search<'_, 't> {
    fn syntax(&self) -> &Syntax<'t> {
        self.config.syntax()
    }

    /// `own` says whether these are a runner's own pairs, in which `environment` counts.
    fn pairs(&mut self, pairs: Range<NodeId>, own: bool) {
        let nodes: Vec<_> = self.syntax().siblings(pairs).collect();
        for pair in nodes {
            let last = self.syntax().keys(pair).last().unwrap_or_default();
            let simple = self.syntax().simple_key(pair).is_some();
            if same_key(&last, VARIABLE) {
                let span = self.syntax().node(pair).span();
                self.found(span);
                continue;
            }
            let environment = same_key(&last, "environment");
            if own && simple && environment {
                continue;
            }
            let value = self.syntax().value(pair);
            let array = self.syntax().node(value).kind == NodeKind::Array;
            // A script may well begin with such an assignment.
            if environment || array || !self.syntax().is_string(value) {
                self.value(value);
            }
        }
    }

    fn value(&mut self, id: NodeId) {
        match self.syntax().node(id).kind {
            NodeKind::Array => {
                let children: Vec<_> = self.syntax().children(id).collect();
                for child in children {
                    self.value(child);
                }
            }
            NodeKind::InlineTable => {
                let owner = self.places.get(&Place::Inline(id)).copied();
                let before = self.owner;
                self.owner = owner.or(before);
                self.pairs(id + 1..self.syntax().after(id), owner.is_some());
                self.owner = before;
            }
            _ if self.syntax().is_string(id) => {
                let text = self.syntax().string(id);
                let name = text.split('=').next().unwrap_or_default();
                if name.len() < text.len() && name.trim() == VARIABLE {
                    let span = self.syntax().node(id).span();
                    self.found(span);
                }
            }
            _ => {}
        }
    }

    fn found(&mut self, span: Range<usize>) {
        let mut finding = Finding::new(
            self.config.text(),
            Code::MisplacedEnvironment,
            span,
            format!(
                "GitLab Runner doesn't look for {VARIABLE} here, only in the environment array right \
                 under [[runners]]"
            ),
            "move it to the runner's own environment, before its sub-tables",
        );
        finding.runner = self.owner;
        self.findings.push(finding);
    }
}
