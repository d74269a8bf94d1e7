//! What is said about a planned change: the report, the summary and the last words.

use serde::{Serialize, Serializer};

use super::list;
use super::output::Output;
use super::report::{Report, RunnerLabel};
use crate::auth::credential_change::{Action, CredentialChange};
use crate::doctor::{self, Finding};
use crate::plan::{Plan, RunnerPlan};
use crate::redaction::Redaction;
use crate::redaction::diff::{Line, to_text};
use crate::resolver::listing;
use crate::runner::pull_policy::PullPolicy;
use crate::runner::{Config, Runner, label};
use crate::toml::edit::Edit;
use crate::toml::printable::one_line;

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    NothingToDo,
    DryRun,
    /// `--check` has found something to change.
    Check,
    /// A person said no.
    Declined,
    /// The patched config went to standard output.
    Filtered,
    /// Written, after a person had seen the diff.
    Confirmed,
    /// Written without a question.
    Written,
}

/// What is told about a planned change.
pub(super) struct Told {
    /// What changes, or would in a dry run.
    pub edits: Vec<Edit>,
    pub report: Report<Body>,
    pub summary: String,
    /// What the file is called.
    pub label: String,
    /// Whether the file is a config, and not one that brings it somewhere else.
    pub is_whole: bool,
    /// Whether a credential comes into the file, and not only out of it.
    pub stores: bool,
}

impl Told {
    pub fn changes(&self) -> bool {
        !self.edits.is_empty()
    }

    /// One line per runner, and what to know before it is written.
    pub fn what_to_know(&self) -> String {
        format!("{}{}", self.summary, warnings(&self.report.body.warnings))
    }

    /// The last words; `unseen` is what the person was not told before.
    pub fn text(&self, ending: Ending, unseen: &str, output: &Output) -> String {
        let label = &self.label;
        if ending == Ending::Declined {
            return format!("Nothing was written: {label} is as it was.\n");
        }
        // A person who was asked has seen the diff.
        let seen = ending == Ending::Confirmed;
        let mut out = if seen { String::new() } else { output.diff(&self.report.body.diff, false) };
        out.push_str(unseen);
        match ending {
            Ending::NothingToDo => {
                out.push_str(&format!("Nothing to do: {label} needs no change.\n"));
            }
            Ending::DryRun => {
                out.push_str(&format!("Nothing was written: this was a dry run for {label}.\n"));
            }
            Ending::Check => out.push_str(&format!(
                "Nothing was written because of --check: {label} would change, so the exit status \
                 is 1.\n"
            )),
            Ending::Filtered => out.push_str("The patched config is on standard output.\n"),
            Ending::Confirmed | Ending::Written | Ending::Declined => {
                let when = if self.is_whole {
                    "New jobs use it within seconds, without a restart of the runner."
                } else {
                    "New jobs use it once this file is applied, as with helm upgrade or kubectl \
                     apply."
                };
                out.push_str(&format!("Wrote {label}. {when}\n"));
                if self.stores {
                    out.push_str(
                        "Every job on that runner can read it: use an account that can only pull.\n",
                    );
                }
            }
        }
        out
    }
}

/// Warnings as they are printed.
pub(super) fn warnings(warnings: &[String]) -> String {
    let mut out = String::new();
    for warning in warnings {
        out.push_str(&format!("warning: {}\n", one_line(warning)));
    }
    out
}

/// What is said about a plan.
pub(super) struct Preview<'p, 't> {
    pub config: &'p Config<'t>,
    pub plan: &'p Plan,
    pub redaction: &'p Redaction<'p>,
    /// Whether nothing is written in any case.
    pub dry: bool,
    /// Whether something was to be taken out.
    pub removes: bool,
}

#[derive(Serialize)]
pub(super) struct Body {
    config: String,
    changed: bool,
    pub written: bool,
    runners: Vec<RunnerReport>,
    #[serde(serialize_with = "as_text")]
    pub diff: Vec<Line>,
    pub warnings: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct RunnerReport {
    #[serde(flatten)]
    label: RunnerLabel,
    changed: bool,
    credentials: Vec<CredentialChange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_policy: Option<Vec<PullPolicy>>,
}

impl Body {
    /// What is told before anything is written; `changed` says whether the file changes, or would in a dry run.
    pub fn new(
        config: &Config<'_>,
        changed: bool,
        plans: Vec<RunnerPlan>,
        labels: Vec<RunnerLabel>,
        diff: Vec<Line>,
        warnings: Vec<String>,
    ) -> Self {
        let runners = plans.into_iter().zip(labels).map(|(plan, label)| RunnerReport {
            label,
            changed: plan.changed,
            credentials: plan.changes,
            pull_policy: plan.pull_policies,
        });
        Self {
            config: config.text().label().to_owned(),
            changed,
            written: false,
            runners: runners.collect(),
            diff,
            warnings,
        }
    }
}

fn as_text<S: Serializer>(diff: &[Line], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_text(diff))
}

