//! Our histograms.

use std::time::Duration;

use mvx_metrics::{
    Dimension, HandleEvent, Histogram, HistogramSnapshot, Merge, Metric, Number, TypedMetric, metric_event,
};

use crate::sketch::Sketch;

/// The default bounds of Prometheus' clients, in nanoseconds.
const BOUNDS: &[Duration] = &[
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// Exponential buckets, the default.
#[derive(Default)]
pub struct Durations(Histogram<Duration>);

impl Sketch for Durations {
    const NAME: &'static str = "mvx-metrics, Duration";
    type Value = Duration;
    type Reading = HistogramSnapshot<Duration>;

    fn value(nanoseconds: u64) -> Duration {
        Duration::from_nanos(nanoseconds)
    }

    #[inline]
    fn record(&mut self, value: Duration) {
        self.0.record(value);
    }

    fn read(self) -> Self::Reading {
        self.0.read()
    }

    fn merge(reading: &mut Self::Reading, other: &Self::Reading) {
        reading.merge(other);
    }

    fn quantile(reading: &Self::Reading, share: f64) -> Option<f64> {
        nanoseconds_at(reading, share)
    }
}

/// Exponential buckets of numbers, here seconds.
#[derive(Default)]
pub struct Floats(Histogram<f64>);

impl Sketch for Floats {
    const NAME: &'static str = "mvx-metrics, f64";
    type Value = f64;
    type Reading = HistogramSnapshot<f64>;

    fn value(nanoseconds: u64) -> f64 {
        Duration::from_nanos(nanoseconds).as_secs_f64()
    }

    #[inline]
    fn record(&mut self, value: f64) {
        self.0.record(value);
    }

    fn read(self) -> Self::Reading {
        self.0.read()
    }

    fn merge(reading: &mut Self::Reading, other: &Self::Reading) {
        reading.merge(other);
    }

    fn quantile(reading: &Self::Reading, share: f64) -> Option<f64> {
        nanoseconds_at(reading, share)
    }
}

/// A request ended.
#[metric_event]
#[derive(Clone, Copy)]
pub struct Ended {
    elapsed: Duration,
}

/// A metric as an application declares it: what its handler costs, beside the histogram alone.
#[derive(Metric, Default)]
#[metric(on(Ended))]
pub struct Requests {
    #[dimension(value = elapsed)]
    elapsed: Histogram<Duration>,
}

impl Sketch for Requests {
    const NAME: &'static str = "mvx-metrics, metric of Duration";
    type Value = Ended;
    type Reading = RequestsSnapshot;

    fn value(nanoseconds: u64) -> Ended {
        Ended { elapsed: Duration::from_nanos(nanoseconds) }
    }

    #[inline]
    fn record(&mut self, value: Ended) {
        self.handle(&value);
    }

    fn read(self) -> RequestsSnapshot {
        self.typed_snapshot()
    }

    fn merge(reading: &mut RequestsSnapshot, other: &RequestsSnapshot) {
        reading.merge(other);
    }

    fn quantile(reading: &RequestsSnapshot, share: f64) -> Option<f64> {
        nanoseconds_at(&reading.elapsed, share)
    }
}

/// A metric with bounds that were chosen without knowledge of the values.
#[derive(Metric, Default)]
#[metric(on(Ended))]
pub struct BoundedRequests {
    #[dimension(value = elapsed, buckets = BOUNDS)]
    elapsed: Histogram<Duration>,
}

impl Sketch for BoundedRequests {
    const NAME: &'static str = "mvx-metrics, metric of 11 bounds";
    type Value = Ended;
    type Reading = BoundedRequestsSnapshot;

    fn value(nanoseconds: u64) -> Ended {
        Ended { elapsed: Duration::from_nanos(nanoseconds) }
    }

    #[inline]
    fn record(&mut self, value: Ended) {
        self.handle(&value);
    }

    fn read(self) -> BoundedRequestsSnapshot {
        self.typed_snapshot()
    }

    fn merge(reading: &mut BoundedRequestsSnapshot, other: &BoundedRequestsSnapshot) {
        reading.merge(other);
    }

    fn quantile(reading: &BoundedRequestsSnapshot, share: f64) -> Option<f64> {
        nanoseconds_at(&reading.elapsed, share)
    }
}

/// A quantile of a histogram of seconds or durations.
fn nanoseconds_at<T: Copy + Into<Number>>(histogram: &HistogramSnapshot<T>, share: f64) -> Option<f64> {
    histogram.quantile(share).map(|seconds| seconds * 1e9)
}
