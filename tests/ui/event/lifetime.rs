use mvx_metrics::metric_event; //~ 1 error

#[metric_event]
struct Saved<'a> {
    user: &'a str,
}

fn main() {}
