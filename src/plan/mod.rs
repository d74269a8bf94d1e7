//! From what is wanted to the edits that bring it about, runner by runner, and the proof of them.
//!
//! This room reads the runner and the auth document, and changes neither: it gives edits. It does
//! not know who asks, what is shown, or how the file is written.

mod changed_pairs;
mod check;
mod delegation;
mod mended;
pub(crate) mod proof;
mod pull_policy;
mod remove;
mod runner_context;
mod set;
mod use_by_version;

use runner_context::RunnerContext;

use crate::auth::credential::Credential;
use crate::auth::credential_change::CredentialChange;
use crate::auth::document::Delegation;
pub use crate::auth::document::Removal;
use crate::auth::registry::Registry;
use crate::error::Error;
pub(crate) use crate::plan::mended::Mended;
use crate::plan::proof::{PatchedBlock, Proof, Wish};
use crate::plan::pull_policy::PolicyChange;
use crate::runner::environment::Environment;
use crate::runner::executor::Pull;
use crate::runner::layout::{own_indent, own_table};
use crate::runner::pod_pull_secrets::{PodPullSecrets, SERVICE_ACCOUNT};
use crate::runner::pull_policy::{PullPolicy, listed, meaning};
use crate::runner::{Config, Runner};
use crate::secret::Secret;
use crate::toml::edit::Edit;
use crate::toml::table::NewPair;
use crate::yaml;

/// What is wanted of each selected runner.
#[derive(Debug, Clone)]
pub enum Request {
    /// Credentials are stored.
    Set {
        /// Each registry with its credential; a registry stands here once.
        logins: Vec<(Registry, Credential)>,
        /// What the document held before is dropped, also when it is broken.
        replace: bool,
        /// What `pull_policy` becomes; where it is empty that key stays as it is. The auth entry
        /// stays as it is where there are no logins.
        pull_policies: Vec<PullPolicy>,
    },
    /// Registries are left to a credential helper, which GitLab Runner then asks at each job.
    Delegate {
        /// The helper, without `docker-credential-`.
        helper: String,
        /// The registries, each once; without any the helper is asked for every registry.
        registries: Vec<Registry>,
        /// What the document held before is dropped, also when it is broken.
        replace: bool,
        /// What `pull_policy` becomes, as above.
        pull_policies: Vec<PullPolicy>,
    },
    /// Credentials, and helpers named for these registries, are taken out.
    Remove(Removal),
    /// The whole auth entry is taken out, also when it is broken.
    RemoveEntry,
}

/// What happens to one runner.
///
/// ```
/// use runner_auth::{Config, ConfigText, Plan, Request, RunnerPlan};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let text = ConfigText::new("config.toml", b"[[runners]]\n  executor = 'docker'\n".to_vec());
/// let config = Config::parse(&text)?;
/// let plan = Plan::make(&config, &[0], &Request::RemoveEntry)?;
/// let of_runner: &RunnerPlan = &plan.runners()[0];
/// assert_eq!((of_runner.runner, of_runner.changed), (0, false));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RunnerPlan {
    /// Its number in [`Config::runners`].
    pub runner: usize,
    /// Whether the file changes for it.
    pub changed: bool,
    /// Its credentials that were asked for.
    pub changes: Vec<CredentialChange>,
    /// Its pull policies from now on, if they were asked for.
    pub pull_policies: Option<Vec<PullPolicy>>,
    /// What happens besides, in plain words.
    pub notes: Vec<String>,
    /// What the person should know, in plain words.
    pub warnings: Vec<String>,
}

