//! Items that a `macro_rules!` macro generates.
#![deny(warnings)]

use mvx_metrics::{Breakdown, Counter, Gauge, HandleEvent as _, Histogram, Label, Metric, Sum, TypedMetric as _, metric_event};

macro_rules! measured {
    ($event:ident { $($fact:ident: $fact_type:ty),* }, $metric:ident, $value:ident, $sum:ty, $limit:literal, $condition:expr, $buckets:expr) => {
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
        }

        impl $metric {
            fn total(&self) -> u64 {
                self.total.get()
            }
        }
    };
}

measured!(Saved { bytes: u64 }, Saves, bytes, Sum<u64>, 5, |e| e.bytes > 0, [1, 2.5]);

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
    assert_eq!((metric.total(), metric.typed_snapshot().sum), (1, 3));
    let _ = (Outcome::Success, Outcome::Failure);
}
