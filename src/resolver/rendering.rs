//! An auth document for another place than a runner's entry.

use zeroize::Zeroizing;

use crate::auth::credential::Credential;
use crate::auth::document::{Content, Reading, Stored, Style};
use crate::auth::registry::Registry;
use crate::auth::runner_version::RunnerVersion;
use crate::auth::source::Login;
use crate::error::Error;
use crate::escaped_json;
use crate::resolver::shell::quote;
use crate::runner::auth_entry::{AuthEntry, Filled, VARIABLE, new_entry};
use crate::runner::environment::Environment;
use crate::runner::{Config, Runner};
use crate::secret::Secret;

/// The place that a rendering is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Docker's `config.json`.
    Json,
    /// A line that a POSIX shell can source.
    Env,
    /// A line for a `[[runners]]` table.
    Toml,
    /// A `variables:` block of `.gitlab-ci.yml`.
    GitlabCi,
    /// The `env_vars` of a runner, as the Ansible role riemers.gitlab-runner takes them.
    EnvVars,
    /// The `environment` in the hash of a runner, as the Puppet module puppet-gitlab_ci_runner takes it.
    Puppet,
}

/// Credentials and helpers that can be written down.
pub struct Rendering(Content);

impl Rendering {
    /// These credentials.
    #[must_use]
    pub fn of_logins(logins: &[Login]) -> Self {
        Self(Content::of_logins(logins))
    }

    /// A helper, for these registries, or without any for all of them.
    #[must_use]
    pub fn of_helper(name: &str, registries: &[Registry]) -> Self {
        Self(Content::of_helper(name, registries))
    }

    /// What the auth entry of a runner comes to: its other variables are filled in, and what is
    /// neither a credential nor a helper is left behind.
    ///
    /// # Errors
    ///
    /// Those of a broken `environment`; [`Error::InvalidAuthDocument`] for one that GitLab Runner
    /// would drop; [`Error::NothingToRender`] when the runner has no auth entry, or an empty one.
    pub fn of_runner(config: &Config<'_>, runner: &Runner<'_>) -> Result<Self, Error> {
        let environment = Environment::of(config, runner)?;
        let found = environment.as_ref().and_then(|environment| {
            let entry = environment.auth()?.counts;
            let filled = entry.fill(environment);
            Some((entry, filled))
        });
        let nothing = || Error::NothingToRender {
            path: config.text().label().to_owned(),
            runner: config.title(runner),
        };
        let Some((entry, filled)) = found else {
            return Err(nothing());
        };
        let problem = Problem { config, runner, entry: &entry, filled: &filled };
        if filled.unset {
            return Err(problem.at(
                0,
                "holds a $ that GitLab Runner fills in from a job's variables, which are not known \
                 here: write the value itself, or $$ for a $",
            ));
        }
        let document = match filled.read(RunnerVersion::LATEST) {
            Reading::Empty => return Err(nothing()),
            Reading::Dropped(error, _) => {
                let said =
                    format!("{}, and GitLab Runner drops the whole document for it", error.problem);
                return Err(problem.at(error.offset, &said));
            }
            Reading::Cancelled(helper, _) => return Err(problem.at(0, &helper.why_it_cancels())),
            Reading::Read(document) => document,
        };
        if let Some(unwrapped) = document.unwrapped_credentials().next() {
            let said = "has credentials outside \"auths\", which GitLab Runner ignores: put \
                        {\"auths\": …} around them";
            return Err(problem.at(unwrapped.place.start, said));
        }
        let mut content = Content::default();
        for entry in document.effective() {
            if *entry.stored() == Stored::Unknown {
                let said = format!(
                    "takes the credential of {} from a variable that GitLab sets for each job: \
                     nobody knows it here",
                    entry.key.shown()
                );
                return Err(problem.at(document.key_place(entry).start, &said));
            }
            let empty = || Credential::plain("", "");
            content
                .auths
                .push((entry.key.as_str().to_owned(), entry.credential().unwrap_or_else(empty)));
        }
        for helper in document.effective_helpers() {
            match helper.key_text() {
                Some(key) => content.helpers.push((key.to_owned(), helper.name.clone())),
                None => content.store = Some(helper.name.clone()),
            }
        }
        Ok(Self(content))
    }

