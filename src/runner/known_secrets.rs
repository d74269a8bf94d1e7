//! Secrets that are hidden wherever they stand in what somebody wrote freely: names, keys and comments.
//!
//! A secret that is a common word is none of them: hidden in the middle of a sentence it would be
//! told by the words around it.

use std::ops::Range;

use crate::auth::credential::Credential;
use crate::auth::document::{StringKind, each_string};
use crate::auth::registry::shown;
use crate::runner::element::{Element, document};
use crate::runner::environment;
use crate::secret::{SHORTEST, Secret, is_wordy, looks_generated, names_a_secret, tokens_in};
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{NodeId, NodeKind, Syntax};

/// A longer text is not looked for: none that is shown is as long.
pub(crate) const LONGEST: usize = 256;

/// How many bytes of each secret are kept for a quick look.
const START: usize = 4;

/// Secrets, sorted so that the one at the start of a text is found in a few steps.
#[derive(Default)]
pub(crate) struct KnownSecrets {
    sorted: Vec<Known>,
    /// The first bytes of these, as numbers: few texts that are shown begin like a secret.
    starts: Vec<u32>,
}

struct Known {
    secret: Secret,
    /// The longest of the others that this one begins with.
    shorter: Option<usize>,
}

impl KnownSecrets {
    /// Those of a config (tokens, the values of variables, passwords) and of credentials that come into it.
    pub fn new(syntax: &Syntax<'_>, coming: &[Credential]) -> Self {
        let mut known = Self::default();
        for block in syntax.blocks() {
            known.learn_pairs(syntax, block.pairs());
        }
        for credential in coming {
            known.add(credential.password().expose());
            for (_, secret) in credential.members() {
                known.add(secret.expose());
            }
        }
        known.sort();
        known
    }

    /// The longest one at the start of a text.
    pub fn find(&self, text: &str) -> Option<&Secret> {
        self.starts.binary_search(&start(text)?).ok()?;
        // All that the text starts with sorts before it, and whatever sorts between the two starts
        // the same way: so the nearest one before it begins with the one that is looked for.
        let text = text.as_bytes();
        let after = self.sorted.partition_point(|known| known.secret.expose().as_bytes() <= text);
        let mut known = self.sorted.get(after.checked_sub(1)?)?;
        let nearest = known.secret.expose().bytes();
        let same = nearest.zip(text).take_while(|(one, other)| one == *other).count();
        while known.secret.expose().len() > same {
            known = self.sorted.get(known.shorter?)?;
        }
        Some(&known.secret)
    }

    fn learn_pairs(&mut self, syntax: &Syntax<'_>, pairs: Range<NodeId>) {
        for pair in syntax.siblings(pairs) {
            let key = syntax.keys(pair).last().unwrap_or_default();
            self.learn_value(syntax, &key, syntax.value(pair));
        }
    }

    fn learn_value(&mut self, syntax: &Syntax<'_>, key: &str, id: NodeId) {
        match syntax.node(id).kind {
            NodeKind::Array => {
                for child in syntax.children(id) {
                    self.learn_value(syntax, key, child);
                }
            }
            NodeKind::InlineTable => self.learn_pairs(syntax, id + 1..syntax.after(id)),
            _ if same_key(key, environment::KEY) => self.learn_element(&syntax.decoded(id)),
            // No text is longer than what stands for it.
            _ if syntax.node(id).span().len() >= SHORTEST => {
                let text = syntax.decoded(id);
                if names_a_secret(key) {
                    self.add(&text);
                }
                self.add_logins(&text);
            }
            _ => {}
        }
    }

    fn learn_element(&mut self, text: &str) {
        if let Some(document) = document(text) {
            self.learn_document(document);
        } else {
            self.add_logins(text);
        }
        match Element::of(text) {
            Element::Variable { name, value } if names_a_secret(name) => self.add(value),
            Element::Variable { value, .. } | Element::Misspelled { value, .. }
                if looks_generated(value) && !is_host(value) =>
            {
                self.add(value);
            }
            Element::Unknown => self.add(text),
            _ => {}
        }
    }

    fn learn_document(&mut self, text: &str) {
        each_string(text, |kind, value| match kind {
            // What a URL that somebody used as a key has besides the host.
            StringKind::Name if value.contains(['@', '=']) && shown(value) != value => {
                self.add_login(value.split_once("://").map_or(value, |(_, address)| address));
                self.add(value.split_once('=').map_or("", |(_, query)| query));
            }
            StringKind::Value => {
                self.add(value);
                if let Some(credential) = Credential::decode(value) {
                    self.add(credential.password().expose());
                    // The same as a program would write it that has decoded it.
                    let auth = credential.encode();
                    if auth.expose() != value {
                        self.add(auth.expose());
                    }
                }
            }
            // Somebody may have put a secret into the wrong member.
            StringKind::Helper if looks_generated(value) => self.add(value),
            StringKind::User if tokens_in(value).next().is_some() => self.add(value),
            _ => {}
        });
    }

    /// Adds what stands before the host and in the query of each URL of a text, such as a script.
    fn add_logins(&mut self, text: &str) {
        if !text.contains("://") {
            return;
        }
        let ends = |letter: char| letter.is_whitespace() || "\"'`".contains(letter);
        for (_, address) in text.split(ends).filter_map(|word| word.split_once("://")) {
            self.add_login(address);
            let query = address.split_once('?').map_or("", |(_, query)| query);
            for (_, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
                self.add(value);
            }
        }
    }

    /// Adds the password before a host, or the user where that stands alone.
    fn add_login(&mut self, address: &str) {
        let login = address.rsplit_once('@').map_or("", |(login, _)| login);
        self.add(login.split_once(':').map_or(login, |(_, password)| password));
    }

