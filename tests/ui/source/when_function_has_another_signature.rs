use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved {
    bytes: u64,
}

#[metric_event]
struct Loaded;

fn size(event: &Saved) -> u64 {
    event.bytes
}

fn of_another_event(_: &Loaded) -> bool {
    true
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(when = self::size)]
    large: Counter,
    #[dimension(when = self::of_another_event)]
    loaded: Counter,
}

fn main() {}
