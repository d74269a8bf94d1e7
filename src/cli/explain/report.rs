//! The answers of `explain` for a program.

use serde::Serialize;

use super::Telling;
use super::words::loss;
use crate::auth::runner_version::RunnerVersion;
use crate::cli::output::Output;
use crate::cli::report::{Report, RunnerLabel};
use crate::resolver::{Answer, Match, Verdict};
use crate::runner::executor::Pull;
use crate::secret::HIDDEN;

#[derive(Serialize)]
struct Body {
    config: String,
    image: String,
    runner_version: String,
    runners: Vec<RunnerReport>,
    warnings: Vec<String>,
}

/// Several images, or those that the config names.
#[derive(Serialize)]
struct ImagesBody {
    config: String,
    runner_version: String,
    images: Vec<ImageReport>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct ImageReport {
    pub image: String,
    pub runners: Vec<RunnerReport>,
}

#[derive(Serialize)]
pub(super) struct RunnerReport {
    #[serde(flatten)]
    label: RunnerLabel,
    r#match: Option<MatchReport>,
    image_path: String,
    candidates: Vec<String>,
    lost: Vec<KeyReport>,
    /// How many more there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    more_lost: Option<usize>,
    near_misses: Vec<KeyReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct MatchReport {
    registry: String,
    path: Option<String>,
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    helper: Option<String>,
    /// The keys of which one wins at random.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    at_random: Vec<String>,
    /// How many more there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    more_at_random: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

#[derive(Serialize)]
struct KeyReport {
    registry: String,
    path: String,
    reason: String,
}

pub(super) fn tell_json(
    label: &str,
    version: RunnerVersion,
    mut images: Vec<ImageReport>,
    warnings: Vec<String>,
    output: &Output,
) {
    let config = label.to_owned();
    let runner_version = version.to_string();
    match (images.pop(), images.is_empty()) {
        (Some(ImageReport { image, runners }), true) => {
            let body = Body { config, image, runner_version, runners, warnings };
            output.json(&Report::new("explain", body));
        }
        (last, _) => {
            images.extend(last);
            let body = ImagesBody { config, runner_version, images, warnings };
            output.json(&Report::new("explain", body));
        }
    }
}

impl Telling<'_> {
    pub(super) fn report(&self) -> RunnerReport {
        let resolution = &self.explanation.resolution;
        let lost = resolution.losers.iter().map(|loser| KeyReport {
            registry: loser.key.shown().into_owned(),
            path: loser.key.shown_path(&loser.path).into_owned(),
            reason: loss(loser.reason).to_owned(),
        });
        let near_misses = resolution.near_misses.iter().map(|miss| KeyReport {
            registry: miss.key.shown().into_owned(),
            path: miss.key.shown_path(&miss.path).into_owned(),
            reason: miss.reason.reason().to_owned(),
        });
        RunnerReport {
            label: RunnerLabel::new(self.runner, self.redaction),
            r#match: self.match_report(),
            image_path: if self.hidden { HIDDEN.to_owned() } else { resolution.image_path.clone() },
            candidates: if self.hidden { Vec::new() } else { resolution.candidates.clone() },
            lost: lost.collect(),
            more_lost: Some(resolution.more_losers).filter(|more| *more > 0),
            near_misses: near_misses.collect(),
            problem: self.problem(),
            notes: self.notes(),
        }
    }

    fn match_report(&self) -> Option<MatchReport> {
        if self.explanation.pull == Pull::None || self.explanation.limits.unattached.is_some() {
            return None;
        }
        let place = self.explanation.place;
        let report = |found: &Match, at_random: Vec<String>| MatchReport {
            registry: found.key.shown().into_owned(),
            path: Some(found.key.shown_path(&found.path).into_owned()),
            username: match &found.answer {
                Answer::User(user) => Some(user.clone()),
                Answer::Empty => Some(String::new()),
                Answer::Token | Answer::Variable | Answer::Helper(_) => None,
            },
            helper: match &found.answer {
                Answer::Helper(name) => Some(name.clone()),
                _ => None,
            },
            at_random,
            more_at_random: None,
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
        };
        match &self.explanation.resolution.verdict {
            Verdict::Match(found) => Some(report(found, Vec::new())),
            Verdict::AtRandom { keys, more, .. } => {
                let shown = keys.iter().map(|found| found.key.shown().into_owned()).collect();
                let first = keys.first().map(|first| report(first, shown));
                let more_at_random = Some(*more).filter(|more| *more > 0);
                first.map(|first| MatchReport { more_at_random, ..first })
            }
            Verdict::Store(name) => Some(MatchReport {
                registry: "*".to_owned(),
                path: None,
                username: None,
                helper: Some(name.clone()),
                at_random: Vec::new(),
                more_at_random: None,
                line: None,
                column: None,
            }),
            Verdict::NoMatch | Verdict::Dropped { .. } | Verdict::Cancelled { .. } => None,
        }
    }
}
