//! The commands that mend what was found.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

use crate::auth::credential::Credential;
use crate::auth::key::Key;
use crate::auth::registry::Registry;
use crate::plan::{Plan, Removal, Request};
use crate::resolver::shell::{option, quote, yaml_path};
use crate::runner::Config;
use crate::runner::auth_entry::VARIABLE;
use crate::secret::Secret;
use crate::toml::text::ConfigText;

/// Stands for a user that only a person knows.
const UNKNOWN_USER: &str = "USERNAME";

/// Commands for the runners of a file.
pub(super) struct Remedies<'e> {
    config: &'e Config<'e>,
    pub path: Option<&'e str>,
    /// How many runners have each name.
    names: HashMap<&'e str, usize>,
    /// The runners by the start of their tokens.
    tokens: HashMap<&'e str, Vec<usize>>,
    /// How many commands were tried out for the runners of each section.
    tried: RefCell<HashMap<usize, usize>>,
}

/// How many commands are tried out for one section of the file: each reads the whole of it. Who has
/// more findings than that has one cause for them.
const MOST_TRIED: usize = 12;

/// How many characters the tokens start with under which they are sorted.
const TOKEN_START: usize = 8;

impl<'e> Remedies<'e> {
    pub fn new(config: &'e Config<'e>, path: Option<&'e str>) -> Self {
        let mut names = HashMap::new();
        let mut tokens: HashMap<_, Vec<usize>> = HashMap::new();
        for (number, runner) in config.runners().iter().enumerate() {
            *names.entry(runner.name()).or_default() += 1;
            tokens.entry(token_start(runner.short_token())).or_default().push(number);
        }
        Self { config, path, names, tokens, tried: RefCell::default() }
    }

    pub fn of(&self, number: usize) -> Remedy<'_> {
        Remedy { file: self, number }
    }

    /// The option that picks one runner, with a blank before it.
    fn selector(&self, number: usize) -> Option<String> {
        let runners = self.config.runners();
        let runner = &runners[number];
        if runners.len() == 1 {
            return Some(String::new());
        }
        let name = runner.name();
        // A command is shown, and so is no name with a secret in it.
        if !name.is_empty()
            && self.config.shown_name(runner) == name
            && self.names.get(name) == Some(&1)
        {
            return Some(option("-n", name));
        }
        let token = runner.short_token();
        let near = self.tokens.get(token_start(token)).map(Vec::as_slice).unwrap_or_default();
        let mut same = near.iter().filter(|&&other| runners[other].has_token(token));
        let only = !token.is_empty() && same.next().is_some() && same.next().is_none();
        only.then(|| option("-t", token))
    }
}

/// Commands for one runner; there are none where no option picks just this runner.
#[derive(Clone, Copy)]
pub(super) struct Remedy<'e> {
    file: &'e Remedies<'e>,
    number: usize,
}

impl Remedy<'_> {
    /// Stores a registry's credential anew.
    pub fn set(&self, key: &Key, user: Option<&str>) -> Option<String> {
        let step = Step::set(key, user, false).filter(|_| !self.is_spent())?;
        self.works(&[&step]).then(|| self.command(&step))?
    }

    /// Stores a credential in the place of the whole document.
    pub fn replace(&self, key: &Key, user: Option<&str>) -> Option<String> {
        let step = Step::set(key, user, true)?;
        self.works(&[&step]).then(|| self.command(&step))?
    }

    /// Takes registries out.
    pub fn remove(&self, keys: &[&Key]) -> Option<String> {
        if self.is_spent() {
            return None;
        }
        let step = Step::remove(keys);
        self.works(&[&step]).then(|| self.command(&step))?
    }

    /// Takes a registry out and stores it anew.
    pub fn renew(&self, key: &Key, user: Option<&str>) -> Option<String> {
        if self.is_spent() {
            return None;
        }
        let steps = [Step::remove(&[key]), Step::set(key, user, false)?];
        if !self.works(&[&steps[0], &steps[1]]) {
            return None;
        }
        Some(format!("{} && {}", self.command(&steps[0])?, self.command(&steps[1])?))
    }

    /// Takes the whole entry out.
    pub fn remove_entry(&self) -> Option<String> {
        if self.is_spent() {
            return None;
        }
        let step = Step {
            command: "remove",
            options: " --everything".to_owned(),
            printable: true,
            request: Request::RemoveEntry,
        };
        self.works(&[&step]).then(|| self.command(&step))?
    }

    fn command(&self, step: &Step) -> Option<String> {
        if !step.printable {
            return None;
        }
        let path = option("-c", self.file.path?);
        let inside = yaml_path(self.file.config.text());
        let selector = self.file.selector(self.number)?;
        Some(format!("runner-auth {}{path}{inside}{selector}{}", step.command, step.options))
    }

    /// Whether the steps can be planned one after the other, and each changes something: advice
    /// that ends with an error helps nobody.
    fn works(&self, steps: &[&Step]) -> bool {
        *self.file.tried.borrow_mut().entry(self.section()).or_default() += 1;
        work(self.file.config, self.number, steps)
    }

    /// The section that holds the runner's keys: with `runners = [{…}]` it is that of all.
    fn section(&self) -> usize {
        self.file.config.runners()[self.number].place().block
    }

    /// Whether no more commands are tried out for this runner.
    fn is_spent(&self) -> bool {
        self.file.tried.borrow().get(&self.section()).is_some_and(|&tried| tried >= MOST_TRIED)
    }
}

