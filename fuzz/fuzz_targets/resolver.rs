//! Arbitrary documents, images and versions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runner_auth::RunnerVersion;
use runner_auth::image_path;
use runner_auth::{Verdict, resolve};
use runner_auth::{key_path_in, why_it_never_matches};

fuzz_target!(|input: (&str, &str, u8, u8)| {
    let (document, image, major, minor) = input;
    let version = RunnerVersion::parse(&format!("{}.{}", 13 + major % 7, minor % 12));
    let version = version.expect("a version");
    let resolution = resolve(document, image, version);
    assert_eq!(resolution.image_path, image_path(image, version));
    let latest = resolve(document, image, RunnerVersion::LATEST);
    if let Verdict::Match(found) = &latest.verdict {
        assert_eq!(key_path_in(found.key.as_str(), RunnerVersion::LATEST), found.path);
        assert!(latest.candidates.contains(&found.path));
        assert!(why_it_never_matches(found.key.as_str()).is_none(), "{found:?} for {image:?}");
    }
});
