//! What the charts show: the last samples of each dimension.

use std::collections::{HashMap, VecDeque};

use mvx_metrics::DimensionKind;
use mvx_metrics::page::{DimensionCard, PageData};

/// How many samples of a dimension are kept.
const MAX_POINTS: usize = 240;
/// How many dimensions have a history. Dimensions that the last sample lacks lose theirs first.
const MAX_DIMENSIONS: usize = 5_000;

/// The samples of one dimension. `None` is a sample without a number.
#[derive(Debug, Default)]
struct Points {
    /// The sample of the last point.
    last: u64,
    points: VecDeque<Option<f64>>,
}

/// The samples of all dimensions that were seen.
#[derive(Debug, Default)]
pub(super) struct History {
    of: HashMap<(String, String, String), Points>,
}

impl History {
    /// Adds a sample. Data that belong to a sample that was seen already change nothing.
    pub(super) fn add(&mut self, data: &PageData) {
        for card in &data.metrics.rows {
            for dimension in &card.dimensions {
                let key = (card.namespace.clone(), card.name.clone(), dimension.name.clone());
                if self.of.len() >= MAX_DIMENSIONS && !self.of.contains_key(&key) {
                    self.forget_oldest(data.sample);
                }
                self.of.entry(key).or_default().add(data.sample, charted(dimension));
            }
        }
    }

    /// The last points of a dimension, the newest one last.
    pub(super) fn points(&self, namespace: &str, metric: &str, dimension: &str) -> Vec<Option<f64>> {
        let key = (namespace.to_owned(), metric.to_owned(), dimension.to_owned());
        self.of.get(&key).map(|points| points.points.iter().copied().collect()).unwrap_or_default()
    }

    /// Forgets what this sample does not have, and everything if it has all.
    fn forget_oldest(&mut self, sample: u64) {
        self.of.retain(|_, points| points.last == sample);
        if self.of.len() >= MAX_DIMENSIONS {
            self.of.clear();
        }
    }
}

impl Points {
    fn add(&mut self, sample: u64, point: Option<f64>) {
        if sample < self.last {
            // The program was started again.
            self.points.clear();
        } else if sample == self.last && !self.points.is_empty() {
            return;
        } else if !self.points.is_empty() {
            // The samples between were not read.
            let missed = (sample - self.last - 1).min(MAX_POINTS as u64);
            (0..missed).for_each(|_| self.points.push_back(None));
        }
        self.last = sample;
        self.points.push_back(point);
        let excess = self.points.len().saturating_sub(MAX_POINTS);
        self.points.drain(..excess);
    }
}

/// What a chart shows of a dimension: the rate of what counts, else the value.
fn charted(dimension: &DimensionCard) -> Option<f64> {
    use DimensionKind::{Counter, Histogram, Mean, Sum};
    let counts = matches!(dimension.kind, Counter | Sum | Mean | Histogram);
    if counts { dimension.rate } else { dimension.value }
}

/// The heights of the last `width` points, from 0 to `height`. Height 0 is zero, or the smallest point if that is negative.
pub(super) fn heights(points: &[Option<f64>], width: usize, height: u64) -> Vec<Option<u64>> {
    let shown = &points[points.len().saturating_sub(width)..];
    let finite = || shown.iter().flatten().filter(|point| point.is_finite());
    let low = finite().fold(0.0, |low: f64, point| low.min(*point));
    let high = finite().fold(low, |high: f64, point| high.max(*point));
    // Halves, because the span of all numbers is larger than the largest number.
    let span = high / 2.0 - low / 2.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "from 0 to a small height"
    )]
    let scaled = |point: f64| {
        let part = if span > 0.0 { (point / 2.0 - low / 2.0) / span } else { 0.0 };
        (part * height as f64).round() as u64
    };
    let missing = width.saturating_sub(shown.len());
    let heights = shown.iter().map(|point| point.filter(|point| point.is_finite()).map(scaled));
    std::iter::repeat_n(None, missing).chain(heights).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::fixtures::page_data;

    fn points(history: &History) -> Vec<Option<f64>> {
        history.points("shop", "http", "total")
    }

    #[test]
    fn each_sample_is_one_point() {
        let mut history = History::default();
        let mut data = page_data();
        for (sample, rate) in [(12, 20.0), (12, 20.0), (13, 21.0), (13, 21.0), (15, 22.0)] {
            data.sample = sample;
            data.metrics.rows[0].dimensions[0].rate = Some(rate);
            history.add(&data);
        }
        assert_eq!(points(&history), [Some(20.0), Some(21.0), None, Some(22.0)]);
        data.metrics.rows[0].dimensions[0].rate = None;
        data.sample = 16;
        history.add(&data);
        assert_eq!(points(&history).last(), Some(&None), "the value of a counter is no rate");
        // A gauge does not count, so the chart has its value.
        assert_eq!(history.points("mail", "build", "size").first(), Some(&Some(1_536.0)));
        data.sample = 1;
        history.add(&data);
        assert_eq!(points(&history), [None], "a program that was started again begins anew");
    }

    #[test]
    fn histories_have_limits() {
        let mut history = History::default();
        let mut data = page_data();
        for sample in 1..1_000 {
            data.sample = sample;
            history.add(&data);
        }
        assert_eq!(points(&history).len(), MAX_POINTS);
        data.sample = u64::MAX;
        history.add(&data);
        assert_eq!(points(&history).len(), MAX_POINTS);
        for number in 0..10_000 {
            data.metrics.rows[0].name = format!("metric {number}");
            history.add(&data);
            assert!(history.of.len() <= MAX_DIMENSIONS + 3);
        }
    }

    #[test]
    fn heights_fill_the_chart() {
        let some = |points: &[f64]| points.iter().copied().map(Some).collect::<Vec<_>>();
        assert_eq!(heights(&some(&[0.0, 5.0, 10.0]), 3, 8), [Some(0), Some(4), Some(8)]);
        assert_eq!(heights(&some(&[0.0, 5.0, 10.0]), 2, 8), [Some(4), Some(8)]);
        assert_eq!(heights(&some(&[1.0]), 3, 8), [None, None, Some(8)]);
        assert_eq!(heights(&[None, Some(2.0)], 2, 8), [None, Some(8)]);
        assert_eq!(heights(&some(&[-4.0, 0.0, 4.0]), 3, 8), [Some(0), Some(4), Some(8)]);
        assert_eq!(heights(&some(&[0.0, 0.0]), 2, 8), [Some(0), Some(0)]);
        assert_eq!(heights(&some(&[f64::MIN, 0.0, f64::MAX]), 3, 8), [Some(0), Some(4), Some(8)]);
        assert_eq!(heights(&some(&[f64::NAN, f64::INFINITY, 1.0]), 3, 8), [None, None, Some(8)]);
        assert_eq!(heights(&[], 0, 8), []);
    }
}
