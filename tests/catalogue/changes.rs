//! Each kind of change, and how it is called: CA2.

use std::time::Duration;

use mvx_metrics::catalogue::Severity;
use mvx_metrics::{
    BreakdownEntry, DimensionDescriptor, DimensionKind, DimensionValue, MergeRule, Number, NumberType,
};

use crate::program::{Program, dimension, program, texts, zeros};

/// What changes, and the lines of the difference without the severity.
type Case = (fn(&mut Program), &'static [&'static str]);

const BREAKING: &[Case] = &[
    (
        |program| drop(program.metrics.remove(1)),
        &[
            "`downloads`: the metric is gone (downloads_total, downloads_open)",
            "`downloads`: no metric listens to the event type `download_ended` any more (mvx_metrics_events_dropped_total)",
        ],
    ),
    (
        |program| program.metric("downloads").name = "fetches",
        &["`downloads`: the metric was renamed to `fetches` (downloads_total, downloads_open)"],
    ),
    (
        |program| drop(program.metric("uploads").dimensions.remove(4)),
        &[
            "`took` of `uploads`: the dimension is gone (uploads_took_seconds_bucket, uploads_took_seconds_sum, \
           uploads_took_seconds_count)",
        ],
    ),
    (
        |program| program.dimension("sent").name = "moved".into(),
        &["`sent` of `uploads`: the dimension was renamed to `moved` (uploads_sent_bytes_total)"],
    ),
    (
        |program| program.dimension("open").kind = DimensionKind::Max,
        &["`open` of `uploads`: the kind was `gauge` and is `max` (uploads_open)"],
    ),
    // The sum may fall, so it is no counter any more.
    (
        |program| program.dimension("sent").number = Some(NumberType::Signed),
        &["`sent` of `uploads`: the type of the numbers was `u64` and is `i64` (uploads_sent_bytes_total)"],
    ),
    // Bounds of another type are no other bounds.
    (
        |program| {
            let took = program.dimension("took");
            (took.number, took.unit) = (Some(NumberType::Float), Some("seconds".into()));
            took.buckets = vec![Number::Float(0.1), Number::Float(1.0)].into();
        },
        &["`took` of `uploads`: the type of the numbers was `duration` and is `f64`"],
    ),
    // No series changes, but stored snapshots do not merge.
    (
        |program| program.dimension("open").number = Some(NumberType::Float),
        &["`open` of `uploads`: the type of the numbers was `i64` and is `f64`"],
    ),
    (
        |program| program.dimension("sent").unit = Some("kilobytes".into()),
        &["`sent` of `uploads`: the unit was `bytes` and is `kilobytes` (uploads_sent_bytes_total)"],
    ),
    (
        |program| program.dimension("sent").unit = None,
        &["`sent` of `uploads`: the unit was `bytes` and is none (uploads_sent_bytes_total)"],
    ),
    // The series of durations are in seconds, whatever JSON shows.
    (
        |program| program.dimension("slowest").unit = Some("milliseconds".into()),
        &["`slowest` of `uploads`: the unit was `seconds` and is `milliseconds`"],
    ),
    (
        |program| program.dimension("by_route").labels = texts(&["route", "method", "host"]),
        &["`by_route` of `uploads`: the label `host` is new (uploads_by_route_total)"],
    ),
    (
        |program| program.dimension("by_route").labels = texts(&["route"]),
        &["`by_route` of `uploads`: the label `method` is gone (uploads_by_route_total)"],
    ),
    (
        |program| program.dimension("by_route").labels = texts(&["path", "method"]),
        &["`by_route` of `uploads`: the label `route` was renamed to `path` (uploads_by_route_total)"],
    ),
    // Queries do not see it, but stored snapshots are nested in this order.
    (
        |program| program.dimension("by_route").labels = texts(&["method", "route"]),
        &["`by_route` of `uploads`: the labels were `route`, `method` and are `method`, `route`"],
    ),
    (
        |program| *program.value("by_outcome") = zeros(&["success"]),
        &[
            "`by_outcome` of `uploads`: the value `failure` of the label `outcome` is gone (uploads_by_outcome_total)",
        ],
    ),
    (
        |program| *program.value("by_outcome") = zeros(&[]),
        &[
            "`by_outcome` of `uploads`: the values of the label `outcome` come with the events, without zeros before \
           (uploads_by_outcome_total)",
        ],
    ),
    (
        |program| program.dimension("took").buckets.to_mut()[1] = Number::Duration(Duration::from_secs(2)),
        &["`took` of `uploads`: the buckets changed: gone 1 s, new 2 s (uploads_took_seconds_bucket)"],
    ),
    (
        |program| program.dimension("took").buckets.to_mut().push(Number::Duration(Duration::from_secs(2))),
        &["`took` of `uploads`: the buckets changed: gone none, new 2 s (uploads_took_seconds_bucket)"],
    ),
    (
        |program| {
            let took = program.dimension("took");
            (took.buckets, took.max_buckets) = (Vec::new().into(), Some(160));
        },
        &["`took` of `uploads`: declared buckets became exponential ones (uploads_took_seconds_bucket)"],
    ),
    (
        |program| {
            let sizes = program.dimension("sizes");
            (sizes.buckets, sizes.max_buckets) = (vec![Number::Unsigned(10)].into(), None);
        },
        &["`sizes` of `uploads`: exponential buckets became declared ones (uploads_sizes_bucket)"],
    ),
    (
        |program| program.dimension("open").merge = Some(MergeRule::Max),
        &["`open` of `uploads`: the merge rule was `sum` and is `max` (uploads_open)"],
    ),
    (
        |program| program.dimension("load").merge = None,
        &["`load` of `uploads`: the merge rule was `max` and is none (uploads_load_low, uploads_load_high)"],
    ),
    (
        |program| program.dimension("open").window = Some(60),
        &["`open` of `uploads`: the window was none and is 60 s (uploads_open)"],
    ),
    (
        |program| program.dimension("slowest").window = Some(300),
        &["`slowest` of `uploads`: the window was 60 s and is 300 s (uploads_slowest_seconds)"],
    ),
    (
        |program| program.dimension("slowest").window = None,
        &["`slowest` of `uploads`: the window was 60 s and is none (uploads_slowest_seconds)"],
    ),
    (
        |program| *program.value("load") = DimensionValue::map([("low", 0.0.into())]),
        &["`load` of `uploads`: the series `uploads_load_high` are gone (uploads_load_high)"],
    ),
    // The custom dimension shows a mean in place of a number: nothing but its series says so.
    (
        |program| {
            let flying = mvx_metrics::InFlightSnapshot { started: 0, finished: 0 };
            let load = DimensionValue::map([("low", DimensionValue::InFlight(flying)), ("high", 0.0.into())]);
            *program.value("load") = load;
        },
        &[
            "`load` of `uploads`: the type of the series `uploads_load_low` was unknown and is gauge (uploads_load_low)",
        ],
    ),
    (
        |program| program.metric("downloads").events.retain(|event| *event != "download_ended"),
        &["`downloads`: it does not listen to the event type `download_ended` any more, and no metric does \
           (mvx_metrics_events_dropped_total)"],
    ),
];

