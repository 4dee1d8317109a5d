//! The snapshot is as visible as its metric, and its fields may have private types.
#![deny(warnings)]

use mvx_metrics::TypedMetric;

mod outer {
    pub mod inner {
        use mvx_metrics::{Breakdown, Counter, Label, Metric, metric_event};

        #[metric_event]
        pub(in crate::outer) struct Seen {
            pub(super) kind: Kind,
        }

        #[derive(Label)]
        pub(super) enum Kind {
            One,
            Other,
        }

        #[derive(Metric, Default)]
        #[metric(on(Seen))]
        pub(in crate::outer) struct Restricted {
            #[dimension(by = kind)]
            by_kind: Breakdown<Kind, Counter>,
        }

        #[derive(Metric, Default)]
        #[metric(on(Seen))]
        pub struct Public {
            total: Counter,
            #[dimension(by = kind)]
            by_kind: Breakdown<Kind, Counter>,
            #[dimension(flatten(prefix = "private_"))]
            private: Private,
        }

        #[derive(Metric, Default)]
        #[metric(on(Seen))]
        struct Private {
            total: Counter,
        }

        pub fn private_total() -> u64 {
            use mvx_metrics::TypedMetric as _;
            let snapshot: PrivateSnapshot = Private::default().typed_snapshot();
            snapshot.total
        }
    }

    pub fn count() -> usize {
        use mvx_metrics::{HandleEvent as _, TypedMetric as _};
        let mut metric = inner::Restricted::default();
        metric.handle(&inner::Seen { kind: inner::Kind::One });
        metric.handle(&inner::Seen { kind: inner::Kind::Other });
        let snapshot: inner::RestrictedSnapshot = metric.typed_snapshot();
        snapshot.by_kind.len()
    }
}

fn main() {
    assert_eq!(outer::count(), 2);
    let snapshot: outer::inner::PublicSnapshot = outer::inner::Public::default().typed_snapshot();
    assert_eq!(snapshot.total + outer::inner::private_total(), 0);
}
