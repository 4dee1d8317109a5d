#[derive(Metric)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(wen = |e| e.bytes > 0)]
    total: Counter,
    note: String,
}
