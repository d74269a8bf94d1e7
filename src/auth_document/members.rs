//! The members that docker/cli knows, and the type of each: one of the wrong type makes GitLab
//! Runner drop the whole document without a word.
//!
//! Source: docker/cli `cli/config/configfile/file.go` and `cli/config/types/authconfig.go`, with
//! the members that older versions had.

use super::json::{self, Object};
use super::{DocumentError, json::Member};
use crate::letter_case::same_key;

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

/// Checks every known member of a document.
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
            check_value(text, member, name, shape)?;
        }
    }
    Ok(())
}

fn check_value(
    text: &str,
    member: &Member,
    name: &'static str,
    shape: &Shape,
) -> Result<(), DocumentError> {
    let value = &text[member.value.clone()];
    let wrong = |expected: &str| {
        let problem = format!(
            "has a member '{name}' that holds something else than {expected}, and GitLab Runner \
             drops the whole document for it"
        );
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
                object.members.iter().try_for_each(|each| check_value(text, each, name, inner))
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
}
