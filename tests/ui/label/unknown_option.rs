use mvx_metrics::Label; //~ 2 errors

#[derive(Label)]
#[label(rename_al = "snake_case")]
enum Outcome {
    #[label(nam = "fine")]
    Success,
}

fn main() {}
