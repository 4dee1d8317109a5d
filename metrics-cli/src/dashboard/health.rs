//! The row for the library's own families: what arrives, what is lost, and what does not work.

use super::panel::{Draft, Query, View};
use crate::promql::{Selection, aggregate};

/// A family of the library, summed by some labels.
struct Shown {
    family: &'static str,
    labels: &'static [&'static str],
    legend: &'static str,
}

struct Health {
    title: &'static str,
    description: &'static str,
    view: View,
    shown: &'static [Shown],
}

const PANELS: [Health; 10] = [
    Health {
        title: "Events",
        description: "Accepted events were taken into a queue, and processed ones were applied to the metrics.",
        view: View::Lines,
        shown: &[
            Shown { family: "mvx_metrics_events_accepted_total", labels: &[], legend: "accepted" },
            Shown { family: "mvx_metrics_events_processed_total", labels: &[], legend: "processed" },
        ],
    },
    Health {
        title: "Pending events",
        description: "Accepted events that are not processed yet.",
        view: View::Lines,
        shown: &[Shown { family: "mvx_metrics_events_pending", labels: &[], legend: "pending" }],
    },
    Health {
        title: "Dropped events by type",
        description: "Events that were lost because the queue was at its limit.",
        view: View::Stacked,
        shown: &[Shown {
            family: "mvx_metrics_events_dropped_total",
            labels: &["event_type"],
            legend: "{{event_type}}",
        }],
    },
    Health {
        title: "Rejected and discarded events",
        description: "Rejected events were handed back with an error. Discarded ones had been accepted, and were lost to a failure.",
        view: View::Lines,
        shown: &[
            Shown { family: "mvx_metrics_events_rejected_total", labels: &[], legend: "rejected" },
            Shown { family: "mvx_metrics_events_discarded_total", labels: &[], legend: "discarded" },
        ],
    },
    Health {
        title: "Recorders by state",
        description: "All registered recorders.",
        view: View::Stacked,
        shown: &[Shown { family: "mvx_metrics_recorders", labels: &["state"], legend: "{{state}}" }],
    },
    Health {
        title: "Stalled recorders",
        description: "Recorders that could not be read, because a handler makes no progress.",
        view: View::Lines,
        shown: &[Shown { family: "mvx_metrics_recorders_stalled", labels: &[], legend: "stalled" }],
    },
    Health {
        title: "Removed recorders",
        description: "Recorders that were removed. Their counts stay in the totals.",
        view: View::Lines,
        shown: &[Shown { family: "mvx_metrics_recorders_removed_total", labels: &[], legend: "removed" }],
    },
    Health {
        title: "Quarantined metrics",
        description: "In how many recorders a metric counts no more, because it panicked.",
        view: View::Lines,
        shown: &[Shown { family: "mvx_metrics_metrics_failed", labels: &["metric"], legend: "{{metric}}" }],
    },
    Health {
        title: "Invalid values",
        description: "Values that could not be recorded, such as infinite ones.",
        view: View::Lines,
        shown: &[Shown {
            family: "mvx_metrics_values_invalid_total",
            labels: &["metric"],
            legend: "{{metric}}",
        }],
    },
    Health {
        title: "Dimensions left out",
        description: "Dimensions without series, because of their names or shapes.",
        view: View::Lines,
        shown: &[Shown { family: "mvx_metrics_dimensions_left_out", labels: &[], legend: "left out" }],
    },
];

pub(super) fn panels(selection: &Selection) -> Vec<Draft> {
    let panel = |health: &Health| {
        let mut is_rate = false;
        let queries = health.shown.iter().map(|shown| {
            is_rate = shown.family.ends_with("_total");
            let expression = if is_rate {
                selection.sum_of_rates(shown.labels, shown.family, "")
            } else {
                aggregate("sum", shown.labels, &selection.series(shown.family, ""))
            };
            Query { expression, legend: shown.legend.to_owned() }
        });
        Draft {
            key: format!("health {}", health.title),
            title: health.title.to_owned(),
            description: health.description.to_owned(),
            view: health.view,
            queries: queries.collect(),
            unit: if is_rate { "cps" } else { "short" }.to_owned(),
            size: (6, 7),
        }
    };
    PANELS.iter().map(panel).collect()
}
