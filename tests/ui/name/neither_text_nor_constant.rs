use mvx_metrics::*; //~ 9 errors

#[metric_event(name = format!("saved"))]
struct Saved;

#[derive(Metric, Default)]
#[metric(name = 's', on(Saved))]
struct Saves {
    #[dimension(name = "total".to_owned())]
    total: Counter,
    // .. = number
    #[dimension(name = 5)]
    number: Counter,
    // .. = more
    #[dimension(name = format!("{}_total", "more"))]
    more: Counter,
    #[dimension(name = b"bytes")]
    bytes: Counter,
    // .. = closure
    #[dimension(name = || "closure")]
    closure: Counter,
    #[dimension(name = Self::NAME)]
    own: Counter,
}

impl Saves {
    const NAME: &'static str = "own";
}

#[derive(Metric, Default)]
#[metric(name = T::NAME, on(Saved))]
struct Generic<T: Named + Default + Send + 'static> {
    total: Counter,
    #[dimension(skip)]
    state: T,
}

trait Named {
    const NAME: &'static str;
}

fn main() {}
