//! A component states what happened; a metric counts it; the snapshot shows it.
//!
//! Run with `cargo run --example document_storage`. Prints one metric as JSON: three attempts to save a document, two of
//! which succeeded.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use mvx_metrics::{Counter, Label, Metric, MetricsRecorder, MetricsRuntime, metric_event};

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
    recorder: MetricsRecorder,
}

impl DocumentStorage {
    fn new(recorder: MetricsRecorder) -> Self {
        // Metrics are optional: without them the storage works as well.
        recorder.register_metric(DocumentSaveAttempts::default()).ok();
        Self { recorder }
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
    let storage = DocumentStorage::new(recorder.clone());
    storage.save("doc-001", "First document")?;
    storage.save("doc-002", "Second document")?;
    storage.save("", "Broken document").unwrap_err();
    println!("{}", serde_json::to_string_pretty(&recorder.metric_snapshots()?)?);
    runtime.shutdown()?;
    Ok(())
}
