//! FC3: the recorder of the process, and several recorders.

use std::error::Error;

use metrics::counter;
use mvx_metrics::{LogPolicy, MetricsRuntime};
use mvx_metrics_facade::{FacadeError, FacadeRecorder};
use mvx_metrics_tests::{capture, running_runtime};

use crate::fixtures::{json, metric, with};

#[test]
fn fc3_the_first_recorder_that_is_installed_is_the_one_of_the_process() {
    let (first, second) = (running_runtime("first"), running_runtime("second"));
    let idle = MetricsRuntime::new("idle").expect("a valid namespace");
    let error = FacadeRecorder::builder().install(&idle).expect_err("it is not running");
    assert!(matches!(error, FacadeError::Runtime(_)), "{error}");
    assert!(error.source().is_some());
    assert_eq!(error.reason(), "INVALID_RUNTIME_STATE");

    FacadeRecorder::builder().install(&first).expect("it is the first one");
    let error = FacadeRecorder::builder().install(&second).expect_err("there is one");
    assert_eq!(error.reason(), "ALREADY_INSTALLED");
    assert_eq!(second.list_recorder_ids().expect("it runs"), Vec::<String>::new());

    counter!("installed").increment(1);
    std::thread::spawn(|| counter!("installed").increment(1)).join().expect("no panic");
    assert_eq!(json(&first, "installed"), "2");
    assert_eq!(metric(&second, "installed"), None);
    first.shutdown().expect("it stops");
    second.shutdown().expect("it stops");
}

#[test]
fn fc3_two_recorders_of_one_runtime_add_up_and_need_two_ids() {
    let runtime = running_runtime("shop");
    let facades =
        ["one", "two"].map(|id| FacadeRecorder::builder().id(id).build(&runtime).expect("a new id"));
    let error = FacadeRecorder::builder().id("one").build(&runtime).expect_err("the id is in use");
    assert!(matches!(error, FacadeError::Runtime(_)), "{error}");
    for facade in &facades {
        with(facade, || counter!("calls", "a" => "1").increment(1));
    }
    assert_eq!(json(&runtime, "calls"), r#"{"1":2}"#);
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc3_a_recorder_may_have_a_namespace_of_its_own() {
    let runtime = running_runtime("shop");
    let facade = FacadeRecorder::builder().namespace("libraries").build(&runtime).expect("a new id");
    with(&facade, || counter!("calls").increment(1));
    let totals = runtime.totals(mvx_metrics::Scope::Rollup).expect("totals are read");
    let group = totals.groups.iter().find(|group| &*group.namespace == "libraries").expect("its namespace");
    assert!(group.metrics.get("calls").is_some());
    runtime.shutdown().expect("it stops");
}

#[test]
fn fc3_a_silent_runtime_makes_the_recorder_silent() {
    capture::install();
    let runtime =
        MetricsRuntime::builder("shop").log_policy(LogPolicy::Silent).build().expect("a valid namespace");
    runtime.start().expect("it starts");
    let facade = FacadeRecorder::builder().build(&runtime).expect("a new id");
    with(&facade, || {
        counter!("lg.silent").increment(1);
        metrics::gauge!("lg.silent").set(1);
    });
    assert_eq!(capture::matching(|logged| logged.field("metric") == "lg.silent").len(), 0);
    assert_eq!(json(&runtime, "lg.silent.gauge"), "1.0");
    runtime.shutdown().expect("it stops");
}
