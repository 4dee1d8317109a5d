use mvx_metrics::Metric;

struct Saves;

fn register_metric<M: Metric>(_: M) {}

fn main() {
    register_metric(Saves);
}
