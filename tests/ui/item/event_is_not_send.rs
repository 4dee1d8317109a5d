use mvx_metrics::metric_event; //~ 1 error
use std::rc::Rc;

#[metric_event]
struct Saved {
    name: Rc<str>,
}

fn main() {}
