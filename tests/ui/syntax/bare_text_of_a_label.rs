use mvx_metrics::Label; //~ 1 error

#[derive(Label)]
enum Outcome {
    #[label("ok")]
    Success,
    Failure,
}

fn main() {}
