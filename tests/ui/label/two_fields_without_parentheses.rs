use mvx_metrics::*; //~ 1 error

#[derive(Label, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome { Good, Bad }

#[metric_event]
pub struct Done { pub outcome: Outcome, pub host: String, pub code: u16, pub maybe: Option<Outcome>, pub letter: char }

#[derive(Metric, Default)]
#[metric(name = "done", on(Done))]
struct Jobs {
    #[dimension(by = outcome, code, limit = 9)]
    n: Breakdown<(Outcome, u16), Counter>,
}

fn main() {}
