use mvx_metrics::metric_event;

#[metric_event]
struct Saved<'a> {
    user: &'a str,
}

fn main() {}
