use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

struct Loaded;
struct Loads;

impl HandleEvent<Loaded> for Loads {
    fn handle(&mut self, _: &Loaded) -> bool {
        true
    }
}

fn main() {}
