use mvx_metrics::Label; //~ 2 errors

#[derive(Label)]
enum Outcome {
    Success,
    #[label(name = "success")]
    Fine,
    Failure,
}

fn main() {}
