//! Data points: a value of a dimension as messages.

use mvx_metrics::{BucketRange, Buckets, DimensionValue, Extreme, HistogramSnapshot, Number};
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, exponential_histogram_data_point,
    number_data_point,
};
use prost::Message;

use super::form::Form;
use super::name::QUANTILE;
use super::wire::{Attributes, push_head};

/// The quantiles of a window, the same as in the text formats.
const QUANTILES: [(f64, &str); 4] = [(0.5, "0.5"), (0.9, "0.9"), (0.95, "0.95"), (0.99, "0.99")];

/// The field of the points in each message of points.
const DATA_POINTS: u8 = 1;

/// The fields of the attributes in their messages.
const OF_NUMBER: u8 = 7;
const OF_HISTOGRAM: u8 = 9;
const OF_EXPONENTIAL: u8 = 1;

/// The times of a point, in nanoseconds since 1970; 0 for an unknown start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) start: u64,
    pub(super) time: u64,
}

/// Pushes the points of one value, each as a field of its message of points. Returns their number.
///
/// `may_fall` says that a histogram has values below zero, now or before an interval.
pub(super) fn push_points(
    out: &mut Vec<u8>,
    form: Form,
    attributes: &mut Attributes,
    value: &DimensionValue,
    times: Times,
    may_fall: bool,
) -> u64 {
    match value {
        DimensionValue::Histogram(histogram) if form == Form::Gauge => {
            let (own, mut points) = (attributes.len(), 0);
            for (quantile, text) in QUANTILES {
                let Some(value) = histogram.quantile(quantile) else { continue };
                attributes.push(QUANTILE, text);
                push_number(out, attributes, number_data_point::Value::AsDouble(value), times);
                attributes.truncate(own);
                points += 1;
            }
            points
        }
        DimensionValue::Histogram(histogram) => {
            match &histogram.buckets {
                Buckets::Exponential(buckets) => {
                    let side = |range: &BucketRange| exponential_histogram_data_point::Buckets {
                        offset: range.offset,
                        bucket_counts: range.counts.clone(),
                    };
                    let point = ExponentialHistogramDataPoint {
                        start_time_unix_nano: times.start,
                        time_unix_nano: times.time,
                        count: buckets.count(),
                        sum: sum_of(histogram, may_fall),
                        scale: buckets.scale,
                        zero_count: buckets.zero,
                        positive: Some(side(&buckets.positive)),
                        negative: Some(side(&buckets.negative)),
                        min: extreme(histogram.min),
                        max: extreme(histogram.max),
                        ..ExponentialHistogramDataPoint::default()
                    };
                    push_point(out, OF_EXPONENTIAL, attributes, &point);
                }
                buckets => {
                    let (explicit_bounds, bucket_counts) = explicit(buckets);
                    let point = HistogramDataPoint {
                        start_time_unix_nano: times.start,
                        time_unix_nano: times.time,
                        count: buckets.count(),
                        sum: sum_of(histogram, may_fall),
                        bucket_counts,
                        explicit_bounds,
                        min: extreme(histogram.min),
                        max: extreme(histogram.max),
                        ..HistogramDataPoint::default()
                    };
                    push_point(out, OF_HISTOGRAM, attributes, &point);
                }
            }
            1
        }
        // Sum and count without bounds. Some stores take no histogram without a bucket, so it has one.
        DimensionValue::Mean(mean) if form == Form::Histogram => {
            let point = HistogramDataPoint {
                start_time_unix_nano: times.start,
                time_unix_nano: times.time,
                count: mean.count,
                sum: Some(mean.sum.as_f64()),
                bucket_counts: vec![mean.count],
                ..HistogramDataPoint::default()
            };
            push_point(out, OF_HISTOGRAM, attributes, &point);
            1
        }
        value => {
            let Some(number) = number(value) else { return 0 };
            push_number(out, attributes, number, times);
            1
        }
    }
}

/// Whether the sum of a histogram may fall: then the data model has none.
pub(super) fn may_fall(histogram: &HistogramSnapshot<Number>) -> bool {
    let lowest = match &histogram.buckets {
        Buckets::Explicit(buckets) => buckets.first().and_then(|bucket| bucket.upper_bound),
        Buckets::Exponential(buckets) => {
            let is_below = buckets.negative.counts.iter().any(|count| *count > 0);
            is_below.then_some(Number::Signed(-1))
        }
        _ => None,
    };
    let values = [Some(histogram.sum), histogram.min.known(), lowest];
    values.into_iter().flatten().any(|value| value.as_f64() < 0.0)
}

