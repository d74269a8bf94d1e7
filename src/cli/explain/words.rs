//! The answers of `explain` for a person.

use super::{MOST, Telling};
use crate::cli::report::heading;
use crate::count::counted;
use crate::resolver::{Answer, Loss, Verdict};
use crate::runner::executor::Pull;
use crate::toml::printable::one_line;
use crate::toml::text::Place;

/// How wide the words are that begin the lines below an answer.
const WIDEST: usize = "looks for ".len();

impl Telling<'_> {
    /// The answer in one line; `brief` leaves the way there out.
    pub(super) fn text(&self, image: &str, brief: bool) -> String {
        let explanation = self.explanation;
        let resolution = &explanation.resolution;
        let heading = heading(self.runner, self.redaction);
        let mut out = String::new();
        out.extend([&one_line(&heading), ": ", &one_line(&self.answer(image)), "\n"]);
        let mut line = |what: &str, text: &str| {
            let blanks = " ".repeat(WIDEST.saturating_sub(what.len()));
            out.extend(["  ", what, &blanks, " ", &one_line(text), "\n"]);
        };
        if explanation.pull != Pull::None {
            if !brief {
                if !self.hidden {
                    line("looks for", &resolution.candidates.join(", then "));
                }
                for (what, text) in self.verdict() {
                    line(what, &text);
                }
                for loser in resolution.losers.iter().take(MOST) {
                    line("loses", &format!("{}: {}", loser.key.shown(), loss(loser.reason)));
                }
                let more = resolution.losers.len().saturating_sub(MOST) + resolution.more_losers;
                if more > 0 {
                    line("loses", &format!("and {}", counted(more, "more key")));
                }
            }
            for miss in &resolution.near_misses {
                line("near miss", &format!("{}: {}", miss.key.shown(), miss.reason.reason()));
            }
        }
        if !brief {
            for note in self.own_notes() {
                line("note", &note);
            }
        }
        out
    }

    /// What the runner does, in one sentence.
    fn answer(&self, image: &str) -> String {
        let bare = "without a credential from here";
        let with = match &self.explanation.resolution.verdict {
            _ if self.explanation.pull == Pull::None => {
                return "this executor pulls no images".to_owned();
            }
            _ if self.explanation.limits.unattached.is_some() => {
                format!("{bare}, with the pull Secrets of its pod's service account alone")
            }
            Verdict::Match(found) => match &found.answer {
                Answer::Empty => "with an empty credential".to_owned(),
                found => ["with ", &answer(found)].concat(),
            },
            Verdict::AtRandom { keys, more, .. } => {
                format!("with one of {} keys at random", keys.len() + more)
            }
            Verdict::Store(name) => {
                format!("with what docker-credential-{name} says, if it knows it")
            }
            Verdict::NoMatch => format!("{bare}; a public image needs none"),
            Verdict::Dropped { .. } => format!("{bare}: its auth document is dropped"),
            Verdict::Cancelled { .. } => {
                return format!("can't pull {image}: a helper's name stops every pull");
            }
        };
        match self.explanation.pull {
            Pull::Driver => format!("the driver decides; the docker executor pulls {image} {with}"),
            _ => ["pulls ", image, " ", &with].concat(),
        }
    }

    fn verdict(&self) -> Vec<(&'static str, String)> {
        let explanation = self.explanation;
        let at = |place: Option<Place>| {
            place.map_or(String::new(), |place| format!(" (line {})", place.line))
        };
        if let Some((place, problem)) = explanation.limits.unattached.zip(self.problem()) {
            return vec![("finds", format!("nothing: {problem}{}", at(Some(place))))];
        }
        match &explanation.resolution.verdict {
            Verdict::Match(found) => {
                let place = at(explanation.place);
                vec![(
                    if found.answer == Answer::Empty { "uses" } else { "finds" },
                    format!("{}{place}: {}", found.key.shown(), answer(&found.answer)),
                )]
            }
            Verdict::AtRandom { keys, more, .. } => {
                let line = |text| ("finds", format!("at random {text}"));
                let shown = keys.iter().take(MOST);
                let told = shown
                    .map(|found| line(format!("{}: {}", found.key.shown(), answer(&found.answer))));
                let more = keys.len().saturating_sub(MOST) + more;
                let more = (more > 0).then(|| line(format!("and {}", counted(more, "more key"))));
                told.chain(more).collect()
            }
            Verdict::Store(name) => {
                vec![("finds", format!("what docker-credential-{name} says: the credsStore"))]
            }
            Verdict::NoMatch if explanation.entry.is_none() => {
                vec![("finds", "nothing: it has no DOCKER_AUTH_CONFIG entry".to_owned())]
            }
            Verdict::NoMatch => {
                let text =
                    format!("nothing: no key of its auth entry{} fits", at(explanation.entry));
                vec![("finds", text)]
            }
            Verdict::Dropped { .. } | Verdict::Cancelled { .. } => {
                let problem = self.problem().unwrap_or_default();
                let place = at(explanation.place.or(explanation.entry));
                vec![("finds", format!("nothing: {problem}{place}"))]
            }
        }
    }
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::User(user) if user.is_empty() => "an empty user".to_owned(),
        Answer::User(user) => ["user ", user].concat(),
        Answer::Empty => "neither auth nor username and password: the registry is asked with an \
                          empty credential, and no other source is"
            .to_owned(),
        Answer::Token => "a token without a user".to_owned(),
        Answer::Variable => "what a variable holds that GitLab sets for each job".to_owned(),
        Answer::Helper(name) => format!("what docker-credential-{name} says"),
    }
}

pub(super) fn loss(loss: Loss) -> &'static str {
    match loss {
        Loss::Shorter => "its path is shorter",
        Loss::SortsLater => "it has the same path and sorts later",
        Loss::Repeated => "it is there again, and the last one counts",
        Loss::Helper => "a helper answers for it",
    }
}
