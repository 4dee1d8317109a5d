use mvx_metrics::Label; //~ 1 error

#[derive(Label)]
enum Outcome {
    #[label(rename_all = "kebab-case")]
    NotFound,
    Found,
}

fn main() {}
