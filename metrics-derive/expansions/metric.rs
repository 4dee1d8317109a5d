/// Attempts to save a document.
#[derive(Metric, Default)]
#[metric(name = "document_storage.save.attempts", on(DocumentSaveAttempt))]
pub struct DocumentSaveAttempts {
    /// All attempts.
    total: Counter,
    #[dimension(when = |e| e.outcome == SaveOutcome::Success)]
    success_total: Counter,
    #[dimension(value = elapsed)]
    elapsed: Histogram<Duration>,
    #[dimension(value = user)]
    users: Distinct,
}
