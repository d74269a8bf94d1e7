//! A config that stands inside a YAML file: the values of GitLab Runner's Helm chart, a `ConfigMap`
//! or a Secret, a Compose file, a cloud-config.
//!
//! The YAML is never written anew. The scalar that holds the config is found with its place, every
//! command works on what stands in it, and edits go into the bytes of the file, behind the blanks
//! that its lines have. This room knows where a config stands, and not what it means.

mod scalar;
mod search;

use std::path::Path;

use crate::error::Error;
use crate::toml::edit::{Edit, splice_text};
use crate::toml::syntax::{Block, Syntax};
use crate::toml::text::{ConfigText, Place};

/// Whether a file with this name is YAML: it ends in `.yaml` or `.yml`.
#[must_use]
pub(crate) fn is_yaml(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ["yaml", "yml"].contains(&ending.to_ascii_lowercase().as_str()))
}

/// The config in a YAML file. `path` are the keys that lead to it, with dots between them and the
/// numbers of elements, counted from 0: `write_files.0.content`. Without one it is
///
/// - `config` in a mapping `runners`, at any depth, as the Helm chart has it, or
/// - `config.toml` or `config.template.toml` in the `data` or `stringData` of a `ConfigMap` or Secret.
///
/// What a Secret has in `data`, and what cloud-init calls `encoding: b64`, is base64 and is decoded.
/// Places in the result are places in the file, and its bytes are those of the file; those of base64
/// are all where that starts.
///
/// # Errors
///
/// [`Error::InvalidYaml`] when the file is no YAML, when there is no such scalar or there are
/// several, or when it is no literal block (`|`).
///
/// ```
/// use runner_auth::{ConfigText, config_in_yaml};
///
/// # fn main() -> Result<(), runner_auth::Error> {
/// let yaml = b"runners:\n  config: |\n    [[runners]]\n      name = 'ours'\n".to_vec();
/// let text = config_in_yaml(&ConfigText::new("values.yaml", yaml), None)?;
/// assert_eq!(text.as_str(), "[[runners]]\n  name = 'ours'\n");
/// // Places are those of the file.
/// assert_eq!(text.place(0).line, 3);
/// # Ok(())
/// # }
/// ```
pub fn config_in_yaml(file: &ConfigText, path: Option<&str>) -> Result<ConfigText, Error> {
    let label = file.label();
    if !file.is_utf8() {
        let place = file.first_invalid_utf8().map(|offset| file.place(offset));
        return Err(invalid(
            label,
            place,
            "here is a byte that is no UTF-8, and YAML must be UTF-8",
        ));
    }
    let text = file.as_str();
    let found = search::search(text, path).map_err(|failure| {
        if path.is_some() && is_toml(file) {
            return invalid(
                label,
                None,
                "is TOML and no YAML: leave out --yaml-path, which says where a YAML file has the \
                 config",
            );
        }
        invalid(label, failure.place, &failure.problem)
    })?;
    scalar::open(file, &found, path)
}

/// Whether a file that holds no such config is the config itself, by its name or by what is in it. Much
/// TOML is a string to YAML.
fn is_toml(file: &ConfigText) -> bool {
    let ending = Path::new(file.label()).extension();
    let holds = |block: &Block| block.header().is_some() || !block.pairs().is_empty();
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
        || Syntax::of_config(file).is_ok_and(|syntax| syntax.blocks().iter().any(holds))
}

fn invalid(label: &str, place: Option<Place>, problem: &str) -> Error {
    Error::InvalidYaml { path: label.to_owned(), place, problem: problem.to_owned() }
}

/// Proves that edits of a config that stands in YAML leave the rest as it is: the patched file must
/// hold, at the same place, the config as it was to become. What is around it is the same by
/// construction.
pub(crate) fn prove(text: &ConfigText, edits: &[Edit]) -> Result<(), Error> {
    let Some(enclosure) = text.enclosure().filter(|_| !edits.is_empty()) else {
        return Ok(());
    };
    let wanted = splice_text(text.as_str(), edits);
    let file = ConfigText::new(text.label(), text.patched(edits));
    let found = config_in_yaml(&file, enclosure.path());
    if found.is_ok_and(|found| without_end(found.as_str()) == without_end(wanted.expose())) {
        return Ok(());
    }
    Err(Error::NotProved {
        path: text.label().to_owned(),
        difference: "the YAML around the config reads otherwise".to_owned(),
    })
}

/// Line ends at the end of a config mean nothing, and YAML gives or takes some there.
fn without_end(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}
