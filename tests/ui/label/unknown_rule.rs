use mvx_metrics::Label;

#[derive(Label)]
#[label(rename_all = "snake")]
enum Outcome {
    Success,
}

fn main() {}
