//! Identifiers that are keywords.
#![deny(warnings)]
#![allow(non_camel_case_types)]

use mvx_metrics::{
    Breakdown, Counter, HandleEvent as _, Label, Metric, MetricEvent, Sum, TypedMetric as _, metric_event,
};

#[derive(Label)]
enum r#enum {
    r#true,
    Self_,
}

#[metric_event]
struct r#struct {
    r#type: u64,
    r#enum: r#enum,
    r#match: String,
}

#[derive(Metric, Default)]
#[metric(on(r#struct))]
struct r#loop {
    r#total: Counter,
    #[dimension(value = r#type)]
    r#type: Sum<u64>,
    #[dimension(by = r#enum)]
    r#as: Breakdown<r#enum, Counter>,
    #[dimension(by(r#match, r#type), limit = 3)]
    r#where: Breakdown<(String, u64), Counter>,
    #[dimension(value = |r#in| r#in.r#type)]
    r#fn: Sum<u64>,
}

fn main() {
    let mut metric = r#loop::default();
    metric.handle(&r#struct { r#type: 3, r#enum: r#enum::r#true, r#match: String::new() });
    metric.handle(&r#struct { r#type: 3, r#enum: r#enum::Self_, r#match: String::new() });
    let snapshot: loopSnapshot = metric.typed_snapshot();
    assert_eq!((snapshot.r#type, snapshot.total), (6, 2));
    assert_eq!(r#struct::EVENT_TYPE, "struct");
    assert_eq!(metric.metric_name(), "loop");
    let names: Vec<_> = metric.descriptor().dimensions.iter().map(|dimension| dimension.name.to_string()).collect();
    assert_eq!(names, ["total", "type", "as", "where", "fn"]);
    assert_eq!(metric.descriptor().dimensions[3].labels.join(","), "match,type");
}
