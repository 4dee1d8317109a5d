//! Covers OT5 without a server: under the names that stores make of those of OTLP, a push has the series of the text.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;

use mvx_metrics::Totals;
use mvx_metrics::export::Format;
use mvx_metrics_otlp::{Encoder, OtlpOptions};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    HistogramDataPoint, Metric, NumberDataPoint, number_data_point,
};
use prost::Message;

use crate::everything::{emit, worker};
use crate::fixtures::{SCOPES, running};

type Series = BTreeMap<String, f64>;

/// The rules of <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>, as far as these metrics
/// need them.
fn name_in_prometheus(metric: &Metric) -> String {
    let mut name: String =
        metric.name.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '_' }).collect();
    name.push_str(match &*metric.unit {
        "s" => "_seconds",
        "By" => "_bytes",
        "" => "",
        other => panic!("no fixture has the unit {other}"),
    });
    if matches!(&metric.data, Some(Data::Sum(sum)) if sum.is_monotonic) {
        name.push_str("_total");
    }
    name
}

fn series(name: &str, attributes: &[KeyValue], bound: Option<&str>) -> String {
    let mut labels = String::new();
    for attribute in attributes {
        let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
        let Some(any_value::Value::StringValue(text)) = value else { panic!("{attribute:?} is no text") };
        write!(labels, ",{}={text:?}", attribute.key).expect("a text takes all");
    }
    if let Some(bound) = bound {
        write!(labels, ",le={bound:?}").expect("a text takes all");
    }
    format!("{name}{{{}}}", labels.trim_start_matches(','))
}

fn add(all: &mut Series, series: String, value: f64) {
    match all.entry(series) {
        Entry::Vacant(place) => place.insert(value),
        Entry::Occupied(place) => panic!("{} stands twice", place.key()),
    };
}

fn add_number(all: &mut Series, name: &str, point: &NumberDataPoint) {
    #[expect(clippy::cast_precision_loss, reason = "the texts round in the same way")]
    let value = match point.value {
        Some(number_data_point::Value::AsInt(value)) => value as f64,
        Some(number_data_point::Value::AsDouble(value)) => value,
        None => panic!("a point of {name} has no value"),
    };
    add(all, series(name, &point.attributes, None), value);
}

fn add_histogram(all: &mut Series, name: &str, point: &HistogramDataPoint) {
    #[expect(clippy::cast_precision_loss, reason = "the counts are small")]
    let float = |count: u64| count as f64;
    // The text has a mean as a summary, which has no buckets.
    if !point.explicit_bounds.is_empty() {
        let bounds =
            point.explicit_bounds.iter().map(|bound| format!("{bound:?}")).chain(["+Inf".to_owned()]);
        let mut total = 0;
        for (bound, count) in bounds.zip(&point.bucket_counts) {
            total += count;
            add(all, series(&format!("{name}_bucket"), &point.attributes, Some(&bound)), float(total));
        }
    }
    add(all, series(&format!("{name}_count"), &point.attributes, None), float(point.count));
    let sum = point.sum.expect("no fixture has a sum that may fall");
    add(all, series(&format!("{name}_sum"), &point.attributes, None), sum);
}

/// What a push of totals has.
fn pushed(totals: &Totals) -> Series {
    let mut all = Series::new();
    let mut encoder = Encoder::new(&OtlpOptions::new());
    let mut requests = encoder.requests(totals);
    while let Some(request) = requests.next_request() {
        let message = ExportMetricsServiceRequest::decode(&*request.body).expect("a request");
        let scopes = message.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        for metric in scopes.flat_map(|scope| &scope.metrics) {
            let name = name_in_prometheus(metric);
            match metric.data.as_ref().expect("data") {
                Data::Gauge(gauge) => {
                    gauge.data_points.iter().for_each(|point| add_number(&mut all, &name, point));
                }
                Data::Sum(sum) => sum.data_points.iter().for_each(|point| add_number(&mut all, &name, point)),
                Data::Histogram(histogram) => {
                    histogram.data_points.iter().for_each(|point| add_histogram(&mut all, &name, point));
                }
                other => panic!("no fixture is {other:?}"),
            }
        }
        requests.delivered(request);
    }
    all
}

/// What the text of the same totals has.
fn in_text(totals: &Totals) -> Series {
    let text = totals.exposition(Format::Prometheus).text;
    let mut all = Series::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').expect("a series and a value");
        add(&mut all, series.to_owned(), value.parse().expect("a number"));
    }
    all
}

#[test]
fn ot5_a_push_has_the_series_of_the_text() {
    let runtime = running("pushed");
    for entity in ["one", "two"] {
        emit(&worker(&runtime, entity), 50);
    }
    runtime.stop_and_remove_recorder("two").expect("it runs");
    for scope in SCOPES {
        let totals = runtime.totals(scope).expect("the runtime runs");
        let (mut pushed, mut expected) = (pushed(&totals), in_text(&totals));
        for all in [&mut pushed, &mut expected] {
            // In the text this family has the labels of the first group.
            all.retain(|series, _| !series.starts_with("mvx_metrics_dimensions_left_out{"));
        }
        assert!(expected.len() > 70, "only {} series", expected.len());
        let differs = |(series, value): &(&String, &f64)| pushed.get(*series) != Some(*value);
        assert_eq!(expected.iter().find(differs), None, "the push has another value, or none");
        assert_eq!(pushed.keys().find(|series| !expected.contains_key(*series)), None, "the text lacks it");
    }
}
