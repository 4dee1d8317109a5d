//! What a person should know about a running program, the worst first.

use std::collections::BTreeSet;

use super::cut::cut;
use super::data::{Problem, ProblemKind};
use super::recorders::RecorderList;
use crate::export::Skipped;
use crate::totals::{GroupTotals, NamespaceRecorders, Totals};

/// How many problems are shown.
const MAX_PROBLEMS: usize = 100;
/// So many problems of one kind are shown in any case.
const MIN_OF_KIND: usize = 14;
/// How many problems of one kind are kept; of all others only the number is.
const MAX_OF_KIND: usize = MAX_PROBLEMS;

/// The problems of a sample, by kind.
#[derive(Debug, Default)]
pub(super) struct Problems {
    /// In the order of the kinds, at most `MAX_OF_KIND` of each.
    kept: Vec<Problem>,
    /// How many of the last kind are kept.
    kept_of_last: usize,
    total: usize,
}

impl Problems {
    /// The problems of the metrics: all but failed recorders.
    pub(super) fn of_metrics(totals: &Totals, skipped: &Result<Vec<Skipped>, String>) -> Self {
        let mut problems = Self::default();
        for group in &totals.groups {
            problems.add_quarantined(group);
        }
        for group in &totals.groups {
            let dropped = group.stats.dropped_by_type.iter().filter(|(_, count)| **count > 0);
            let dropped = dropped.map(|(event, count)| (group, event, count));
            for (group, event, count) in dropped {
                problems.add(ProblemKind::DroppedEvents, &group.namespace, event, *count, "");
            }
        }
        for group in totals.groups.iter().filter(|group| group.stats.discarded > 0) {
            let what = "lost to failed recorders";
            problems.add(
                ProblemKind::DiscardedEvents,
                &group.namespace,
                "events",
                group.stats.discarded,
                what,
            );
        }
        for NamespaceRecorders { namespace, stalled, unread, .. } in &totals.namespaces {
            let stalled = stalled.saturating_add(*unread);
            if stalled > 0 {
                let what = "a handler or another reader holds their metrics";
                problems.add(ProblemKind::StalledRecorders, namespace, "recorders", stalled, what);
            }
        }
        problems.add_left_out(totals, skipped);
        for group in &totals.groups {
            for metric in group.metrics.iter().filter(|metric| metric.invalid > 0) {
                let what = "values that are not finite, or ids that only began or only ended";
                problems.add(
                    ProblemKind::InvalidValues,
                    &group.namespace,
                    &metric.name,
                    metric.invalid,
                    what,
                );
            }
        }
        problems
    }

    /// The recorders that have failed.
    pub(super) fn of_recorders(recorders: &RecorderList) -> Self {
        let mut problems = Self::default();
        for failed in recorders.failed() {
            let state = failed.status.to_string();
            let detail = failed.failure.as_deref().unwrap_or(&state);
            problems.add(ProblemKind::FailedRecorder, &failed.namespace, &failed.id, 1, detail);
        }
        problems
    }

    fn add_quarantined(&mut self, group: &GroupTotals) {
        for (name, count) in &group.failed {
            let failure = group.metrics.get(name).and_then(|metric| metric.failed.as_deref());
            let failure = failure.unwrap_or_default();
            self.add(ProblemKind::QuarantinedMetric, &group.namespace, name, *count, failure);
        }
    }

    /// The dimensions that the totals lack, and those that an exposition skips, which names no namespace.
    fn add_left_out(&mut self, totals: &Totals, skipped: &Result<Vec<Skipped>, String>) {
        let subject = |metric: &str, dimension: &str| match dimension {
            "" => metric.to_owned(),
            dimension => format!("{}.{}", cut(metric), cut(dimension)),
        };
        let mut known = BTreeSet::new();
        for left_out in &totals.left_out {
            known.insert((&*left_out.metric, &*left_out.dimension));
            let subject = subject(&left_out.metric, &left_out.dimension);
            self.add(ProblemKind::LeftOutDimension, &left_out.namespace, &subject, 1, &left_out.reason);
        }
        match skipped {
            Ok(skipped) => {
                for Skipped { metric, dimension, reason, .. } in skipped {
                    if !known.contains(&(&**metric, &**dimension)) {
                        self.add(ProblemKind::LeftOutDimension, "", &subject(metric, dimension), 1, reason);
                    }
                }
            }
            Err(error) => self.add(ProblemKind::LeftOutDimension, "", "/metrics", 1, error),
        }
    }

    fn add(&mut self, kind: ProblemKind, namespace: &str, subject: &str, count: u64, detail: &str) {
        self.total += 1;
        if self.kept.last().is_none_or(|last| last.kind != kind) {
            self.kept_of_last = 0;
        }
        if self.kept_of_last < MAX_OF_KIND {
            self.kept_of_last += 1;
            let [namespace, subject, detail] =
                [namespace, subject, detail].map(|text| cut(text).into_owned());
            self.kept.push(Problem { kind, namespace, subject, count, detail });
        }
    }

    /// The problems of both that are shown, and how many there are.
    pub(super) fn shown(&self, others: &Self) -> (Vec<Problem>, usize) {
        let mut all: Vec<&Problem> = self.kept.iter().chain(&others.kept).collect();
        // Problems of one kind stay in their order.
        all.sort_by_key(|problem| problem.kind);
        let kinds = all.chunk_by(|left, right| left.kind == right.kind);
        let mut room = MAX_PROBLEMS - kinds.clone().map(|kind| kind.len().min(MIN_OF_KIND)).sum::<usize>();
        let mut shown = Vec::new();
        for kind in kinds {
            let further = kind.len().saturating_sub(MIN_OF_KIND).min(room);
            room -= further;
            shown.extend(kind.iter().take(MIN_OF_KIND + further).map(|problem| (*problem).clone()));
        }
        (shown, self.total + others.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(kinds: &[(ProblemKind, usize)]) -> Problems {
        let mut problems = Problems::default();
        for (kind, count) in kinds {
            (0..*count).for_each(|number| problems.add(*kind, "n", &number.to_string(), 1, ""));
        }
        problems
    }

    #[test]
    fn pg1_no_kind_of_problem_takes_the_place_of_another() {
        use ProblemKind::{DroppedEvents, FailedRecorder, InvalidValues, QuarantinedMetric};
        let metrics = problems(&[(QuarantinedMetric, 3), (DroppedEvents, 5_000), (InvalidValues, 20)]);
        let (shown, total) = metrics.shown(&problems(&[(FailedRecorder, 1_000)]));
        let count = |kind| shown.iter().filter(|problem| problem.kind == kind).count();
        assert_eq!((shown.len(), total), (100, 6_023));
        assert!(shown.is_sorted_by_key(|problem| problem.kind));
        let counts = [FailedRecorder, QuarantinedMetric, DroppedEvents, InvalidValues].map(count);
        assert_eq!(counts, [69, 3, 14, 14]);
        assert_eq!(shown[1].subject, "1");
    }

    #[test]
    fn pg1_few_problems_are_all_shown() {
        let (shown, total) = Problems::default().shown(&problems(&[(ProblemKind::FailedRecorder, 100)]));
        assert_eq!((shown.len(), total), (100, 100));
        assert_eq!(Problems::default().shown(&Problems::default()), (Vec::new(), 0));
    }
}
