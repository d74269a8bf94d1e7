//! What registries say to the credentials that runners would send.
//!
//! From configs come [`Questions`]: the credentials of each runner as GitLab Runner reads them, those
//! of the helpers that it would ask, and for each image the credential that the resolver names. The
//! registries are asked once for each credential, whatever number of runners has it. This room prints
//! nothing.
//!
//! ```
//! use std::time::Duration;
//! use runner_auth::registry_client::{Authorities, CERTIFICATES, Proxies, RegistryAnswer, Settings};
//! use runner_auth::verification::{
//!     AskedImages, Question, Questions, RunnerQuestions, Verification, verify_logins,
//! };
//! use runner_auth::{Config, ConfigText, Credential, Registry, Secret};
//!
//! # fn main() -> Result<(), runner_auth::Error> {
//! let entry = "environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"localhost:1\": {\"auth\": \"Y2k6cHc=\"}}}']";
//! let text = ConfigText::new("config.toml", format!("[[runners]]\n  {entry}\n").into_bytes());
//! let config = Config::parse(&text)?;
//! let images = AskedImages { given: vec!["localhost:1/app".to_owned()], named_in_config: true };
//! let mut questions = Questions::new(images, Duration::from_secs(5)).without_helpers();
//! questions.add(&config, 0)?;
//! // One conversation, about the credential and the image; no helper had to be run for it.
//! assert!(questions.len() == 1 && !questions.is_empty() && questions.helped().next().is_none());
//!
//! let settings = Settings {
//!     timeout: Duration::from_secs(5),
//!     insecure: Vec::new(),
//!     authorities: Authorities::read(&[])?,
//!     certificates: CERTIFICATES.into(),
//!     proxies: Proxies::from_environment(|_| None),
//! };
//! let verification: Verification = questions.ask(&settings, |_| ());
//! let of_runner: &RunnerQuestions = &verification.runners[0];
//! assert_eq!(of_runner.images[0].registry.as_deref(), Some("localhost:1"));
//! for (_, question) in verification.questions() {
//!     let question: &Question = question;
//!     // Nobody listens at that port.
//!     assert!(matches!(verification.answer(question), RegistryAnswer::Unreachable(_)));
//! }
//!
//! // The same for what stands in no config yet.
//! let login = (Registry::parse("localhost:1")?, Credential::new("ci", Secret::from("s3cret"))?);
//! assert_eq!(verify_logins(&[login], &settings, |_| ()).len(), 1);
//! # Ok(())
//! # }
//! ```

mod credentials;

use std::collections::HashMap;
use std::time::Duration;

use crate::auth::credential::Credential;
use crate::auth::document::Reading;
use crate::auth::registry::{Registry, shown_image};
use crate::auth::runner_version::RunnerVersion;
use crate::auth::source::Login;
use crate::error::Error;
use crate::registry_client::{
    Answers, Failure, ImageReference, Inquiry, Obstacle, RegistryAnswer, RegistryHost, Settings,
    ask,
};
use crate::runner::executor::Pull;
use crate::runner::named_images::named_images;
use crate::runner::{Config, Runner};
use crate::verification::credentials::{FoundCredential, HelperCache, RunnerCredentials};

/// What is asked for, beside the credentials themselves.
#[derive(Debug, Clone, Default)]
pub struct AskedImages {
    /// These images, for each runner.
    pub given: Vec<String>,
    /// Those that the config names for a runner.
    pub named_in_config: bool,
}

/// What the registries are asked, and for which runners.
pub struct Questions {
    asked_images: AskedImages,
    helpers: HelperCache,
    inquiries: Vec<Inquiry>,
    /// The number of each inquiry.
    numbers: HashMap<(RegistryHost, String, Option<Credential>), usize>,
    runners: Vec<RunnerQuestions>,
}

/// What is asked for one runner.
pub struct RunnerQuestions {
    /// Its number in the config.
    pub runner: usize,
    /// Its credentials.
    pub credentials: Vec<Question>,
    /// The images.
    pub images: Vec<Question>,
    /// Why GitLab Runner makes nothing of its auth document.
    pub problem: Option<String>,
    /// What a person should know besides.
    pub notes: Vec<String>,
}

/// One thing that is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// The image; `None` when it is about the credential alone.
    pub image: Option<String>,
    /// The key of the credential; `None` for an image without one.
    pub registry: Option<String>,
    /// The user, where there is one.
    pub username: Option<String>,
    /// The credential helper that answered.
    pub helper: Option<String>,
    asked: Asked,
    /// A host that is not shown: a variable brings it in that may hold a secret.
    hidden: Option<String>,
}

