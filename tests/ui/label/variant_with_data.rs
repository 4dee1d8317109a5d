use mvx_metrics::Label;

#[derive(Label)]
enum Outcome {
    Success,
    Failure(u32),
    Refused { reason: String },
}

fn main() {}
