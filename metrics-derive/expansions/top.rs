#[derive(Metric, Default)]
#[metric(on(Sent))]
struct Traffic {
    #[dimension(by(host, secure), keep = 10, value = bytes, when = |e| e.bytes > 0)]
    heaviest: Top<(String, bool), Sum<u64>>,
}
