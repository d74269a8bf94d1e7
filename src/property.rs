//! How many cases the property tests of the library draw.

use proptest::prelude::ProptestConfig;

/// As many as `PROPERTY_CASES` says, else so many.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let cases = std::env::var("PROPERTY_CASES").map_or(usual, |cases| cases.parse().unwrap());
    // What fails is told with its smallest input, and becomes a test of its own.
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
