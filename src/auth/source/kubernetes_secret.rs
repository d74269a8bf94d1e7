//! A Kubernetes Secret of the type `kubernetes.io/dockerconfigjson`, or of the older
//! `kubernetes.io/dockercfg`, as a manifest in JSON or YAML.
//!
//! Source: the Kubernetes API reference of Secret. `data` is base64, `stringData` is not and counts
//! before it.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::text::SourceText;
use crate::auth::credential::decode_base64;
use crate::error::Error;

/// What such a Secret holds its document under: the second is a map without `auths`.
const KEYS: [&str; 2] = [".dockerconfigjson", ".dockercfg"];

/// The members of a manifest that count here.
#[derive(Default, Deserialize)]
struct Manifest {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    data: Option<BTreeMap<String, Zeroizing<String>>>,
    #[serde(default, rename = "stringData")]
    string_data: Option<BTreeMap<String, Zeroizing<String>>>,
}

impl Manifest {
    /// The encoded or plain document, with its key.
    fn document(&self) -> Option<(&'static str, Found<'_>)> {
        fn find<'m>(
            map: Option<&'m BTreeMap<String, Zeroizing<String>>>,
            key: &str,
        ) -> Option<&'m str> {
            map?.get(key).map(|value| value.as_str())
        }
        KEYS.into_iter().find_map(|key| {
            let plain = find(self.string_data.as_ref(), key).map(Found::Plain);
            let found = plain.or_else(|| find(self.data.as_ref(), key).map(Found::Encoded));
            Some((key, found?))
        })
    }
}

enum Found<'m> {
    Plain(&'m str),
    Encoded(&'m str),
}

/// The auth document in a manifest; `None` when the text is no manifest.
pub(super) fn document(source: &SourceText) -> Result<Option<SourceText>, Error> {
    let text = source.text();
    let start = text.trim_start().chars().next();
    let manifests = if start == Some('{') {
        serde_json::from_str(text).map(|manifest| vec![manifest]).unwrap_or_default()
    } else if matches!(start, None | Some('"' | '[')) {
        return Ok(None);
    } else {
        match from_yaml(text) {
            Ok(manifests) => manifests,
            Err(place) if text.lines().any(|line| line.starts_with("kind:")) => {
                return Err(source.refuse(place, "this Kubernetes manifest is no YAML"));
            }
            Err(_) => return Ok(None),
        }
    };
    if manifests.iter().all(|manifest| manifest.kind.is_empty()) {
        return Ok(None);
    }
    let refuse = |problem: &str| source.refuse_whole(problem);
    if manifests.iter().any(|manifest| manifest.kind == "List") {
        return Err(refuse(
            "is a list of Kubernetes objects: name one Secret, such as with kubectl \
                           get secret NAME -o yaml",
        ));
    }
    let secrets = manifests.iter().filter(|manifest| manifest.kind == "Secret");
    let mut found = secrets.filter_map(Manifest::document);
    let Some((key, value)) = found.next() else {
        return Err(refuse(
            "is a Kubernetes manifest without a Secret that holds .dockerconfigjson: its type \
             should be kubernetes.io/dockerconfigjson",
        ));
    };
    if found.next().is_some() {
        return Err(refuse("holds several Secrets with credentials: keep one of them"));
    }
    let label = format!("{}, in {key}", source.label());
    let inner = match value {
        Found::Plain(text) => SourceText::new(label, text),
        Found::Encoded(text) => {
            let packed: Zeroizing<String> = Zeroizing::new(text.split_ascii_whitespace().collect());
            let bytes = decode_base64(&packed).ok_or_else(|| not_usable(&label, "is no base64"))?;
            let text =
                std::str::from_utf8(&bytes).map_err(|_| not_usable(&label, "is not UTF-8"))?;
            SourceText::new(label, text)
        }
    };
    Ok(Some(if key == KEYS[1] { inner.with_auths() } else { inner }))
}

fn not_usable(member: &str, problem: &str) -> Error {
    let (source, problem) = (member.to_owned(), problem.to_owned());
    Error::InvalidSource { source, place: None, problem }
}

/// Where the reader of YAML stands.
enum Frame {
    /// In a mapping, behind this key.
    Mapping(Option<String>),
    Sequence,
}

/// The manifests in a stream of YAML; the offset of what is wrong when it is none.
///
/// Only scalars one or two levels deep are kept. The events come one by one, so nothing is as deep
/// as the text is nested.
fn from_yaml(text: &str) -> Result<Vec<Manifest>, usize> {
    let mut manifests = Vec::new();
    let mut frames: Vec<Frame> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| {
            let (line, column) = (error.marker().line(), error.marker().col());
            let before: usize =
                text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
            let rest = text.get(before..).unwrap_or_default();
            before + rest.chars().take(column).map(char::len_utf8).sum::<usize>()
        })?;
        match event {
            Event::DocumentStart(_) => manifests.push(Manifest::default()),
            Event::MappingStart(..) => frames.push(Frame::Mapping(None)),
            Event::SequenceStart(..) => frames.push(Frame::Sequence),
            Event::MappingEnd | Event::SequenceEnd => {
                frames.pop();
                step(&mut frames, String::new);
            }
            Event::Alias(_) => step(&mut frames, String::new),
            Event::Scalar(value, ..) => {
                if let Some(manifest) = manifests.last_mut() {
                    keep(manifest, &frames, &value);
                }
                step(&mut frames, || value.into_owned());
            }
            _ => {}
        }
    }
    Ok(manifests)
}

/// A node of a mapping is a key, and the next one its value.
fn step(frames: &mut [Frame], key: impl FnOnce() -> String) {
    if let Some(Frame::Mapping(place)) = frames.last_mut() {
        *place = if place.is_none() { Some(key()) } else { None };
    }
}

/// Keeps a value that counts.
fn keep(manifest: &mut Manifest, frames: &[Frame], value: &str) {
    match frames {
        [Frame::Mapping(Some(key))] if key == "kind" => value.clone_into(&mut manifest.kind),
        [Frame::Mapping(Some(outer)), Frame::Mapping(Some(key))] => {
            let map = match outer.as_str() {
                "data" => &mut manifest.data,
                "stringData" => &mut manifest.string_data,
                _ => return,
            };
            let map = map.get_or_insert_with(BTreeMap::new);
            map.insert(key.clone(), Zeroizing::new(value.to_owned()));
        }
        _ => {}
    }
}
