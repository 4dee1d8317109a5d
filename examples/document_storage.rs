//! A component states what happened; a metric counts it; the snapshot shows it.
//!
//! Run with `cargo run --example document_storage`. Prints one metric as JSON: three attempts to save a document, two of
//! which succeeded. Then it prints two of the numbers, read with types.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mvx_metrics::{
    Counter, Label, Metric, MetricHandle, MetricsRecorderError, MetricsRuntime, Recorder, metric_event,
};

#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
enum SaveOutcome {
    Success,
    Failure,
}

#[metric_event(name = "document_storage.save.attempt")]
struct DocumentSaveAttempt {
    outcome: SaveOutcome,
    elapsed: Duration,
    bytes: u64,
}

/// Attempts to save a document.
#[derive(Metric, Default)]
#[metric(name = "document_storage.save.attempts", on(DocumentSaveAttempt))]
struct DocumentSaveAttempts {
    /// All attempts.
    total: Counter,
    #[dimension(when = |e| e.outcome == SaveOutcome::Success)]
    success_total: Counter,
    #[dimension(when = |e| e.outcome == SaveOutcome::Failure)]
    failure_total: Counter,
}

struct DocumentStorage {
    recorder: Arc<dyn Recorder>,
    attempts: MetricHandle<DocumentSaveAttempts>,
}

impl DocumentStorage {
    fn new(recorder: Arc<dyn Recorder>) -> Result<Self, MetricsRecorderError> {
        // Another component may have asked for this metric before; then both share it.
        let attempts = recorder.metric()?;
        Ok(Self { recorder, attempts })
    }

    fn save(&self, id: &str, content: &str) -> Result<(), SaveError> {
        let started = Instant::now();
        let result = validate(id, content);
        self.recorder.emit(DocumentSaveAttempt {
            outcome: if result.is_ok() { SaveOutcome::Success } else { SaveOutcome::Failure },
            elapsed: started.elapsed(),
            bytes: content.len() as u64,
        });
        result
    }
}

fn validate(id: &str, content: &str) -> Result<(), SaveError> {
    if id.is_empty() {
        return Err(SaveError("the document's id is empty"));
    }
    if content.is_empty() {
        return Err(SaveError("the document has no content"));
    }
    Ok(())
}

#[derive(Debug)]
struct SaveError(&'static str);

impl fmt::Display for SaveError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl Error for SaveError {}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = MetricsRuntime::new("example.metrics")?;
    runtime.start()?;
    let recorder = runtime.create_recorder("document_storage")?;
    let storage = DocumentStorage::new(Arc::new(recorder.clone()))?;
    storage.save("doc-001", "First document")?;
    storage.save("doc-002", "Second document")?;
    storage.save("", "Broken document").unwrap_err();
    println!("{}", serde_json::to_string_pretty(&recorder.metric_snapshots()?)?);

    // The storage reads its own metric with types.
    let attempts = storage.attempts.snapshot()?;
    println!("{} of {} attempts have failed", attempts.failure_total, attempts.total);
    runtime.shutdown()?;
    Ok(())
}
