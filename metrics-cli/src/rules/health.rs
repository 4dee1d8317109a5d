//! Alerts about the measurement itself: what is lost, and what does not work.

use super::Options;
use super::template::{VALUE, label};
use super::yaml::{Alert, Rule};
use crate::promql::{Selection, aggregate};

/// An alert about one of the library's families.
struct Health {
    alert: &'static str,
    when: When,
    family: &'static str,
    /// The labels beside the namespace.
    labels: &'static [&'static str],
    /// What there are so many of.
    summary: &'static str,
    description: &'static str,
}

/// When an alert has a result.
enum When {
    /// A counter grew within the window.
    Grew,
    /// Some series of a gauge are above zero.
    AboveZero(&'static str),
}

const ALERTS: [Health; 8] = [
    Health {
        alert: "MvxMetricsEventsDropped",
        when: When::Grew,
        family: "mvx_metrics_events_dropped_total",
        labels: &["event_type"],
        summary: "events were dropped",
        description: "The queue of a recorder was at its limit, so events were lost, and all metrics that count them are too low. \
                      A larger limit, the overflow policy, or `register_event_async` helps.",
    },
    Health {
        alert: "MvxMetricsEventsRejected",
        when: When::Grew,
        family: "mvx_metrics_events_rejected_total",
        labels: &[],
        summary: "events were rejected",
        description: "Events were handed back with an error: a recorder was stopped or had failed, or a wait for room ended. \
                      No metric has counted them.",
    },
    Health {
        alert: "MvxMetricsEventsDiscarded",
        when: When::Grew,
        family: "mvx_metrics_events_discarded_total",
        labels: &[],
        summary: "accepted events were discarded",
        description: "Accepted events were lost to a failure or a cancelled stop. The log says which recorder failed, and why.",
    },
    Health {
        alert: "MvxMetricsValuesInvalid",
        when: When::Grew,
        family: "mvx_metrics_values_invalid_total",
        labels: &["metric"],
        summary: "values could not be recorded",
        description: "The program records values that no dimension can have, such as infinite ones. They are in no distribution, mean or sum.",
    },
    Health {
        alert: "MvxMetricsRecorderStalled",
        when: When::AboveZero(""),
        family: "mvx_metrics_recorders_stalled",
        labels: &[],
        summary: "recorders cannot be read",
        description: "A handler makes no progress, so its recorder cannot be read. Totals show its previous values.",
    },
    Health {
        alert: "MvxMetricsRecorderFailed",
        when: When::AboveZero("state=\"FAILURE\""),
        family: "mvx_metrics_recorders",
        labels: &[],
        summary: "recorders have failed",
        description: "These recorders reject all events until they are started again. The log says why they failed.",
    },
    Health {
        alert: "MvxMetricsMetricQuarantined",
        when: When::AboveZero(""),
        family: "mvx_metrics_metrics_failed",
        labels: &["metric"],
        summary: "recorders have quarantined a metric",
        description: "The metric panicked, so it counts no more in these recorders. The log has the message of the panic.",
    },
    Health {
        alert: "MvxMetricsDimensionsLeftOut",
        when: When::AboveZero(""),
        family: "mvx_metrics_dimensions_left_out",
        labels: &[],
        summary: "dimensions are left out",
        description: "Dimensions have no series because of their names or shapes. `Exposition::skipped` and the log say which, and why.",
    },
];

pub(super) fn rules(selection: &Selection, options: &Options) -> Vec<Rule> {
    ALERTS.iter().map(|health| Rule::Alert(health.alert(selection, options))).collect()
}

impl Health {
    fn alert(&self, selection: &Selection, options: &Options) -> Alert {
        let mut by = vec![&*selection.namespace];
        by.extend(self.labels);
        let (expression, hold) = match self.when {
            When::Grew => (grew(selection, &by, self.family), None),
            When::AboveZero(matcher) => {
                let sum = aggregate("sum", &by, &selection.series(self.family, matcher));
                (format!("{sum} > 0"), Some(options.hold.clone()))
            }
        };
        let subject: Vec<String> = by.iter().map(|name| label(name)).collect();
        let subject = subject.join(", ");
        let time = if hold.is_none() { format!(" within {}", selection.window) } else { String::new() };
        Alert {
            name: self.alert.to_owned(),
            expression,
            hold,
            labels: vec![("severity", super::template::literal(&options.severity))],
            summary: format!("{subject}: {VALUE} {}{time}", self.summary),
            description: self.description.to_owned(),
        }
    }
}

/// By how much a counter grew within the window, where it did. A counter that was not there before began at zero, though no
/// scrape has seen that: a short-lived program loses its events before the first one.
fn grew(selection: &Selection, by: &[&str], family: &str) -> String {
    let (series, window) = (selection.series(family, ""), &selection.window);
    let new = aggregate("sum", by, &format!("{series} unless {series} offset {window}"));
    let increase = aggregate("sum", by, &format!("increase({series}[{window}])"));
    format!("({new} > 0) or ({increase} > 0)")
}
