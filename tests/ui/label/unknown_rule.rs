use mvx_metrics::Label; //~ 1 error

#[derive(Label)]
#[label(rename_all = "snake")]
enum Outcome {
    Success,
}

fn main() {}
