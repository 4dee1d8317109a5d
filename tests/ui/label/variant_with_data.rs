use mvx_metrics::Label; //~ 2 errors

#[derive(Label)]
enum Outcome {
    Success,
    Failure(u32),
    Refused { reason: String },
}

fn main() {}
