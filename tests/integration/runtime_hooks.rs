//! Hooks and listeners that a runtime attaches to all of its recorders, and options that are cloned. Covers HX3.

use std::error::Error as _;
use std::sync::Arc;

use mvx_metrics::{
    ChangeListener, HookError, LogPolicy, MetricChange, MetricsRecorderState, MetricsRuntime,
    MetricsRuntimeBuilder, RecorderContext, RecorderHooks, RecorderOptions,
};
use mvx_metrics_tests::{
    Act, Direct, Gate, HookLog, Script, Step, Steps, bounded, bounded_async, capture, eventually,
};

/// Writes each call into a log that it shares with others. Fails where it is told to.
#[derive(Clone)]
struct Named {
    name: &'static str,
    log: HookLog,
    fails_in: &'static [&'static str],
}

impl Named {
    fn new(name: &'static str, log: &HookLog) -> Self {
        Self { name, log: log.clone(), fails_in: &[] }
    }

    fn failing(name: &'static str, log: &HookLog, fails_in: &'static [&'static str]) -> Self {
        Self { fails_in, ..Self::new(name, log) }
    }

    fn called(&self, hook: &str, entity_id: &str) -> Result<(), HookError> {
        self.log.write(format!("{} {hook} {entity_id}", self.name));
        if self.fails_in.contains(&hook) { Err(format!("{} {hook}", self.name).into()) } else { Ok(()) }
    }
}

impl RecorderHooks for Named {
    async fn on_starting(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
        self.called("starts", recorder.entity_id())
    }

    async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
        self.called("stops", recorder.entity_id())
    }
}

impl ChangeListener for Named {
    async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
        self.called("hears", change.entity_id())
    }
}

fn running(builder: MetricsRuntimeBuilder) -> MetricsRuntime {
    let runtime = builder.build().expect("valid options");
    runtime.start().expect("starts");
    runtime
}

#[test]
fn hx3_the_hooks_of_a_runtime_run_for_each_recorder_around_its_own() {
    bounded(|| {
        let log = HookLog::default();
        let runtime = running(MetricsRuntime::builder("hx3").hooks(Named::new("all", &log)));
        runtime.create_recorder("a").expect("creates");
        let options = RecorderOptions::new().hooks(Named::new("own", &log));
        runtime.create_recorder_with("b", options).expect("creates");
        runtime.stop_and_remove_recorder("b").expect("stops");
        runtime.shutdown().expect("shuts down");
        let expected =
            ["all starts a", "all starts b", "own starts b", "own stops b", "all stops b", "all stops a"];
        assert_eq!(log.entries(), expected);
        // A direct recorder belongs to no runtime.
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        recorder.start().wait().expect("starts");
        recorder.stop().wait().expect("stops");
        assert_eq!(log.entries().len(), expected.len());
    });
}

#[test]
fn hx3_the_listener_of_a_runtime_hears_of_each_change_before_that_of_the_recorder() {
    bounded(|| {
        let log = HookLog::default();
        let runtime = running(MetricsRuntime::builder("hx3").change_listener(Named::new("all", &log)));
        let plain = runtime.create_recorder("a").expect("creates");
        let options =
            RecorderOptions::new().change_listener(Named::new("own", &log)).hooks(Named::new("own", &log));
        let both = runtime.create_recorder_with("b", options).expect("creates");
        for recorder in [&plain, &both] {
            recorder.register_metric(Steps::default()).expect("registers");
            recorder.emit(Step(1));
            recorder.flush().wait().expect("flushes");
        }
        let expected = ["own starts b", "all hears a", "all hears b", "own hears b"];
        assert_eq!(log.entries(), expected);
    });
}

