use mvx_metrics::*; //~ 1 error

struct Account {
    id: u64,
}

#[metric_event]
struct SignedIn {
    account: Option<Account>,
}

#[derive(Metric, Default)]
#[metric(on(SignedIn))]
struct Sessions {
    #[dimension(value = account)]
    accounts: Distinct,
}

fn main() {}
