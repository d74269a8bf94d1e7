//! The way through the events of a YAML file to the scalar that holds a config.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};
use zeroize::Zeroizing;

use crate::toml::text::Place;

/// Why there is no config, and where.
pub(super) struct NoConfig {
    pub place: Option<Place>,
    pub problem: String,
}

/// A scalar that holds a config.
pub(super) struct ConfigScalar {
    /// The keys that lead to it.
    pub path: String,
    /// What YAML makes of it.
    pub value: Zeroizing<String>,
    pub style: ScalarStyle,
    pub span: Span,
    /// Whether an anchor or a tag stands before it.
    pub has_properties: bool,
    /// Whether a tag says that it is something else than a string.
    pub tagged: bool,
    /// What the value is in.
    pub encoding: Encoding,
    /// The mapping that it stands in, and the one around that.
    mappings: [Option<usize>; 2],
    /// Whether the one that it stands in is called `data`.
    in_data: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Base64,
    /// cloud-init can unpack it, this crate can't.
    Packed,
}

/// A mapping or sequence that is open.
struct Frame {
    number: usize,
    kind: FrameKind,
}

enum FrameKind {
    /// Behind this key.
    Mapping(Option<String>),
    /// At this element.
    Sequence(usize),
}

#[derive(Default)]
struct Search {
    /// Where the person says that it is.
    wanted: Option<String>,
    /// The number of the document, from 0.
    document: Option<usize>,
    frames: Vec<Frame>,
    /// How many mappings and sequences there were.
    count: usize,
    found: Vec<(Option<usize>, ConfigScalar)>,
    /// What says how to read others: the `kind` and the `encoding` of a mapping.
    kinds: HashMap<usize, String>,
    encodings: HashMap<usize, String>,
    /// Whether there is something at the wanted place that is no scalar.
    other: Option<Place>,
}

/// Finds the config in a text.
pub(super) fn search(text: &str, wanted: Option<&str>) -> Result<ConfigScalar, NoConfig> {
    if let Some(at) = lone_carriage_return(text) {
        let line = text[..at].matches('\n').count() + 1;
        let column = text[..at].rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        return Err(NoConfig {
            place: Some(Place { line, column }),
            problem: "a carriage return without a line feed".to_owned(),
        });
    }
    let mut search = Search { wanted: wanted.map(str::to_owned), ..Search::default() };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| no_yaml(text, &error))?;
        search.event(event, span);
    }
    search.finish()
}

fn lone_carriage_return(text: &str) -> Option<usize> {
    let mut returns = text.match_indices('\r').map(|(at, _)| at);
    returns.find(|at| !text[at + 1..].starts_with('\n'))
}

/// The parser's words may repeat the text: they are left out.
fn no_yaml(text: &str, error: &ScanError) -> NoConfig {
    let place = place(*error.marker());
    let near = text.lines().skip(place.line.saturating_sub(2)).take(2);
    let problem = if near.into_iter().any(|line| line.contains("{{")) {
        "this is no YAML: a template expression ({{ … }}) outside a string breaks it; give the file \
         as it is rendered (helm template)"
    } else {
        "this is no YAML"
    };
    NoConfig { place: Some(place), problem: problem.to_owned() }
}

pub(super) fn place(marker: Marker) -> Place {
    Place { line: marker.line().max(1), column: marker.col() + 1 }
}

impl Search {
    fn event(&mut self, event: Event<'_>, span: Span) {
        match event {
            Event::DocumentStart(_) => {
                self.document = Some(self.document.map_or(0, |number| number + 1));
            }
            Event::MappingStart(..) => self.open(FrameKind::Mapping(None), span),
            Event::SequenceStart(..) => self.open(FrameKind::Sequence(0), span),
            Event::MappingEnd | Event::SequenceEnd => {
                self.frames.pop();
                self.step(String::new);
            }
            Event::Alias(_) => {
                self.note_other(span);
                self.step(String::new);
            }
            Event::Scalar(value, style, anchor, tag) => {
                if self.is_value() {
                    let has_properties = anchor > 0 || tag.is_some();
                    let tagged = tag.is_some_and(|tag| tag.suffix != "str");
                    self.scalar(&value, (style, span), has_properties, tagged);
                }
                self.step(|| value.into_owned());
            }
            _ => {}
        }
    }

    fn open(&mut self, kind: FrameKind, span: Span) {
        self.note_other(span);
        self.count += 1;
        self.frames.push(Frame { number: self.count, kind });
    }

    /// A node of a mapping is a key, and the next one its value.
    fn step(&mut self, key: impl FnOnce() -> String) {
        match self.frames.last_mut().map(|frame| &mut frame.kind) {
            Some(FrameKind::Mapping(place)) => {
                *place = if place.is_none() { Some(key()) } else { None };
            }
            Some(FrameKind::Sequence(number)) => *number += 1,
            None => {}
        }
    }

    /// Whether the next node is no key.
    fn is_value(&self) -> bool {
        !matches!(self.frames.last().map(|frame| &frame.kind), Some(FrameKind::Mapping(None)))
    }

    fn note_other(&mut self, span: Span) {
        if self.is_value() && self.is_wanted() == Some(true) {
            self.other.get_or_insert(place(span.start));
        }
    }