    /// Adds a secret; [`KnownSecrets::find`] needs [`KnownSecrets::sort`] after the last one.
    fn add(&mut self, secret: &str) {
        if is_distinct(secret)
            && let Some(start) = start(secret)
        {
            self.starts.push(start);
            self.sorted.push(Known { secret: Secret::new(secret.to_owned()), shorter: None });
        }
    }

    fn sort(&mut self) {
        self.sorted.sort_by(|one, other| one.secret.expose().cmp(other.secret.expose()));
        self.sorted.dedup_by(|one, other| one.secret == other.secret);
        self.starts.sort_unstable();
        self.starts.dedup();
        // Those that the one at hand begins with, the longest last.
        let mut open: Vec<usize> = Vec::new();
        for number in 0..self.sorted.len() {
            let text = self.sorted[number].secret.expose();
            while open
                .pop_if(|last| !text.starts_with(self.sorted[*last].secret.expose()))
                .is_some()
            {}
            self.sorted[number].shorter = open.last().copied();
            open.push(number);
        }
    }
}

/// Whether a secret can be told from words: hiding `docker` would hide it in sentences about Docker,
/// and so say that it is the password.
fn is_distinct(secret: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&secret.len()) && !is_wordy(secret) && !is_host(secret)
}

/// The first bytes of a text, if it is long enough for a secret.
fn start(text: &str) -> Option<u32> {
    text.as_bytes().first_chunk::<START>().map(|bytes| u32::from_be_bytes(*bytes))
}

/// Whether a value is a host, perhaps with a path: hiding it wherever it appears would hide the
/// registry that everything is about.
fn is_host(value: &str) -> bool {
    if !value.contains('.') {
        return false;
    }
    let value = value.split_once("://").map_or(value, |(_, value)| value);
    let (name, top) =
        value.split('/').next().unwrap_or_default().rsplit_once('.').unwrap_or(("", ""));
    let top = top.split(':').next().unwrap_or_default();
    !name.is_empty()
        && top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_lowercase())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Secrets that begin with one another, and every short text of their letters.
    #[test]
    fn the_longest_secret_is_found() {
        let secrets = [
            "aba1b1",
            "aba1b1a",
            "aba1b1a11",
            "aba1b1a1",
            "abb111",
            "bbbb11",
            "bbbb11bb",
            "bbbb11b",
            "aaaa11",
        ];
        let mut known = KnownSecrets::default();
        for secret in secrets {
            known.add(secret);
        }
        known.sort();
        let mut hits = 0;
        for length in 0..10 {
            for number in 0..3_u32.pow(length) {
                let letter = |at| ['a', 'b', '1'][(number / 3_u32.pow(at) % 3) as usize];
                let text: String = (0..length).map(letter).collect();
                let starting = secrets.iter().filter(|secret| text.starts_with(**secret));
                let longest = starting.max_by_key(|secret| secret.len());
                let found = known.find(&text).map(Secret::expose);
                assert_eq!(found, longest.copied(), "{text}");
                hits += usize::from(found.is_some());
            }
        }
        assert!(hits > 100);
    }

    proptest! {
        #![proptest_config(crate::property::cases(256))]

        /// What is not looked through can hold nothing that is looked for.
        #[test]
        fn no_piece_of_a_wordy_text_is_looked_for(
            text in "[ab1é٣Ⅷ.:/ _=$ßA-]{0,30}",
            start in 0..30_usize,
            length in 0..30_usize,
        ) {
            let piece: String = text.chars().skip(start).take(length).collect();
            prop_assert!(!is_wordy(&text) || (is_wordy(&piece) && !is_distinct(&piece)), "{text} {piece}");
        }
    }

    #[test]
    fn the_password_of_a_url_is_looked_for_wherever_the_url_stands() {
        let text = r#"[[runners]]
url = "https://ci:tr0ub4dor-3@gitlab.example.com/"
clone_url = "https://gitlab.example.com/?a=b&private_token=c0rrect"
environment = ["HTTP_PROXY=http://ci:hors3s-2@proxy:3128", "A=x"]
pre_build_script = """
git clone 'https://staple9:x@r.io' https://b4ttery@r.io/x
"""
"#;
        let known = KnownSecrets::new(&Syntax::parse(text).unwrap(), &[]);
        for secret in ["tr0ub4dor-3", "c0rrect", "hors3s-2", "b4ttery"] {
            assert_eq!(known.find(&format!("{secret} one")).map(Secret::expose), Some(secret));
        }
        assert!(known.find("staple9").is_none());
    }

    #[test]
    fn a_secret_in_the_wrong_member_is_looked_for() {
        let text = r#"[[runners]]
environment = ['''DOCKER_AUTH_CONFIG={"auths": {"r.io": {"username": "ghp_c0rrect-horse"},
    "q.io": {"username": "deploy-7"}}, "credsStore": "b4ttery-9x8y7z6w", "credHelpers": {"r.io": "ecr-login"}}''']
"#;
        let known = KnownSecrets::new(&Syntax::parse(text).unwrap(), &[]);
        let found = ["ghp_c0rrect-horse", "b4ttery-9x8y7z6w", "deploy-7", "ecr-login"]
            .map(|value| known.find(value).is_some());
        assert_eq!(found, [true, true, false, false]);
    }

    #[test]
    fn common_words_and_hosts_are_not_looked_for() {
        for word in [
            "docker",
            "the password",
            "eu-central",
            "https://registry.example.com/",
            "runner-1",
            "a1",
        ] {
            assert!(!is_distinct(word), "{word}");
        }
        for secret in ["Harbor12345", "hunter2", "pa$$word", "glrt-0123456789"] {
            assert!(is_distinct(secret), "{secret}");
        }
    }
}
