use mvx_metrics::Label; //~ 1 error

#[derive(Label)]
enum Outcome {
    #[label(rename = "ok")]
    Success,
    Failure,
}

fn main() {}
