//! A program as data, so that a test can change one thing of its declarations.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use mvx_metrics::catalogue::{Catalogue, CatalogueBuilder};
use mvx_metrics::{
    BreakdownEntry, DimensionDescriptor, DimensionKind, DimensionValue, EventHandler, MergeRule, Metric,
    MetricDescriptor, MetricSnapshot, Number, NumberType,
};

/// The metrics of a program.
#[derive(Clone)]
pub struct Program {
    pub metrics: Vec<Declared>,
}

/// One metric, and what a new one of it shows.
#[derive(Clone)]
pub struct Declared {
    pub name: &'static str,
    pub help: &'static str,
    pub events: Vec<&'static str>,
    pub dimensions: Vec<DimensionDescriptor>,
    pub values: BTreeMap<&'static str, DimensionValue>,
}

impl Metric for Declared {
    fn metric_name(&self) -> &str {
        self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        let snapshot = MetricSnapshot::new(self.name);
        self.dimensions.iter().fold(snapshot, |snapshot, declared| {
            let value = self.values.get(&*declared.name).cloned().unwrap_or(DimensionValue::Empty);
            snapshot.with(declared.name.clone(), value)
        })
    }

    fn descriptor(&self) -> MetricDescriptor {
        MetricDescriptor::new(self.name).with_help(self.help).with_dimensions(self.dimensions.clone())
    }
}

impl Program {
    pub fn catalogue(&self) -> Catalogue {
        let builder = self.metrics.iter().fold(Catalogue::builder(), CatalogueBuilder::metric_of);
        let mut catalogue = builder.build().expect("no names clash");
        for metric in &mut catalogue.metrics {
            let declared = self.metrics.iter().find(|declared| declared.name == metric.name);
            // Handlers belong to a Rust type, and not to one of these metrics.
            let events = declared.into_iter().flat_map(|declared| &declared.events);
            metric.events = events.map(|event| (*event).to_owned()).collect();
        }
        catalogue
    }

    pub fn metric(&mut self, name: &str) -> &mut Declared {
        self.metrics.iter_mut().find(|metric| metric.name == name).expect("it is declared")
    }

    /// A dimension of `uploads`.
    pub fn dimension(&mut self, name: &str) -> &mut DimensionDescriptor {
        let mut dimensions = self.metric("uploads").dimensions.iter_mut();
        dimensions.find(|dimension| dimension.name == name).expect("it is declared")
    }

    /// What a new `uploads` shows for a dimension.
    pub fn value(&mut self, dimension: &'static str) -> &mut DimensionValue {
        self.metric("uploads").values.get_mut(dimension).expect("it has a value")
    }
}

pub fn dimension(
    name: &'static str,
    kind: DimensionKind,
    number: NumberType,
    labels: &[&'static str],
) -> DimensionDescriptor {
    let mut declared = DimensionDescriptor::new(name, kind);
    declared.number = Some(number);
    declared.labels = texts(labels);
    declared
}

pub fn texts(texts: &[&'static str]) -> Cow<'static, [Cow<'static, str>]> {
    texts.iter().map(|text| Cow::Borrowed(*text)).collect()
}

/// A breakdown with 0 for each of these labels.
pub fn zeros(labels: &[&'static str]) -> DimensionValue {
    let entry =
        |label: &&'static str| BreakdownEntry { labels: vec![Cow::Borrowed(*label)], value: 0_u64.into() };
    DimensionValue::Breakdown(labels.iter().map(entry).collect())
}

/// Uploads and downloads.
pub fn program() -> Program {
    use DimensionKind::{Counter, Custom, Gauge, Histogram, Max, Sum, Top};
    use NumberType::{Duration as Time, Float, Signed, Unsigned};
    let total = dimension("total", Counter, Unsigned, &[]);
    let mut sent = dimension("sent", Sum, Unsigned, &[]);
    sent.unit = Some("bytes".into());
    sent.help = "All bytes.".into();
    let by_outcome = dimension("by_outcome", Counter, Unsigned, &["outcome"]);
    let mut by_route = dimension("by_route", Counter, Unsigned, &["route", "method"]);
    by_route.limit = Some(10);
    let mut took = dimension("took", Histogram, Time, &[]);
    took.unit = Some("seconds".into());
    took.buckets = [100, 1_000].map(|millis| Number::Duration(Duration::from_millis(millis))).to_vec().into();
    let mut sizes = dimension("sizes", Histogram, Unsigned, &[]);
    sizes.max_buckets = Some(160);
    let open = dimension("open", Gauge, Signed, &[]);
    let mut busiest = dimension("busiest", Top, Unsigned, &["route"]);
    busiest.keep = Some(20);
    let mut slowest = dimension("slowest", Max, Time, &[]);
    slowest.unit = Some("seconds".into());
    slowest.window = Some(60);
    let mut load = DimensionDescriptor::new("load", Custom);
    load.merge = Some(MergeRule::Max);
    let mut level = dimension("level", Gauge, Float, &["place"]);
    level.limit = Some(5);
    let load_of = DimensionValue::map([("low", 0.0.into()), ("high", 0.0.into())]);
    let values = [("by_outcome", zeros(&["success", "failure"])), ("load", load_of), ("total", 0_u64.into())];
    let uploads = Declared {
        name: "uploads",
        help: "Uploads to the store.",
        events: vec!["upload_started", "upload_ended"],
        dimensions: vec![
            total.clone(),
            sent,
            by_outcome,
            by_route,
            took,
            sizes,
            open,
            busiest,
            slowest,
            load,
            level,
        ],
        values: values.into(),
    };
    let downloads = Declared {
        name: "downloads",
        help: "",
        events: vec!["download_ended", "upload_started"],
        dimensions: vec![total, dimension("open", Gauge, Unsigned, &[])],
        values: BTreeMap::new(),
    };
    Program { metrics: vec![uploads, downloads] }
}
