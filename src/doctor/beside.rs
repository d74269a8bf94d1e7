//! What is wrong beside a change, so that who makes it learns that it may not help.

use super::{Finding, duplicate_key, executor, file, known_key, misplaced, misspelled};
use crate::runner::Config;
use crate::runner::environment::Environment;
use crate::runner::known_keys::{self, Flaw, FlawedKey, Keys};

/// What keeps GitLab Runner from starting with this file or from taking jobs for the selected runners,
/// and what looks like an auth entry of theirs and is none: somebody thinks that it counts.
pub(crate) fn beside(config: &Config<'_>, selected: &[usize]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Keys { flaws, odd_blocks } = known_keys::check(config);
    let stops = |key: &FlawedKey| matches!(key.flaw, Flaw::WrongType { .. });
    known_key::check(config, flaws.into_iter().filter(stops), &mut findings);
    duplicate_key::check(config, &odd_blocks, &mut findings);
    let whole = findings.len();
    misplaced::check(config, &odd_blocks, &mut findings);
    let is_selected =
        |finding: &Finding| finding.runner.is_none_or(|at| selected.binary_search(&at).is_ok());
    let mut of_runners = findings.split_off(whole);
    of_runners.retain(is_selected);
    findings.append(&mut of_runners);
    for &number in selected {
        executor::check(config, number, &mut findings);
        // One that can't be read is an error of the change itself.
        if let Ok(Some(environment)) = Environment::of(config, &config.runners()[number]) {
            misspelled::check(config, number, &environment, None, &mut findings);
        }
    }
    findings.sort_by_key(|finding| (finding.place, finding.code));
    findings
}

/// Whether others than its owner can read the file with this mode, or change it.
pub(crate) fn permissions(path: &str, mode: u32) -> Option<Finding> {
    file::permissions(mode, Some(path), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::text::ConfigText;
    use proptest::prelude::*;

    const LINES: &[&str] = &[
        "[[runners]]",
        "[[Runners]]",
        "[runners.docker]",
        "[runners.Docker]",
        "[[runners.docker.services]]",
        "[runners.feature_flags]",
        "[runners.labels]",
        "[runners.docker.sysctls]",
        "[runners.docker.services_devices]",
        "[runners.autoscaler.plugin_config]",
        "[runners.autoscaler.plugin_config.environment]",
        "[[runners.kubernetes.volumes.host_path]]",
        "[runners.monitoring]",
        "[runner]",
        "[session_server]",
        "concurrent = 1",
        "name = 'x'",
        "Name = 'y'",
        "\"name\" = \"z\"",
        "image = 'DOCKER_AUTH_CONFIG=x'",
        "environment = ['DOCKER_AUTH_CONFIG={}', 'A=b']",
        "environment = [' DOCKER_AUTH_CONFIG =x']",
        "Environment = [\"DOCKER\\u005fAUTH_CONFIG=x\"]",
        "environment = 'DOCKER_AUTH_CONFIG=x'",
        "environment = {DOCKER_AUTH_CONFIG = 'x'}",
        "volumes = ['/cache', \"\"\"DOCKER_AUTH_CONFIG=y\"\"\"]",
        "volumes = ['DOCKER_AUTH_CONFIG=y']",
        "volumes = '/cache'",
        "volumes = ['/cache', 1]",
        "docker = {environment = ['DOCKER_AUTH_CONFIG=y'], Image = 'x', image = 'y'}",
        "docker.image = 'x'",
        "docker_auth_config = 'x'",
        "DOCKER_AUTH_CONFIG = 'x'",
        "FF_X = true",
        "privileged = 'true'",
        "privileged = true",
        "allowed_images = ['a', 'b']",
        "token_expires_at = 0001-01-01T00:00:00Z",
        "pull_policy = 'always'",
        "unknown = 1",
        "runners = [{environment = ['DOCKER_AUTH_CONFIG=x'], Name = 1, name = 'a'}]",
    ];

    proptest! {
        #![proptest_config(crate::property::cases(1000))]

        #[test]
        fn ordinary_sections_have_no_findings(
            lines in prop::collection::vec(prop::sample::select(LINES), 0..14),
        ) {
            let text = ConfigText::new("config.toml", lines.join("\n").into_bytes());
            let Ok((config, _)) = Config::parse_all(&text) else { return Ok(()) };
            let Keys { flaws, odd_blocks } = known_keys::check(&config);
            prop_assert_eq!(flaws, known_keys::check_every_block(&config));
            let every: Vec<_> = (0..config.syntax().blocks().len()).collect();
            let findings = |blocks: &[usize]| {
                let mut findings = Vec::new();
                duplicate_key::check(&config, blocks, &mut findings);
                misplaced::check(&config, blocks, &mut findings);
                findings
            };
            prop_assert_eq!(findings(&odd_blocks), findings(&every));
        }
    }
}
