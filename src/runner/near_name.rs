//! The name that was meant by one that is not there.

/// What a text resembles that is none of these: the same in another letter case, the only one that
/// begins with it, or the nearest of those that need few letters changed.
pub(super) fn near_name<'n>(wanted: &str, known: &[&'n str]) -> Option<&'n str> {
    if wanted.is_empty() || known.contains(&wanted) {
        return None;
    }
    let wanted = wanted.trim().to_lowercase();
    let mut begin = known.iter().filter(|name| name.to_lowercase().starts_with(&wanted));
    if let (Some(name), None) = (begin.next(), begin.next()) {
        return Some(name);
    }
    let distances = known.iter().map(|name| {
        let distance = strsim::osa_distance(&wanted, &name.to_lowercase());
        (distance, *name)
    });
    let few = (wanted.chars().count() / 4).clamp(1, 3);
    let near = distances.filter(|(distance, name)| *distance <= few && !name.is_empty());
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::near_name;

    #[test]
    fn a_name_that_was_meant_is_found() {
        let known = ["devops-runner", "Build", "build-2", "docker", ""];
        for (wanted, expected) in [
            ("devop-runner", Some("devops-runner")),
            ("devops", Some("devops-runner")),
            ("build", Some("Build")),
            ("buidl-2", Some("build-2")),
            ("dokcer", Some("docker")),
            ("shell", None),
            ("", None),
            ("docker", None),
        ] {
            assert_eq!(near_name(wanted, &known), expected, "{wanted}");
        }
    }
}
