//! Images that stay on a runner after they were pulled with a credential.

use super::subject::Subject;
use super::{Code, Finding};
use crate::runner::pull_policy::{self, PullPolicy, names};
use crate::runner::table::keys_of;
use crate::toml::letter_case::same_key;
use crate::toml::syntax::NodeId;

/// A runner that keeps images which were pulled with a credential.
pub(super) fn cached_images(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let config = subject.config;
    let syntax = config.syntax();
    let runner = &config.runners()[subject.number];
    let Some(table) = runner.executor().table() else {
        return;
    };
    for key in keys_of(config, runner, table) {
        let Some(value) = key.value.filter(|_| same_key(&key.key, pull_policy::KEY)) else {
            continue;
        };
        let values = pull_policy::values(syntax, value);
        let is_cached = |value: &&NodeId| names(syntax, **value, PullPolicy::IfNotPresent);
        if let Some(&cached) = values.iter().find(is_cached) {
            findings.push(subject.finding(
                Code::CachedPrivateImages,
                syntax.node(cached).span(),
                "with if-not-present any job on this runner can use a private image that another \
                 job pulled, without a credential of its own",
                "use pull_policy = \"always\" where projects must not see each other's images",
            ));
        }
    }
}
