//! The name of an image as Docker reads it (`distribution/reference`).

use super::registry::{DOCKER_HUB, shown};

/// The registry of an image, its path there, and the tag or the digest: no registry means Docker Hub, no
/// tag means `latest`, and a digest counts before a tag. `None` when Docker would not take it for an image.
pub(crate) fn parts(image: &str) -> Option<(&str, &str, &str)> {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let slash = name.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match name[slash..].split_once(':') {
        Some((last, tag)) => (&name[..slash + last.len()], Some(tag)),
        None => (name, None),
    };
    let (host, path) = match name.split_once('/') {
        Some((first, rest)) if names_a_host(first) => (first, rest),
        _ => (DOCKER_HUB, name),
    };
    let fits = is_host(host)
        && is_repository(path)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest);
    fits.then_some((host, path, digest.or(tag).unwrap_or("latest")))
}

/// What is said of a name that Docker would not take.
pub(crate) fn refusal(image: &str) -> String {
    format!(
        "'{}' is no image that Docker takes: its name is in lower-case letters, with a tag or a whole \
         digest behind it, such as registry.example.com/group/app:1.0",
        shown(image)
    )
}

/// Whether what stands before the first slash is a registry, and no name on Docker Hub.
fn names_a_host(first: &str) -> bool {
    first.contains(['.', ':'])
        || first == "localhost"
        || first.chars().any(|letter| letter.is_ascii_uppercase())
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, port),
        _ => (host, "0"),
    };
    let label = |label: &str| {
        let letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        !label.is_empty()
            && label.chars().all(letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_name = match address {
        Some(address) => address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':'),
        None => name.split('.').all(label),
    };
    is_name && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Parts of lower-case letters and digits, with single separators between them. What can't stand in a
/// URL can't stand here either.
pub(crate) fn is_repository(path: &str) -> bool {
    let part = |part: &str| {
        let inner = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "._-".contains(letter)
        };
        let outer = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        part.chars().all(inner) && part.starts_with(outer) && part.ends_with(outer)
    };
    path.len() <= 255 && path.split('/').all(part)
}

fn is_tag(tag: &str) -> bool {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    (1..=128).contains(&tag.len()) && tag.chars().all(letter) && !tag.starts_with(['.', '-'])
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hash)| {
        !algorithm.is_empty()
            && algorithm
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "+._-".contains(letter))
            && hash.len() >= 32
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_read_as_docker_reads_them() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        for (image, host, path, version) in [
            ("nginx", "docker.io", "nginx", "latest"),
            ("nginx:1.25", "docker.io", "nginx", "1.25"),
            ("me/app", "docker.io", "me/app", "latest"),
            ("r.io/app:1", "r.io", "app", "1"),
            ("localhost/app", "localhost", "app", "latest"),
            ("R.io:5000/g/app:1", "R.io:5000", "g/app", "1"),
            ("[::1]:5000/app", "[::1]:5000", "app", "latest"),
            (&format!("r.io/g/app:1@{digest}"), "r.io", "g/app", &digest),
            (&format!("app@{digest}"), "docker.io", "app", &digest),
        ] {
            assert_eq!(parts(image), Some((host, path, version)), "{image}");
        }
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for image in [
            "",
            "r.io/",
            "r.io/App",
            "r.io/a//b",
            "r.io/a/../b",
            "r.io/a?b",
            "r.io/a:",
            "r.io/a@x",
            "r.io/a:b c",
            "https://r.io/a",
            "r.io/a%2fb",
            "r.io/-a",
            "user:pw@r.io/a",
            "\"r.io/a\"",
            "r.io,q.io/a",
            "-r.io/a",
            "r.io:/a",
            "r.io:x/a",
        ] {
            assert_eq!(parts(image), None, "{image}");
        }
    }
}
