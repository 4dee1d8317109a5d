use mvx_metrics::*; //~ 8 errors

#[metric_event]
struct Answered {
    path: String,
    host: Host,
    status: u16,
}

struct Host {
    name: String,
}

impl Answered {
    fn method(&self) -> &'static str {
        "GET"
    }
}

type ByText = Breakdown<String, Counter>;

#[derive(Metric, Default)]
#[metric(on(Answered))]
struct Answers {
    #[dimension(by = |e| e.status / 100, limit = 5)]
    by_class: Breakdown<u16, Counter>,
    #[dimension(by = |e| e.path.split('/').nth(1).unwrap_or("/"), limit = 5)]
    by_route: ByText,
    #[dimension(by = |e| e.host.name.as_str(), limit = 5)]
    by_host: Breakdown<String, Counter>,
    #[dimension(by = |e| e.method(), limit = 5)]
    by_method: Breakdown<&'static str, Counter>,
    #[dimension(by = |e| e.status >= 500 && e.status < 600)]
    by_fault: Breakdown<bool, Counter>,
    #[dimension(by = |e| -> u32 { (e.status / 100).into() }, limit = 5)]
    by_wide_class: Breakdown<u32, Counter>,
}

#[metric_event]
struct Retried(u16);

#[derive(Metric, Default)]
#[metric(on(Retried))]
struct Retries {
    #[dimension(by = 0, limit = 5)]
    by_status: Breakdown<u16, Counter>,
    #[dimension(by = |e| e.0, limit = 5)]
    by_same_status: Breakdown<u16, Counter>,
}

fn main() {}
