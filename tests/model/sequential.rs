//! The plain sequential model: a recorder that processes each event at the moment of its acceptance.

use mvx_metrics::MetricsRecorderState;

use crate::fixtures::Plan;

use MetricsRecorderState::{Failure, Running, Stopped, Virgin};

/// The kinds of events that the model tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Small,
    Panicking,
    Large,
}

impl Kind {
    pub fn is_small(self) -> bool {
        self != Self::Large
    }
}

/// A metric that counts small events from a position on.
#[derive(Debug, Clone, Copy)]
struct Counted {
    name: &'static str,
    fragile: bool,
    from: usize,
    /// Where it panicked.
    broke_at: Option<usize>,
}

#[derive(Debug)]
pub struct Model {
    pub state: MetricsRecorderState,
    pub plan: Option<Plan>,
    pub fails_with_metric: bool,
    /// All accepted events, in order.
    pub accepted: Vec<(u64, Kind)>,
    pub dropped: [u64; 2],
    pub rejected: u64,
    pub calls: u64,
    /// How many events are applied before the failure. Later ones are discarded.
    pub processed_before_failure: Option<usize>,
    pub starts: usize,
    pub changes: usize,
    pub stops: usize,
    metrics: Vec<Counted>,
}

impl Model {
    pub fn new(plan: Option<Plan>, fails_with_metric: bool) -> Self {
        Self {
            state: Virgin,
            plan,
            fails_with_metric,
            accepted: Vec::new(),
            dropped: [0, 0],
            rejected: 0,
            calls: 0,
            processed_before_failure: None,
            starts: 0,
            changes: 0,
            stops: 0,
            metrics: Vec::new(),
        }
    }

    pub fn has_failed(&self) -> bool {
        self.state == Failure
    }

    /// Starts a recorder that is VIRGIN or STOPPED. Returns whether it runs.
    pub fn start(&mut self) -> bool {
        self.state = Running;
        if let Some(plan) = self.plan {
            self.starts += 1;
            if plan.starting == Some(self.starts - 1) {
                self.fail(self.accepted.len());
            }
        }
        self.state == Running
    }

    /// Stops a recorder that is RUNNING. Returns whether it has stopped.
    pub fn stop(&mut self) -> bool {
        self.state = Stopped;
        if let Some(plan) = self.plan {
            self.stops += 1;
            if plan.stopped == Some(self.stops - 1) {
                // The hook that failed was the cleanup.
                self.state = Failure;
                self.processed_before_failure = Some(self.accepted.len());
            }
        }
        self.state == Stopped
    }

    fn fail(&mut self, processed: usize) {
        self.state = Failure;
        self.processed_before_failure = Some(processed);
        if self.plan.is_some() {
            // The cleanup.
            self.stops += 1;
        }
    }

    /// Adds a metric. Returns whether it replaced one.
    pub fn register(&mut self, name: &'static str, fragile: bool) -> bool {
        let new = Counted { name, fragile, from: self.accepted.len(), broke_at: None };
        if let Some(metric) = self.metrics.iter_mut().find(|metric| metric.name == name) {
            *metric = new;
            return true;
        }
        self.metrics.push(new);
        false
    }

    /// Accepts an event and, unless the recorder has failed, applies it.
    pub fn accept(&mut self, number: u64, kind: Kind) {
        if self.state == Virgin {
            self.start();
        }
        let position = self.accepted.len();
        self.accepted.push((number, kind));
        if self.state != Running {
            return;
        }
        // The journal accepts everything.
        let mut changed = 1;
        let mut broke = false;
        for metric in self.metrics.iter_mut().filter(|metric| metric.broke_at.is_none() && kind.is_small()) {
            if metric.fragile && kind == Kind::Panicking {
                metric.broke_at = Some(position);
                broke = true;
            } else {
                changed += 1;
            }
        }
        let mut fails = broke && self.fails_with_metric;
        if let Some(plan) = self.plan {
            for _ in 0..changed {
                self.changes += 1;
                if plan.changed == Some(self.changes - 1) {
                    fails = true;
                    break;
                }
            }
        }
        if fails {
            self.fail(position + 1);
        }
    }

    /// The snapshot of a recorder that has applied this many events: the name and total of each metric, and whether it failed.
    pub fn shown(&self, processed: usize) -> Vec<(&'static str, u64, bool)> {
        let shown = self.metrics.iter().map(|metric| {
            let until = metric.broke_at.unwrap_or(processed).max(metric.from);
            let seen = &self.accepted[metric.from.min(processed)..until.min(processed)];
            let total = seen.iter().filter(|(_, kind)| kind.is_small()).count();
            (metric.name, total as u64, metric.broke_at.is_some_and(|position| position < processed))
        });
        shown.collect()
    }

    /// Every call was accepted, dropped or rejected.
    pub fn check_calls(&self) {
        assert_eq!(self.calls, self.accepted.len() as u64 + self.dropped.iter().sum::<u64>() + self.rejected);
    }
}
