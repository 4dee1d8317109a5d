//! Recorders against a plain model: random operations, and what must come of them.
//!
//! `sequential` knows the outcome of every single call. `concurrent` knows what holds however threads interleave.
//! `MVX_MODEL_CASES` says how many cases each of them tries.

mod concurrent;
mod facts;
mod plain;
mod sequential;

use proptest::test_runner::Config;

/// What a test of this program is run with.
fn config(default_cases: u32) -> Config {
    facts::quieten_expected_panics();
    let chosen = std::env::var("MVX_MODEL_CASES").ok().and_then(|cases| cases.parse().ok());
    Config {
        cases: chosen.unwrap_or(default_cases),
        max_shrink_iters: 10_000,
        max_shrink_time: 120_000,
        ..Config::default()
    }
}
