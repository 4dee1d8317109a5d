//! Figures of several rounds.

use std::time::Duration;

/// A figure with all its rounds.
#[derive(Debug, Clone)]
pub struct Figure {
    pub name: &'static str,
    rounds: Vec<f64>,
}

impl Figure {
    pub const fn new(name: &'static str) -> Self {
        Self { name, rounds: Vec::new() }
    }

    pub fn push(&mut self, value: f64) {
        self.rounds.push(value);
    }

    pub fn median(&self) -> f64 {
        median(self.rounds.clone())
    }

    pub fn lowest(&self) -> f64 {
        quantile(self.rounds.clone(), 0.0)
    }

    pub fn highest(&self) -> f64 {
        quantile(self.rounds.clone(), 1.0)
    }
}

pub fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value below which that share of the values lies; NaN when there are none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the rank lies between 0 and the length"
)]
pub fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = as_float(values.len().saturating_sub(1) as u64) * share;
    values.get(rank.round() as usize).copied().unwrap_or(f64::NAN)
}

pub fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = as_float(values.len() as u64);
    values.sum::<f64>() / count
}

pub fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
pub const fn as_float(count: u64) -> f64 {
    count as f64
}
