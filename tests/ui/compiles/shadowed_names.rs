//! The user's crate gives well-known names to its own items, and the generated code does not refer to them.
#![deny(warnings)]
#![allow(dead_code, non_camel_case_types)]

use mvx_metrics::{
    Breakdown, Counter, Distinct, Gauge, HandleEvent as _, Histogram, InFlight, Label, Max, Mean, Metric, Min, Sum,
    TypedMetric as _, metric_event,
};

mod std {}
mod core {}
mod alloc {}
mod serde {}
mod mvx_metrics_derive {}

struct Option;
struct Some;
struct None;
struct Result;
struct Ok;
struct Err;
struct Vec;
struct String;
struct Box;
struct str;
struct bool;
struct u64;
struct usize;

trait Clone {}
trait Debug {}
trait Default {}
trait PartialEq {}
trait Send {}
trait Serialize {}
trait Deserialize {}
trait Serializer {}
trait Dimension {}
trait MetricEvent {}
trait Record {}

#[allow(unused_macros)]
macro_rules! matches {
    () => {};
}

#[derive(Label)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
struct Saved {
    outcome: Outcome,
    bytes: ::core::primitive::u64,
    load: f64,
    name: ::std::string::String,
}

#[derive(Metric, ::std::default::Default)]
#[metric(on(Saved))]
struct Saves {
    total: Counter,
    #[dimension(when = |e| e.bytes > 1)]
    large: Counter,
    #[dimension(value = load)]
    load: Sum<f64>,
    #[dimension(value = load)]
    min: Min<f64>,
    #[dimension(value = load)]
    max: Max<f64>,
    #[dimension(value = load)]
    mean: Mean<f64>,
    #[dimension(set = load)]
    gauge: Gauge<f64>,
    #[dimension(add = 1, sub = bytes)]
    open: InFlight,
    #[dimension(value = load, buckets = [0.5, 1.0])]
    loads: Histogram<f64>,
    #[dimension(value = name)]
    names: Distinct,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by = name, limit = 10, value = load)]
    by_name: Breakdown<::std::string::String, Sum<f64>>,
}

#[derive(Metric, ::std::default::Default)]
#[metric(on(Saved))]
struct Flattened {
    invalid: Counter,
    invalid_values: Counter,
    #[dimension(flatten(prefix = "saves_"))]
    saves: Saves,
}

impl Flattened {
    const DIMENSIONS: () = ();
    const NAMES: () = ();
    const INVALID: () = ();
}

fn main() {
    let mut metric = <Saves as ::std::default::Default>::default();
    metric.handle(&Saved { outcome: Outcome::Success, bytes: 2, load: 0.5, name: ::std::string::String::new() });
    let _: SavesSnapshot = metric.typed_snapshot();
    let flattened = <Flattened as ::std::default::Default>::default();
    let snapshot: FlattenedSnapshot = flattened.typed_snapshot();
    let _ = (snapshot.invalid, snapshot.invalid_values, snapshot.invalid_values_2);
    let _ = (Flattened::DIMENSIONS, Flattened::NAMES, Flattened::INVALID);
    let _ = flattened.descriptor();
    let _ = metric.snapshot();
    let _ = metric.descriptor();
}
