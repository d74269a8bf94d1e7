//! The path that GitLab Runner makes of an image's name.

use std::net::Ipv4Addr;

use crate::auth::image_name::parts;
use crate::auth::registry::{DOCKER_HUB, HUB_INDEX, lower};
use crate::auth::runner_version::RunnerVersion;

/// The path of an image (`normalizeImageRef` of GitLab Runner's `helpers/docker/auth`, 18.3 and
/// later; `dockerImageNamePath` from 17.5; `splitDockerImageName` before, which keeps only the
/// host): its name without the tag, with the registry before it.
///
/// The tag ends at the first `:` of the last part, so that `img@sha256:…` keeps its `@sha256`.
///
/// ```
/// use runner_auth::RunnerVersion;
/// use runner_auth::image_path;
///
/// let path = |image| image_path(image, RunnerVersion::LATEST);
/// assert_eq!(path("nginx:1.25"), "docker.io/nginx");
/// assert_eq!(path("R.io/Group/app:1"), "r.io/Group/app");
/// assert_eq!(path("index.docker.io/library/nginx"), "docker.io/library/nginx");
/// assert_eq!(path("r.io/app@sha256:abc"), "r.io/app@sha256");
/// ```
#[must_use]
pub fn image_path(image: &str, version: RunnerVersion) -> String {
    if !version.matches_paths() {
        return if has_host(image) { hub(first_part(image)) } else { DOCKER_HUB }.to_owned();
    }
    let cut = image.rfind('/').map_or(0, |slash| slash + 1);
    let (directory, last) = image.split_at(cut);
    let name = last.split(':').next().unwrap_or_default();
    let path = if version.sorts_keys() {
        let path = clean(&image[..cut + name.len()]);
        let first = first_part(&path);
        let host = first.contains(['.', ':']) || first.eq_ignore_ascii_case("localhost");
        if !path.contains('/') || !host {
            clean(&format!("{DOCKER_HUB}/{path}"))
        } else if first.eq_ignore_ascii_case(HUB_INDEX) {
            path["index.".len()..].to_owned()
        } else {
            path
        }
    } else if !has_host(image) {
        format!("{DOCKER_HUB}/{directory}{name}")
    } else {
        let rest = &directory[first_part(image).len()..];
        format!("{}{rest}{name}", hub(first_part(image)))
    };
    match path.split_once('/') {
        Some((host, rest)) => [&lower(host), "/", rest].concat(),
        None => lower(&path).into_owned(),
    }
}

/// Why a text is no name of an image, or none that a person means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoImage<'i> {
    /// There is nothing.
    Empty,
    /// It holds a variable, which only a job fills in.
    Variable,
    /// It begins as a URL does.
    Scheme,
    /// It holds a blank or a control character.
    Blank,
    /// It names this registry, `HOST[:PORT]`. Docker takes that for an image of Docker Hub with that
    /// name, and the port for its tag.
    Registry(&'i str),
    /// Docker would not take this for an image.
    Refused(&'i str),
}

impl<'i> NoImage<'i> {
    /// What is wrong with the name of an image; `None` for one that could be meant.
    pub fn of(image: &'i str) -> Option<Self> {
        let registry = image.trim_end_matches('/');
        if image.is_empty() {
            Some(Self::Empty)
        } else if image.contains('$') {
            Some(Self::Variable)
        } else if image.contains("://") {
            Some(Self::Scheme)
        } else if image.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            Some(Self::Blank)
        } else if is_registry(registry) {
            Some(Self::Registry(registry))
        } else {
            parts(image).is_none().then_some(Self::Refused(image))
        }
    }
}

/// Whether a name is that of a registry and not of an image.
fn is_registry(name: &str) -> bool {
    let (name, port) = name.split_once(':').unwrap_or((name, ""));
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let is_domain = end.len() > 1 && end.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_localhost = name == "localhost" && !port.is_empty();
    port.bytes().all(|byte| byte.is_ascii_digit())
        && (is_domain || is_localhost || name.parse::<Ipv4Addr>().is_ok())
}

/// The paths under which a credential for an image is looked for, the longest first.
pub(crate) fn candidates(path: &str) -> Vec<String> {
    let mut candidates = vec![path.to_owned()];
    let mut rest = path;
    while let Some((parent, _)) = rest.rsplit_once('/') {
        rest = parent;
        if !rest.is_empty() {
            candidates.push(rest.to_owned());
        }
    }
    candidates
}

fn first_part(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}

/// Docker Hub's own name where a host is another name of it.
fn hub(host: &str) -> &str {
    if host == HUB_INDEX { DOCKER_HUB } else { host }
}

/// Whether an image's name starts with a registry, as versions before 18.3 see it.
fn has_host(image: &str) -> bool {
    let first = first_part(image);
    first.len() < image.len() && (first.contains(['.', ':']) || first == "localhost")
}

/// A path as Go's `path.Join` leaves it: no empty parts, no `.`, no `..`.
fn clean(path: &str) -> String {
    if path.split('/').all(|part| !matches!(part, "" | "." | "..")) {
        return path.to_owned();
    }
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    format!("{}{}", if rooted { "/" } else { "" }, parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_become_paths() {
        for (image, expected) in [
            ("nginx", "docker.io/nginx"),
            ("library/nginx", "docker.io/library/nginx"),
            ("docker.io/nginx", "docker.io/nginx"),
            ("Index.Docker.io/nginx", "docker.io/nginx"),
            ("localhost/app", "localhost/app"),
            ("LOCALHOST/app", "localhost/app"),
            ("localhost:5000/app:1", "localhost:5000/app"),
            ("r.io:5000/ns/app", "r.io:5000/ns/app"),
            ("host:5000/app", "host:5000/app"),
            ("r.io/app:1@sha256:abc", "r.io/app"),
            ("r.io/app@sha256:abc", "r.io/app@sha256"),
            ("r.io//ns/./app", "r.io/ns/app"),
            ("r.io/", "docker.io/r.io"),
            ("/app", "docker.io/app"),
            ("../app", "../app"),
            ("", "docker.io"),
        ] {
            assert_eq!(image_path(image, RunnerVersion::LATEST), expected, "{image:?}");
        }
    }

    #[test]
    fn a_registry_is_told_from_an_image() {
        for image in ["r.io", "r.io:5000", "192.168.1.200", "192.168.1.200:8088", "localhost:5000"]
        {
            assert_eq!(NoImage::of(image), Some(NoImage::Registry(image)), "{image}");
            let slash = format!("{image}/");
            assert_eq!(NoImage::of(&slash), Some(NoImage::Registry(image)), "{slash}");
        }
        for image in ["nginx", "nginx:5000", "localhost", "r.io/app", "app-1.0", "r.io:latest"] {
            assert_eq!(NoImage::of(image), None, "{image}");
        }
    }

    #[test]
    fn what_is_no_image_is_told() {
        for (text, expected) in [
            ("", NoImage::Empty),
            ("$REGISTRY/app", NoImage::Variable),
            ("https://r.io/app", NoImage::Scheme),
            ("r.io/app 1", NoImage::Blank),
            ("r.io/app\u{1b}", NoImage::Blank),
            ("r.io/App", NoImage::Refused("r.io/App")),
        ] {
            assert_eq!(NoImage::of(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn candidates_get_shorter() {
        assert_eq!(candidates("r.io/ns/app"), ["r.io/ns/app", "r.io/ns", "r.io"]);
    }
}