const COMPATIBLE: &[Case] = &[
    (|_| (), &[]),
    (|program| program.metrics.reverse(), &[]),
    (|program| program.metric("uploads").events.reverse(), &[]),
    (
        |program| {
            let mut added = program.metric("downloads").clone();
            added.name = "copies";
            program.metrics.push(added);
        },
        &["`copies`: the metric is new"],
    ),
    (
        |program| {
            let added = dimension("retries", DimensionKind::Counter, NumberType::Unsigned, &[]);
            program.metric("uploads").dimensions.push(added);
        },
        &[
            "`retries` of `uploads`: the dimension is new; stored snapshots of the metric do not merge with new ones",
        ],
    ),
    // No totals have it, and no merging looks at it.
    (
        |program| {
            program
                .metric("uploads")
                .dimensions
                .push(DimensionDescriptor::new("note", DimensionKind::Custom));
        },
        &["`note` of `uploads`: the dimension is new"],
    ),
    (
        |program| *program.value("by_outcome") = zeros(&["success", "refused", "failure"]),
        &["`by_outcome` of `uploads`: the value `refused` of the label `outcome` is new"],
    ),
    (|program| *program.value("by_outcome") = zeros(&["failure", "success"]), &[]),
    (
        |program| program.metric("uploads").events.push("upload_retried"),
        &["`uploads`: it listens to the event type `upload_retried`"],
    ),
    // Another metric still has the series of the event type.
    (
        |program| program.metric("downloads").events.retain(|event| *event != "upload_started"),
        &["`downloads`: it does not listen to the event type `upload_started` any more"],
    ),
    (
        |program| program.metric("uploads").help = "Uploads.",
        &["`uploads`: the help text was \"Uploads to the store.\" and is \"Uploads.\""],
    ),
    (
        |program| program.metric("downloads").help = "With a\nline",
        &["`downloads`: the help text was \"\" and is \"With a\\nline\""],
    ),
    (
        |program| program.dimension("sent").help = "".into(),
        &["`sent` of `uploads`: the help text was \"All bytes.\" and is \"\""],
    ),
    (
        |program| program.dimension("by_route").limit = Some(20),
        &["`by_route` of `uploads`: the limit of labels was 10 and is 20"],
    ),
    (
        |program| program.dimension("by_route").limit = Some(5),
        &["`by_route` of `uploads`: the limit of labels was 10 and is 5"],
    ),
    (
        |program| program.dimension("busiest").keep = Some(10),
        &["`busiest` of `uploads`: the number of kept labels was 20 and is 10"],
    ),
    (
        |program| program.dimension("sizes").max_buckets = Some(20),
        &["`sizes` of `uploads`: the largest number of buckets was 160 and is 20"],
    ),
    (
        |program| program.metric("uploads").dimensions.reverse(),
        &[
            "`uploads`: the dimensions stand in another order; stored snapshots of the metric do not merge with new ones",
        ],
    ),
    (
        |program| {
            let load = [("low", 0.0.into()), ("high", 0.0.into()), ("last", 0.0.into())];
            *program.value("load") = DimensionValue::map(load);
        },
        &["`load` of `uploads`: the series `uploads_load_last` are new"],
    ),
    // A value of a custom dimension that is a text has no series.
    (
        |program| {
            let load = [("low", 0.0.into()), ("high", 0.0.into()), ("size", "small".to_owned().into())];
            *program.value("load") = DimensionValue::map(load);
        },
        &[],
    ),
    (|program| *program.value("total") = DimensionValue::Empty, &[]),
    // The values of a label that came with the events are there from the beginning.
    (
        |program| {
            let total = program.metric("downloads").dimensions.len();
            program.metric("downloads").dimensions.truncate(total);
            program.dimension("level").limit = None;
            program.metric("uploads").values.insert("level", zeros(&["north"]));
        },
        &[
            "`level` of `uploads`: the value `north` of the label `place` is new",
            "`level` of `uploads`: the limit of labels was 5 and is none",
        ],
    ),
];

