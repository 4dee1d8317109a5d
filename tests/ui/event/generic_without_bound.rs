use mvx_metrics::metric_event; //~ 1 error

#[metric_event]
struct Saved<K> {
    kind: K,
}

fn send<E: mvx_metrics::MetricEvent>(_: E) {}

fn main() {
    send(Saved { kind: std::rc::Rc::new(1) });
}
