use mvx_metrics::*; //~ 17 errors

#[metric_event]
struct Answered {
    host: String,
    r#type: String,
    status: u16,
    cached: bool,
}

type ByText = Breakdown<String, Counter>;

#[derive(Metric, Default)]
#[metric(on(Answered))]
struct Answers {
    // <event field> = host
    #[dimension(by, limit = 5)]
    without_value: ByText,
    #[dimension(by(), limit = 5)]
    empty: ByText,
    #[dimension(by = kind = |e| e.r#type.as_str(), limit = 5)]
    without_parentheses: ByText,
    // .. = cached
    #[dimension(by = (cached, class = |e| e.status / 100), limit = 5)]
    in_a_tuple: Breakdown<(bool, u16), Counter>,
    #[dimension(by(cached; host), limit = 5)]
    semicolon: Breakdown<(bool, String), Counter>,
    #[dimension(by("host"), limit = 5)]
    quotation_marks: ByText,
    // .. = host
    #[dimension(by("host" = host), limit = 5)]
    name_in_quotation_marks: ByText,
    #[dimension(by = "|e| e.host.len()", limit = 5)]
    closure_in_quotation_marks: Breakdown<usize, Counter>,
    #[dimension(by(type), limit = 5)]
    keyword: ByText,
    #[dimension(by(kind = type), limit = 5)]
    named_keyword: ByText,
    #[dimension(by(status / 100), limit = 5)]
    expression: Breakdown<u16, Counter>,
    #[dimension(by(class = status / 100), limit = 5)]
    named_expression: Breakdown<u16, Counter>,
    #[dimension(by = status / 100, limit = 5)]
    bare_expression: Breakdown<u16, Counter>,
    // <event field> = cached
    // <event field> = status
    #[dimension(by(cached), limit = 5)]
    too_few: Breakdown<(bool, u16), Counter>,
    #[dimension(by(cached, status, host), limit = 5)]
    too_many: Breakdown<(bool, u16), Counter>,
    #[dimension(by = |e| { let class = e.status / 100; (e.cached, class) }, limit = 5)]
    closure_of_two: Breakdown<(bool, u16), Counter>,
    #[dimension(by(both = |e| (e.cached, e.status)), limit = 5)]
    one_name_for_two: Breakdown<(bool, u16), Counter>,
}

fn main() {}
