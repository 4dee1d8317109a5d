#[derive(Label)]
#[label(rename_all = "kebab-case")]
enum Outcome {
    Success,
    NotFound,
    #[label(name = "5xx")]
    ServerError,
}
