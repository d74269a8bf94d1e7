//! What is asked: images, each of some runners.

use std::collections::{BTreeMap, HashMap};

use crate::auth::runner_version::RunnerVersion;
use crate::error::Error;
use crate::resolver::explanation::Explanation;
use crate::resolver::image::NoImage;
use crate::runner::Config;
use crate::runner::named_images::named_images;

/// Images with the numbers of the runners that are asked about them.
pub(super) struct Questions {
    all: Vec<(String, Vec<usize>)>,
    /// Whether the config names the images, and not the person.
    pub named: bool,
}

impl Questions {
    /// These images of each selected runner; without any those that each names itself.
    pub fn of(config: &Config<'_>, selected: &[usize], images: &[String]) -> Result<Self, Error> {
        let named = images.is_empty();
        let all = if named {
            named_by(config, selected)?
        } else {
            images.iter().map(|image| (image.clone(), selected.to_vec())).collect()
        };
        Ok(Self { all, named })
    }

    pub fn all(&self) -> &[(String, Vec<usize>)] {
        &self.all
    }

    /// The answers. Each runner's document is read once, for all images.
    pub fn answers(&self, config: &Config<'_>, version: RunnerVersion) -> Result<Answers, Error> {
        let mut asked: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (image, runners) in &self.all {
            for &number in runners {
                asked.entry(number).or_default().push(image);
            }
        }
        let mut answers = BTreeMap::new();
        for (number, images) in asked {
            let runner = &config.runners()[number];
            let found = Explanation::of_images(config, runner, &images, version)?;
            answers.insert(number, found.into_iter());
        }
        Ok(Answers(answers))
    }
}

/// The answers of each runner, in the order of the questions.
pub(super) struct Answers(BTreeMap<usize, std::vec::IntoIter<Explanation>>);

impl Answers {
    /// The next one of a runner.
    pub fn next_of(&mut self, runner: usize) -> Option<Explanation> {
        self.0.get_mut(&runner)?.next()
    }
}

/// The images that the selected runners name, each with those that do. One with a variable in it
/// has a name only in a job.
fn named_by(config: &Config<'_>, selected: &[usize]) -> Result<Vec<(String, Vec<usize>)>, Error> {
    let mut questions: Vec<(String, Vec<usize>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for &number in selected {
        for named in named_images(config, &config.runners()[number]) {
            if unanswerable(&named.image).is_some() {
                continue;
            }
            let question = *known.entry(named.image.clone()).or_insert(questions.len());
            match questions.get_mut(question) {
                Some((_, runners)) if runners.last() == Some(&number) => {}
                Some((_, runners)) => runners.push(number),
                None => questions.push((named.image, vec![number])),
            }
        }
    }
    if questions.is_empty() && !selected.is_empty() {
        let problem = "no runner here names an image: name one, such as registry.example.com/app:1";
        return Err(Error::Usage(problem.to_owned()));
    }
    Ok(questions)
}

/// Why an image can't be asked about. GitLab Runner looks for credentials before Docker reads the name, so
/// that what Docker takes for none, or for another image, has an answer, with a note.
pub(super) fn unanswerable(image: &str) -> Option<NoImage<'_>> {
    NoImage::of(image)
        .filter(|no_image| !matches!(no_image, NoImage::Registry(_) | NoImage::Refused(_)))
}