/// The whole change of a file, proved to do what was asked and nothing else.
///
/// ```
/// use runner_auth::{Config, ConfigText, Credential, Plan, Registry, Request, Secret};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let text = ConfigText::new("config.toml", b"[[runners]]\n  executor = 'docker'\n".to_vec());
/// let config = Config::parse(&text)?;
/// let login = Credential::new("ci", Secret::from("s3cret"))?;
/// let logins = vec![(Registry::parse("r.io")?, login)];
/// let request = Request::Set { logins, replace: false, pull_policies: Vec::new() };
/// let plan = Plan::make(&config, &[0], &request)?;
/// assert!(plan.changes() && plan.runners()[0].changed);
/// // What comes in is one line below the executor; every other byte stays.
/// let edits = plan.edits();
/// assert_eq!((edits.len(), edits[0].span.len()), (1, 0));
/// assert!(plan.apply(&config).starts_with(b"[[runners]]\n  executor = 'docker'\n  environment = ["));
/// # Ok(())
/// # }
/// ```
pub struct Plan {
    edits: Vec<Edit>,
    blocks: Vec<PatchedBlock>,
    runners: Vec<RunnerPlan>,
    /// What happens to the file as a whole when it is mended, and what is left of it.
    mended: Option<(Vec<String>, Vec<String>)>,
}

impl Plan {
    /// Plans a request for the selected runners and proves it.
    ///
    /// # Errors
    ///
    /// Those that name a runner's place: [`Error::InvalidEnvironment`], [`Error::KeyTwice`],
    /// [`Error::InvalidAuthDocument`], [`Error::HelperAnswers`], [`Error::PullPolicyRefused`]; and
    /// [`Error::NotProved`] when the result would differ in more than what was asked.
    pub fn make(config: &Config<'_>, selected: &[usize], request: &Request) -> Result<Self, Error> {
        let mut runners = Vec::with_capacity(selected.len());
        let mut proof = Proof::new(config);
        for &number in selected {
            let runner = &config.runners()[number];
            let mut change = plan_runner(config, runner, request)?;
            if stores(request) {
                change.warnings.extend(who_pulls(config, runner, selected.len() > 1));
            }
            runners.push(expect(config, number, change, &mut proof));
        }
        let (edits, blocks) = proof.check()?;
        yaml::prove(config.text(), &edits)?;
        Ok(Self { edits, blocks, runners, mended: None })
    }

    /// Whether anything changes.
    #[must_use]
    pub fn changes(&self) -> bool {
        !self.edits.is_empty()
    }

    /// The edits, in the order of the file.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    pub(crate) fn into_parts(self) -> (Vec<Edit>, Vec<RunnerPlan>) {
        (self.edits, self.runners)
    }

    /// The patched file. It is the caller's to wipe: it holds the credentials.
    #[must_use]
    pub fn apply(&self, config: &Config<'_>) -> Vec<u8> {
        config.text().patched(&self.edits)
    }

    /// The selected runners.
    #[must_use]
    pub fn runners(&self) -> &[RunnerPlan] {
        &self.runners
    }

    /// What happens to the file as a whole when it is mended, and what a person should know about
    /// what is left; `None` for other changes.
    pub(crate) fn mended(&self) -> Option<&(Vec<String>, Vec<String>)> {
        self.mended.as_ref()
    }

    pub(crate) fn blocks(&self) -> &[PatchedBlock] {
        &self.blocks
    }
}

/// What a request comes to for one runner.
#[derive(Default)]
struct RunnerChange {
    /// The edits of its environment.
    edits: Vec<Edit>,
    /// The environment, where it has none.
    environment: Option<NewPair>,
    /// Whether the environment goes, which holds nothing but the auth entry.
    no_environment: bool,
    /// The auth entry that the runner then has, whole and decoded.
    entry: Option<Secret>,
    /// Whether it is known already that every version uses what comes in.
    is_settled: bool,
    policy: Option<PolicyChange>,
    pull_policies: Option<Vec<PullPolicy>>,
    changes: Vec<CredentialChange>,
    notes: Vec<String>,
    warnings: Vec<String>,
}

impl RunnerChange {
    /// The auth document that the runner then has.
    fn document(&self) -> &str {
        let entry = self.entry.as_ref().and_then(|entry| entry.expose().split_once('='));
        entry.map_or("", |(_, document)| document)
    }
}

