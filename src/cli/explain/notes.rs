//! What a person should know beside the answer of `explain`.

use super::{MOST, Telling};
use crate::auth::runner_version::RunnerVersion;
use crate::cli::image;
use crate::resolver::Verdict;
use crate::resolver::image::NoImage;
use crate::runner::allowed_helpers;
use crate::runner::executor::Pull;
use crate::runner::pod_pull_secrets::NAMED;

impl Telling<'_> {
    /// What to know besides: of this answer, then what holds of every one.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = self.own_notes();
        if self.goes_on() {
            notes.push(format!("a {}", variables(self.version)));
            notes.push(self.next_sources());
        }
        notes
    }

    /// Whether GitLab Runner would look elsewhere too.
    pub(super) fn goes_on(&self) -> bool {
        let explanation = self.explanation;
        explanation.pull != Pull::None
            && explanation.limits.unattached.is_none()
            && !matches!(explanation.resolution.verdict, Verdict::Cancelled { .. })
    }

    /// What to know of this answer alone.
    pub(super) fn own_notes(&self) -> Vec<String> {
        let explanation = self.explanation;
        let resolution = &explanation.resolution;
        if explanation.pull == Pull::None || explanation.limits.unattached.is_some() {
            let told = "its auth entry reaches the jobs as a variable all the same";
            return explanation.entry.iter().map(|_| told.to_owned()).collect();
        }
        let mut notes = self.entry_notes();
        notes.extend(NoImage::of(self.image).map(image::sentence));
        match &resolution.verdict {
            Verdict::Dropped { .. } if self.version.warns_in_the_job_log() => {
                notes
                    .push("GitLab Runner drops the whole document and warns in the job log".into());
            }
            Verdict::Dropped { .. } => notes.push(
                "GitLab Runner drops the whole document without a word (from 18.11 on the job log \
                 says so)"
                    .into(),
            ),
            Verdict::Cancelled { .. } => {
                notes.push(
                    "GitLab Runner then gives up: the pull fails, of public images too".to_owned(),
                );
                return notes;
            }
            Verdict::AtRandom { .. } => {
                notes.push("from GitLab Runner 18.3 on the one that sorts first wins".to_owned());
            }
            _ => {}
        }
        if !matches!(resolution.verdict, Verdict::Dropped { .. }) {
            for name in resolution.helpers.iter().take(MOST).chain(&resolution.store) {
                notes.push(format!(
                    "docker-credential-{name} runs for every job, found in the runner's own PATH: \
                     when it fails, the whole document is dropped"
                ));
            }
            if !resolution.helpers.is_empty() || resolution.store.is_some() {
                notes.extend(self.helpers_by_version());
            }
            if resolution.store.is_some() {
                notes.push("what the credsStore knows counts before auths".to_owned());
            }
        }
        notes.extend(self.limits());
        notes
    }

    /// What to know of the auth entry.
    fn entry_notes(&self) -> Vec<String> {
        let explanation = self.explanation;
        let mut notes = Vec::new();
        for place in explanation.hidden.iter().take(MOST) {
            notes.push(format!("the auth entry on line {} is hidden by the last one", place.line));
        }
        if let more @ 1.. = explanation.hidden.len().saturating_sub(MOST) {
            notes.push(format!("so are {more} more"));
        }
        if explanation.unset {
            notes.push(
                "the auth entry holds a $ that begins the name of a variable which neither this \
                 runner nor GitLab sets: it becomes nothing, unless the project or the job sets it"
                    .to_owned(),
            );
        }
        if explanation.open {
            notes.push(
                "the auth entry holds a variable that GitLab sets for each job (CI_…): what comes of \
                 it can't be told here"
                    .to_owned(),
            );
        }
        notes
    }

    /// Whether this version runs the helpers.
    fn helpers_by_version(&self) -> Option<String> {
        if !self.version.may_refuse_helpers() {
            return None;
        }
        let versions = format!("GitLab Runner from 19.4 on, and {}", RunnerVersion::CORRECTED);
        let key = allowed_helpers::KEY;
        Some(if self.explanation.limits.allows_helpers {
            format!("{versions}, runs it only as far as {key} permits, which isn't checked here")
        } else {
            format!(
                "{versions}, may not run it, since this runner has no {key}: try one job, or store the \
                 credential"
            )
        })
    }

    /// What keeps the answer from being the whole one.
    fn limits(&self) -> Vec<String> {
        let explanation = self.explanation;
        let mut notes: Vec<_> = self.runner.executor().why_unknown().into_iter().collect();
        if explanation.pull == Pull::Driver {
            notes.push(
                "with the executor custom its driver decides: it gets the entry as \
                 CUSTOM_ENV_DOCKER_AUTH_CONFIG, and this holds where it reads it as the docker \
                 executor does"
                    .to_owned(),
            );
        }
        if explanation.pull == Pull::Kubelet {
            notes.push(
                "this is what the docker executor would find: the kubernetes executor writes one \
                 credential for each path into a pull Secret, and the kubelet matches them by its \
                 own rules: each key whose host and path fit is tried, the longest first, and * may \
                 stand in a host"
                    .to_owned(),
            );
        }
        if explanation.limits.beside_pull_secrets {
            notes.push(format!(
                "its pods get the Secrets of {NAMED} as well, before this one: the kubelet tries the \
                 credentials of each that fit"
            ));
        }
        if !explanation.limits.restricted_by.is_empty() {
            notes.push(format!(
                "a job may name this image only if it fits {} of the config: any other is refused \
                 before it is pulled",
                explanation.limits.restricted_by.join(" or, for a service, ")
            ));
        }
        notes
    }

    /// Where GitLab Runner looks next.
    fn next_sources(&self) -> String {
        match &self.explanation.resolution.verdict {
            // Before, only hosts counted.
            Verdict::Match(_) | Verdict::AtRandom { .. } if self.version.matches_paths() => {
                format!("read next, and used where they have a longer path: {NEXT}; {BROKEN}")
            }
            _ => format!("read next: {NEXT}; {BROKEN}"),
        }
    }
}

/// What else could supply a credential to any runner.
pub(super) fn standing(version: RunnerVersion) -> String {
    let shorter = if version.matches_paths() { ", or has a shorter path" } else { "" };
    let variables = variables(version);
    format!(
        "A {variables}.\nWhere the entry finds nothing{shorter}, this is read next: {NEXT}; {BROKEN}.\n"
    )
}

const NEXT: &str = "~/.docker/config.json (or ~/.dockercfg) of the runner's user, then the job's own \
                    login to GitLab's registry";
const BROKEN: &str = "a broken file is skipped silently";

/// Which variables win over the entry.
fn variables(version: RunnerVersion) -> String {
    let mut note =
        "variable DOCKER_AUTH_CONFIG of the project or the job would take the place of the \
                    runner's entry"
            .to_owned();
    if version.knows_secrets() {
        note.push_str(", and so would one that secrets: of the job fetches");
    }
    note.push_str(if version.reads_file_variables() {
        "; if it is of the type file, its content is read"
    } else {
        "; if it is of the type file, its path is read, which is no document"
    });
    note
}
