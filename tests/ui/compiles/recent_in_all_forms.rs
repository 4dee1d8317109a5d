//! The seconds of a window may be a constant or a parameter, and the type an alias, a path or generic.
use mvx_metrics::feed::Record;
use mvx_metrics::{Breakdown, Counter, Gauge, HandleEvent, Histogram, Measure, Metric, Recent, Sum, metric_event};

const MINUTE: u64 = 60;
type Lately<D> = Recent<D, 300>;

#[metric_event]
struct Saved {
    bytes: u64,
    host: String,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    by_constant: Recent<Counter, MINUTE>,
    by_expression: Recent<Counter, { 24 * 3_600 }>,
    by_path: mvx_metrics::Recent<mvx_metrics::Counter, 60>,
    alias: Lately<Counter>,
    #[dimension(add = 2)]
    constant: Recent<Counter, MINUTE>,
    #[dimension(set = 2.5)]
    level: Recent<Gauge<f64>, MINUTE>,
    #[dimension(value = bytes, unit = bytes)]
    sizes: Recent<Histogram<u64>, MINUTE>,
    #[dimension(value = bytes, by = host, limit = 10)]
    by_host: Breakdown<String, Recent<Sum<u64>, MINUTE>>,
    #[dimension(value = bytes, by = host, limit = 10)]
    by_host_of_alias: Breakdown<String, Lately<Sum<u64>>>,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Generic<T: Measure, const SECONDS: u64>
where
    Sum<T>: Record<u64>,
{
    #[dimension(value = bytes)]
    sum: Recent<Sum<T>, 60>,
    count: Recent<Counter, SECONDS>,
}

fn main() {
    let saved = Saved { bytes: 7, host: "a".to_owned() };
    let mut saves = Saves::default();
    saves.handle(&saved);
    assert_eq!(saves.snapshot().dimensions.len(), 9);
    let mut generic = Generic::<u64, 5>::default();
    generic.handle(&saved);
    assert_eq!((generic.sum.get(), generic.count.get()), (7, 1));
}