/// Where the answer to a question is found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// In the answer to this inquiry.
    Credential(usize),
    /// In the answer to this image of this inquiry.
    Image(usize, usize),
    /// There is nobody to ask.
    Nobody(Failure),
}

/// The answers to [`Questions`].
pub struct Verification {
    /// What was asked for each runner.
    pub runners: Vec<RunnerQuestions>,
    answers: Vec<Answers>,
}

impl Questions {
    /// No questions yet. `timeout` is how long a credential helper has.
    #[must_use]
    pub fn new(asked_images: AskedImages, timeout: Duration) -> Self {
        let helpers = HelperCache::new(timeout);
        let (inquiries, numbers, runners) = (Vec::new(), HashMap::new(), Vec::new());
        Self { asked_images, helpers, inquiries, numbers, runners }
    }

    /// Asks no credential helper, as is right for the config of another user: it would answer with this
    /// user's keys.
    #[must_use]
    pub fn without_helpers(mut self) -> Self {
        self.helpers.refuse();
        self
    }

    /// Adds what there is to ask for a runner. The credential helpers that it names are run for that.
    ///
    /// # Errors
    ///
    /// Those of a broken `environment`. A broken auth document is an answer, not an error.
    pub fn add(&mut self, config: &Config<'_>, number: usize) -> Result<(), Error> {
        let runner = &config.runners()[number];
        let document = credentials::document(config, runner)?;
        let reading = document.as_ref().map(|document| document.read(RunnerVersion::LATEST));
        let reading = reading.unwrap_or(Reading::Empty);
        let found = RunnerCredentials::of(&reading, &mut self.helpers);
        let credentials = found.credentials.iter().map(|found| self.credential(found)).collect();
        let mut questions = RunnerQuestions {
            runner: number,
            credentials,
            images: Vec::new(),
            problem: found.problem.clone(),
            notes: found.notes.clone(),
        };
        if runner.executor().pull() != Pull::None && !found.cancelled {
            for image in self.images(config, runner, &mut questions.notes) {
                let question = self.image(&image, &found, &questions.credentials);
                questions.images.push(question);
            }
        }
        self.runners.push(questions);
        Ok(())
    }

    /// How many conversations there will be.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inquiries.len()
    }

    /// Whether there is nobody to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inquiries.is_empty()
    }

    /// The credentials that helpers gave, which the config does not hold.
    pub fn helped(&self) -> impl Iterator<Item = &Credential> {
        self.helpers.credentials()
    }

    /// Asks the registries. `progress` hears how many of them have answered.
    #[must_use]
    pub fn ask(self, settings: &Settings, progress: impl FnMut(usize)) -> Verification {
        let answers = ask(&self.inquiries, settings, progress);
        Verification { runners: self.runners, answers }
    }

    fn credential(&mut self, found: &FoundCredential) -> Question {
        let FoundCredential { key, username, helper, credential } = found;
        let asked = match credential {
            Err(failure) => Asked::Nobody(failure.clone()),
            Ok(credential) => match place(key.as_str()) {
                Ok((host, path)) => {
                    Asked::Credential(self.inquire(host, path, Some(credential.clone())))
                }
                Err(failure) => Asked::Nobody(failure),
            },
        };
        let registry = Some(key.shown().into_owned());
        Question {
            image: None,
            registry,
            username: username.clone(),
            helper: helper.clone(),
            asked,
            hidden: key.hidden_host(),
        }
    }

    /// The images to ask for. One whose name is only known in a job is left out.
    fn images(
        &self,
        config: &Config<'_>,
        runner: &Runner<'_>,
        notes: &mut Vec<String>,
    ) -> Vec<String> {
        let mut images = self.asked_images.given.clone();
        if self.asked_images.named_in_config {
            for named in named_images(config, runner) {
                if named.image.contains('$') {
                    let key = named.key;
                    notes.push(format!("{key} holds a variable, and that image was not asked for"));
                } else if !images.contains(&named.image) {
                    images.push(named.image);
                }
            }
        }
        images
    }

    /// What is asked for an image, with the credential that the runner would use.
    fn image(
        &mut self,
        image: &str,
        found: &RunnerCredentials<'_>,
        credentials: &[Question],
    ) -> Question {
        let number = found.for_image(image);
        let question = number.map(|number| &credentials[number]);
        let asked = match (ImageReference::parse(image), question.map(|question| &question.asked)) {
            (Err(error), _) => {
                Asked::Nobody(Failure::new(Obstacle::NotARegistry, error.to_string()))
            }
            (_, Some(Asked::Nobody(failure))) => Asked::Nobody(failure.clone()),
            (Ok(reference), Some(Asked::Credential(inquiry))) => {
                self.add_image(*inquiry, reference)
            }
            (Ok(reference), Some(Asked::Image(..)) | None) => {
                let inquiry = self.inquire(reference.host().clone(), String::new(), None);
                self.add_image(inquiry, reference)
            }
        };
        Question {
            image: Some(shown_image(image).into_owned()),
            registry: question.and_then(|question| question.registry.clone()),
            username: question.and_then(|question| question.username.clone()),
            helper: question.and_then(|question| question.helper.clone()),
            asked,
            hidden: question.and_then(|question| question.hidden.clone()),
        }
    }

    fn add_image(&mut self, inquiry: usize, reference: ImageReference) -> Asked {
        let images = &mut self.inquiries[inquiry].images;
        let number = images.iter().position(|other| *other == reference).unwrap_or_else(|| {
            images.push(reference);
            images.len() - 1
        });
        Asked::Image(inquiry, number)
    }

    /// The number of an inquiry for this credential.
    fn inquire(
        &mut self,
        host: RegistryHost,
        path: String,
        credential: Option<Credential>,
    ) -> usize {
        let next = self.inquiries.len();
        let number =
            *self.numbers.entry((host.clone(), path.clone(), credential.clone())).or_insert(next);
        if number == next {
            self.inquiries.push(Inquiry { host, path, credential, images: Vec::new() });
        }
        number
    }
}