    /// Writes it down, with a line end. It holds the secrets: that is what it is for.
    #[must_use]
    pub fn write(&self, form: Form) -> Secret {
        let written = |style: &Style, acts| {
            Zeroizing::new(escaped_json::escaped(self.0.write(style).expose(), acts))
        };
        // In ASCII: YAML takes some other characters for line ends.
        let json = |style: &Style| written(style, |letter| !letter.is_ascii());
        // Without blanks, which GitLab does not mask in a variable, and without %: it fills in %NAME%
        // as well as $NAME (its `lib/expand_variables.rb`), and a $ is escaped in every form.
        let tight = || {
            let style = Style { colon: ":".into(), item: ",".into(), lines: None };
            written(&style, |letter| letter == '%' || !letter.is_ascii())
        };
        Secret::new(match form {
            Form::Json => {
                // As Docker writes it.
                let lines = Some(("\n".into(), "\t".into()));
                format!("{}\n", *json(&Style { lines, ..Style::default() }))
            }
            Form::Env => format!("{VARIABLE}={}\n", quote(&tight())),
            Form::Toml => {
                format!("environment = [{}]\n", new_entry(&json(&Style::default())).expose())
            }
            // In single quotes only a ' is special to YAML: the document has none, since it is
            // escaped as JSON.
            Form::GitlabCi => format!("variables:\n  {VARIABLE}: '{}'\n", *tight()),
            Form::EnvVars => format!("env_vars:\n  - '{VARIABLE}={}'\n", *untemplated(&tight())),
            // Between single quotes Puppet takes two backslashes for one.
            Form::Puppet => {
                let document = Zeroizing::new(tight().replace('\\', "\\\\"));
                format!("environment => ['{VARIABLE}={}'],\n", *document)
            }
        })
    }
}

/// What is wrong with a runner's auth document.
struct Problem<'p, 't> {
    config: &'p Config<'t>,
    runner: &'p Runner<'t>,
    entry: &'p AuthEntry<'t>,
    filled: &'p Filled,
}

impl Problem<'_, '_> {
    fn at(&self, offset: usize, problem: &str) -> Error {
        Error::InvalidAuthDocument {
            path: self.config.text().label().to_owned(),
            place: self.config.text().place(self.entry.place_of(self.filled, offset).start),
            runner: self.config.title(self.runner),
            problem: problem.to_owned(),
        }
    }
}

/// JSON without what Ansible fills in as a template. Its own braces are never doubled, those in a text
/// may be; there is no `%` in it.
fn untemplated(json: &str) -> Zeroizing<String> {
    let doubled = Zeroizing::new(json.replace("{{", "{\\u007b"));
    Zeroizing::new(doubled.replace("{#", "{\\u0023"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendering(key: &str, user: &str) -> Rendering {
        let login = Credential::new(user, Secret::new("it's $5".into())).expect("a credential");
        Rendering(Content { auths: vec![(key.into(), login)], ..Content::default() })
    }

    #[test]
    fn each_form_is_as_its_reader_expects() {
        let found = rendering("r.io", "ci");
        for (form, expected) in [
            (
                Form::Json,
                "{\n\t\"auths\": {\n\t\t\"r.io\": {\n\t\t\t\"auth\": \"Y2k6aXQncyAkNQ==\"\n\t\t}\n\t}\n}\n",
            ),
            (
                Form::Env,
                "DOCKER_AUTH_CONFIG='{\"auths\":{\"r.io\":{\"auth\":\"Y2k6aXQncyAkNQ==\"}}}'\n",
            ),
            (
                Form::Toml,
                "environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \
                 \"Y2k6aXQncyAkNQ==\"}}}']\n",
            ),
            (
                Form::GitlabCi,
                "variables:\n  DOCKER_AUTH_CONFIG: \
                 '{\"auths\":{\"r.io\":{\"auth\":\"Y2k6aXQncyAkNQ==\"}}}'\n",
            ),
            (
                Form::EnvVars,
                "env_vars:\n  - 'DOCKER_AUTH_CONFIG={\"auths\":{\"r.io\":{\"auth\":\"Y2k6aXQncyAkNQ==\"}}}'\n",
            ),
            (
                Form::Puppet,
                "environment => ['DOCKER_AUTH_CONFIG={\"auths\":{\"r.io\":{\"auth\":\"Y2k6aXQncyAkNQ==\"}}}'],\n",
            ),
        ] {
            assert_eq!(found.write(form).expose(), expected);
        }
    }

    #[test]
    fn odd_keys_are_escaped() {
        let found = rendering("it's/$x%Y%\u{2028}\u{1f600}", "ci");
        let expected = r#""it\u0027s/\u0024x\u0025Y\u0025\u2028\ud83d\ude00""#;
        for form in [Form::Env, Form::GitlabCi, Form::EnvVars] {
            assert!(found.write(form).expose().contains(expected));
        }
        let doubled = expected.replace('\\', "\\\\");
        assert!(found.write(Form::Puppet).expose().contains(&doubled));
    }

    #[test]
    fn ansible_has_nothing_to_fill_in() {
        let found = rendering("{{{x}}}{%y%}{#z", "ci");
        let text = found.write(Form::EnvVars);
        assert!(
            text.expose().contains(r#""{\u007b{x}}}{\u0025y\u0025}{\u0023z":"#),
            "{}",
            text.expose()
        );
    }
}
