use mvx_metrics::Label;

#[derive(Label)]
enum Outcome {
    Success,
    #[label(name = "success")]
    Fine,
    Failure,
}

fn main() {}
