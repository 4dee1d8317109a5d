//! Protocol Buffers: the writer encodes families as messages.
//!
//! No crate is needed: the messages have few kinds of fields, and the writer appends them to one buffer. Structs of all messages
//! would own a copy of each label of each series. The tests decode with the crate `prost`.

mod native;
mod schema;
mod wire;

use self::native::{Native, ZERO_THRESHOLD};
use self::schema::{
    VALUE, bucket, bucket_span, counter, histogram, label_pair, metric, metric_family, metric_type, summary,
    timestamp,
};
use self::wire::Wire;
use super::bounds;
use super::family::Family;
use super::family_type::FamilyType;
use super::groups::Group;
use super::labels::{SeriesLabels, pairs};
use super::name::UsedNames;
use super::options::ExpositionOptions;
use super::power_bounds::{self, PowerRange};
use super::series::{QUANTILE, QUANTILES, Series, for_each_series};
use crate::snapshot::{Bucket, Buckets, DimensionValue, HistogramSnapshot, MeanSnapshot, Number, Timestamp};

/// All families as messages of the type `MetricFamily`, each after its length.
pub(super) fn write(
    options: &ExpositionOptions,
    labels: &SeriesLabels<'_>,
    groups: &[Group<'_>],
    families: &[Family<'_>],
) -> Vec<u8> {
    let groups: Vec<Wire> = groups.iter().map(|group| label_pairs(&group.labels)).collect();
    let writer = Writer { created: options.created, used: labels.used(), groups: &groups };
    let mut out = Wire::default();
    if let Some(labels) = labels.of_target_info() {
        write_target_info(&mut out, &labels);
    }
    for family in families {
        out.delimited(|out| writer.write(out, family));
    }
    out.into_bytes()
}

/// Writes the labels of the process, in front of all families.
fn write_target_info(out: &mut Wire, labels: &[u8]) {
    out.delimited(|out| {
        out.text(metric_family::NAME, "target_info");
        out.text(metric_family::HELP, "The labels of the process.");
        out.unsigned(metric_family::TYPE, metric_type::GAUGE);
        out.message(metric_family::METRIC, |out| {
            out.fields(&label_pairs(labels));
            out.message(metric::GAUGE, |out| out.double(VALUE, 1.0));
        });
    });
}

struct Writer<'a> {
    /// Whether series show since when they count.
    created: bool,
    /// The names that labels of breakdowns do not have.
    used: &'a UsedNames,
    /// The labels of each group, as fields of a metric.
    groups: &'a [Wire],
}

impl Writer<'_> {
    fn write(&self, out: &mut Wire, family: &Family<'_>) {
        let (family_type, suffix) = match family.family_type() {
            FamilyType::Counter => (metric_type::COUNTER, "_total"),
            FamilyType::Gauge => (metric_type::GAUGE, ""),
            FamilyType::Histogram => (metric_type::HISTOGRAM, ""),
            FamilyType::Summary => (metric_type::SUMMARY, ""),
            FamilyType::Unknown => (metric_type::UNTYPED, ""),
        };
        let name = [&family.name, suffix].concat();
        out.text(metric_family::NAME, &name);
        out.text(metric_family::HELP, family.help.trim());
        out.unsigned(metric_family::TYPE, family_type);
        for_each_series(family, self.used, |series| match (family.family_type(), series.value) {
            (FamilyType::Gauge, DimensionValue::Histogram(window)) => {
                self.write_quantiles(out, &series, window);
            }
            _ => {
                out.message(metric_family::METRIC, |out| self.write_metric(out, family, &series));
            }
        });
        if let Some(unit) = &family.unit {
            out.text(metric_family::UNIT, unit);
        }
    }

    /// Writes the quantiles of a window, each as a gauge.
    fn write_quantiles(&self, out: &mut Wire, series: &Series<'_, '_>, window: &HistogramSnapshot<Number>) {
        for (quantile, text) in QUANTILES {
            let Some(value) = window.quantile(quantile) else { continue };
            out.message(metric_family::METRIC, |out| {
                self.write_labels(out, series);
                write_label_pair(out, QUANTILE, text);
                out.message(metric::GAUGE, |out| out.double(VALUE, value));
            });
        }
    }

    fn write_labels(&self, out: &mut Wire, series: &Series<'_, '_>) {
        out.fields(&self.groups[series.sample.group]);
        series.further().for_each(|(name, value)| write_label_pair(out, name, value));
    }

    fn write_metric(&self, out: &mut Wire, family: &Family<'_>, series: &Series<'_, '_>) {
        self.write_labels(out, series);
        match (family.family_type(), series.value) {
            (FamilyType::Histogram, DimensionValue::Histogram(histogram)) => {
                out.message(metric::HISTOGRAM, |out| {
                    write_histogram(out, histogram, family.powers);
                    self.write_created(out, histogram::CREATED_TIMESTAMP, series);
                });
            }
            (FamilyType::Summary, DimensionValue::Mean(mean)) => {
                out.message(metric::SUMMARY, |out| {
                    write_summary(out, mean);
                    self.write_created(out, summary::CREATED_TIMESTAMP, series);
                });
            }
            (FamilyType::Counter, value) => {
                out.message(metric::COUNTER, |out| {
                    out.double(VALUE, number_of(value));
                    self.write_created(out, counter::CREATED_TIMESTAMP, series);
                });
            }
            (FamilyType::Unknown, value) => {
                out.message(metric::UNTYPED, |out| out.double(VALUE, number_of(value)));
            }
            (FamilyType::Gauge | FamilyType::Histogram | FamilyType::Summary, value) => {
                out.message(metric::GAUGE, |out| out.double(VALUE, number_of(value)));
            }
        }
    }

    /// Writes since when a series counts.
    fn write_created(&self, out: &mut Wire, field: u32, series: &Series<'_, '_>) {
        let created: Timestamp = series.sample.created;
        if self.created && !created.is_unknown() && series.sample.declared.window.is_none() {
            out.message(field, |out| {
                out.unsigned(timestamp::SECONDS, created.as_micros() / 1_000_000);
                out.unsigned(timestamp::NANOS, created.as_micros() % 1_000_000 * 1_000);
            });
        }
    }
}

