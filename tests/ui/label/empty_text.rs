use mvx_metrics::Label; //~ 1 error

#[derive(Label)]
enum Outcome {
    #[label(name = "")]
    Success,
}

fn main() {}
