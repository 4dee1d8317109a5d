#[metric_event(name = "job.done")]
pub enum Done<K: Send + 'static> {
    Quickly,
    Slowly(Duration),
    Never { kind: K },
}
