use mvx_metrics::Label;

#[derive(Label)]
enum Outcome {
    #[label(name = "")]
    Success,
}

fn main() {}