impl Verification {
    /// The answer to a question.
    #[must_use]
    pub fn answer(&self, question: &Question) -> RegistryAnswer {
        let failed = |failure: &Failure| RegistryAnswer::Unreachable(failure.clone());
        let found = match &question.asked {
            Asked::Nobody(failure) => Some(failed(failure)),
            Asked::Credential(inquiry) => {
                self.answers.get(*inquiry).and_then(|answers| answers.credential.clone())
            }
            Asked::Image(inquiry, image) => {
                self.answers.get(*inquiry).and_then(|answers| answers.images.get(*image)).cloned()
            }
        };
        let answer = found
            .unwrap_or_else(|| failed(&Failure::new(Obstacle::NotConnected, "it was not asked")));
        match &question.hidden {
            Some(host) => answer.without(host),
            None => answer,
        }
    }

    /// All that was asked, runner by runner.
    pub fn questions(&self) -> impl Iterator<Item = (&RunnerQuestions, &Question)> {
        self.runners.iter().flat_map(|runner| {
            let all = runner.credentials.iter().chain(&runner.images);
            all.map(move |question| (runner, question))
        })
    }
}

/// Asks registries for credentials that stand in no config yet, and gives the answers in their order.
#[must_use]
pub fn verify_logins(
    logins: &[Login],
    settings: &Settings,
    progress: impl FnMut(usize),
) -> Vec<RegistryAnswer> {
    let mut inquiries = Vec::new();
    let mut asked = Vec::new();
    for (registry, credential) in logins {
        asked.push(place_of(registry).map(|(host, path)| {
            let credential = Some(credential.clone());
            inquiries.push(Inquiry { host, path, credential, images: Vec::new() });
        }));
    }
    let mut answers = ask(&inquiries, settings, progress).into_iter();
    let answers = asked.into_iter().map(|asked| match asked {
        Err(failure) => RegistryAnswer::Unreachable(failure),
        Ok(()) => answers.next().and_then(|answers| answers.credential).unwrap_or_else(|| {
            RegistryAnswer::Unreachable(Failure::new(Obstacle::NotConnected, "it was not asked"))
        }),
    });
    answers.collect()
}

/// The host of a key, and the path behind it.
fn place(key: &str) -> Result<(RegistryHost, String), Failure> {
    place_of(&Registry::parse(key).map_err(no_registry)?)
}

fn place_of(registry: &Registry) -> Result<(RegistryHost, String), Failure> {
    let path = registry.path().split_once('/').map_or("", |(_, path)| path);
    Ok((RegistryHost::of_path(registry.path()).map_err(no_registry)?, path.to_owned()))
}

fn no_registry(error: Error) -> Failure {
    let problem = match error {
        // What to do about it is said to somebody who types a registry.
        Error::InvalidRegistry { problem } => {
            problem.split(';').next().unwrap_or_default().to_owned()
        }
        error => error.to_string(),
    };
    Failure::new(Obstacle::NotARegistry, format!("this key is no registry: it {problem}"))
}
