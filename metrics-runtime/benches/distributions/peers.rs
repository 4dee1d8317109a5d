//! The crates that users would take instead, each as its documentation uses it.

use std::time::Duration;

use prometheus_client::metrics::histogram::{
    DEFAULT_NATIVE_HISTOGRAM_BUCKET_FACTOR, Histogram as PrometheusHistogram, NativeHistogramConfig,
};
use sketches_ddsketch::{Config, DDSketch};

use crate::figure::as_float;
use crate::sketch::Sketch;

/// `hdrhistogram` that grows by itself, with this many significant digits.
pub struct Hdr<const DIGITS: u8>(hdrhistogram::Histogram<u64>);

impl<const DIGITS: u8> Default for Hdr<DIGITS> {
    fn default() -> Self {
        Self(hdrhistogram::Histogram::new(DIGITS).expect("at most five digits"))
    }
}

impl<const DIGITS: u8> Sketch for Hdr<DIGITS> {
    const NAME: &'static str = match DIGITS {
        2 => "hdrhistogram, 2 digits",
        _ => "hdrhistogram, 3 digits",
    };
    type Value = u64;
    type Reading = hdrhistogram::Histogram<u64>;

    fn value(nanoseconds: u64) -> u64 {
        nanoseconds
    }

    #[inline]
    fn record(&mut self, value: u64) {
        self.0.record(value).expect("it grows");
    }

    fn read(self) -> Self::Reading {
        self.0
    }

    fn merge(reading: &mut Self::Reading, other: &Self::Reading) {
        reading.add(other).expect("it grows");
    }

    fn quantile(reading: &Self::Reading, share: f64) -> Option<f64> {
        Some(as_float(reading.value_at_quantile(share)))
    }
}

/// `sketches-ddsketch` with this relative error in percent, and its default limit of 2,048 bins.
pub struct DdSketch<const PERCENT: u32>(DDSketch);

impl<const PERCENT: u32> Default for DdSketch<PERCENT> {
    fn default() -> Self {
        let defaults = Config::defaults();
        let config = Config::new(f64::from(PERCENT) / 100.0, defaults.max_num_bins, defaults.min_possible());
        Self(DDSketch::new(config))
    }
}

impl<const PERCENT: u32> Sketch for DdSketch<PERCENT> {
    const NAME: &'static str = match PERCENT {
        2 => "sketches-ddsketch, 2%",
        _ => "sketches-ddsketch, 1%",
    };
    type Value = f64;
    type Reading = DDSketch;

    fn value(nanoseconds: u64) -> f64 {
        Duration::from_nanos(nanoseconds).as_secs_f64()
    }

    #[inline]
    fn record(&mut self, value: f64) {
        self.0.add(value);
    }

    fn read(self) -> DDSketch {
        self.0
    }

    fn merge(reading: &mut DDSketch, other: &DDSketch) {
        reading.merge(other).expect("both have one configuration");
    }

    fn quantile(reading: &DDSketch, share: f64) -> Option<f64> {
        reading.quantile(share).ok().flatten().map(|seconds| seconds * 1e9)
    }
}

/// `histogram` with the configuration of its documentation: 128 buckets an octave, all of `u64`.
pub struct H2(histogram::Histogram);

impl Default for H2 {
    fn default() -> Self {
        Self(histogram::Histogram::new(7, 64).expect("a valid configuration"))
    }
}

impl Sketch for H2 {
    const NAME: &'static str = "histogram, 7 bits";
    type Value = u64;
    type Reading = histogram::Histogram;

    fn value(nanoseconds: u64) -> u64 {
        nanoseconds
    }

    #[inline]
    fn record(&mut self, value: u64) {
        self.0.increment(value).expect("every number has a bucket");
    }

    fn read(self) -> Self::Reading {
        self.0
    }

    fn merge(reading: &mut Self::Reading, other: &Self::Reading) {
        reading.checked_add_assign(other).expect("both have one configuration");
    }

    /// The middle of the bucket: the crate answers the bucket.
    fn quantile(reading: &Self::Reading, share: f64) -> Option<f64> {
        let bucket = reading.quantile_bucket(share).ok().flatten()?;
        Some(as_float(bucket.start()).midpoint(as_float(bucket.end())))
    }
}

/// The native histogram of `prometheus-client`, with its default factor and with as many buckets as ours. Threads share it. It
/// neither merges nor answers quantiles: a Prometheus does.
pub struct Native(PrometheusHistogram);

impl Default for Native {
    fn default() -> Self {
        let config = NativeHistogramConfig::new(DEFAULT_NATIVE_HISTOGRAM_BUCKET_FACTOR).max_buckets(160);
        Self(PrometheusHistogram::new_native(config))
    }
}

impl Sketch for Native {
    const NAME: &'static str = "prometheus-client, native";
    type Value = f64;
    type Reading = ();

    fn value(nanoseconds: u64) -> f64 {
        Duration::from_nanos(nanoseconds).as_secs_f64()
    }

    #[inline]
    fn record(&mut self, value: f64) {
        self.0.observe(value);
    }

    fn read(self) {}

    const MERGES: bool = false;

    fn merge((): &mut (), (): &()) {}

    fn quantile((): &(), _share: f64) -> Option<f64> {
        None
    }
}
