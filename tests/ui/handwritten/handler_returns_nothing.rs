use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

struct Saves;

impl HandleEvent<Saved> for Saves {
    fn handle(&mut self, _: &Saved) {}
}

fn main() {}
