//! A plan for a text that was mended elsewhere: the sections that differ, and the proof that the file
//! has the same ones as before.

use super::{Plan, RunnerPlan};
use crate::error::Error;
use crate::plan::proof::PatchedBlock;
use crate::runner::{Config, environment};
use crate::toml::edit::Edit;
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{Block, NodeId, ParsedText, Syntax};
use crate::toml::text::ConfigText;
use crate::yaml;

/// A config after what was wrong in it was mended.
pub(crate) struct Mended {
    pub text: ConfigText,
    /// The runners for which something changed, and what.
    pub runners: Vec<RunnerPlan>,
    /// What changed for the file as a whole, in plain words.
    pub notes: Vec<String>,
    /// What is left for a person to decide.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Plans the way from a config to what was made of it.
    ///
    /// # Errors
    ///
    /// [`Error::NotProved`] when the new text does not parse, or has other sections or keys than
    /// the old one.
    pub(crate) fn of_mended(config: &Config<'_>, mended: Mended) -> Result<Self, Error> {
        let Mended { text, runners, notes, warnings } = mended;
        let before = config.syntax();
        let not_proved = |difference: &str| Error::NotProved {
            path: config.text().label().to_owned(),
            difference: difference.to_owned(),
        };
        let after = Syntax::parse(text.as_str())
            .map_err(|_| not_proved("what was mended does not parse"))?;
        let sections = before.blocks().iter().zip(after.blocks());
        let same = sections.clone().all(|(old, new)| {
            let kind = |syntax: &Syntax<'_>, header: Option<NodeId>| {
                header
                    .map(|id| (syntax.node(id).kind, syntax.keys(id).collect::<Vec<_>>().join(".")))
            };
            // An environment goes and comes where an entry moves to its runner.
            let keys = |syntax: &Syntax<'_>, block: &Block| {
                let pairs = syntax.siblings(block.pairs());
                let environment = |key: &str| same_key(key, environment::KEY);
                pairs
                    .filter(|&pair| !syntax.simple_key(pair).is_some_and(|key| environment(&key)))
                    .count()
            };
            kind(before, old.header()) == kind(&after, new.header())
                && keys(before, old) == keys(&after, new)
        });
        if !same || before.blocks().len() != after.blocks().len() {
            return Err(not_proved("what was mended has other sections or keys"));
        }
        let (mut edits, mut blocks) = (Vec::new(), Vec::new());
        for (block, (old, new)) in sections.enumerate() {
            let new = &text.as_str()[new.span()];
            if *new == before.text()[old.span()] {
                continue;
            }
            // Bytes that are no UTF-8 would be lost.
            let whole = config.text().is_utf8()
                || std::str::from_utf8(&config.text().bytes()[old.span()]).is_ok();
            if !whole {
                return Err(not_proved("the section holds bytes that are no UTF-8"));
            }
            edits.push(Edit::new(old.span(), new));
            let text = ParsedText::new(new.into())
                .map_err(|_| not_proved("a section of it does not parse"))?;
            blocks.push(PatchedBlock { block, edits: edits.len() - 1..edits.len(), text });
        }
        yaml::prove(config.text(), &edits)?;
        Ok(Self { edits, blocks, runners, mended: Some((notes, warnings)) })
    }
}
