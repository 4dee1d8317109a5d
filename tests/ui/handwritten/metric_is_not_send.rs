use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

struct Saves(std::rc::Rc<u8>);

impl Metric for Saves {
    fn metric_name(&self) -> &str {
        "saves"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new("saves")
    }
}

fn main() {}
