//! Items that a `macro_rules!` macro generates.
#![deny(warnings)]

use mvx_metrics::{Breakdown, Counter, Gauge, HandleEvent as _, Histogram, Label, Metric, Sum, TypedMetric as _, metric_event};

macro_rules! measured {
    ($event:ident { $($fact:ident: $fact_type:ty),* }, $metric:ident, $value:ident, $sum:ty, $limit:literal, $condition:expr, $buckets:expr, $pair:expr, $name:ident, $label:expr) => {
        #[metric_event]
        struct $event {
            $($fact: $fact_type,)*
        }

        #[derive(Metric, Default)]
        #[metric(name = "measured", on($event))]
        struct $metric {
            total: Counter,
            #[dimension(value = $value)]
            sum: $sum,
            #[dimension(value = |event| event.$value, when = $condition)]
            other_sum: Sum<u64>,
            #[dimension(value = $value, buckets = [1, $limit])]
            sizes: Histogram<u64>,
            #[dimension(value = |event| f64::from(u32::try_from(event.$value).unwrap_or(u32::MAX)), buckets = $buckets)]
            shares: Histogram<f64>,
            #[dimension(set = $limit)]
            level: Gauge<f64>,
            #[dimension(by = $value, limit = $limit)]
            by_value: Breakdown<u64, Counter>,
            #[dimension(by = $pair, limit = $limit)]
            by_pair: Breakdown<(u64, bool), Counter>,
            #[dimension(by($name = $label, $value), limit = $limit)]
            by_label: Breakdown<(bool, u64), Counter>,
        }

        impl $metric {
            fn total(&self) -> u64 {
                self.total.get()
            }
        }
    };
}

measured!(Saved { bytes: u64 }, Saves, bytes, Sum<u64>, 5, |e| e.bytes > 0, [1, 2.5], (bytes, Saved::is_large), large, |e| e.is_large());

impl Saved {
    fn is_large(&self) -> bool {
        self.bytes > 1_000
    }
}

macro_rules! label {
    ($name:ident: $($variant:ident = $text:literal),*) => {
        #[derive(Label)]
        enum $name {
            $(#[label(name = $text)] $variant,)*
        }
    };
}

label!(Outcome: Success = "fine", Failure = "bad");

fn main() {
    let mut metric = Saves::default();
    assert!(metric.handle(&Saved { bytes: 3 }));
    let labels: Vec<_> = metric.descriptor().dimensions.iter().map(|dimension| dimension.labels.join(",")).collect();
    assert_eq!(labels[labels.len() - 3..], ["bytes", "bytes,is_large", "large,bytes"]);
    assert_eq!((metric.total(), metric.typed_snapshot().sum), (1, 3));
    let _ = (Outcome::Success, Outcome::Failure);
}
