use mvx_metrics::{EventRef, MetricEvent};

struct Saved;

fn register_event<E: MetricEvent>(event: &E) {
    let _ = EventRef::from(event);
}

fn main() {
    register_event(&Saved);
}
