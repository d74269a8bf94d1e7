//! Passwords that say when they end.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use zeroize::Zeroizing;

/// How soon an end is worth a warning.
pub(super) const SOON: Duration = Duration::from_secs(24 * 60 * 60);

/// The time in what an ECR password (`expiration`) and a JSON Web Token (`exp`) hold, in seconds
/// since 1970.
#[derive(Deserialize)]
struct Claims {
    #[serde(alias = "exp")]
    expiration: serde_json::Number,
}

/// When a password ends: one of Amazon's ECR is JSON in base64 with `expiration`, a JSON Web Token
/// has `exp` in the second of its three parts.
pub(super) fn end(password: &str) -> Option<SystemTime> {
    let json = match password.split('.').collect::<Vec<_>>()[..] {
        [whole] => STANDARD.decode(whole).ok()?,
        [_, claims, _] => URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?,
        _ => return None,
    };
    let json = Zeroizing::new(json);
    let claims: Claims = serde_json::from_slice(&json).ok()?;
    let seconds = claims.expiration.as_u64()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Whether a registry is one of Amazon's ECR, whose passwords serve for twelve hours.
pub(super) fn is_ecr(host: &str) -> bool {
    host.contains(".dkr.ecr.") || host == "public.ecr.aws"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let ecr = STANDARD.encode(r#"{"payload":"x","version":"2","expiration":1600000000}"#);
        let token = format!("x.{}.y", URL_SAFE_NO_PAD.encode(r#"{"sub":"ci","exp":1700000000}"#));
        assert_eq!(end(&ecr), at(1_600_000_000));
        assert_eq!(end(&token), at(1_700_000_000));
        let lasting = format!("x.{}.y", URL_SAFE_NO_PAD.encode(r#"{"sub":"ci"}"#));
        for password in ["", "hunter2", "a.b.c", "a.b", "eyJhIjogMX0=", &lasting] {
            assert_eq!(end(password), None, "{password}");
        }
    }
}
