//! The suggestions for `label/closure_without_name.rs` and `label/closure_without_name_in_a_list.rs`.
#![deny(warnings)]

use mvx_metrics::{Breakdown, Counter, Metric, metric_event};

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
    #[dimension(by(name = |e| e.status / 100), limit = 5)]
    by_class: Breakdown<u16, Counter>,
    #[dimension(by(name = |e| e.path.split('/').nth(1).unwrap_or("/")), limit = 5)]
    by_route: ByText,
    #[dimension(by(name = |e| e.host.name.as_str()), limit = 5)]
    by_host: Breakdown<String, Counter>,
    #[dimension(by(name = |e| e.method()), limit = 5)]
    by_method: Breakdown<&'static str, Counter>,
    #[dimension(by(name = |e| e.status >= 500 && e.status < 600))]
    by_fault: Breakdown<bool, Counter>,
    #[dimension(by(name = |e| -> u32 { (e.status / 100).into() }), limit = 5)]
    by_wide_class: Breakdown<u32, Counter>,
}

#[metric_event]
struct Retried(u16);

#[derive(Metric, Default)]
#[metric(on(Retried))]
struct Retries {
    #[dimension(by(name = 0), limit = 5)]
    by_status: Breakdown<u16, Counter>,
    #[dimension(by(name = |e| e.0), limit = 5)]
    by_same_status: Breakdown<u16, Counter>,
}

#[metric_event]
struct ListAnswered {
    path: String,
    status: u16,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(ListAnswered))]
struct ListAnswers {
    #[dimension(by(cached, name = |e| e.status / 100), limit = 5)]
    by_class: Breakdown<(bool, u16), Counter>,
    #[dimension(by(cached, name = |e| e.status / 100), limit = 5)]
    by_class_again: Breakdown<(bool, u16), Counter>,
    #[dimension(by(name = cached, name_2 = |e| e.path.len(), |e| e.status), limit = 5)]
    by_length: Breakdown<(bool, usize, u16), Counter>,
    #[dimension(by(name = |e| e.path.len(), name_2 = |e| e.path.is_empty()), limit = 5)]
    by_two: Breakdown<(usize, bool), Counter>,
    #[dimension(by(name = |e| e.path.as_str(), name_2 = |e| e.status / 100, cached), limit = 5)]
    by_three: Breakdown<(String, u16, bool), Counter>,
}

/// The suggestions for `label/labels_of_several_events.rs` and `label/tuple_in_place_of_a_label.rs`.
#[derive(Metric, Default)]
struct SeveralEvents {
    #[dimension(on(Answered, by = status), on(Retried, by(status = 0)), limit = 5)]
    no_name: Breakdown<u16, Counter>,
    #[dimension(on(Retried, by(status = 0)), on(Answered, by = status), limit = 5)]
    no_name_in_the_first: Breakdown<u16, Counter>,
    #[dimension(
        on(ListAnswered, by(status, text = path)),
        on(Answered, by(status, text = |e| e.path.clone())),
        limit = 5
    )]
    one_closure: Breakdown<(u16, String), Counter>,
    #[dimension(on(Answered, by(path, status)), on(ListAnswered, by(path, status)), limit = 5)]
    other_order: Breakdown<(String, u16), Counter>,
    #[dimension(on(ListAnswered, by(status, cached)), limit = 5)]
    tuple: Breakdown<(u16, bool), Counter>,
    #[dimension(on(ListAnswered, by(key = status, cached)), limit = 5)]
    named_tuple: Breakdown<(u16, bool), Counter>,
    #[dimension(on(ListAnswered, by(name = |e| e.status / 100, cached, path)), limit = 5)]
    tuple_with_a_closure: Breakdown<(u16, bool, String), Counter>,
}

fn main() {
    let host = Host { name: "a".to_owned() };
    let _ = (Answered { path: "/".to_owned(), host, status: 200 }, Retried(1));
    let _ = ListAnswered { path: "/".to_owned(), status: 200, cached: true };
    let _ = (Answers::default(), Retries::default(), ListAnswers::default(), SeveralEvents::default());
}
