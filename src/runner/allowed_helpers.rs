//! `allowed_docker_credential_helpers`: which credential helpers the newest versions of GitLab Runner run
//! for which registry.
//!
//! Known from a public thread (cattle-ops/terraform-aws-gitlab-runner#1394) and from GitLab's page on the
//! security of runners, not from the code: what its value looks like and in which table it belongs is not
//! told there. So it is looked for where it could stand, and its value is left alone.

use crate::runner::table::{keys_of, sections};
use crate::runner::{Config, Runner};
use crate::toml::letter_case::same_key;

/// The key.
pub(crate) const KEY: &str = "allowed_docker_credential_helpers";

/// Whether a runner has it, in its own table or in that of its executor.
pub(crate) fn are_named(config: &Config<'_>, runner: &Runner<'_>) -> bool {
    let table = runner.executor().table().unwrap_or("docker");
    let syntax = config.syntax();
    syntax.siblings(runner.place().pairs.clone()).any(|pair| syntax.key_is(pair, 0, KEY))
        || sections(config, runner).any(|(header, _)| syntax.key_is(header, 1, KEY))
        || keys_of(config, runner, table).any(|found| same_key(&found.key, KEY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::text::ConfigText;

    #[test]
    fn it_is_found_in_each_form() {
        let cases = [
            ("[[runners]]\nexecutor = 'docker'\n[runners.docker]\nimage = 'x'\n", false),
            ("[[runners]]\nexecutor = 'docker'\nallowed_docker_credential_helpers = ['a']\n", true),
            (
                "[[runners]]\nexecutor = 'docker'\n[runners.docker]\n\
                 Allowed_Docker_Credential_Helpers = ['a']\n",
                true,
            ),
            (
                "[[runners]]\nexecutor = 'kubernetes'\n[runners.kubernetes.\
                 allowed_docker_credential_helpers]\n'r.io' = 'a'\n",
                true,
            ),
            (
                "[[runners]]\nexecutor = 'docker'\n[[runners]]\nexecutor = 'docker'\n\
                 [runners.docker]\nallowed_docker_credential_helpers = []\n",
                false,
            ),
        ];
        for (text, expected) in cases {
            let text = ConfigText::new("config.toml", text.as_bytes().to_vec());
            let config = Config::parse(&text).unwrap();
            assert_eq!(are_named(&config, &config.runners()[0]), expected, "{text:?}");
        }
    }
}
