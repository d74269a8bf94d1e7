//! The members that docker/cli knows, and the type of each: one of the wrong type makes GitLab
//! Runner drop the whole document without a word.
//!
//! Source: docker/cli `cli/config/configfile/file.go` and `cli/config/types/authconfig.go`, with
//! the members that older versions had.

use super::json::{self, Object};
use super::{DocumentError, json::Member};
use crate::toml::letter_case::same_key;

/// The type that a member must have. `null` stands for any of them.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    TextList,
    /// An object whose members all have this type.
    Map(&'static Shape),
    /// An object with these members; unknown ones may have any type.
    Object(&'static [(&'static str, Shape)]),
}

use Shape::{Map, Text, TextList};

const CREDENTIAL: Shape = Shape::Object(&[
    ("username", Text),
    ("password", Text),
    ("auth", Text),
    ("email", Text),
    ("serveraddress", Text),
    ("identitytoken", Text),
    ("registrytoken", Text),
]);

const PROXY: Shape = Shape::Object(&[
    ("httpProxy", Text),
    ("httpsProxy", Text),
    ("noProxy", Text),
    ("ftpProxy", Text),
    ("allProxy", Text),
]);

const MEMBERS: &[(&str, Shape)] = &[
    ("auths", Map(&CREDENTIAL)),
    ("HttpHeaders", Map(&Text)),
    ("psFormat", Text),
    ("imagesFormat", Text),
    ("networksFormat", Text),
    ("pluginsFormat", Text),
    ("volumesFormat", Text),
    ("statsFormat", Text),
    ("detachKeys", Text),
    ("credsStore", Text),
    ("credHelpers", Map(&Text)),
    ("serviceInspectFormat", Text),
    ("servicesFormat", Text),
    ("tasksFormat", Text),
    ("secretFormat", Text),
    ("configFormat", Text),
    ("nodesFormat", Text),
    ("pruneFilters", TextList),
    ("proxies", Map(&PROXY)),
    ("experimental", Text),
    ("currentContext", Text),
    ("cliPluginsExtraDirs", TextList),
    ("plugins", Map(&Map(&Text))),
    ("aliases", Map(&Text)),
    ("features", Map(&Text)),
];

/// Checks every known member of a document; the problem goes on behind "the auth document".
pub(super) fn check(text: &str, root: &Object) -> Result<(), DocumentError> {
    check_members(text, root, MEMBERS)
}

fn check_members(
    text: &str,
    object: &Object,
    known: &[(&'static str, Shape)],
) -> Result<(), DocumentError> {
    for member in &object.members {
        if let Some((name, shape)) = known.iter().find(|(name, _)| same_key(name, &member.name)) {
            check_value(text, member, &format!("'{name}'"), shape)?;
        }
    }
    Ok(())
}

/// `which` says in the problem which member it is.
fn check_value(
    text: &str,
    member: &Member,
    which: &str,
    shape: &Shape,
) -> Result<(), DocumentError> {
    let value = &text[member.value.clone()];
    let wrong = |expected: &str| {
        let problem = format!("has a member {which} that holds something else than {expected}");
        Err(DocumentError::new(member.value.start, problem))
    };
    if value == "null" {
        return Ok(());
    }
    match shape {
        Text if value.starts_with('"') => Ok(()),
        Text => wrong("a string"),
        TextList => match serde_json::from_str::<Vec<Option<String>>>(value) {
            Ok(_) => Ok(()),
            Err(_) => wrong("an array of strings"),
        },
        Map(inner) => match json::object_at(text, &member.value)? {
            Some(object) => {
                // The name of the inner one is a registry, which could hold a password.
                let which = format!("of {}", which.trim_start_matches("of "));
                object.members.iter().try_for_each(|each| check_value(text, each, &which, inner))
            }
            None => wrong("an object"),
        },
        Shape::Object(known) => match json::object_at(text, &member.value)? {
            Some(object) => check_members(text, &object, known),
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
            assert_eq!(check(text, &object).is_ok(), fine, "{text}");
        }
    }

    #[test]
    fn the_problem_names_the_member_that_is_wrong() {
        for (text, expected) in [
            (r#"{"auths": []}"#, "has a member 'auths' that holds something else than an object"),
            (
                r#"{"auths": {"r": "x"}}"#,
                "has a member of 'auths' that holds something else than an object",
            ),
            (
                r#"{"auths": {"r": {"Auth": 1}}}"#,
                "has a member 'auth' that holds something else than a string",
            ),
        ] {
            let object = first_object(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            let problem = check(text, &object).map_err(|error| error.problem);
            assert_eq!(problem, Err(expected.to_owned()), "{text}");
        }
    }
}
