#[derive(Metric)]
#[metric(on(Opened), on(Closed, with = Self::closed, when = Closed::is_regular))]
#[non_exhaustive]
struct Connections {
    #[dimension(on(Opened, add), on(Closed, sub))]
    open: InFlight,
    #[dimension(on(Opened, by(host, service = port), limit = 100))]
    by_host: Breakdown<(String, u16), Counter>,
    #[dimension(manual)]
    longest: Max<Duration>,
    #[dimension(flatten(prefix = "traffic_"), on(Opened))]
    traffic: Traffic,
    #[dimension(skip)]
    started: Instant,
}
