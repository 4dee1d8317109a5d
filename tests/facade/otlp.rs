//! FC1: what the macros record, in requests of OTLP.

use metrics::{Unit, counter, describe_counter, describe_histogram, gauge, histogram};
use mvx_metrics_otlp::{Encoder, OtlpOptions};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint, metric::Data, number_data_point};
use prost::Message;

use crate::fixtures::{facade, totals, with};

/// The metrics of all requests of one push.
fn pushed(totals: &mvx_metrics::Totals) -> Vec<Metric> {
    let mut encoder = Encoder::new(&OtlpOptions::new());
    let mut requests = encoder.requests(totals);
    let mut metrics = Vec::new();
    while let Some(request) = requests.next_request() {
        let decoded = ExportMetricsServiceRequest::decode(&*request.body).expect("a request of OTLP");
        let scopes = decoded.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        metrics.extend(scopes.flat_map(|scope| scope.metrics));
        requests.delivered(request);
    }
    drop(requests);
    assert_eq!(encoder.left_out(), []);
    metrics
}

/// The text of an attribute of each point, with the point's number.
fn numbers(points: &[NumberDataPoint], attribute: &str) -> Vec<(String, number_data_point::Value)> {
    let text = |point: &NumberDataPoint| {
        let found = point.attributes.iter().find(|pair| pair.key == attribute);
        match found.and_then(|pair| pair.value.as_ref()?.value.clone()) {
            Some(Value::StringValue(text)) => text,
            _ => String::new(),
        }
    };
    let mut numbers: Vec<_> =
        points.iter().map(|point| (text(point), point.value.expect("a number"))).collect();
    numbers.sort_by(|left, right| left.0.cmp(&right.0));
    numbers
}

#[test]
fn fc1_counters_gauges_and_histograms_are_in_otlp() {
    let (runtime, facade) = facade(|options| options.limit(2).buckets("batch", [1.0, 5.0]));
    with(&facade, || {
        describe_counter!("http.requests", "Requests.");
        describe_histogram!("wait", Unit::Milliseconds, "Waits.");
        for (method, count) in [("GET", 2), ("PUT", 1), ("POST", 4), ("HEAD", 8)] {
            counter!("http.requests", "method" => method).increment(count);
        }
        gauge!("open_files").set(2.5);
        histogram!("wait").record(250.0);
        histogram!("batch").record_many(3.0, 1_000);
    });
    let metrics = pushed(&totals(&runtime));
    let metric = |name: &str| {
        let mut named = metrics.iter().filter(|metric| metric.name == name);
        let metric = named.next().unwrap_or_else(|| panic!("no metric {name}"));
        assert!(named.next().is_none(), "{name} is there once");
        metric
    };

    let requests = metric("http.requests");
    assert_eq!(requests.description, "Requests.");
    let Some(Data::Sum(sum)) = &requests.data else { panic!("no sum: {requests:?}") };
    assert!(sum.is_monotonic);
    let int = number_data_point::Value::AsInt;
    let expected = [("GET", 2), ("PUT", 1), ("other", 12)].map(|(text, count)| (text.to_owned(), int(count)));
    assert_eq!(numbers(&sum.data_points, "method"), expected);

    let Some(Data::Gauge(gauge)) = &metric("open_files").data else { panic!("no gauge") };
    let expected = [("shop".to_owned(), number_data_point::Value::AsDouble(2.5))];
    assert_eq!(numbers(&gauge.data_points, "namespace"), expected);

    // Numbers stay as they are: 250 in milliseconds.
    let wait = metric("wait");
    assert_eq!(wait.unit, "ms");
    let Some(Data::ExponentialHistogram(histogram)) = &wait.data else { panic!("no histogram: {wait:?}") };
    let point = &histogram.data_points[0];
    assert_eq!((point.count, point.sum, point.max), (1, Some(250.0), Some(250.0)));

    let batch = metric("batch");
    let Some(Data::Histogram(histogram)) = &batch.data else { panic!("no histogram: {batch:?}") };
    let point = &histogram.data_points[0];
    assert_eq!((&point.explicit_bounds[..], &point.bucket_counts[..]), (&[1.0, 5.0][..], &[0, 1_000, 0][..]));
    assert_eq!((point.count, point.sum), (1_000, Some(3_000.0)));
    runtime.shutdown().expect("it stops");
}
