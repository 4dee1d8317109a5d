use mvx_metrics::*; //~ 5 errors

#[metric_event]
struct Answered {
    path: String,
    status: u16,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Answered))]
struct Answers {
    #[dimension(by(cached, |e| e.status / 100), limit = 5)]
    by_class: Breakdown<(bool, u16), Counter>,
    #[dimension(by = (cached, |e| e.status / 100), limit = 5)]
    by_class_again: Breakdown<(bool, u16), Counter>,
    #[dimension(by(name = cached, |e| e.path.len(), |e| e.status), limit = 5)]
    by_length: Breakdown<(bool, usize, u16), Counter>,
    #[dimension(by(|e| e.path.len(), |e| e.path.is_empty()), limit = 5)]
    by_two: Breakdown<(usize, bool), Counter>,
    #[dimension(by = |e| (e.path.as_str(), e.status / 100, e.cached), limit = 5)]
    by_three: Breakdown<(String, u16, bool), Counter>,
}

fn main() {}