impl Preview<'_, '_> {
    fn runner(&self, plan: &RunnerPlan) -> &Runner<'_> {
        &self.config.runners()[plan.runner]
    }

    /// How the runners are called.
    pub fn labels(&self) -> Vec<RunnerLabel> {
        let runners = self.plan.runners().iter().map(|plan| self.runner(plan));
        runners.map(|runner| RunnerLabel::new(runner, self.redaction)).collect()
    }

    /// Whether a credential comes into the file, and not only out of it.
    pub fn stores(&self) -> bool {
        let mut changes = self.plan.runners().iter().flat_map(|plan| &plan.changes);
        changes.any(|change| matches!(change.action, Action::Added | Action::Updated))
    }

    /// One line per runner.
    pub fn summary(&self, labels: &[RunnerLabel]) -> String {
        let mut out = String::new();
        for note in self.plan.mended().iter().flat_map(|(notes, _)| notes) {
            out.push_str(&one_line(&format!("{}: {note}", self.config.text().label())));
            out.push('\n');
        }
        let mut line = String::new();
        for (plan, label) in self.plan.runners().iter().zip(labels) {
            let runner = self.runner(plan);
            line.clear();
            line.push_str(if self.dry && plan.changed { "would change " } else { "" });
            line.push_str(&label::name_and_token(&label.name, runner));
            let mut between = ": ";
            for change in &plan.changes {
                line.push_str(between);
                say(change, &mut line);
                between = "; ";
            }
            for note in &plan.notes {
                line.push_str(between);
                line.push_str(note);
                between = "; ";
            }
            if plan.changes.is_empty() && plan.notes.is_empty() {
                line.push_str(between);
                line.push_str(&self.nothing_to_do(runner));
            }
            out.push_str(&one_line(&line));
            out.push('\n');
        }
        out
    }

    /// What is there, for a person who has named something else to be removed.
    fn nothing_to_do(&self, runner: &Runner<'_>) -> String {
        let listed = listing::credentials(self.config, runner).ok().and_then(Result::ok);
        let there: Vec<_> = listed.iter().flatten().map(list::registry).collect();
        if self.plan.mended().is_some() {
            return "nothing here can be fixed without you deciding".to_owned();
        }
        if there.is_empty() || !self.removes {
            return "nothing to do".to_owned();
        }
        format!("nothing to do, its auth entry has {}", there.join(", "))
    }

    /// What to know before it is written.
    pub fn warnings(&self) -> Vec<String> {
        let text = self.config.text();
        let runners = self.plan.runners().iter().flat_map(|plan| plan.warnings.iter().cloned());
        if let Some((_, left)) = self.plan.mended() {
            // Of a text that was mended only what is left is told.
            return left.iter().cloned().chain(runners).collect();
        }
        let mut warnings: Vec<_> = runners.collect();
        let selected: Vec<_> = self.plan.runners().iter().map(|plan| plan.runner).collect();
        let neighbours = doctor::beside(self.config, &selected);
        warnings.extend(neighbours.iter().map(Finding::sentence));
        let refusals = self.config.refusals();
        warnings.extend(refusals.iter().map(|refusal| format!("{} has {refusal}", text.label())));
        warnings
    }
}

/// Says in a line what happens to a credential.
fn say(change: &CredentialChange, line: &mut String) {
    let CredentialChange { registry, action, username } = change;
    // The store answers for every registry.
    let registry = if registry == "*" { "the credsStore" } else { registry };
    let (verb, rest) = match action {
        Action::Added => ("add ", ""),
        Action::Updated => ("update ", ""),
        Action::Unchanged => ("", " is already there"),
        Action::Removed => ("remove ", ""),
    };
    for word in [verb, registry, rest] {
        line.push_str(word);
    }
    if let Some(user) = username {
        line.push_str(" for user ");
        line.push_str(user);
    }
}
