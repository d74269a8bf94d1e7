//! `verify` and `set --verify`: what the registries say to the credentials.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::args::{Format, Global, Network, Set, Verify};
use super::columns::Columns;
use super::input::Input;
use super::output::Output;
use super::report::{Report, RunnerLabel, RunnersBody, redaction, title};
use crate::auth::source::Login;
use crate::auth::source::credential_helper::CredentialHelper;
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::plan::Request;
use crate::redaction::Redaction;
use crate::registry_client::{
    Authorities, CERTIFICATES, Failure, ImageReference, Obstacle, Proxies, RefusalReason,
    RegistryAnswer, RegistryHost, RegistryRefusal, Settings,
};
use crate::runner::Config;
use crate::runner::selection::Matches;
use crate::toml::printable::one_line;
use crate::verification::{AskedImages, Question, Questions, Verification, verify_logins};

/// How many runners a line of the table names.
const MOST_NAMES: usize = 3;

#[derive(Serialize)]
struct RunnerReport {
    #[serde(flatten)]
    label: RunnerLabel,
    credentials: Vec<QuestionReport>,
    images: Vec<QuestionReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct QuestionReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    registry: Option<String>,
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    helper: Option<String>,
    #[serde(flatten)]
    answer: AnswerReport,
}

/// An answer, for a program and for a person.
#[derive(Serialize, Default, Clone, PartialEq, Eq)]
struct AnswerReport {
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(untagged)]
enum Reason {
    Refused(RefusalReason),
    Unreachable(Obstacle),
}

pub(super) fn verify(
    global: &Global,
    verify: &Verify,
    output: &Output,
) -> Result<ExitStatus, Error> {
    let timeout = Duration::from_secs(verify.timeout);
    let settings = verify.network.settings(timeout)?;
    let images: Vec<_> = verify.images.iter().map(|image| image.trim().to_owned()).collect();
    for image in &images {
        ImageReference::parse(image)?;
    }
    let selector = verify.selection.selector()?;
    let (input, selected) = Input::read_settled(global, |input| {
        selector.select(&Config::parse(input.text())?, Matches::Any)
    })?;
    let config = Config::parse(input.text())?;
    let asked = AskedImages { given: images, named_in_config: verify.named_images };
    let mut questions = Questions::new(asked, timeout);
    for number in selected {
        questions.add(&config, number)?;
    }
    let mut redaction = redaction(&config, global.show_secrets);
    for credential in questions.helped() {
        redaction.learn_credential(credential);
    }
    let progress = Progress::begin(output, questions.len());
    let verification = questions.ask(&settings, |done| progress.show(done));
    progress.end();
    let telling = Telling { config: &config, verification: &verification, redaction: &redaction };
    if output.format == Format::Json {
        output.json(&telling.report());
    } else if !output.quiet {
        output.print(&telling.text());
    }
    Ok(telling.status())
}

/// Asks the registries about the credentials of a request, and fails unless each is accepted.
pub(super) fn before_writing(set: &Set, request: &Request, output: &Output) -> Result<(), Error> {
    let timeout = Duration::from_secs(set.source.timeout);
    let settings = set.network.settings(timeout)?;
    let handed_over;
    let logins: &[Login] = match request {
        Request::Set { logins, .. } => logins,
        Request::Delegate { helper, registries, .. } if !registries.is_empty() => {
            let helper = CredentialHelper::new(helper, timeout)?;
            let asked = registries.iter();
            handed_over = asked
                .map(|registry| Ok((registry.clone(), helper.get(registry.key())?)))
                .collect::<Result<Vec<Login>, Error>>()?;
            &handed_over
        }
        _ => &[],
    };
    if logins.is_empty() {
        return Err(Error::Usage(
            "--verify needs a credential to ask with: name its registry, or leave --verify out"
                .into(),
        ));
    }
    let mut redaction = Redaction::new(false);
    for (_, credential) in logins {
        redaction.learn_credential(credential);
    }
    let progress = Progress::begin(output, logins.len());
    let answers = verify_logins(logins, &settings, |done| progress.show(done));
    progress.end();
    let mut unreachable = None;
    for ((registry, _), answer) in logins.iter().zip(&answers) {
        let said = |what: &str| {
            let told = told(answer, &redaction);
            let advice = told.advice.map_or(String::new(), |advice| format!(" ({advice})"));
            let message = told.message.map_or(String::new(), |message| format!(": {message}"));
            format!("{} {what}{message}{advice}", registry.path())
        };
        match answer {
            RegistryAnswer::Accepted { .. } => {}
            RegistryAnswer::Refused(_) => {
                return Err(Error::CredentialRefused(said("refuses the credential")));
            }
            RegistryAnswer::Anonymous => {
                return Err(Error::CredentialRefused(said(
                    "lets anybody in, which proves nothing of the credential; leave --verify out to \
                     write it all the same",
                )));
            }
            RegistryAnswer::Unreachable(_) => {
                let said = said("could not be asked");
                unreachable = unreachable.or(Some(Error::RegistryUnreachable(said)));
            }
        }
    }
    unreachable.map_or(Ok(()), Err)
}

