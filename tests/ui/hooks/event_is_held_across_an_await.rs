use mvx_metrics::{ChangeListener, HookError, MetricChange}; //~ 1 error

struct Holds;

impl ChangeListener for Holds {
    async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
        let event = change.event();
        tokio::task::yield_now().await;
        println!("{}", event.event_type());
        Ok(())
    }
}

fn main() {}
