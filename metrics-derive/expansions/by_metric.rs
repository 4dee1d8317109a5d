/// Requests of each host.
#[derive(Metric, Default)]
#[metric(on(Request), by = host, limit = 100)]
pub struct Requests {
    /// What one host did.
    per_host: Breakdown<String, HostStats>,
}