fn check(cases: &[Case], severity: Severity) {
    let older = program().catalogue();
    for (change, expected) in cases {
        let mut newer = program();
        change(&mut newer);
        let diff = older.diff(&newer.catalogue());
        let text = diff.to_string();
        let (lines, summary) = text.rsplit_once('\n').unwrap_or(("", &text));
        let prefixed: Vec<String> = expected.iter().map(|line| format!("{severity}: {line}")).collect();
        assert_eq!(lines.lines().collect::<Vec<_>>(), prefixed);
        let (breaking, compatible) = match severity {
            Severity::Breaking => (expected.len(), 0),
            _ => (0, expected.len()),
        };
        let counts = format!("breaking changes: {breaking}, compatible changes: {compatible}");
        assert_eq!(summary, counts);
        assert_eq!(diff.is_breaking(), severity == Severity::Breaking);
        assert_eq!(diff.is_empty(), expected.is_empty());
    }
}

#[test]
fn ca2_each_breaking_change_is_found_and_said() {
    assert!(BREAKING.len() >= 20);
    check(BREAKING, Severity::Breaking);
}

#[test]
fn ca2_no_harmless_change_is_called_breaking() {
    assert!(COMPATIBLE.len() >= 20);
    check(COMPATIBLE, Severity::Compatible);
}

