//! What is odd about a request, whatever the file: a person may not have meant it.

use crate::auth::registry::Registry;
use crate::auth::source::credential_helper;
use crate::doctor;
use crate::plan::Request;
use crate::secret::Secret;

/// The warnings about what comes in.
pub(super) fn odd(request: &Request) -> Vec<String> {
    let mut warnings = Vec::new();
    match request {
        Request::Set { logins, .. } => {
            warnings.extend(logins.iter().filter_map(|(registry, _)| covers_more(registry)));
            for (registry, login) in logins {
                if doctor::is_unfilled(login) {
                    warnings.push(format!(
                        "the user or the password for {registry} looks like a template's that nobody \
                         has filled in"
                    ));
                }
                if has_blanks_around(login.username()) {
                    warnings.push(format!(
                        "the user for {registry} begins or ends with a blank, which is stored too"
                    ));
                }
                let odd = odd_password(login.password());
                warnings.extend(odd.map(|odd| format!("the password for {registry} {odd}")));
            }
        }
        Request::Delegate { helper, registries, .. } => {
            warnings.extend(registries.iter().filter_map(covers_more));
            if credential_helper::find(helper).is_none() {
                warnings.push(format!(
                    "docker-credential-{helper} is not in this PATH: it must be in the PATH of the \
                     runner, which drops the whole document when it does not find it"
                ));
            }
        }
        Request::Remove(_) | Request::RemoveEntry => {}
    }
    warnings
}

/// What a registry covers beyond what was typed.
fn covers_more(registry: &Registry) -> Option<String> {
    let path = registry.path();
    let host = path.split('/').next().unwrap_or_default();
    if registry.had_tag() {
        return Some(format!(
            "a registry with a tag is an image: this is for every tag of {path} and for what is \
             below it, not for a digest alone ({path}@sha256:…), and in GitLab Runner before 17.5 \
             for every image on {host}; for the whole registry name {host}"
        ));
    }
    let lost = registry.lost_path()?;
    Some(format!(
        "a registry with a scheme stands for the whole host: this is for every image on {host}; for \
         that part alone name {host}/{lost}"
    ))
}

/// What is odd about a password that registries take all the same. Keys are of many lines.
fn odd_password(password: &Secret) -> Option<String> {
    let text = password.expose();
    let is_key = text.trim_start().starts_with(['{', '-']);
    let lines = text.split('\n').count();
    if lines > 1 && !is_key {
        return Some(format!("has {lines} lines, and all of them are stored"));
    }
    (has_blanks_around(text) && lines == 1)
        .then(|| "begins or ends with a blank, which is stored too".to_owned())
}

fn has_blanks_around(text: &str) -> bool {
    text.trim().len() < text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_of_several_lines_or_with_blanks_around_it_is_odd() {
        let odd = |text: &str| odd_password(&Secret::from(text)).unwrap_or_default();
        for plain in ["s3cret", "two words", "{\n  \"k\": 1\n}\n", "-----BEGIN\nkey\n-----END"] {
            assert_eq!(odd(plain), "", "{plain:?}");
        }
        assert!(odd("s3cret\nsecond").starts_with("has 2 lines"));
        assert!(odd("\ns3cret\r\n\r\nmore").starts_with("has 4 lines"));
        for text in [" s3cret", "s3cret\t", "\u{a0}s3cret"] {
            assert!(odd(text).starts_with("begins or ends with a blank"), "{text:?}");
        }
    }
}
