//! Decodes requests, and checks what the protocol asks of every one of them.

use std::collections::{BTreeMap, BTreeSet};

use mvx_metrics::Totals;
use mvx_metrics_otlp::{Encoder, Request};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, metric, number_data_point,
};
use prost::Message;

pub type Attributes = BTreeMap<String, String>;

/// The name and the attributes of a series.
pub type Id = (String, Attributes);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Gauge,
    Counter,
    UpDownCounter,
    Histogram,
    ExponentialHistogram,
}

/// A point of a series without its name and attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub kind: Kind,
    pub unit: String,
    pub is_delta: bool,
    pub start: u64,
    pub time: u64,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Int(i64),
    Double(f64),
    Distribution(Distribution),
}

/// The numbers of a histogram of any kind.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Distribution {
    pub count: u64,
    pub sum: Option<f64>,
    pub extremes: [Option<f64>; 2],
    /// Explicit bounds with their counts; the last count has no bound.
    pub bounds: Vec<f64>,
    pub counts: Vec<u64>,
    pub scale: i32,
    pub zero: u64,
    /// Counts by index.
    pub positive: BTreeMap<i64, u64>,
    pub negative: BTreeMap<i64, u64>,
}

/// What a request has.
#[derive(Debug, Clone, Default)]
pub struct Decoded {
    pub points: BTreeMap<Id, Point>,
    pub resource: Attributes,
    pub descriptions: BTreeMap<String, String>,
}

impl Decoded {
    /// The point of the series with this name that has no attributes but its namespace.
    pub fn only(&self, name: &str) -> &Point {
        let mut points = self.points.iter().filter(|((other, _), _)| other == name);
        let point = points.next().unwrap_or_else(|| panic!("no point of {name}")).1;
        assert!(points.next().is_none(), "{name} has several points");
        point
    }

    pub fn names(&self) -> BTreeSet<&str> {
        self.points.keys().map(|(name, _)| &**name).collect()
    }

    /// Adds the points of another request of the same push.
    pub fn extend(&mut self, other: Self) {
        for (id, point) in other.points {
            assert!(self.points.insert(id.clone(), point).is_none(), "{id:?} stands in two requests");
        }
        self.resource = other.resource;
        self.descriptions.extend(other.descriptions);
    }
}

/// Makes a push of which the collector takes everything.
pub fn push(encoder: &mut Encoder, totals: &Totals) -> Decoded {
    let mut all = Decoded::default();
    let mut requests = encoder.requests(totals);
    while let Some(request) = requests.next_request() {
        all.extend(decode(&request));
        requests.delivered(request);
    }
    all
}

/// Decodes a request. It has a metric, a series and an attribute only once, and names of the syntax.
pub fn decode(request: &Request) -> Decoded {
    let message = ExportMetricsServiceRequest::decode(&*request.body).expect("a message");
    let [of_resource] = &message.resource_metrics[..] else {
        panic!("{} resources", message.resource_metrics.len())
    };
    let [of_scope] = &of_resource.scope_metrics[..] else {
        panic!("{} scopes", of_resource.scope_metrics.len())
    };
    let scope = of_scope.scope.as_ref().expect("a scope");
    assert_eq!((&*scope.name, &*scope.version), ("mvx-metrics", env!("CARGO_PKG_VERSION")));
    let resource = attributes(&of_resource.resource.as_ref().expect("a resource").attributes);
    let mut decoded = Decoded { resource, ..Decoded::default() };
    for metric in &of_scope.metrics {
        assert_is_name(&metric.name);
        assert!(metric.unit.len() <= 63 && metric.unit.is_ascii(), "{:?}", metric.unit);
        let description = decoded.descriptions.insert(metric.name.clone(), metric.description.clone());
        assert!(description.is_none(), "{} stands twice", metric.name);
        let points = points(metric.data.as_ref().expect("data"));
        assert!(!points.is_empty(), "{} has no points", metric.name);
        for (attributes, mut point) in points {
            point.unit.clone_from(&metric.unit);
            assert!(point.start <= point.time, "{}: {point:?}", metric.name);
            let id = (metric.name.clone(), attributes);
            assert!(decoded.points.insert(id.clone(), point).is_none(), "{id:?} stands twice");
        }
    }
    assert_eq!(decoded.points.len() as u64, request.points);
    // What prost encodes is what it has decoded.
    assert_eq!(ExportMetricsServiceRequest::decode(&*message.encode_to_vec()).expect("a message"), message);
    decoded
}

