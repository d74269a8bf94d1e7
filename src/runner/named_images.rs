//! The images that a runner's config names: jobs without one of their own get these.
//!
//! Sources: GitLab Runner 19.3, `common/config.go`: `image`, `helper_image` and `services` of
//! `[runners.docker]` and `[runners.kubernetes]`. A service is a table with a `name`; before 12.9 it
//! could be a string as well.

use crate::runner::table::{keys_of, sections};
use crate::runner::{Config, Runner};
use crate::toml::letter_case::same_key;
use crate::toml::syntax::{NodeId, NodeKind, Syntax};

/// The keys of an executor's table that hold one image.
const SINGLE: [&str; 2] = ["image", "helper_image"];

/// The key that holds several.
const SERVICES: &str = "services";

/// An image that a config names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedImage {
    /// As it stands there; a variable in it is not filled in.
    pub image: String,
    /// The key that names it.
    pub key: &'static str,
}

/// The images of a runner, in the order of the file; none for an executor that pulls none.
pub(crate) fn named_images(config: &Config<'_>, runner: &Runner<'_>) -> Vec<NamedImage> {
    let Some(table) = runner.executor().table() else { return Vec::new() };
    let syntax = config.syntax();
    let mut images = Vec::new();
    let mut add = |key: &'static str, value: NodeId| {
        let image = if syntax.is_string(value) { syntax.string(value) } else { "".into() };
        let image = image.trim().to_owned();
        if !image.is_empty() {
            images.push(NamedImage { image, key });
        }
    };
    for found in keys_of(config, runner, table) {
        let Some(value) = found.value else { continue };
        if let Some(single) = SINGLE.into_iter().find(|single| same_key(&found.key, single)) {
            add(single, value);
        } else if same_key(&found.key, SERVICES) && syntax.node(value).kind == NodeKind::Array {
            for service in syntax.children(value) {
                match name_in(syntax, service) {
                    Some(name) => add(SERVICES, name),
                    None => add(SERVICES, service),
                }
            }
        }
    }
    for (header, block) in sections(config, runner) {
        let keys: Vec<_> = syntax.keys(header).collect();
        let [_, parent, key] = &keys[..] else { continue };
        if same_key(parent, table) && same_key(key, SERVICES) {
            let mut pairs = syntax.siblings(block.pairs());
            let name = pairs.find(|pair| is_name(syntax, *pair));
            if let Some(pair) = name {
                add(SERVICES, syntax.value(pair));
            }
        }
    }
    images
}

/// The `name` of an inline table.
fn name_in(syntax: &Syntax<'_>, table: NodeId) -> Option<NodeId> {
    if syntax.node(table).kind != NodeKind::InlineTable {
        return None;
    }
    let mut pairs = syntax.siblings(table + 1..syntax.after(table));
    pairs.find(|pair| is_name(syntax, *pair)).map(|pair| syntax.value(pair))
}

fn is_name(syntax: &Syntax<'_>, pair: NodeId) -> bool {
    syntax.simple_key(pair).is_some_and(|key| same_key(&key, "name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::text::ConfigText;

    fn found(text: &str) -> Vec<String> {
        let text = ConfigText::new("config.toml", text.as_bytes().to_vec());
        let config = Config::parse(&text).expect("a config");
        let images = named_images(&config, &config.runners()[0]);
        images.into_iter().map(|found| format!("{} {}", found.key, found.image)).collect()
    }

    #[test]
    fn images_are_found_in_every_form() {
        let expected =
            ["image r.io/a", "helper_image r.io/h", "services r.io/s", "services r.io/t"];
        for text in [
            "[[runners]]\nexecutor = 'docker'\n[runners.docker]\nimage = 'r.io/a'\nhelper_image = 'r.io/h'\n\
             volumes = ['/cache']\n[[runners.docker.services]]\nname = 'r.io/s'\nalias = 'x'\n\
             [[runners.docker.services]]\nname = 'r.io/t'\n",
            "[[runners]]\nexecutor = 'kubernetes'\n[runners.kubernetes]\nImage = ' r.io/a'\n\
             Helper_Image = 'r.io/h'\nservices = [{name = 'r.io/s', alias = 'x'}, 'r.io/t']\n\
             [runners.docker]\nimage = 'r.io/other'\n",
            "runners = [{executor = 'docker', docker = {image = 'r.io/a', helper_image = 'r.io/h', \
             services = [{name = 'r.io/s'}, {name = 'r.io/t'}]}}]\n",
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn what_pulls_nothing_names_none() {
        let text = "[[runners]]\nexecutor = 'shell'\n[runners.docker]\nimage = 'r.io/a'\n";
        assert_eq!(found(text), [""; 0]);
        let text = "[[runners]]\nexecutor = 'docker'\n[runners.docker]\nimage = ''\n[[runners]]\n\
                    [runners.docker]\nimage = 'r.io/a'\n";
        assert_eq!(found(text), [""; 0]);
    }
}
