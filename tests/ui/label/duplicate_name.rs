use mvx_metrics::*; //~ 4 errors

#[metric_event]
struct Answered {
    cached: bool,
    stale: bool,
    status: u16,
}

impl Answered {
    fn cached(&self) -> bool {
        self.cached
    }
}

#[derive(Metric, Default)]
#[metric(on(Answered))]
struct Answers {
    // .. = cached
    #[dimension(by(cached, cached))]
    fields: Breakdown<(bool, bool), Counter>,
    #[dimension(by = (cached, Answered::cached))]
    a_path: Breakdown<(bool, bool), Counter>,
    // .. = stale
    #[dimension(by(stale, stale = cached))]
    a_name: Breakdown<(bool, bool), Counter>,
    // .. = cached
    #[dimension(by(r#cached, cached = |e| e.status > 300))]
    a_closure: Breakdown<(bool, bool), Counter>,
}

fn main() {}
