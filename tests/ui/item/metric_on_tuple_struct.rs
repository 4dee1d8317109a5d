use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved;

#[derive(Metric)]
#[metric(on(Saved))]
struct Saves(Counter);

#[derive(Metric)]
struct Unit;

fn main() {}
