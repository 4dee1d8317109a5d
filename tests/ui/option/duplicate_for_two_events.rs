use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved {
    user: String,
}

#[metric_event]
struct Loaded {
    user: String,
}

#[derive(Metric, Default)]
struct Users {
    #[dimension(on(Saved, by = user, limit = 5), on(Loaded, by = user, limit = 5))]
    twice: Breakdown<String, Counter>,
    #[dimension(on(Saved, by = user, limit = 5), limit = 5)]
    inside_and_outside: Breakdown<String, Counter>,
}

fn main() {}