fn assert_is_name(name: &str) {
    let is_allowed = |other: char| other.is_ascii_alphanumeric() || ['_', '.', '-', '/'].contains(&other);
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    assert!(begins && name.len() <= 255 && name.chars().all(is_allowed), "{name:?}");
}

fn attributes(attributes: &[KeyValue]) -> Attributes {
    let mut read = Attributes::new();
    for KeyValue { key, value, .. } in attributes {
        let value = value.as_ref().and_then(|value| value.value.clone());
        let Some(any_value::Value::StringValue(text)) = value else { panic!("{key} has no text: {value:?}") };
        assert!(!key.is_empty());
        assert!(read.insert(key.clone(), text).is_none(), "{key} stands twice");
    }
    read
}

const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;

fn points(data: &metric::Data) -> Vec<(Attributes, Point)> {
    let is_delta = |temporality: i32| {
        assert!([DELTA, CUMULATIVE].contains(&temporality));
        temporality == DELTA
    };
    match data {
        metric::Data::Gauge(gauge) => {
            gauge.data_points.iter().map(|point| number(point, Kind::Gauge, false)).collect()
        }
        metric::Data::Sum(sum) => {
            let kind = if sum.is_monotonic { Kind::Counter } else { Kind::UpDownCounter };
            let is_delta = is_delta(sum.aggregation_temporality);
            sum.data_points.iter().map(|point| number(point, kind, is_delta)).collect()
        }
        metric::Data::Histogram(histogram) => {
            let is_delta = is_delta(histogram.aggregation_temporality);
            histogram.data_points.iter().map(|point| explicit(point, is_delta)).collect()
        }
        metric::Data::ExponentialHistogram(histogram) => {
            let is_delta = is_delta(histogram.aggregation_temporality);
            histogram.data_points.iter().map(|point| exponential(point, is_delta)).collect()
        }
        metric::Data::Summary(_) => panic!("a summary"),
    }
}

fn number(point: &NumberDataPoint, kind: Kind, is_delta: bool) -> (Attributes, Point) {
    let value = match point.value.expect("a value") {
        number_data_point::Value::AsInt(number) => Value::Int(number),
        number_data_point::Value::AsDouble(number) => Value::Double(number),
    };
    if kind == Kind::Counter {
        assert!(!matches!(value, Value::Int(..0)) && !matches!(value, Value::Double(..0.0)), "{value:?}");
    }
    let (start, time) = (point.start_time_unix_nano, point.time_unix_nano);
    assert!((point.flags, point.exemplars.len()) == (0, 0));
    (attributes(&point.attributes), Point { kind, unit: String::new(), is_delta, start, time, value })
}

fn explicit(point: &HistogramDataPoint, is_delta: bool) -> (Attributes, Point) {
    assert!(point.explicit_bounds.is_sorted_by(|one, next| one < next), "{:?}", point.explicit_bounds);
    if point.bucket_counts.is_empty() {
        assert!(point.explicit_bounds.is_empty());
    } else {
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
    }
    let distribution = Distribution {
        count: point.count,
        sum: point.sum,
        extremes: [point.min, point.max],
        bounds: point.explicit_bounds.clone(),
        counts: point.bucket_counts.clone(),
        ..Distribution::default()
    };
    let (start, time) = (point.start_time_unix_nano, point.time_unix_nano);
    let (kind, value) = (Kind::Histogram, Value::Distribution(distribution));
    (attributes(&point.attributes), Point { kind, unit: String::new(), is_delta, start, time, value })
}

fn exponential(point: &ExponentialHistogramDataPoint, is_delta: bool) -> (Attributes, Point) {
    let [positive, negative] = [&point.positive, &point.negative].map(|side| {
        let side = side.as_ref().expect("buckets");
        let counts = (i64::from(side.offset)..).zip(side.bucket_counts.iter().copied());
        counts.filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>()
    });
    let count = positive.values().chain(negative.values()).sum::<u64>() + point.zero_count;
    assert_eq!(count, point.count);
    assert!((-10..=20).contains(&point.scale) && point.zero_threshold == 0.0);
    let distribution = Distribution {
        count,
        sum: point.sum,
        extremes: [point.min, point.max],
        scale: point.scale,
        zero: point.zero_count,
        positive,
        negative,
        ..Distribution::default()
    };
    let (start, time) = (point.start_time_unix_nano, point.time_unix_nano);
    let (kind, value) = (Kind::ExponentialHistogram, Value::Distribution(distribution));
    (attributes(&point.attributes), Point { kind, unit: String::new(), is_delta, start, time, value })
}
