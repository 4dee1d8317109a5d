use mvx_metrics::Label;

#[derive(Label)]
struct Outcome;

fn main() {}
