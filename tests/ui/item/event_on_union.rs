use mvx_metrics::metric_event; //~ 1 error

#[metric_event]
union Saved {
    bytes: u64,
}

fn main() {}