impl Network {
    fn settings(&self, timeout: Duration) -> Result<Settings, Error> {
        let hosts = self.insecure_registries.iter().map(|typed| RegistryHost::parse(typed));
        Ok(Settings {
            timeout,
            insecure: hosts.collect::<Result<_, _>>()?,
            authorities: Authorities::read(&self.ca_files)?,
            certificates: PathBuf::from(CERTIFICATES),
            proxies: Proxies::from_environment(|name| std::env::var(name).ok()),
        })
    }
}

/// A line on the terminal while registries are waited for.
struct Progress {
    total: usize,
    shown: bool,
}

impl Progress {
    fn begin(output: &Output, total: usize) -> Self {
        let text = output.format == Format::Text && !output.quiet;
        let progress = Self { total, shown: text && total > 0 && io::stderr().is_terminal() };
        progress.show(0);
        progress
    }

    fn show(&self, done: usize) {
        if self.shown {
            let registries = if self.total == 1 { "registry" } else { "registries" };
            let total = self.total;
            Output::progress(&format!("\rAsking {total} {registries}, {done} answered"));
        }
    }

    fn end(&self) {
        if self.shown {
            // Takes the line away again, on any terminal.
            Output::progress(&format!("\r{:60}\r", ""));
        }
    }
}

/// An answer without secrets.
fn told(answer: &RegistryAnswer, redaction: &Redaction<'_>) -> AnswerReport {
    let clean = |text: &String| redaction.clean(text);
    match answer {
        RegistryAnswer::Accepted { note } => {
            AnswerReport { result: "accepted", advice: note.clone(), ..AnswerReport::default() }
        }
        RegistryAnswer::Anonymous => {
            AnswerReport { result: "anonymous", ..AnswerReport::default() }
        }
        RegistryAnswer::Refused(RegistryRefusal { reason, message, advice }) => AnswerReport {
            result: "refused",
            reason: Some(Reason::Refused(*reason)),
            message: message.as_ref().map(clean),
            advice: advice.clone(),
        },
        RegistryAnswer::Unreachable(Failure { obstacle, message }) => AnswerReport {
            result: "unreachable",
            reason: Some(Reason::Unreachable(*obstacle)),
            // Where the registry has named another place, that is its own text too.
            message: Some(match obstacle {
                Obstacle::Redirected | Obstacle::UnsafeRealm => clean(message),
                _ => message.clone(),
            }),
            advice: None,
        },
    }
}

/// What the answer means, in words.
fn meaning(question: &Question, answer: &RegistryAnswer) -> Option<&'static str> {
    let image = question.image.is_some();
    Some(match answer {
        RegistryAnswer::Accepted { .. } | RegistryAnswer::Unreachable(_) => return None,
        RegistryAnswer::Anonymous if image && question.registry.is_none() => "anybody can pull it",
        RegistryAnswer::Anonymous if image => {
            "anybody can pull it, so this proves nothing of the credential"
        }
        RegistryAnswer::Anonymous => {
            "the registry lets anybody in, so this proves nothing of the credential: ask for a private \
             image with --image"
        }
        RegistryAnswer::Refused(RegistryRefusal { reason, .. }) => match reason {
            RefusalReason::WrongCredential => "the user or the password is wrong",
            RefusalReason::NoCredential => "it wants a credential, and the runner has none for it",
            RefusalReason::NoPermission => {
                "the credential is right, but may not pull this image, or there is no such image"
            }
            RefusalReason::NoSuchImage => "there is no such image",
        },
    })
}

struct Telling<'t> {
    config: &'t Config<'t>,
    verification: &'t Verification,
    redaction: &'t Redaction<'t>,
}

/// A line of the table, for all runners that it is true of.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Row {
    result: &'static str,
    what: String,
    user: String,
    details: Vec<String>,
}