fn sum_of(histogram: &HistogramSnapshot<Number>, may_fall: bool) -> Option<f64> {
    (!may_fall).then(|| histogram.sum.as_f64())
}

fn extreme(extreme: Extreme<Number>) -> Option<f64> {
    extreme.known().map(|number| number.as_f64())
}

/// The bounds and the counts of explicit buckets. The bounds ascend strictly, so a bucket whose bound is the same floating-point
/// number as the next one counts there. The last count has no bound.
fn explicit(buckets: &Buckets<Number>) -> (Vec<f64>, Vec<u64>) {
    let buckets = buckets.explicit().unwrap_or_default();
    let (mut bounds, mut counts, mut above) = (Vec::new(), vec![0_u64], f64::INFINITY);
    for bucket in buckets.iter().rev() {
        let bound = bucket.upper_bound.map(|bound| bound.as_f64());
        if let Some(bound) = bound.filter(|bound| bound.is_finite() && *bound < above) {
            above = bound;
            bounds.push(bound);
            counts.push(0);
        }
        if let Some(count) = counts.last_mut() {
            *count = count.saturating_add(bucket.count);
        }
    }
    bounds.reverse();
    counts.reverse();
    (bounds, counts)
}

/// A single number: an integer where it fits.
fn number(value: &DimensionValue) -> Option<number_data_point::Value> {
    use number_data_point::Value::{AsDouble, AsInt};
    let integer = match value {
        DimensionValue::Unsigned(number) => i64::try_from(*number).ok(),
        DimensionValue::Signed(number) => Some(*number),
        DimensionValue::InFlight(in_flight) => Some(in_flight.current()),
        DimensionValue::Distinct(distinct) => i64::try_from(distinct.estimate()).ok(),
        _ => None,
    };
    integer.map(AsInt).or_else(|| value.as_f64().map(AsDouble))
}

fn push_number(out: &mut Vec<u8>, attributes: &Attributes, value: number_data_point::Value, times: Times) {
    let point = NumberDataPoint {
        start_time_unix_nano: times.start,
        time_unix_nano: times.time,
        value: Some(value),
        ..NumberDataPoint::default()
    };
    push_point(out, OF_NUMBER, attributes, &point);
}

/// Pushes a point that has no attributes yet, with these ones.
fn push_point(out: &mut Vec<u8>, field: u8, attributes: &Attributes, point: &impl Message) {
    push_head(out, DATA_POINTS, attributes.length() + point.encoded_len());
    attributes.push_to(out, field);
    // A message is encoded without a length, and a `Vec` grows: there is no error.
    point.encode_raw(out);
}

#[cfg(test)]
mod tests {
    use mvx_metrics::{Mean, Metric, MetricsRuntime, Scope, metric_event};
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    use prost::Message;

    use crate::{Encoder, OtlpOptions};

    #[metric_event]
    struct Sent {
        bytes: u64,
    }

    #[derive(Metric, Default)]
    #[metric(name = "sent", on(Sent))]
    struct Sizes {
        #[dimension(value = bytes)]
        size: Mean<u64>,
    }

    #[test]
    fn a_mean_is_a_histogram_with_one_bucket_because_stores_drop_those_without() {
        let runtime = MetricsRuntime::new("means").expect("a valid namespace");
        runtime.start().expect("a new runtime starts");
        let recorder = runtime.create_recorder("one").expect("the id is free");
        recorder.metric::<Sizes>().expect("the recorder runs");
        recorder.emit(Sent { bytes: 2 });
        recorder.emit(Sent { bytes: 4 });
        let totals = runtime.totals(Scope::Rollup).expect("the runtime runs");
        let mut encoder = Encoder::new(&OtlpOptions::new());
        let request = encoder.requests(&totals).next_request().expect("totals with values");
        let request = ExportMetricsServiceRequest::decode(&*request.body).expect("a message");
        let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
        let mean = metrics.iter().find(|metric| metric.name == "sent.size").expect("the mean");
        let Some(Data::Histogram(histogram)) = &mean.data else { panic!("{mean:?} is no histogram") };
        let point = &histogram.data_points[0];
        assert_eq!((point.count, point.sum, &*point.bucket_counts), (2, Some(6.0), &[2][..]));
        assert!(point.explicit_bounds.is_empty());
    }
}