    /// The key at a frame, counted from the innermost.
    fn key(&self, back: usize) -> Option<&str> {
        match &self.frames.iter().rev().nth(back)?.kind {
            FrameKind::Mapping(key) => key.as_deref(),
            FrameKind::Sequence(_) => None,
        }
    }

    fn scalar(
        &mut self,
        value: &str,
        (style, span): (ScalarStyle, Span),
        has_properties: bool,
        tagged: bool,
    ) {
        let mapping = |back: usize| {
            let frame = self.frames.iter().rev().nth(back)?;
            matches!(frame.kind, FrameKind::Mapping(_)).then_some(frame.number)
        };
        let mappings = [mapping(0), mapping(1)];
        if let (Some(key @ ("kind" | "encoding")), Some(inside)) = (self.key(0), mappings[0]) {
            let map = if key == "kind" { &mut self.kinds } else { &mut self.encodings };
            map.insert(inside, value.to_owned());
        }
        let fits = self.is_wanted().unwrap_or_else(|| {
            matches!(
                (self.key(1), self.key(0)),
                (Some("runners"), Some("config"))
                    | (Some("data" | "stringData"), Some("config.toml" | "config.template.toml"))
            )
        });
        if fits {
            let found = ConfigScalar {
                path: self.path(),
                value: Zeroizing::new(value.to_owned()),
                style,
                span,
                has_properties,
                tagged,
                encoding: Encoding::Plain,
                mappings,
                in_data: self.key(1) == Some("data"),
            };
            self.found.push((self.document, found));
        }
    }

    /// Whether this is the place that the person named; `None` when no place was named.
    fn is_wanted(&self) -> Option<bool> {
        let wanted = self.wanted.as_deref()?;
        let here = self.names_here(wanted);
        let document = self.document.unwrap_or(0).to_string();
        let inside = wanted.strip_prefix(&document).and_then(|rest| rest.strip_prefix('.'));
        Some(here || inside.is_some_and(|rest| self.names_here(rest)))
    }

    /// Whether the keys of all frames, with dots between them, are this.
    fn names_here(&self, wanted: &str) -> bool {
        let mut rest = Some(wanted);
        for (depth, frame) in self.frames.iter().enumerate() {
            let after =
                if depth == 0 { rest } else { rest.and_then(|rest| rest.strip_prefix('.')) };
            rest = after.and_then(|rest| match &frame.kind {
                FrameKind::Mapping(key) => rest.strip_prefix(key.as_deref()?),
                FrameKind::Sequence(number) => rest.strip_prefix(&number.to_string()),
            });
            if rest.is_none() {
                return false;
            }
        }
        !self.frames.is_empty() && rest == Some("")
    }

    fn path(&self) -> String {
        let keys: Vec<_> = self
            .frames
            .iter()
            .map(|frame| match &frame.kind {
                FrameKind::Mapping(key) => key.clone().unwrap_or_default(),
                FrameKind::Sequence(number) => number.to_string(),
            })
            .collect();
        keys.join(".")
    }

    fn finish(mut self) -> Result<ConfigScalar, NoConfig> {
        let fail = |problem: String| NoConfig { place: None, problem };
        let several = self.document > Some(0);
        let mut found = std::mem::take(&mut self.found);
        let Some((_, mut only)) = found.pop() else {
            let problem = match (&self.wanted, self.other) {
                (Some(_), place @ Some(_)) => {
                    let problem = "the config must stand here itself, as a literal block (|): this \
                                   is an alias, a mapping or a sequence";
                    return Err(NoConfig { place, problem: problem.to_owned() });
                }
                (Some(wanted), None) => format!(
                    "has nothing at {wanted}: --yaml-path takes the keys from the top of a \
                     document, with dots between them and elements counted from 0"
                ),
                (None, _) => "has no config at runners.config, and no config.toml or \
                              config.template.toml in data or stringData: say with --yaml-path \
                              where it is"
                    .to_owned(),
            };
            return Err(fail(problem));
        };
        if !found.is_empty() {
            let last = std::iter::once((self.document, only.path.clone()));
            let all = found.into_iter().map(|(document, each)| (document, each.path)).chain(last);
            let all: Vec<_> = all
                .map(|(document, path)| match document {
                    Some(number) if several => format!("{number}.{path}"),
                    _ => path,
                })
                .collect();
            return Err(fail(format!(
                "holds several configs: pick one with --yaml-path {}",
                all.join(" or ")
            )));
        }
        only.encoding = self.encoding(&only);
        Ok(only)
    }

    fn encoding(&self, found: &ConfigScalar) -> Encoding {
        let [inside, around] = found.mappings;
        if let Some(name) = inside.and_then(|inside| self.encodings.get(&inside)) {
            return match name.to_ascii_lowercase().as_str() {
                "b64" | "base64" => Encoding::Base64,
                "text/plain" => Encoding::Plain,
                _ => Encoding::Packed,
            };
        }
        let secret = around.and_then(|around| self.kinds.get(&around));
        if found.in_data && secret.is_some_and(|kind| kind == "Secret") {
            return Encoding::Base64;
        }
        Encoding::Plain
    }
}
