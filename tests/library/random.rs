//! Choices for the generators of these tests. proptest draws them, the same in every run, and makes a case that fails
//! smaller: fewer choices, and earlier ones of each list.

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// More than a case takes; behind them each choice is the first.
const CHOICES: usize = 400;

pub struct Random(std::vec::IntoIter<u16>);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.0.next().unwrap_or_default()) % limit
    }

    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Runs a test with so many cases.
pub fn check(cases: usize, test: impl FnMut(&mut Random)) {
    let test = RefCell::new(test);
    let cases = u32::try_from(cases).expect("a number of cases");
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let drawn = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let choices = vec(any::<u16>(), CHOICES / 2..CHOICES);
    let end = TestRunner::new_with_rng(config, drawn).run(&choices, |choices| {
        (test.borrow_mut())(&mut Random(choices.into_iter()));
        Ok(())
    });
    // What the smallest case says was printed when it failed.
    assert!(end.is_ok(), "a case fails, the smallest last");
}