fn token_start(token: &str) -> &str {
    token.char_indices().nth(TOKEN_START).map_or(token, |(end, _)| &token[..end])
}

fn work(config: &Config<'_>, number: usize, steps: &[&Step]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return true };
    let Ok(plan) = Plan::make(config, &[number], &step.request) else { return false };
    if !plan.changes() || rest.is_empty() {
        return plan.changes();
    }
    // What the next step needs stands in the one block that this one has changed.
    let blocks: Vec<_> = plan.blocks().iter().map(|block| block.text.text()).collect();
    let text = ConfigText::new("", blocks.concat().into_bytes());
    let number = config.runners()[number].place().element;
    Config::parse(&text).is_ok_and(|config| work(&config, number, rest))
}

/// One command.
struct Step {
    command: &'static str,
    /// Its options, with a blank before each.
    options: String,
    /// Whether no key has a password in it, which no command shows.
    printable: bool,
    request: Request,
}

impl Step {
    fn set(key: &Key, user: Option<&str>, replace: bool) -> Option<Self> {
        // The password is asked for; any other one shows whether the command works.
        let credential = |user: &str| Credential::new(user, Secret::new("password".into())).ok();
        let (user, login) = user
            .and_then(|user| Some((user, credential(user)?)))
            .or_else(|| Some((UNKNOWN_USER, credential(UNKNOWN_USER)?)))?;
        let registry = Registry::parse(key.as_str()).ok()?;
        let replaced = if replace { " --replace" } else { "" };
        Some(Self {
            command: "set",
            options: format!("{replaced}{}{}", option("-r", key.as_str()), option("-u", user)),
            printable: key.is_shown_whole(),
            request: Request::Set {
                logins: vec![(registry, login)],
                replace,
                pull_policies: Vec::new(),
            },
        })
    }

    fn remove(keys: &[&Key]) -> Self {
        let options: Vec<_> = keys.iter().map(|key| option("-r", key.as_str())).collect();
        let registries = keys.iter().map(|key| Registry::named(key.as_str())).collect();
        Self {
            command: "remove",
            options: options.concat(),
            printable: keys.iter().all(|key| key.is_shown_whole()),
            request: Request::Remove(Removal { registries, ..Removal::default() }),
        }
    }
}

/// A path that is no option to any tool.
fn operand(path: &str) -> String {
    let here = if path.starts_with('-') { "./" } else { "" };
    quote(&format!("{here}{path}")).into_owned()
}

/// Puts the variable's right name into an entry. None where the name is written with escapes, or
/// where it stands earlier on that line too: `sed` would change that one.
pub(super) fn rename_variable(
    path: &str,
    text: &ConfigText,
    entry: Range<usize>,
    written: &str,
) -> Option<String> {
    // The lines of base64 are in no file.
    if text.enclosure().is_some_and(|enclosure| enclosure.lines().is_none()) {
        return None;
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_- \t".contains(&byte);
    let wrong = format!("{written}=");
    let raw = &text.as_str()[entry.clone()];
    let body = raw.trim_start_matches(['"', '\'', '\r', '\n']);
    let at = entry.start + raw.len() - body.len();
    let line = text.line(text.line_of(at));
    let first = text.as_str()[line.clone()].find(&wrong).map(|found| line.start + found);
    if !body.starts_with(&wrong) || first != Some(at) || !written.bytes().all(plain) {
        return None;
    }
    let script = format!("{}s/{wrong}/{VARIABLE}=/", text.place(at).line);
    Some(format!("sed -i {} {}", quote(&script), operand(path)))
}

pub(super) fn cut_byte_order_mark(path: &str) -> String {
    format!(r"sed -i '1s/^\xEF\xBB\xBF//' {}", operand(path))
}

pub(super) fn restrict(path: &str) -> String {
    format!("chmod u=rw,go= {}", operand(path))
}
