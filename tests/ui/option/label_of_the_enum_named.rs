use mvx_metrics::Label; //~ 1 error

#[derive(Label)]
#[label(name = "outcome")]
enum Outcome {
    Success,
    Failure,
}

fn main() {}
