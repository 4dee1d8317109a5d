//! A program for `tests/macros/distinct.rs`: a process of a service that several processes serve.
//!
//! `distinct_values FIRST LAST` counts the visitors with numbers between both, and prints its totals as JSON.

use std::error::Error;
use std::time::Duration;

use mvx_metrics::{MetricsRuntime, Scope};
use mvx_metrics_tests::visits::{Visits, visit};

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<u64> =
        std::env::args().skip(1).map(|number| number.parse()).collect::<Result<_, _>>()?;
    let [first, last] = numbers[..] else { return Err("expected two numbers".into()) };
    let runtime = MetricsRuntime::new("service")?;
    runtime.start()?;
    let recorder = runtime.create_recorder("process")?;
    recorder.metric::<Visits>()?;
    for number in first..=last {
        recorder.register_event_blocking(visit(number), Duration::from_secs(10))?;
    }
    print!("{}", serde_json::to_string(&runtime.totals(Scope::Rollup)?)?);
    Ok(())
}
