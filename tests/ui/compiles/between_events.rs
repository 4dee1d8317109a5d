//! The time between two events, in a crate that forbids nearly all lints.
#![forbid(unsafe_code, unused, warnings, missing_docs, nonstandard_style, future_incompatible, rust_2018_idioms)]
#![deny(unreachable_pub, unused_qualifications, single_use_lifetimes, unused_lifetimes, let_underscore_drop)]
#![deny(missing_debug_implementations, unused_results, trivial_casts, trivial_numeric_casts, variant_size_differences)]

use std::borrow::Cow;
use std::time::{Duration, Instant};

use mvx_metrics::{HandleEvent, Histogram, Metric, metric_event};

#[metric_event]
struct Started {
    r#type: Cow<'static, str>,
    since: Instant,
}

#[metric_event]
struct Ended(String, Instant);

#[metric_event]
enum Only {
    Variant { id: (u8, String), at: Instant },
}

#[metric_event]
enum Other {
    Variant(u64, &'static str, Option<Instant>),
}

/// A metric that is used by hand.
#[derive(Metric, Default)]
struct Requests {
    #[dimension(on(Started, begin = r#type, at = since), on(Ended, end = 0, at = 1), limit = Self::LIMIT)]
    latency: Histogram<Duration>,
    #[dimension(
        on(Only::Variant, begin = id, at = at),
        on(Other::Variant, end = |e| Self::id(e), at = 2, when = |_| true),
        limit = Self::LIMIT * 2,
        max_buckets = 20,
        name = "of_variants"
    )]
    of_variants: Histogram<Duration>,
    // Times that an event brings, beside those between two events.
    #[dimension(
        on(Started, begin = r#type, at = since),
        on(Ended, end = |__event| &__event.0, at = 1),
        on(Only::Variant, value = |e| match e { Only::Variant { at, .. } => at.elapsed() }),
        limit = 1,
        buckets = [1]
    )]
    mixed: Histogram<Duration>,
}

impl Requests {
    const LIMIT: usize = 10;

    fn id(event: &Other) -> (u64, &str) {
        match event {
            Other::Variant(number, text, _) => (*number, *text),
        }
    }
}

fn main() {
    let mut requests = Requests::default();
    let since = Instant::now();
    let at = since + Duration::from_secs(2);
    assert!(requests.handle(&Started { r#type: Cow::Borrowed("a"), since }));
    assert!(requests.handle(&Ended(String::from("a"), at)));
    assert!(requests.handle(&Only::Variant { id: (7, String::from("b")), at: since }));
    assert!(requests.handle(&Other::Variant(7, "b", Some(at))));
    assert_eq!((requests.latency.sum(), requests.of_variants.sum()), (at - since, at - since));
    assert_eq!(requests.mixed.count(), 2);
}
