//! An executor that GitLab Runner doesn't know.

use super::{Code, Finding};
use crate::runner::Config;
use crate::runner::table::own_keys;
use crate::toml::letter_case::same_key;

/// GitLab Runner gets no jobs for such a runner, and newer versions log `Executor … is not known`
/// (`commands/multi.go`). One without any is a template's, which `gitlab-runner register` completes.
pub(super) fn check(config: &Config<'_>, number: usize, findings: &mut Vec<Finding>) {
    let syntax = config.syntax();
    let runner = &config.runners()[number];
    let executor = runner.executor();
    let Some(message) = executor.why_unknown() else { return };
    let values = own_keys(config, runner).filter(|key| same_key(&key.key, "executor"));
    let mut values = values.filter_map(|key| key.value);
    let Some(value) = values.find(|&value| syntax.string(value) == executor.name()) else {
        return;
    };
    let advice = executor.nearest().map_or_else(
        || "use one that it knows, such as docker, kubernetes or shell; a build of your own may know more".to_owned(),
        |nearest| format!("did you mean {nearest}?"),
    );
    let span = syntax.node(value).span();
    let finding = Finding::new(config.text(), Code::UnknownExecutor, span, message, advice);
    findings.push(finding.of_runner(number));
}
