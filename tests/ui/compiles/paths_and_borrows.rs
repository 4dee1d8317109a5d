//! Types with paths, aliases, and closures that borrow from the event or read the metric's fields.
#![deny(warnings)]

use std::borrow::Cow;
use std::sync::Arc;

use mvx_metrics::{HandleEvent as _, Metric, TypedMetric as _, metric_event};

type Bytes = mvx_metrics::Sum<u64>;
type ByHost = mvx_metrics::Breakdown<String, mvx_metrics::Counter>;

#[metric_event]
struct Fetched {
    url: String,
    agent: Arc<str>,
    size: Option<usize>,
    pool: Pool,
}

struct Pool {
    name: &'static str,
    free: u32,
}

impl Fetched {
    fn host(&self) -> &str {
        self.url.split('/').next().unwrap_or_default()
    }

    fn path(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.url.split_once('/').map_or("", |(_, path)| path))
    }
}

#[derive(Metric, Default)]
#[metric(on(crate::Fetched))]
struct Fetches {
    #[dimension(value = size)]
    bytes: Bytes,
    #[dimension(value = |e| e.pool.free)]
    free: ::mvx_metrics::Min<u64>,
    #[dimension(by = Fetched::host, limit = 10)]
    by_host: ByHost,
    #[dimension(by = Fetched::path, limit = 10)]
    by_path: ByHost,
    #[dimension(by = agent, limit = 10)]
    by_agent: mvx_metrics::Breakdown<Arc<str>, mvx_metrics::Counter>,
    #[dimension(by(pool = |e| e.pool.name), limit = 10)]
    by_pool: mvx_metrics::Breakdown<&'static str, mvx_metrics::Counter>,
    #[dimension(when = |_| self.bytes.get() > 5)]
    after_five_bytes: mvx_metrics::Counter,
}

fn main() {
    let mut metric = Fetches::default();
    for size in [None, Some(5), Some(1)] {
        let (url, agent) = ("example.org/index".to_owned(), Arc::from("curl"));
        metric.handle(&Fetched { url, agent, size, pool: Pool { name: "main", free: 3 } });
    }
    let snapshot = metric.typed_snapshot();
    assert_eq!((snapshot.bytes, snapshot.free.known(), snapshot.after_five_bytes), (6, Some(3), 1));
    assert_eq!(snapshot.by_host.get("example.org"), Some(&3));
    assert_eq!(snapshot.by_path.get("index"), Some(&3));
    assert_eq!(snapshot.by_agent.get("curl"), Some(&3));
}