#[test]
fn ca2_breaking_changes_stand_first_and_all_by_metric_and_dimension() {
    let mut newer = program();
    newer.metric("uploads").help = "Uploads.";
    newer.dimension("sent").unit = None;
    newer.dimension("open").merge = Some(MergeRule::Max);
    newer.metric("downloads").dimensions.pop();
    newer.metric("uploads").dimensions.push(dimension(
        "a",
        DimensionKind::Counter,
        NumberType::Unsigned,
        &[],
    ));
    let diff = program().catalogue().diff(&newer.catalogue());
    let places: Vec<_> = diff
        .changes
        .iter()
        .map(|change| (change.severity, &*change.metric, change.dimension.as_deref()))
        .collect();
    let expected = [
        (Severity::Breaking, "downloads", Some("open")),
        (Severity::Breaking, "uploads", Some("open")),
        (Severity::Breaking, "uploads", Some("sent")),
        (Severity::Compatible, "uploads", None),
        (Severity::Compatible, "uploads", Some("a")),
    ];
    assert_eq!(places, expected);
}

#[test]
fn ca2_dimensions_that_are_alike_are_no_renames_unless_their_help_tells() {
    let counter = |name, help: &'static str| {
        let mut declared = dimension(name, DimensionKind::Counter, NumberType::Unsigned, &[]);
        declared.help = help.into();
        declared
    };
    let with = |dimensions: Vec<DimensionDescriptor>| {
        let mut program = program();
        program.metric("downloads").dimensions = dimensions;
        program.catalogue()
    };
    let told = |older, newer| {
        let diff = with(older).diff(&with(newer));
        diff.changes.into_iter().map(|change| change.what).collect::<Vec<_>>()
    };
    let alike = told(vec![counter("a", ""), counter("b", "")], vec![counter("c", ""), counter("d", "")]);
    assert_eq!(alike.iter().filter(|what| what.contains("is gone")).count(), 2, "{alike:?}");
    let by_help =
        told(vec![counter("a", "A"), counter("b", "B")], vec![counter("c", "B"), counter("d", "A")]);
    assert_eq!(by_help, ["the dimension was renamed to `d`", "the dimension was renamed to `c`"]);
    let another = told(vec![counter("a", "Failures.")], vec![counter("b", "Retries.")]);
    assert_eq!(another[0], "the dimension is gone", "{another:?}");
    let documented = told(vec![counter("a", "")], vec![counter("b", "Now with help.")]);
    assert_eq!(documented[0], "the dimension was renamed to `b`", "{documented:?}");
}

#[test]
fn ca2_a_renamed_metric_shows_what_else_changed_in_it() {
    let mut newer = program();
    newer.metric("downloads").name = "fetches";
    newer.metric("fetches").help = "Fetches.";
    let text = program().catalogue().diff(&newer.catalogue()).to_string();
    let expected = [
        "breaking: `downloads`: the metric was renamed to `fetches` (downloads_total, downloads_open)",
        "compatible: `downloads`: the help text was \"\" and is \"Fetches.\"",
        "breaking changes: 1, compatible changes: 1",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

/// Labels without names are told apart by their order.
#[test]
fn ca2_labels_without_names_are_compared_by_their_order() {
    let with = |second: &'static str| {
        let mut program = program();
        program.dimension("by_outcome").labels = texts(&["", ""]);
        let labels = vec!["success".into(), second.into()];
        let entry = BreakdownEntry { labels, value: 0_u64.into() };
        *program.value("by_outcome") = DimensionValue::Breakdown(vec![entry]);
        program.catalogue()
    };
    assert!(with("fast").diff(&with("fast")).is_empty(), "{}", with("fast").diff(&with("fast")));
    let changes = with("fast").diff(&with("slow")).changes;
    let expected = [
        "the value `fast` of the label without a name is gone",
        "the value `slow` of the label without a name is new",
    ];
    assert_eq!(changes.iter().map(|change| &*change.what).collect::<Vec<_>>(), expected);
}

#[test]
fn ca2_hostile_names_stay_on_their_line() {
    let mut newer = program();
    newer.metric("downloads").name = "a\nbreaking: `b`\u{1b}[31m";
    newer.metric("uploads").events.push("x\ny");
    let mut older = program().catalogue();
    // The names of series are clean but in a file that somebody has edited.
    for metric in &mut older.metrics {
        metric.dimensions[0].families[0].name.push_str("\n\u{1b}[31m");
    }
    let text = older.diff(&newer.catalogue()).to_string();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.lines().all(|line| !line.contains('\u{1b}')), "{text}");
}