fn plan_runner(
    config: &Config<'_>,
    runner: &Runner<'_>,
    request: &Request,
) -> Result<RunnerChange, Error> {
    let environment = Environment::of(config, runner)?;
    let place = RunnerContext { config, runner, environment: environment.as_ref() };
    let mut change = match request {
        Request::Set { logins, .. } if logins.is_empty() => RunnerChange::default(),
        Request::Set { logins, replace, .. } => place.set(logins, *replace)?,
        Request::Delegate { helper, registries, replace, .. } => {
            place.delegate(Delegation { helper, registries }, *replace)?
        }
        Request::Remove(removal) => place.remove(removal)?,
        Request::RemoveEntry => place.remove_entry(),
    };
    let pull_policies = match request {
        Request::Set { pull_policies, .. } | Request::Delegate { pull_policies, .. } => {
            pull_policies
        }
        Request::Remove(_) | Request::RemoveEntry => return Ok(change),
    };
    if !pull_policies.is_empty() {
        change.policy = pull_policy::plan(config, runner, pull_policies)?;
        let verb =
            if change.policy.is_some() { "set pull_policy to" } else { "pull_policy is already" };
        change.notes.push(format!("{verb} {}", listed(pull_policies)));
        change.pull_policies = Some(pull_policies.clone());
    }
    Ok(change)
}

/// Whether a request brings credentials, or a helper that has some.
fn stores(request: &Request) -> bool {
    match request {
        Request::Set { logins, .. } => !logins.is_empty(),
        Request::Delegate { .. } => true,
        Request::Remove(_) | Request::RemoveEntry => false,
    }
}

/// What to know where the runner itself does not pull with the credential; of one among several also
/// how it is left out.
fn who_pulls(config: &Config<'_>, runner: &Runner<'_>, several: bool) -> Vec<String> {
    let executor = runner.executor();
    let mut warnings = Vec::new();
    match executor.pull() {
        Pull::None => {
            let advice = if several {
                "; to leave it out, name the other executors with --executor"
            } else {
                ""
            };
            warnings.push(format!(
                "runner '{}' has the executor {executor}, which pulls no images and ignores the \
                 credential{advice}",
                config.title(runner)
            ));
        }
        Pull::Driver => warnings.push(format!(
            "runner '{}' has the executor {executor}, whose driver decides what it does with the \
             credential",
            config.title(runner)
        )),
        Pull::Runner | Pull::Kubelet | Pull::Unknown => {}
    }
    if PodPullSecrets::of(config, runner).service_account.is_some() {
        warnings.push(format!(
            "runner '{}' has {SERVICE_ACCOUNT}: GitLab Runner from 16.9 on then attaches the \
             credential to no pod",
            config.title(runner)
        ));
    }
    warnings
}

/// Hands the edits of one runner over with what is expected of them; says what happens to it.
fn expect(
    config: &Config<'_>,
    number: usize,
    change: RunnerChange,
    proof: &mut Proof<'_, '_>,
) -> RunnerPlan {
    let runner = &config.runners()[number];
    let own = runner.place();
    if change.no_environment {
        proof.expect(own.block, Wish::NoEnvironment { runner: own.clone() });
    } else if !change.edits.is_empty() || change.environment.is_some() {
        let entry = change.entry;
        proof.expect(own.block, Wish::AuthEntry { runner: own.clone(), entry });
    }
    let mut policy = change.policy;
    // One edit for both pairs, so that the second takes the first into account.
    let own_pair = policy.as_mut().and_then(|policy| policy.own_pair.take());
    let pairs: Vec<_> = change.environment.into_iter().chain(own_pair).collect();
    let indent = || own_indent(config, runner);
    let pairs = own_table(config, runner).add(&pairs, indent);
    let mut changed = false;
    for edit in change.edits.into_iter().chain(pairs) {
        proof.edit(own.block, edit);
        changed = true;
    }
    if let (Some(policy), Some(policies)) = (policy, &change.pull_policies) {
        let value = meaning(policies, policy.array);
        proof.expect(policy.block, Wish::PullPolicy { place: policy.place, value });
        for edit in policy.edits {
            proof.edit(policy.block, edit);
            changed = true;
        }
    }
    RunnerPlan {
        runner: number,
        changed,
        changes: change.changes,
        pull_policies: change.pull_policies,
        notes: change.notes,
        warnings: change.warnings,
    }
}
