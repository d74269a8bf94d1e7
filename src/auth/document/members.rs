//! The members that docker/cli knows, and the type of each: one of the wrong type makes GitLab
//! Runner drop the whole document without a word.
//!
//! Source: docker/cli `cli/config/configfile/file.go` and `cli/config/types/authconfig.go` in the
//! releases that GitLab Runner's `go.mod` names: a commit of December 2018 up to 13.8, 20.10 from
//! 13.9, 23.0 from 15.10, 24.0 from 16.3, 25.0 from 17.5, 27.5 from 17.11, 28 from 18.7, 29 from 19.2.

use std::fmt;
use std::iter::Peekable;
use std::vec;

use super::DocumentError;
use super::json::{self, Member, Object};
use crate::auth::runner_version::RunnerVersion;
use crate::toml::letter_case::same_key;

/// The type that a member must have. `null` stands for any of them.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    TextList,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// An object whose members all have this type.
    Map(&'static Shape),
    /// An object with these members; unknown ones may have any type.
    Object(&'static [Known]),
}

use Shape::{Map, Text, TextList};

/// A member with its type, and the versions of GitLab Runner that know it: from the first, before
/// the second.
type Known = (&'static str, Shape, Release, Release);

/// Major and minor.
type Release = (u16, u16);

/// 12.9 knows it already.
const FIRST: Release = (12, 9);

/// The newest one still knows it.
const STILL: Release = (u16::MAX, 0);

const CREDENTIAL: Shape = Shape::Object(&[
    ("username", Text, FIRST, STILL),
    ("password", Text, FIRST, STILL),
    ("auth", Text, FIRST, STILL),
    ("email", Text, FIRST, (19, 2)),
    ("serveraddress", Text, FIRST, STILL),
    ("identitytoken", Text, FIRST, STILL),
    ("registrytoken", Text, FIRST, STILL),
]);

const PROXY: Shape = Shape::Object(&[
    ("httpProxy", Text, FIRST, STILL),
    ("httpsProxy", Text, FIRST, STILL),
    ("noProxy", Text, FIRST, STILL),
    ("ftpProxy", Text, FIRST, STILL),
    ("allProxy", Text, (15, 10), STILL),
]);

/// `checkKubernetesConfiguration` takes no other value.
const KUBERNETES: Shape =
    Shape::Object(&[("allNamespaces", Shape::OneOf(&["", "enabled", "disabled"]), FIRST, STILL)]);

const MEMBERS: &[Known] = &[
    ("auths", Map(&CREDENTIAL), FIRST, STILL),
    ("HttpHeaders", Map(&Text), FIRST, STILL),
    ("psFormat", Text, FIRST, STILL),
    ("imagesFormat", Text, FIRST, STILL),
    ("networksFormat", Text, FIRST, STILL),
    ("pluginsFormat", Text, FIRST, STILL),
    ("volumesFormat", Text, FIRST, STILL),
    ("statsFormat", Text, FIRST, STILL),
    ("detachKeys", Text, FIRST, STILL),
    ("credsStore", Text, FIRST, STILL),
    ("credHelpers", Map(&Text), FIRST, STILL),
    ("serviceInspectFormat", Text, FIRST, STILL),
    ("servicesFormat", Text, FIRST, STILL),
    ("tasksFormat", Text, FIRST, STILL),
    ("secretFormat", Text, FIRST, STILL),
    ("configFormat", Text, FIRST, STILL),
    ("nodesFormat", Text, FIRST, STILL),
    ("pruneFilters", TextList, FIRST, STILL),
    ("proxies", Map(&PROXY), FIRST, STILL),
    ("experimental", Text, FIRST, (19, 2)),
    ("stackOrchestrator", Text, FIRST, (16, 3)),
    ("kubernetes", KUBERNETES, FIRST, (15, 10)),
    ("currentContext", Text, (13, 9), STILL),
    ("cliPluginsExtraDirs", TextList, (13, 9), STILL),
    ("plugins", Map(&Map(&Text)), (13, 9), STILL),
    ("aliases", Map(&Text), (13, 9), STILL),
    ("features", Map(&Text), (17, 11), STILL),
];

/// The objects that were parsed for the check, in the order of the text.
pub(super) struct Objects(Peekable<vec::IntoIter<Object>>);

impl Objects {
    fn new(mut parsed: Vec<Object>) -> Self {
        parsed.sort_unstable_by_key(|object| object.span.start);
        Self(parsed.into_iter().peekable())
    }

    /// The one that starts at a byte; they are asked for in their order.
    pub fn take(&mut self, start: usize) -> Option<Object> {
        while self.0.next_if(|object| object.span.start < start).is_some() {}
        self.0.next_if(|object| object.span.start == start)
    }
}

/// Checks every known member of a document; the problem goes on behind "the auth document". The objects
/// that were parsed for it come back.
pub(super) fn check(
    text: &str,
    root: &Object,
    version: RunnerVersion,
) -> Result<Objects, DocumentError> {
    let mut parsed = Vec::new();
    check_members(text, root, MEMBERS, version, &mut parsed)?;
    Ok(Objects::new(parsed))
}

fn check_members(
    text: &str,
    object: &Object,
    known: &'static [Known],
    version: RunnerVersion,
    parsed: &mut Vec<Object>,
) -> Result<(), DocumentError> {
    let is_known = |(name, _, first, end): &&Known, member: &Member| {
        same_key(name, member.name(text))
            && version.is_since(first.0, first.1)
            && !version.is_since(end.0, end.1)
    };
    for member in &object.members {
        if let Some((name, shape, ..)) = known.iter().find(|known| is_known(known, member)) {
            check_value(text, member, &Which::Named(name), shape, version, parsed)?;
        }
    }
    Ok(())
}

/// Which member it is, in the words of a problem.
enum Which {
    Named(&'static str),
    /// The name of an inner one is a registry, which could hold a password.
    Inside(&'static str),
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "'{name}'"),
            Self::Inside(name) => write!(f, "of '{name}'"),
        }
    }
}

fn check_value(
    text: &str,
    member: &Member,
    which: &Which,
    shape: &Shape,
    version: RunnerVersion,
    parsed: &mut Vec<Object>,
) -> Result<(), DocumentError> {
    let value = &text[member.value.clone()];
    let wrong = |expected: &str| {
        let problem = format!("has a member {which} that is not {expected}");
        Err(DocumentError::new(member.value.start, problem))
    };
    if value == "null" {
        return Ok(());
    }
    match shape {
        Text if value.starts_with('"') => Ok(()),
        Text => wrong("a string"),
        Shape::OneOf(texts) => match json::string(value) {
            Some(text) if texts.contains(&text.as_str()) => Ok(()),
            _ => wrong("one of its few values"),
        },
        TextList => match json::strings(value) {
            Some(_) => Ok(()),
            None => wrong("an array of strings"),
        },
        Map(inner) => match json::object_at(text, &member.value) {
            Some(object) => {
                let (Which::Named(name) | Which::Inside(name)) = which;
                let which = Which::Inside(name);
                let mut members = object.members.iter();
                let all = members
                    .try_for_each(|it| check_value(text, it, &which, inner, version, parsed));
                parsed.push(object);
                all
            }
            None => wrong("an object"),
        },
        Shape::Object(known) => match json::object_at(text, &member.value) {
            Some(object) => {
                let all = check_members(text, &object, known, version, parsed);
                parsed.push(object);
                all
            }
            None => wrong("an object"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::first_object;
    use super::*;

    #[test]
    fn a_known_member_of_the_wrong_type_is_found() {
        for (text, fine) in [
            (r#"{"auths": {}}"#, true),
            (r#"{"auths": null, "HttpHeaders": {"a": "b"}}"#, true),
            (r#"{"unknown": [], "auths": {"r": {"unknown": []}}}"#, true),
            (r#"{"auths": []}"#, false),
            (r#"{"Auths": {"r": "x"}}"#, false),
            (r#"{"auths": {"r": {"Auth": 1}}}"#, false),
            (r#"{"HttpHeaders": []}"#, false),
            (r#"{"features": {"buildkit": true}}"#, false),
            (r#"{"proxies": {"default": {"noProxy": []}}}"#, false),
            (r#"{"pruneFilters": ["a", 1]}"#, false),
            (r#"{"plugins": {"a": {"b": "c"}}}"#, true),
        ] {
            let object = first_object(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(check(text, &object, RunnerVersion::LATEST).is_ok(), fine, "{text}");
        }
    }

    #[test]
    fn a_member_is_known_to_some_versions() {
        for (text, version, fine) in [
            (r#"{"experimental": true}"#, "19.1", false),
            (r#"{"experimental": true}"#, "19.2", true),
            (r#"{"features": {"a": 1}}"#, "17.10", true),
            (r#"{"features": {"a": 1}}"#, "17.11", false),
            (r#"{"aliases": 1}"#, "13.8", true),
            (r#"{"plugins": []}"#, "13.9", false),
            (r#"{"kubernetes": {"allNamespaces": "x"}}"#, "15.9", false),
            (r#"{"kubernetes": {"allNamespaces": "enabled"}}"#, "12.9", true),
            (r#"{"kubernetes": 1}"#, "15.10", true),
            (r#"{"stackOrchestrator": 1}"#, "16.2", false),
            (r#"{"stackOrchestrator": 1}"#, "16.3", true),
            (r#"{"auths": {"r": {"email": 1}}}"#, "19.1", false),
            (r#"{"auths": {"r": {"email": 1}}}"#, "19.2", true),
            (r#"{"proxies": {"p": {"allProxy": 1}}}"#, "15.9", true),
            (r#"{"proxies": {"p": {"allProxy": 1}}}"#, "15.10", false),
        ] {
            let object = first_object(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            let at = RunnerVersion::parse(version).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(check(text, &object, at).is_ok(), fine, "{text} {version}");
        }
    }

    #[test]
    fn the_problem_names_the_member_that_is_wrong() {
        for (text, expected) in [
            (r#"{"auths": []}"#, "has a member 'auths' that is not an object"),
            (r#"{"auths": {"r": "x"}}"#, "has a member of 'auths' that is not an object"),
            (r#"{"auths": {"r": {"Auth": 1}}}"#, "has a member 'auth' that is not a string"),
        ] {
            let object = first_object(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            let problem =
                check(text, &object, RunnerVersion::LATEST).map_err(|error| error.problem);
            assert_eq!(problem.err().as_deref(), Some(expected), "{text}");
        }
    }
}
