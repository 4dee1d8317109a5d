//! Quantiles of exponential histograms, against exact ones (property test). Covers DI2.
//!
//! The exact quantile is the smallest value that at least this share of all values does not exceed.

// Numbers only: under Miri they take minutes and show nothing.
#![cfg(not(miri))]

use std::ops::RangeInclusive;
use std::time::Duration;

use mvx_metrics::{HandleEvent, Histogram, HistogramSnapshot, Metric, Number, TypedMetric, metric_event};
use proptest::prelude::*;

const VALUES: usize = 100_000;
const SHARES: [f64; 13] = [0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0];

/// The largest relative error that is promised when the largest value is that many times the smallest.
const NARROW: (f64, f64) = (950.0, 0.022);
const WIDE: (f64, f64) = (900_000.0, 0.045);

#[metric_event]
struct Observed {
    nanoseconds: u64,
    elapsed: Duration,
    level: f64,
}

/// One histogram for each kind of value, without any option.
#[derive(Metric, Default)]
#[metric(on(Observed))]
struct Observations {
    #[dimension(value = nanoseconds)]
    nanoseconds: Histogram<u64>,
    #[dimension(value = elapsed)]
    elapsed: Histogram<Duration>,
    #[dimension(value = level)]
    level: Histogram<f64>,
    #[dimension(value = |e| -e.level)]
    below_zero: Histogram<f64>,
}

/// How values are spread between the smallest and the largest one.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Uniform,
    /// With this many times the mean between the ends.
    Exponential(f64),
    /// With this many deviations of the logarithm between the ends.
    LogNormal(f64),
    /// Two modes at these shares of the octaves, and 0.1% anywhere.
    Bimodal(f64, f64),
    /// With this exponent.
    Pareto(f64),
}

impl Shape {
    /// A value from two random numbers above 0 and at most 1.
    fn value(self, low: f64, high: f64, share: f64, other: f64) -> f64 {
        let spread = high / low;
        let normal = || (-2.0 * share.ln()).sqrt() * (std::f64::consts::TAU * other).cos();
        let value = match self {
            Self::Uniform => low + (high - low) * share,
            Self::Exponential(means) => low - (high - low) / means * share.ln(),
            Self::LogNormal(deviations) => low * spread.powf(0.5 + normal() / deviations),
            Self::Bimodal(..) if other > 0.999 => low * spread.powf(share),
            Self::Bimodal(first, second) => {
                low * spread.powf(if other < 0.8 { first } else { second }) * (0.9 + 0.2 * share)
            }
            Self::Pareto(exponent) => low * share.powf(-1.0 / exponent),
        };
        value.clamp(low, high)
    }
}

/// The nanoseconds of a run. Both ends are among them.
#[derive(Debug, Clone)]
struct Run {
    shape: Shape,
    smallest: u64,
    spread: f64,
    seed: u64,
}

impl Run {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the values are positive and below 2^53"
    )]
    fn values(&self) -> Vec<u64> {
        let low = self.smallest as f64;
        let high = (low * self.spread).floor();
        let mut state = self.seed;
        let mut share = || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (((mixed ^ (mixed >> 31)) >> 11) + 1) as f64 / (1_u64 << 53) as f64
        };
        let drawn = (2..VALUES).map(|_| self.shape.value(low, high, share(), share()) as u64);
        [self.smallest, high as u64].into_iter().chain(drawn).collect()
    }
}

fn runs(spreads: RangeInclusive<f64>, shape: impl Strategy<Value = Shape>) -> impl Strategy<Value = Run> {
    let logarithms = spreads.start().ln()..=spreads.end().ln();
    let largest = *spreads.end();
    // From 1 us to 1,000 s, or less in wide runs, so that a `f64` has every nanosecond.
    (shape, 3.0..=9.0_f64, logarithms, any::<u64>()).prop_map(move |(shape, power, logarithm, seed)| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 10^9")]
        let smallest = 10_f64.powf(power) as u64;
        Run { shape, smallest, spread: logarithm.exp().min(largest), seed }
    })
}

