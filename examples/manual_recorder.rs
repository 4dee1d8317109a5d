//! A recorder without a `MetricsRuntime`: it lives in the application's own tokio runtime, and the application starts and
//! stops it.
//!
//! Run with `cargo run --example manual_recorder`. The program first prints the failure outside of a tokio runtime.
//! Then it prints one recorder's life inside of one: its states, its snapshot, and its counts of events. At last the
//! stopped recorder refuses an event.

use std::error::Error;

use mvx_metrics::{
    Counter, Max, Metric, MetricsRecorder, MetricsRecorderError, RecorderOptions, metric_event,
};

#[metric_event(name = "sensor.reading")]
struct Reading {
    celsius: f64,
}

/// Readings of a temperature sensor.
#[derive(Metric, Default)]
#[metric(name = "sensor.readings", on(Reading))]
struct Readings {
    /// All readings.
    total: Counter,
    #[dimension(value = celsius, unit = "celsius")]
    highest: Max<f64>,
}

fn options() -> RecorderOptions {
    RecorderOptions::new().namespace("weather").queue_max_size(100)
}

async fn measure() -> Result<(), Box<dyn Error>> {
    let recorder = MetricsRecorder::new("sensor-1", options())?;
    println!("{} of {}: {}", recorder.entity_id(), recorder.namespace(), recorder.status());
    let readings = recorder.metric::<Readings>()?;

    recorder.start().await?;
    println!("started: {}", recorder.status());

    for celsius in [18.5, 21.0, 19.5] {
        recorder.emit(Reading { celsius });
    }
    // A snapshot includes what this thread has emitted before; to wait for it in async code is good manners.
    recorder.flush().await?;
    println!("{}", serde_json::to_string_pretty(&recorder.metric_snapshots()?)?);

    recorder.emit(Reading { celsius: 23.0 });
    // Processes the accepted events first.
    recorder.stop().await?;
    println!("stopped: {}", recorder.status());

    // The event comes back, so that nothing is lost unnoticed.
    if let Err(refused) = recorder.register_event(Reading { celsius: 17.0 }) {
        println!("refused: {}: {}", refused.error().reason(), refused.error());
        println!("  the reading of {} comes back", refused.into_event().celsius);
    }
    let stats = recorder.stats();
    println!(
        "accepted {}, processed {}, dropped {}, rejected {}",
        stats.accepted, stats.processed, stats.dropped, stats.rejected
    );
    // The last state stays readable.
    let readings = readings.snapshot()?;
    println!("{} readings, the highest {:?}", readings.total, readings.highest.known());
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    match MetricsRecorder::new("sensor-1", options()) {
        Err(error @ MetricsRecorderError::LoopUnavailable) => println!("{}: {error}", error.reason()),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("there is no tokio runtime here yet".into()),
    }
    // No I/O and no timers are needed.
    tokio::runtime::Builder::new_current_thread().build()?.block_on(measure())
}
