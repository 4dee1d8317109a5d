//! Covers OT1: requests are of a bounded size, together have all points, and can be divided.

use std::time::Duration;

use mvx_metrics::{MetricsRuntime, Scope, Totals};
use mvx_metrics_otlp::{Encoder, OtlpOptions, Temporality};

use crate::decode::{Decoded, decode, push};
use crate::fixtures::{Outcome, PLACES, Worked, running, worker};

fn busy_runtime() -> MetricsRuntime {
    let runtime = running("shop");
    for number in 0_u64..20 {
        let recorder = worker(&runtime, &format!("entity {number}"));
        for place in PLACES {
            let (outcome, elapsed) = (Outcome::Failure, Duration::from_millis(number));
            recorder.emit(Worked { outcome, place, elapsed, bytes: number, balance: 1, ratio: 1.0 });
        }
    }
    runtime
}

fn totals(runtime: &MetricsRuntime) -> Totals {
    runtime.totals(Scope::PerEntity).expect("it runs")
}

#[test]
fn ot1_requests_of_every_size_have_all_points_together() {
    let runtime = busy_runtime();
    let totals = totals(&runtime);
    let whole = push(&mut Encoder::new(&OtlpOptions::new()), &totals);
    let mut counts = Vec::new();
    for size in [1 << 20, 65_536, 10_000, 3_000, 1_000] {
        let mut encoder = Encoder::new(&OtlpOptions::new().max_request_size(size));
        let (mut all, mut count) = (Decoded::default(), 0);
        let mut requests = encoder.requests(&totals);
        while let Some(request) = requests.next_request() {
            assert!(request.body.len() <= size, "{} of {size} bytes", request.body.len());
            all.extend(decode(&request));
            count += 1;
        }
        drop(requests);
        assert_eq!(all.points, whole.points, "at {size} bytes");
        assert_eq!(encoder.left_out(), []);
        counts.push(count);
    }
    // A request is not much smaller than it may be.
    assert!(counts[0] == 1 && counts.is_sorted() && counts[4] > 100 && counts[4] < 1_500, "{counts:?}");
}

#[test]
fn ot1_a_point_larger_than_a_request_is_left_out_and_named() {
    let runtime = busy_runtime();
    let totals = totals(&runtime);
    let whole = push(&mut Encoder::new(&OtlpOptions::new()), &totals);
    let mut encoder = Encoder::new(&OtlpOptions::new().max_request_size(330));
    let pushed = push(&mut encoder, &totals);
    let names: Vec<_> = encoder.left_out().iter().map(|left_out| left_out.name.clone()).collect();
    assert!(names.contains(&"work.spread".to_owned()), "{names:?}");
    assert!(encoder.left_out().iter().all(|left_out| left_out.reason.contains("larger than")));
    for (id, point) in &whole.points {
        if let Some(other) = pushed.points.get(id).filter(|_| id.0 != "mvx_metrics.dimensions_left_out") {
            assert_eq!(point, other, "{id:?}");
        } else {
            assert!(names.contains(&id.0) || id.0 == "mvx_metrics.dimensions_left_out", "{id:?} is missing");
        }
    }
    // Without room for any point there is no request, and the call ends.
    let mut encoder = Encoder::new(&OtlpOptions::new().max_request_size(0));
    assert!(push(&mut encoder, &totals).points.is_empty());
    assert!(encoder.left_out().len() > 30);
}

#[test]
fn ot1_a_divided_request_loses_no_point_and_repeats_none() {
    let runtime = busy_runtime();
    let totals = totals(&runtime);
    for temporality in [Temporality::Cumulative, Temporality::Delta] {
        let options = OtlpOptions::new().temporality(temporality);
        let whole = push(&mut Encoder::new(&options), &totals);
        let limit = 1_500;
        let mut encoder = Encoder::new(&options.clone().max_request_size(20_000));
        let (mut all, mut refused) = (Decoded::default(), 0);
        let mut requests = encoder.requests(&totals);
        // A collector that takes no more than the limit.
        while let Some(request) = requests.next_request() {
            if request.body.len() > limit {
                assert!(requests.divide(&request));
                refused += 1;
            } else {
                all.extend(decode(&request));
                requests.delivered(request);
            }
        }
        drop(requests);
        assert_eq!(all.points, whole.points);
        // Requests become smaller once, and stay so.
        assert!((1..=6).contains(&refused), "{refused} refused requests");
        let mut requests = encoder.requests(&totals);
        while let Some(request) = requests.next_request() {
            assert!(request.body.len() <= limit);
        }
    }
}

#[test]
fn ot1_a_request_of_one_point_or_of_another_push_is_not_divided() {
    let runtime = running("shop");
    let totals = totals(&runtime);
    let mut encoder = Encoder::new(&OtlpOptions::new().max_request_size(500));
    let mut requests = encoder.requests(&totals);
    let (mut single, mut last) = (None, None);
    while let Some(request) = requests.next_request() {
        if request.points == 1 {
            assert!(!requests.divide(&request));
            single = Some(request);
        } else {
            last = Some(request);
        }
    }
    assert!(single.is_some(), "no request has one point");
    drop(requests);
    let mut requests = encoder.requests(&totals);
    assert!(requests.next_request().is_some());
    assert!(!requests.divide(&last.expect("a request with several points")));
}
