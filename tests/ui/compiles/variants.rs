//! Variants as events, in a crate that forbids nearly all lints.
#![forbid(unsafe_code, unused, warnings, missing_docs, nonstandard_style, future_incompatible, rust_2018_idioms)]
#![deny(unreachable_pub, unused_qualifications, single_use_lifetimes, unused_lifetimes, let_underscore_drop)]
#![deny(missing_debug_implementations, unused_results, trivial_casts, trivial_numeric_casts, variant_size_differences)]

use mvx_metrics::{Breakdown, Counter, HandleEvent, InFlight, Metric, Sum, metric_event};

mod events {
    use mvx_metrics::metric_event;

    #[metric_event]
    pub(crate) enum Request {
        Started { host: String, r#type: u8 },
        Ended(u64, &'static str),
        Idle,
        Unread { reason: String },
    }
}

#[metric_event]
enum Only {
    Variant { unread: String },
}

/// A metric that is used by hand.
#[derive(Metric, Default)]
#[metric(on(events::Request::Started), on(events::Request::Idle))]
struct Requests {
    total: Counter,
    #[dimension(on(events::Request::Started, add), on(events::Request::Ended, sub))]
    open: InFlight,
    #[dimension(on(events::Request::Ended, value = 0))]
    bytes: Sum<u64>,
    #[dimension(on(events::Request::Started, by(host, kind = r#type), limit = 3))]
    by_host: Breakdown<(String, u8), Counter>,
    // All variants there are.
    #[dimension(on(Only::Variant))]
    only: Counter,
}

/// Names of the user's own that generated code has, too.
#[derive(Metric, Default)]
struct SameNames {
    #[dimension(on(Only::Variant, value = |__event| { let __field_unread = 1_u64; let __accepted = __field_unread; __accepted }))]
    unread: Sum<u64>,
}

macro_rules! metric {
    ($name:ident, $event:ty, $variant:path, $field:ident) => {
        #[derive(Metric, Default)]
        #[metric(on($event))]
        struct $name {
            total: Counter,
            #[dimension(on($variant, add = $field))]
            added: Counter,
        }
    };
}

#[metric_event]
enum Added {
    Amount { amount: u64 },
    Nothing,
}

metric!(OfMacro, Added, Added::Amount, amount);

fn main() {
    let mut requests = Requests::default();
    let started = events::Request::Started { host: String::from("a"), r#type: 1 };
    let unread = events::Request::Unread { reason: String::new() };
    for event in [started, events::Request::Ended(7, "done"), events::Request::Idle] {
        assert!(requests.handle(&event));
    }
    assert!(!requests.handle(&unread));
    assert!(requests.handle(&Only::Variant { unread: String::new() }));
    assert_eq!((requests.total.get(), requests.bytes.get(), requests.only.get()), (2, 7, 1));
    let mut names = SameNames::default();
    assert!(names.handle(&Only::Variant { unread: String::new() }));
    assert_eq!(names.unread.get(), 1);
    let mut added = OfMacro::default();
    assert!(added.handle(&Added::Amount { amount: 3 }) && added.handle(&Added::Nothing));
    assert_eq!((added.total.get(), added.added.get()), (2, 3));
}
