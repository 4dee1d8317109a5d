use mvx_metrics::*; //~ 1 error

#[metric_event]
enum Request {
    Started { id: u64, user: String },
    Ended { id: u64, bytes: u64 },
    Refused(u16),
    Idle,
}

#[derive(Default)]
struct Last(String);

impl Dimension for Last {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Custom;

    fn read(&self) -> u64 {
        self.0.len() as u64
    }

    fn value(read: u64) -> DimensionValue {
        read.into()
    }
}

impl feed::Record<String> for Last {
    fn record(&mut self, value: String) -> bool {
        self.0 = value;
        true
    }
}

#[derive(Metric, Default)]
struct Requests {
    #[dimension(on(Request::Started, value = user))]
    user: Last,
}

fn main() {}
