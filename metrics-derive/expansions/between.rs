#[derive(Metric)]
struct Requests {
    #[dimension(on(Started, begin = id, at = since), on(Ended, end = |e| e.id(), at = now), limit = 100)]
    latency: Histogram<Duration>,
    #[dimension(
        on(Request::Started, begin = id, at = at),
        on(Request::Ended, end = 0, at = 1, when = Request::is_final),
        limit = MAX_OPEN,
        buckets = [1, 2],
    )]
    of_variants: Histogram<Duration>,
}
