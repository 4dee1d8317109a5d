//! Covers several runtimes behind one service.

use std::collections::BTreeSet;
use std::thread;

use mvx_metrics::http::{EndpointOptions, MetricsService, ServiceOptions};
use mvx_metrics::{MetricsRuntime, MetricsRuntimeState};
use mvx_metrics_tests::{Gate, Gated, Step, bounded, eventually};

use crate::client::get;
use crate::fixtures::{Worked, recorder, running};
use crate::server::call;

#[test]
fn ed2_two_runtimes_have_one_exposition_with_each_family_once() {
    bounded(|| {
        let [north, south] = ["north", "south"].map(running);
        recorder(&north, "one").emit(Worked { bytes: 7 });
        recorder(&south, "one").emit(Worked { bytes: 8 });
        let service = north.metrics_service(ServiceOptions::default()).and(&south);
        let endpoint = service.serve(EndpointOptions::new().port(0)).expect("the system has a port");
        let answer = get(endpoint.address(), "/metrics");
        assert_eq!(answer.value("work_bytes_total{namespace=\"north\"}").to_string(), "7");
        assert_eq!(answer.value("work_bytes_total{namespace=\"south\"}").to_string(), "8");
        for kind in ["# HELP ", "# TYPE "] {
            let names: Vec<_> =
                answer.body.lines().filter_map(|line| line.strip_prefix(kind)?.split(' ').next()).collect();
            assert!(names.contains(&"work_bytes_total"), "{names:?}");
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        }
    });
}

#[test]
fn ed2_a_snapshot_of_several_is_a_list_and_that_of_one_is_not() {
    bounded(|| {
        let [north, south] = ["north", "south"].map(running);
        let one = north.metrics_service(ServiceOptions::default()).routes();
        let both = one.clone().and(&south);
        let json = |service: &MetricsService| -> serde_json::Value {
            serde_json::from_str(&call(service, "/snapshot").1).expect("JSON")
        };
        assert_eq!(json(&one)["namespace"], "north");
        let list = json(&both);
        let namespaces: Vec<_> =
            list.as_array().expect("a list").iter().map(|one| &one["namespace"]).collect();
        assert_eq!(namespaces, ["north", "south"]);
        // The same runtime again changes nothing.
        assert_eq!(json(&one.clone().and(&north))["namespace"], "north");
        assert_eq!(json(&both.and(&south)).as_array().map(Vec::len), Some(2));
    });
}

#[test]
fn ed2_all_runtimes_must_run_to_be_healthy() {
    bounded(|| {
        let north = running("north");
        let south = MetricsRuntime::new("so\nuth").expect("a valid namespace");
        let service = north.metrics_service(ServiceOptions::default()).and(&south).routes();
        assert_eq!(call(&service, "/healthz"), (503, "north RUNNING\nso\\nuth VIRGIN\n".to_owned()));
        // A runtime that was never started has no metrics that could be missed.
        for (path, expected) in [("/metrics", "namespace=\"north\""), ("/snapshot", "\"north\"")] {
            let (status, text) = call(&service, path);
            assert!(status == 200 && text.contains(expected) && !text.contains("uth"), "{path}: {text}");
        }
        south.start().expect("a thread can be started");
        assert_eq!(call(&service, "/healthz"), (200, "north RUNNING\nso\\nuth RUNNING\n".to_owned()));
        north.shutdown().expect("it ends");
        assert_eq!(call(&service, "/healthz").0, 503);
        assert_eq!(["/metrics", "/snapshot"].map(|path| call(&service, path).0), [200, 200]);
    });
}

#[test]
fn ed2_while_one_is_being_shut_down_no_part_is_shown() {
    bounded(|| {
        let [north, south] = ["north", "south"].map(running);
        let slow = south.create_recorder("slow").expect("the id is free");
        let gate = Gate::new();
        slow.register_metric(Gated(gate.clone())).expect("the recorder runs");
        slow.emit(Step(1));
        gate.wait_for_arrival();
        let service = north.metrics_service(ServiceOptions::default()).and(&south).routes();
        thread::scope(|scope| {
            let shutdown = scope.spawn(|| south.shutdown());
            eventually("the shutdown begins", || south.status() != MetricsRuntimeState::Running);
            let statuses = ["/metrics", "/snapshot", "/healthz"].map(|path| call(&service, path).0);
            gate.open();
            shutdown.join().expect("no panic").expect("it ends");
            assert_eq!(statuses, [503, 503, 503]);
        });
        assert_eq!(["/metrics", "/snapshot"].map(|path| call(&service, path).0), [200, 200]);
    });
}

#[test]
fn ed2_several_runtimes_that_were_never_started_have_no_answer() {
    let [north, south] = ["north", "south"].map(|name| MetricsRuntime::new(name).expect("a valid namespace"));
    let service = north.metrics_service(ServiceOptions::default()).and(&south).routes();
    assert_eq!(["/metrics", "/snapshot", "/healthz"].map(|path| call(&service, path).0), [503, 503, 503]);
}
