use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Answered {
    user: Option<String>,
}

#[derive(Metric, Default)]
#[metric(on(Answered))]
struct Answers {
    #[dimension(by = user, limit = 5)]
    by_user: Breakdown<Option<String>, Counter>,
}

fn main() {}
