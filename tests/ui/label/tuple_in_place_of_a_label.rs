use mvx_metrics::*; //~ 4 errors

#[metric_event]
struct Answered {
    path: String,
    status: u16,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Answered))]
struct Answers {
    #[dimension(by((status, cached)), limit = 5)]
    tuple: Breakdown<(u16, bool), Counter>,
    #[dimension(by(key = (status, cached)), limit = 5)]
    named_tuple: Breakdown<(u16, bool), Counter>,
    #[dimension(by((|e| e.status / 100, cached), path), limit = 5)]
    tuple_with_a_closure: Breakdown<(u16, bool, String), Counter>,
    #[dimension(by = ((status, cached), path), limit = 5)]
    tuple_in_a_tuple: Breakdown<(u16, bool, String), Counter>,
}

fn main() {}
