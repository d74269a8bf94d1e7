//! `explain`: which credential each runner would use for an image, and why.

mod notes;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::args::{Explain, Format, Global};
use super::input::Input;
use super::output::Output;
use super::report::{Report, RunnerLabel, heading, redaction};
use crate::auth::runner_version::RunnerVersion;
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::redaction::Redaction;
use crate::resolver::explanation::Explanation;
use crate::resolver::shell::{option, yaml_path};
use crate::resolver::{Answer, Loss, Match, Verdict};
use crate::runner::executor::Pull;
use crate::runner::named_images::named_images;
use crate::runner::pod_pull_secrets::SERVICE_ACCOUNT;
use crate::runner::selection::Matches;
use crate::runner::{Config, Runner};
use crate::toml::printable::one_line;
use crate::toml::text::{ConfigText, Place};

#[derive(Serialize)]
struct Body {
    config: String,
    image: String,
    runner_version: String,
    runners: Vec<RunnerReport>,
    warnings: Vec<String>,
}

/// How many keys, helpers or lines of one kind a person is told of.
const MOST: usize = 20;

/// Several images, or those that the config names.
#[derive(Serialize)]
struct ImagesBody {
    config: String,
    runner_version: String,
    images: Vec<ImageReport>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct ImageReport {
    image: String,
    runners: Vec<RunnerReport>,
}

#[derive(Serialize)]
struct RunnerReport {
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

pub(super) fn explain(
    global: &Global,
    explain: &Explain,
    output: &Output,
) -> Result<ExitStatus, Error> {
    explain.images.iter().try_for_each(|image| check_image(image))?;
    let selector = explain.selection.selector()?;
    let input = Input::read(global)?;
    let text = input.text();
    let config = Config::parse(text)?;
    let redaction = redaction(&config, global.show_secrets);
    let version = explain.runner_version;
    config.check_read_by(version)?;
    let selected = selector.select(&config, Matches::Any)?;
    let named = explain.images.is_empty();
    let questions = if named {
        named_by(&config, &selected)?
    } else {
        explain.images.iter().map(|image| (image.clone(), selected.clone())).collect()
    };
    // Each runner's document is read once, for all images.
    let mut asked: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (image, runners) in &questions {
        for &number in runners {
            asked.entry(number).or_default().push(image);
        }
    }
    let mut explanations = BTreeMap::new();
    for (number, images) in asked {
        let runner = &config.runners()[number];
        let found = Explanation::of_images(&config, runner, &images, version)?;
        explanations.insert(number, found.into_iter());
    }
    let mut reports = Vec::new();
    let (mut served, mut lacking) = (0, 0);
    let mut out = String::new();
    for (image, runners) in &questions {
        let mut report = ImageReport { image: image.clone(), runners: Vec::new() };
        for number in runners {
            let runner = &config.runners()[*number];
            let Some(explanation) = explanations.get_mut(number).and_then(Iterator::next) else {
                continue;
            };
            let telling = Telling { explanation: &explanation, version, redaction: &redaction };
            served += usize::from(explanation.has_credential());
            lacking += usize::from(telling.is_lacking(named));
            if output.format == Format::Json {
                report.runners.push(telling.report(runner));
            } else {
                out.push_str(&telling.text(runner, image, named));
            }
        }
        reports.push(report);
    }
    if output.format == Format::Json {
        tell_json(text.label(), version, reports, output);
    } else if selected.is_empty() {
        output.print(&format!("{} has no [[runners]] entry.\n", one_line(text.label())));
    } else if !output.quiet {
        if version == RunnerVersion::LATEST {
            out.push_str(&format!(
                "This is what GitLab Runner {version} does; --runner-version X.Y answers for another.\n"
            ));
        }
        if served > 0 && cfg!(feature = "verify") && input.file().is_some() {
            out.push_str(&verify(text, &explain.images));
        }
        output.print(&out);
    }
    // A runner that pulls nothing lacks nothing, unless there is no other.
    Ok(ExitStatus::no_if(lacking > 0 || (!named && served == 0)))
}

/// The command that asks the registries what this one can't tell.
fn verify(text: &ConfigText, images: &[String]) -> String {
    let images: Vec<_> = images.iter().map(|image| option("--image", image)).collect();
    let images = if images.is_empty() { " --images".to_owned() } else { images.concat() };
    let config = option("-c", text.label());
    let command = format!("runner-auth verify{config}{}{images}", yaml_path(text));
    // A command with a sign that can't be shown would not be the one that is copied.
    if one_line(&command) == command {
        format!("Whether the registry accepts it: {command}\n")
    } else {
        String::new()
    }
}

fn tell_json(label: &str, version: RunnerVersion, mut images: Vec<ImageReport>, output: &Output) {
    let config = label.to_owned();
    let (runner_version, warnings) = (version.to_string(), Vec::new());
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

/// The images that the selected runners name, each with those that do. One with a variable in it
/// has a name only in a job.
fn named_by(config: &Config<'_>, selected: &[usize]) -> Result<Vec<(String, Vec<usize>)>, Error> {
    let mut questions: Vec<(String, Vec<usize>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for &number in selected {
        for named in named_images(config, &config.runners()[number]) {
            if check_image(&named.image).is_err() {
                continue;
            }
            let question = *known.entry(named.image.clone()).or_insert(questions.len());
            match questions.get_mut(question) {
                Some((_, runners)) if runners.last() == Some(&number) => {}
                Some((_, runners)) => runners.push(number),
                None => questions.push((named.image, vec![number])),
            }
        }
    }
    if questions.is_empty() && !selected.is_empty() {
        let problem = "no runner here names an image: name one, such as registry.example.com/app:1";
        return Err(Error::Usage(problem.to_owned()));
    }
    Ok(questions)
}

/// Refuses what GitLab Runner would not take for an image either.
fn check_image(image: &str) -> Result<(), Error> {
    let problem = if image.is_empty() {
        "the image is empty: name one such as registry.example.com/group/app:1.0"
    } else if image.contains('$') {
        "the image contains a variable: give the name that it stands for"
    } else if image.contains("://") {
        "an image has no scheme: leave out everything before the host"
    } else if image.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        "the image contains spaces"
    } else {
        return Ok(());
    };
    Err(Error::Usage(problem.to_owned()))
}

/// An explanation on its way to a person or a program.
struct Telling<'e> {
    explanation: &'e Explanation,
    version: RunnerVersion,
    redaction: &'e Redaction<'e>,
}

impl Telling<'_> {
    fn report(&self, runner: &Runner<'_>) -> RunnerReport {
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
            label: RunnerLabel::new(runner, self.redaction),
            r#match: self.match_report(),
            image_path: resolution.image_path.clone(),
            candidates: resolution.candidates.clone(),
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

    /// Why the runner makes nothing of the document.
    fn problem(&self) -> Option<String> {
        if self.explanation.limits.unattached.is_some() && self.explanation.entry.is_some() {
            return Some(format!(
                "{SERVICE_ACCOUNT} keeps the pull Secret that is made of its auth entry from every pod"
            ));
        }
        match &self.explanation.resolution.verdict {
            Verdict::Dropped { problem, .. } => Some(format!("its auth document {problem}")),
            Verdict::Cancelled { helper } => {
                Some(format!("it names the credential helper '{helper}', which can't be a name"))
            }
            _ => None,
        }
    }

    /// Whether the runner pulls images and has no credential for this one. An image on Docker Hub
    /// that only the config names is taken for a public one.
    fn is_lacking(&self, named: bool) -> bool {
        let explanation = self.explanation;
        let public = named
            && explanation.resolution.verdict == Verdict::NoMatch
            && explanation.resolution.image_path.starts_with("docker.io/");
        explanation.pull != Pull::None && !explanation.has_credential() && !public
    }

    /// The answer in one line; `brief` leaves the way there out.
    fn text(&self, runner: &Runner<'_>, image: &str, brief: bool) -> String {
        let explanation = self.explanation;
        let resolution = &explanation.resolution;
        let heading = heading(runner, self.redaction);
        let mut out = one_line(&format!("{heading}: {}", self.answer(image)));
        out.push('\n');
        let mut line = |what: &str, text: &str| {
            out.push_str(&format!("  {what:<10} {}\n", one_line(text)));
        };
        if explanation.pull != Pull::None {
            if !brief {
                line("looks for", &resolution.candidates.join(", then "));
                for (what, text) in self.verdict() {
                    line(what, &text);
                }
                for loser in resolution.losers.iter().take(MOST) {
                    line("loses", &format!("{}: {}", loser.key.shown(), loss(loser.reason)));
                }
                let more = resolution.losers.len().saturating_sub(MOST) + resolution.more_losers;
                if more > 0 {
                    line("loses", &format!("and {more} more keys"));
                }
            }
            for miss in &resolution.near_misses {
                line("near miss", &format!("{}: {}", miss.key.shown(), miss.reason.reason()));
            }
        }
        if !brief {
            for note in self.notes() {
                line("note", &note);
            }
        }
        out
    }

    /// What the runner does, in one sentence.
    fn answer(&self, image: &str) -> String {
        let bare = "without a credential from here";
        let with = match &self.explanation.resolution.verdict {
            _ if self.explanation.pull == Pull::None => {
                return "this executor pulls no images".to_owned();
            }
            _ if self.explanation.limits.unattached.is_some() => {
                format!("{bare}, with the pull Secrets of its pod's service account alone")
            }
            Verdict::Match(found) => match &found.answer {
                Answer::Empty => "with an empty credential".to_owned(),
                found => format!("with {}", answer(found)),
            },
            Verdict::AtRandom { keys, more, .. } => {
                format!("with one of {} keys at random", keys.len() + more)
            }
            Verdict::Store(name) => {
                format!("with what docker-credential-{name} says, if it knows it")
            }
            Verdict::NoMatch => format!("{bare}; a public image needs none"),
            Verdict::Dropped { .. } => format!("{bare}: its auth document is dropped"),
            Verdict::Cancelled { .. } => {
                return format!("can't pull {image}: a helper's name stops every pull");
            }
        };
        match self.explanation.pull {
            Pull::Driver => format!("the driver decides; the docker executor pulls {image} {with}"),
            _ => format!("pulls {image} {with}"),
        }
    }

    fn verdict(&self) -> Vec<(&'static str, String)> {
        let explanation = self.explanation;
        let at = |place: Option<Place>| {
            place.map_or(String::new(), |place| format!(" (line {})", place.line))
        };
        if let Some((place, problem)) = explanation.limits.unattached.zip(self.problem()) {
            return vec![("finds", format!("nothing: {problem}{}", at(Some(place))))];
        }
        match &explanation.resolution.verdict {
            Verdict::Match(found) => {
                let place = at(explanation.place);
                vec![(
                    if found.answer == Answer::Empty { "uses" } else { "finds" },
                    format!("{}{place}: {}", found.key.shown(), answer(&found.answer)),
                )]
            }
            Verdict::AtRandom { keys, more, .. } => {
                let line = |text| ("finds", format!("at random {text}"));
                let shown = keys.iter().take(MOST);
                let told = shown
                    .map(|found| line(format!("{}: {}", found.key.shown(), answer(&found.answer))));
                let more = keys.len().saturating_sub(MOST) + more;
                let more = (more > 0).then(|| line(format!("and {more} more keys")));
                told.chain(more).collect()
            }
            Verdict::Store(name) => {
                vec![("finds", format!("what docker-credential-{name} says: the credsStore"))]
            }
            Verdict::NoMatch if explanation.entry.is_none() => {
                vec![("finds", "nothing: it has no DOCKER_AUTH_CONFIG entry".to_owned())]
            }
            Verdict::NoMatch => {
                let text =
                    format!("nothing: no key of its auth entry{} fits", at(explanation.entry));
                vec![("finds", text)]
            }
            Verdict::Dropped { .. } | Verdict::Cancelled { .. } => {
                let problem = self.problem().unwrap_or_default();
                let place = at(explanation.place.or(explanation.entry));
                vec![("finds", format!("nothing: {problem}{place}"))]
            }
        }
    }
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::User(user) if user.is_empty() => "an empty user".to_owned(),
        Answer::User(user) => format!("user {user}"),
        Answer::Empty => "neither auth nor username and password: the registry is asked with an \
                          empty credential, and no other source is"
            .to_owned(),
        Answer::Token => "a token without a user".to_owned(),
        Answer::Variable => "what a variable holds that GitLab sets for each job".to_owned(),
        Answer::Helper(name) => format!("what docker-credential-{name} says"),
    }
}

fn loss(loss: Loss) -> &'static str {
    match loss {
        Loss::Shorter => "its path is shorter",
        Loss::SortsLater => "it has the same path and sorts later",
        Loss::Repeated => "it is there again, and the last one counts",
        Loss::Helper => "a helper answers for it",
    }
}
