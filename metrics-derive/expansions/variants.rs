#[derive(Metric)]
#[metric(on(Request::Refused, with = Self::refused, when = Request::is_final))]
struct Requests<T> {
    #[dimension(on(Request))]
    all: Counter,
    #[dimension(on(Request::Started, add), on(Request::Ended, sub))]
    open: InFlight,
    #[dimension(on(Request::Ended, value = bytes, by(host = peer), limit = 10))]
    by_host: Breakdown<String, Sum<u64>>,
    #[dimension(on(Request::Ended, value = bytes, when = |e| e.is_large()))]
    large: Max<u64>,
    #[dimension(on(Job::<T>::Ended, value = 0))]
    steps: Sum<u64>,
}
