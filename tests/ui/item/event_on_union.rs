use mvx_metrics::metric_event;

#[metric_event]
union Saved {
    bytes: u64,
}

fn main() {}