/// Checks the quantiles of a histogram against exact ones.
fn check<T: Copy + Into<Number>>(
    name: &str,
    histogram: &HistogramSnapshot<T>,
    exact: impl Fn(f64) -> f64,
    promised: f64,
) -> Result<(), TestCaseError> {
    for share in SHARES {
        let (exact, answer) = (exact(share), histogram.quantile(share).expect("it has values"));
        let error = ((answer - exact) / exact).abs();
        prop_assert!(
            error <= promised,
            "{name}: quantile {share} is {answer:e} in place of {exact:e}, an error of {error}"
        );
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "ranks are below 2^53"
)]
fn check_run(run: &Run, unit: f64, promised: f64) -> Result<(), TestCaseError> {
    let mut values = run.values();
    let mut metric = Observations::default();
    for nanoseconds in &values {
        metric.handle(&Observed {
            nanoseconds: *nanoseconds,
            elapsed: Duration::from_nanos(*nanoseconds),
            level: *nanoseconds as f64 * unit,
        });
    }
    values.sort_unstable();
    let ranked = |rank: f64| values[(rank as usize).max(1) - 1] as f64;
    let exact = |share: f64| ranked((share * VALUES as f64).ceil());
    // The order of negative values is the reverse: as many values as `share` says are at or below this one.
    let exact_below_zero =
        |share: f64| -ranked(VALUES as f64 - (share * VALUES as f64).ceil().max(1.0) + 1.0);
    let snapshot = metric.typed_snapshot();
    check("u64", &snapshot.nanoseconds, exact, promised)?;
    check("Duration", &snapshot.elapsed, |share| exact(share) / 1e9, promised)?;
    check("f64", &snapshot.level, |share| exact(share) * unit, promised)?;
    check("f64 below zero", &snapshot.below_zero, |share| exact_below_zero(share) * unit, promised)
}

/// A power of ten by which floating-point values differ from nanoseconds.
fn unit() -> impl Strategy<Value = f64> {
    (-290..=270_i32).prop_map(|power| 10_f64.powi(power))
}

/// A narrow run, a wide run, and the unit of their floating-point values.
fn pairs(shape: impl Strategy<Value = Shape> + Clone) -> impl Strategy<Value = (Run, Run, f64)> {
    (runs(1.5..=NARROW.0, shape.clone()), runs(NARROW.0..=WIDE.0, shape), unit())
}

fn check_pair((narrow, wide, unit): &(Run, Run, f64)) -> Result<(), TestCaseError> {
    check_run(narrow, *unit, NARROW.1)?;
    check_run(wide, *unit, WIDE.1)
}

proptest! {
    // Few cases, each of many values.
    #![proptest_config(ProptestConfig { cases: 2, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn di2_quantiles_of_a_uniform_distribution(pair in pairs(Just(Shape::Uniform))) {
        check_pair(&pair)?;
    }

    #[test]
    fn di2_quantiles_of_an_exponential_distribution(
        pair in pairs((2.0..=20.0).prop_map(Shape::Exponential)),
    ) {
        check_pair(&pair)?;
    }

    #[test]
    fn di2_quantiles_of_a_log_normal_distribution(pair in pairs((4.0..=12.0).prop_map(Shape::LogNormal))) {
        check_pair(&pair)?;
    }

    #[test]
    fn di2_quantiles_of_two_modes_with_outliers(
        pair in pairs((0.05..0.5, 0.5..0.95).prop_map(|(first, second)| Shape::Bimodal(first, second))),
    ) {
        check_pair(&pair)?;
    }

    #[test]
    fn di2_quantiles_of_a_pareto_distribution(pair in pairs((0.5..=3.0).prop_map(Shape::Pareto))) {
        check_pair(&pair)?;
    }
}