fn write_summary(out: &mut Wire, mean: &MeanSnapshot<Number>) {
    out.unsigned(summary::SAMPLE_COUNT, mean.count);
    out.double(summary::SAMPLE_SUM, float(mean.sum));
}

fn write_histogram(out: &mut Wire, histogram: &HistogramSnapshot<Number>, powers: PowerRange) {
    let native = histogram.buckets.exponential().and_then(Native::of);
    out.unsigned(histogram::SAMPLE_COUNT, histogram.buckets.count());
    out.double(histogram::SAMPLE_SUM, float(histogram.sum));
    // Also beside a native histogram: other clients that read this format know classic ones only.
    match &histogram.buckets {
        Buckets::Explicit(buckets) => write_explicit_buckets(out, buckets),
        Buckets::Exponential(buckets) => {
            for (bound, count) in power_bounds::cumulative(buckets, powers) {
                write_bucket(out, bound, count);
            }
        }
    }
    if let Some(native) = native {
        write_native(out, &native);
    }
}

/// Writes the buckets that have bounds. The bucket without a bound has the count of the histogram.
fn write_explicit_buckets(out: &mut Wire, buckets: &[Bucket<Number>]) {
    let bounds = bounds::distinct(buckets.iter().filter_map(|bucket| bucket.upper_bound));
    let mut count: u64 = 0;
    // The last bucket alone has no bound.
    for (bucket, bound) in buckets.iter().filter(|bucket| bucket.upper_bound.is_some()).zip(bounds) {
        count = count.saturating_add(bucket.count);
        if let Some(bound) = bound {
            write_bucket(out, bound, count);
        }
    }
}

fn write_bucket(out: &mut Wire, bound: f64, count: u64) {
    out.message(histogram::BUCKET, |out| {
        out.unsigned(bucket::CUMULATIVE_COUNT, count);
        out.double(bucket::UPPER_BOUND, bound);
    });
}

fn write_native(out: &mut Wire, native: &Native) {
    out.signed(histogram::SCHEMA, native.schema.into());
    out.double(histogram::ZERO_THRESHOLD, ZERO_THRESHOLD);
    out.unsigned(histogram::ZERO_COUNT, native.zero_count);
    let sides = [
        (histogram::NEGATIVE_SPAN, histogram::NEGATIVE_DELTA, &native.negative),
        (histogram::POSITIVE_SPAN, histogram::POSITIVE_DELTA, &native.positive),
    ];
    for (span_field, delta_field, buckets) in
        sides.into_iter().filter(|(.., buckets)| !buckets.deltas.is_empty())
    {
        for span in &buckets.spans {
            out.message(span_field, |out| {
                out.signed(bucket_span::OFFSET, span.offset.into());
                out.unsigned(bucket_span::LENGTH, span.length.into());
            });
        }
        out.packed_signed(delta_field, buckets.deltas.iter().copied());
    }
}

/// Labels in the form of the text as fields of a metric.
fn label_pairs(labels: &[u8]) -> Wire {
    let mut fields = Wire::default();
    for (name, value) in pairs(labels) {
        write_label_pair(&mut fields, &name, &value);
    }
    fields
}

fn write_label_pair(out: &mut Wire, name: &str, value: &str) {
    out.message(metric::LABEL, |out| {
        out.text(label_pair::NAME, name);
        out.text(label_pair::VALUE, value);
    });
}

/// The number that the text of the value parses as.
fn number_of(value: &DimensionValue) -> f64 {
    match value {
        DimensionValue::Duration(duration) => float(Number::Duration(*duration)),
        value => value.as_f64().unwrap_or(f64::NAN),
    }
}

/// The number that the text of the number parses as.
fn float(number: Number) -> f64 {
    /// Up to this number every whole number is an `f64`.
    const MAX_EXACT: u128 = 1 << f64::MANTISSA_DIGITS;
    match number {
        Number::Duration(duration) if duration.as_nanos() <= MAX_EXACT => {
            #[expect(clippy::cast_precision_loss, reason = "the number is exact")]
            let nanos = duration.as_nanos() as f64;
            // One division of exact numbers rounds once, as the parser of a text does.
            nanos / 1e9
        }
        number => number.as_f64(),
    }
}
