//! The pull Secrets of a pod of the kubernetes executor, as far as they decide what becomes of an auth
//! entry.
//!
//! Source: GitLab Runner 19.4 (as of August 2026), `executors/kubernetes/kubernetes.go`,
//! `prepareImagePullSecrets`: with `use_service_account_image_pull_secrets` (from 16.9) no Secret is
//! attached, not even the one that is made of the credentials; else those of `image_pull_secrets` come
//! first, then that one.

use crate::auth::runner_version::RunnerVersion;
use crate::runner::executor::Pull;
use crate::runner::table::keys_of;
use crate::runner::{Config, Runner};
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{NodeId, NodeKind};

/// With it, pods get the Secrets of their service account and no other.
pub(crate) const SERVICE_ACCOUNT: &str = "use_service_account_image_pull_secrets";

/// The Secrets that a config names.
pub(crate) const NAMED: &str = "image_pull_secrets";

/// What else a runner's pods pull with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PodPullSecrets {
    /// The value of [`SERVICE_ACCOUNT`], where it is `true`.
    pub service_account: Option<NodeId>,
    /// The value of [`NAMED`], where there is a Secret in it.
    pub named: Option<NodeId>,
}

impl PodPullSecrets {
    /// Those of a runner; none for another executor than kubernetes.
    pub fn of(config: &Config<'_>, runner: &Runner<'_>) -> Self {
        let mut found = Self::default();
        let Some(table) = runner.executor().table() else { return found };
        if runner.executor().pull() != Pull::Kubelet {
            return found;
        }
        let syntax = config.syntax();
        for key in keys_of(config, runner, table) {
            let Some(value) = key.value else { continue };
            let node = syntax.node(value);
            if same_key(&key.key, SERVICE_ACCOUNT) && syntax.text()[node.span()] == *"true" {
                found.service_account = Some(value);
            }
            let filled = node.kind == NodeKind::Array && syntax.children(value).next().is_some();
            if same_key(&key.key, NAMED) && filled {
                found.named = Some(value);
            }
        }
        found
    }

    /// Whether a version attaches the Secret that it makes of the credentials to no pod.
    pub fn leave_out_the_entry(&self, version: RunnerVersion) -> bool {
        self.service_account.is_some() && version.knows_service_account_secrets()
    }
}
