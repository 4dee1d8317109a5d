//! EV: events and dispatch.

use mvx_metrics::{
    EventHandler, HandleEvent, Metric, MetricEvent, MetricSnapshot, MetricsRuntime, RecorderOptions,
};

struct Step(u64);

impl MetricEvent for Step {
    const EVENT_TYPE: &'static str = "step";
}

#[derive(Default)]
struct Steps {
    total: u64,
    sum: u64,
}

impl HandleEvent<Step> for Steps {
    fn handle(&mut self, event: &Step) -> bool {
        self.total += 1;
        self.sum += event.0;
        true
    }
}

impl Metric for Steps {
    fn metric_name(&self) -> &'static str {
        "steps"
    }
    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }
    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new("steps").with("total", self.total).with("sum", self.sum)
    }
}

#[test]
fn smoke() {
    let runtime = MetricsRuntime::new("test").expect("a namespace");
    runtime.start().expect("starts");
    let recorder = runtime.create_recorder("a").expect("creates");
    recorder.register_metric(Steps::default()).expect("registers");
    for round in 0..100 {
        for step in 0..9_000 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        let snapshots = recorder.metric_snapshots().expect("reads");
        let total = snapshots
            .get("steps")
            .and_then(|steps| steps.get("total"))
            .and_then(mvx_metrics::DimensionValue::as_u64);
        assert_eq!(total, Some(9_000 * (round + 1)));
    }
    assert_eq!(recorder.stats().dropped, 0);
    runtime.shutdown().expect("shuts down");
    println!("{:?}", recorder.stats());
    let _ = RecorderOptions::new();
}

#[tokio::test]
async fn smoke_direct() {
    let recorder = mvx_metrics::MetricsRecorder::new("x", RecorderOptions::new()).expect("in tokio");
    recorder.register_metric(Steps::default()).expect("registers");
    recorder.register_event(Step(3)).expect("accepted");
    println!("{}", serde_json::to_string(&recorder.metric_snapshots().expect("reads")).expect("json"));
    recorder.stop().await.expect("stops");
    println!("{:?}", recorder.stats());
}
