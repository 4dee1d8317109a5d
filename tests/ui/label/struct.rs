use mvx_metrics::Label; //~ 1 error

#[derive(Label)]
struct Outcome;

fn main() {}
