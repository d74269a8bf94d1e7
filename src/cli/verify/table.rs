//! The answers for a person: a table, with what they mean below each.

use std::collections::HashMap;

use super::{AnswerReport, Telling, told};
use crate::cli::columns::Columns;
use crate::registry_client::{RefusalReason, RegistryAnswer, RegistryRefusal};
use crate::runner::label;
use crate::toml::printable::one_line;
use crate::verification::Question;

/// How many runners a line of the table names.
const MOST_NAMES: usize = 3;

/// A line of the table, for all runners that it is true of.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Row {
    result: &'static str,
    what: String,
    user: String,
    details: Vec<String>,
}

impl Telling<'_> {
    fn row(&self, question: &Question) -> Row {
        let answer = self.verification.answer(question);
        let AnswerReport { result, message, advice, .. } = told(&answer, self.show_words);
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
            what: one_line(what).into_owned(),
            user: one_line(&user).into_owned(),
            details: first
                .into_iter()
                .chain(advice)
                .map(|line| one_line(&line).into_owned())
                .collect(),
        }
    }

    /// A line for each answer, with the runners that it is for.
    pub(super) fn text(&self) -> String {
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
            let of_config = &self.config.runners()[runner.runner];
            let title = label::name_and_token(&self.redaction.name(of_config), of_config);
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
        let mut names: Vec<_> = first.map(|runner| self.redaction.title(runner)).collect();
        if runners.len() > MOST_NAMES {
            names.push(format!("{} more", runners.len() - MOST_NAMES));
        }
        one_line(&names.join(", ")).into_owned()
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
