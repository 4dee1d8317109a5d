use mvx_metrics::*; //~ 4 errors

#[metric_event]
struct Answered {
    path: String,
    status: u16,
}

#[metric_event]
struct ListAnswered {
    path: String,
    status: u16,
    cached: bool,
}

#[metric_event]
struct Retried(u16);

#[derive(Metric, Default)]
struct Answers {
    #[dimension(on(Answered, by = status), on(Retried, by = 0), limit = 5)]
    no_name: Breakdown<u16, Counter>,
    #[dimension(on(Retried, by = 0), on(Answered, by = status), limit = 5)]
    no_name_in_the_first: Breakdown<u16, Counter>,
    #[dimension(
        on(ListAnswered, by(status, text = path)),
        on(Answered, by = |e| (e.status, e.path.clone())),
        limit = 5
    )]
    one_closure: Breakdown<(u16, String), Counter>,
    #[dimension(on(Answered, by(path, status)), on(ListAnswered, by(status, path)), limit = 5)]
    other_order: Breakdown<(String, u16), Counter>,
}

fn main() {}
