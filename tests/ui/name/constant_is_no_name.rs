use mvx_metrics::*; //~ 8 errors

const HYPHEN: &str = "saved-documents";
const DIGIT: &str = "2nd";
const EMPTY: &str = "";
const DOTS: &str = "saves..total";
const UMLAUT: &str = "größe";

#[metric_event(name = HYPHEN)]
struct Saved {
    store: Store,
}

#[derive(Metric, Default)]
#[metric(name = DIGIT, on(Saved))]
struct Saves {
    #[dimension(name = EMPTY)]
    empty: Counter,
    #[dimension(name = DOTS)]
    dots: Counter,
    #[dimension(name = UMLAUT)]
    umlaut: Counter,
    #[dimension(name = concat!("total", "."))]
    total: Counter,
    #[dimension(flatten(prefix = HYPHEN))]
    loads: Loads,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Loads {
    total: Counter,
}

#[derive(Label, Clone, Copy, PartialEq, Eq, Hash)]
enum Store {
    #[label(name = EMPTY)]
    Memory,
    Disk,
}

fn main() {}