impl Telling<'_> {
    /// A refusal counts before what could not be asked.
    fn status(&self) -> ExitStatus {
        let answers =
            || self.verification.questions().map(|(_, asked)| self.verification.answer(asked));
        let broken = self.verification.runners.iter().any(|runner| runner.problem.is_some());
        if broken || answers().any(|answer| matches!(answer, RegistryAnswer::Refused(_))) {
            ExitStatus::No
        } else if answers().any(|answer| matches!(answer, RegistryAnswer::Unreachable(_))) {
            ExitStatus::Unreachable
        } else {
            ExitStatus::Done
        }
    }

    fn report(&self) -> Report<RunnersBody<RunnerReport>> {
        let question = |question: &Question| QuestionReport {
            image: question.image.clone(),
            registry: question.registry.clone(),
            username: question.username.clone(),
            helper: question.helper.clone(),
            answer: told(&self.verification.answer(question), self.redaction),
        };
        let runners = self.verification.runners.iter().map(|found| RunnerReport {
            label: RunnerLabel::new(&self.config.runners()[found.runner], self.redaction),
            credentials: found.credentials.iter().map(question).collect(),
            images: found.images.iter().map(question).collect(),
            problem: found.problem.clone(),
            notes: found.notes.clone(),
        });
        Report::new("verify", RunnersBody::new(self.config.text(), runners.collect()))
    }

    fn row(&self, question: &Question) -> Row {
        let answer = self.verification.answer(question);
        let AnswerReport { result, message, advice, .. } = told(&answer, self.redaction);
        let registry = question.registry.as_deref();
        let what = question.image.as_deref().or(registry).unwrap_or_default();
        let user = match (&question.username, &question.helper) {
            (Some(user), _) => user.clone(),
            (None, Some(helper)) => format!("docker-credential-{helper}"),
            (None, None) if registry.is_some() => "(a token)".to_owned(),
            (None, None) => "(nobody)".to_owned(),
        };
        let meaning = meaning(question, &answer).map(str::to_owned);
        // What is wrong comes first in the sentence, then the registry's own words.
        let first = match (meaning, message) {
            (Some(meaning), Some(message)) => Some(format!("{meaning} ({message})")),
            (meaning, message) => meaning.or(message),
        };
        Row {
            result,
            what: one_line(what),
            user: one_line(&user),
            details: first.into_iter().chain(advice).map(|line| one_line(&line)).collect(),
        }
    }

    /// A line for each answer, with the runners that it is for.
    fn text(&self) -> String {
        let runners = &self.verification.runners;
        if runners.is_empty() {
            return format!("{} has no [[runners]] entry.\n", one_line(self.config.text().label()));
        }
        let mut rows: Vec<(Row, Vec<usize>)> = Vec::new();
        let mut places: HashMap<Row, usize> = HashMap::new();
        for (runner, question) in self.verification.questions() {
            let row = self.row(question);
            if let Some(&place) = places.get(&row) {
                rows[place].1.push(runner.runner);
            } else {
                places.insert(row.clone(), rows.len());
                rows.push((row, vec![runner.runner]));
            }
        }
        let mut out = table(rows.iter().map(|(row, runners)| (row, self.names(runners))).collect());
        for runner in runners {
            let title = title(&self.config.runners()[runner.runner], self.redaction);
            let mut say = |text: &str| {
                out.push_str(&one_line(&format!("{title}: {text}")));
                out.push('\n');
            };
            if let Some(problem) = &runner.problem {
                say(&format!("{problem}: see doctor"));
            } else if runner.credentials.is_empty() && runner.images.is_empty() {
                say("no credential to ask with");
            }
            runner.notes.iter().for_each(|note| say(note));
        }
        let number = |result: &str| rows.iter().filter(|(row, _)| row.result == result).count();
        let results = ["accepted", "anonymous", "refused", "unreachable"].into_iter();
        let results: Vec<_> = results
            .filter(|result| number(result) > 0)
            .map(|result| format!("{} {result}", number(result)))
            .collect();
        if !results.is_empty() {
            out.push_str(&format!("{}.\n", results.join(", ")));
        }
        out
    }

    fn names(&self, runners: &[usize]) -> String {
        let runners: Vec<_> =
            runners.iter().map(|&runner| &self.config.runners()[runner]).collect();
        let first = runners.iter().take(MOST_NAMES);
        let mut names: Vec<_> = first.map(|runner| self.redaction.clean(&runner.title())).collect();
        if runners.len() > MOST_NAMES {
            names.push(format!("{} more", runners.len() - MOST_NAMES));
        }
        one_line(&names.join(", "))
    }
}

/// The rows in columns, with the details below each.
fn table(rows: Vec<(&Row, String)>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heading = ["RESULT", "REGISTRY OR IMAGE", "USER"].map(str::to_owned);
    let cells = |row: &Row| [row.result.to_owned(), row.what.clone(), row.user.clone()];
    let lines: Vec<_> = rows.iter().map(|(row, _)| cells(row)).collect();
    let columns = Columns::of([&heading].into_iter().chain(&lines));
    let mut out = columns.line(&heading, "RUNNERS");
    for (cells, (row, names)) in lines.iter().zip(rows) {
        out.push_str(&columns.line(cells, &names));
        for detail in &row.details {
            out.push_str(&format!("  {detail}\n"));
        }
    }
    out
}