#[test]
fn hx3_when_an_on_starting_fails_the_next_does_not_run_and_every_on_stopped_does() {
    bounded(|| {
        let log = HookLog::default();
        let all = Named::failing("all", &log, &["starts"]);
        let runtime = running(MetricsRuntime::builder("hx3").hooks(all));
        let options = RecorderOptions::new().hooks(Named::new("own", &log));
        let error = runtime.create_recorder_with("a", options).expect_err("a hook fails");
        let hook = error.source().expect("a cause").source().expect("the error of the hook");
        assert_eq!(hook.to_string(), "all starts");
        eventually("the cleanup runs", || log.entries().len() == 3);
        assert_eq!(log.entries(), ["all starts a", "own stops a", "all stops a"]);
    });
}

#[test]
fn hx3_every_on_stopped_runs_and_the_first_error_counts() {
    capture::install();
    bounded(|| {
        let id = "lg.hx3.stop";
        let log = HookLog::default();
        let all = Named::failing("all", &log, &["stops"]);
        let runtime = running(MetricsRuntime::builder("hx3").hooks(all).log_policy(LogPolicy::Normal));
        let own = Named::failing("own", &log, &["stops"]);
        let options = RecorderOptions::new().hooks(own);
        let recorder = runtime.create_recorder_with(id, options).expect("creates");
        let error = recorder.stop().wait().expect_err("both fail");
        assert_eq!(error.reason(), "ON_STOPPED_HOOK_FAILED");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("own stops"));
        assert_eq!(recorder.status(), MetricsRecorderState::Failure);
        let entries = log.entries();
        assert_eq!(entries[entries.len() - 2..], [format!("own stops {id}"), format!("all stops {id}")]);
        assert_eq!(capture::titles(id).iter().filter(|title| title.contains("cleanup.failed")).count(), 1);
    });
}

#[test]
fn hx3_when_a_listener_fails_the_next_does_not_run() {
    bounded(|| {
        let log = HookLog::default();
        let all = Named::failing("all", &log, &["hears"]);
        let runtime = running(MetricsRuntime::builder("hx3").change_listener(all));
        let options = RecorderOptions::new().change_listener(Named::new("own", &log));
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(1));
        eventually("it fails", || recorder.status() == MetricsRecorderState::Failure);
        let error = recorder.stop().wait().expect_err("it has failed");
        let cause = error.source().expect("a cause").source().map(ToString::to_string);
        assert_eq!((cause.as_deref(), log.entries()), (Some("all hears"), vec!["all hears a".to_owned()]));
    });
}

#[test]
fn hx3_an_async_creation_awaits_the_hooks_of_the_runtime() {
    bounded_async(|| async {
        let gate = Gate::new();
        let script = Script::new().starting(Act::Wait(gate.clone()));
        let runtime = running(MetricsRuntime::builder("hx3").hooks(script));
        let opens = async {
            gate.arrival().await;
            gate.open();
        };
        // Both run on this thread, so the creation must not block it.
        let (created, ()) = tokio::join!(runtime.create_recorder_async("a"), opens);
        assert_eq!(created.expect("creates").status(), MetricsRecorderState::Running);
        runtime.shutdown_async().await.expect("shuts down");
    });
}

#[test]
fn hx3_cloned_options_share_hooks_and_listener_and_a_second_one_replaces_the_first() {
    bounded(|| {
        let log = HookLog::default();
        let runtime = running(MetricsRuntime::builder("hx3"));
        let named = Arc::new(Named::new("shared", &log));
        let options = RecorderOptions::new()
            .hooks(Named::new("replaced", &log))
            .hooks(Arc::clone(&named))
            .change_listener(Named::new("replaced", &log))
            .change_listener(Arc::clone(&named));
        for id in ["a", "b"] {
            let recorder = runtime.create_recorder_with(id, options.clone()).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            recorder.emit(Step(1));
            runtime.stop_and_remove_recorder(id).expect("stops");
        }
        let entries: Vec<_> = ["a", "b"]
            .iter()
            .flat_map(|id| ["starts", "hears", "stops"].map(|hook| format!("shared {hook} {id}")))
            .collect();
        assert_eq!(log.entries(), entries);
        drop((options, runtime));
        eventually("no recorder keeps them", || Arc::strong_count(&named) == 1);
    });
}
