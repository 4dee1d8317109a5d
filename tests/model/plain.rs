//! The model: a recorder as one would write it without threads, queues and speed.

use std::collections::{BTreeMap, VecDeque};

use mvx_metrics::{MetricFailurePolicy, MetricsRecorderState, QueueOverflowPolicy, RecorderStats};

use crate::facts::Faults;
use MetricsRecorderState::{Failure, Running, Starting, Stopped, Virgin};

/// What a recorder is made with.
#[derive(Debug, Clone)]
pub struct Choices {
    pub limit: usize,
    pub overflow: QueueOverflowPolicy,
    pub metric_failure: MetricFailurePolicy,
    /// `None` for a recorder without hooks.
    pub hooks: Option<Faults>,
}

/// What a call answers: nothing, or the reason of its error.
pub type Answer = Result<(), &'static str>;

/// A recorder.
pub struct Plain {
    choices: Choices,
    pub state: MetricsRecorderState,
    /// Kind and number of the events that are pending.
    pending: VecDeque<(u8, u64)>,
    pub metrics: Vec<PlainMetric>,
    pub accepted: u64,
    pub processed: u64,
    pub discarded: u64,
    pub rejected: u64,
    pub dropped: BTreeMap<&'static str, u64>,
    /// How far the recorder got. Where a metric fails the recorder, events in a row of one type may be applied to the other
    /// metrics behind the one that failed; how many is the recorder's business.
    pub reached: u64,
    /// Calls of the hooks.
    pub starts: u32,
    pub changes: u32,
    pub stops: u32,
}

/// One metric that was ever registered.
pub struct PlainMetric {
    pub name: u8,
    /// The position of the first event it sees.
    from: u64,
    survives: Option<usize>,
    pub seen: Vec<u64>,
    pub failed: bool,
}

impl Plain {
    pub fn new(choices: Choices) -> Self {
        Self {
            choices,
            state: Virgin,
            pending: VecDeque::new(),
            metrics: Vec::new(),
            accepted: 0,
            processed: 0,
            discarded: 0,
            rejected: 0,
            dropped: BTreeMap::new(),
            reached: 0,
            starts: 0,
            changes: 0,
            stops: 0,
        }
    }

    pub fn has_hooks(&self) -> bool {
        self.choices.hooks.is_some()
    }

    fn takes(&self) -> bool {
        matches!(self.state, Virgin | Starting | Running)
    }

    /// An event is handed over.
    pub fn emit(&mut self, kind: u8, number: u64) -> Answer {
        if !self.takes() {
            self.rejected += 1;
            return Err("INVALID_RECORDER_STATE");
        }
        if self.pending.len() == self.choices.limit {
            if self.choices.overflow == QueueOverflowPolicy::Error {
                self.rejected += 1;
                return Err("QUEUE_OVERFLOW");
            }
            *self.dropped.entry(["zero", "one", "two"][usize::from(kind)]).or_default() += 1;
            return Ok(());
        }
        self.accepted += 1;
        self.pending.push_back((kind, number));
        if self.state == Virgin {
            self.state = if self.has_hooks() { Starting } else { Running };
        }
        Ok(())
    }

    /// A metric is registered; whether it replaces one.
    pub fn register(&mut self, name: u8, survives: Option<usize>) -> Result<bool, &'static str> {
        if !self.takes() {
            return Err("INVALID_RECORDER_STATE");
        }
        let replaces = self.metrics.iter().any(|metric| metric.name == name);
        self.metrics.push(PlainMetric {
            name,
            from: self.accepted,
            survives,
            seen: Vec::new(),
            failed: false,
        });
        Ok(replaces)
    }

    /// `start`, and all that follows until nothing moves any more.
    pub fn start(&mut self) -> Answer {
        let answer = match self.state {
            Virgin | Stopped if self.has_hooks() => {
                self.state = Starting;
                self.finish_start()
            }
            Virgin | Stopped => {
                self.state = Running;
                Ok(())
            }
            Starting => self.finish_start(),
            _ => Err("INVALID_RECORDER_STATE"),
        };
        self.settle();
        answer
    }

    fn finish_start(&mut self) -> Answer {
        let fault = self.choices.hooks.as_ref().and_then(|faults| faults.start);
        let call = self.starts;
        self.starts += 1;
        if fault == Some(call) {
            self.fail();
            return Err("ON_STARTING_HOOK_FAILED");
        }
        self.state = Running;
        Ok(())
    }

    /// `stop`, awaited.
    pub fn stop(&mut self) -> Answer {
        if self.state != Running {
            return Err("INVALID_RECORDER_STATE");
        }
        self.process()?;
        self.state = Stopped;
        if let Some(faults) = self.choices.hooks.clone() {
            let call = self.stops;
            self.stops += 1;
            if faults.stop == Some(call) {
                self.state = Failure;
                return Err("ON_STOPPED_HOOK_FAILED");
            }
        }
        Ok(())
    }

    /// Lets everything happen that is under way.
    pub fn settle(&mut self) {
        if self.state == Starting {
            // How it ends is in the state.
            let _ = self.finish_start();
        }
        if self.state == Running {
            // As above.
            let _ = self.process();
        }
    }

    /// A snapshot is read; it helps itself where there are no hooks.
    pub fn read(&mut self) -> Answer {
        if self.state == Running && !self.pending.is_empty() {
            if self.has_hooks() {
                return Err("WOULD_DEADLOCK");
            }
            // As above.
            let _ = self.process();
        }
        Ok(())
    }

    /// Everything ends while it is under way.
    pub fn abort(&mut self) {
        if matches!(self.state, Starting | Running) {
            self.state = MetricsRecorderState::Cancelled;
            self.discard();
        }
    }

    fn fail(&mut self) {
        self.state = Failure;
        self.discard();
        if self.has_hooks() {
            self.stops += 1;
        }
    }

    fn discard(&mut self) {
        self.discarded += self.pending.len() as u64;
        self.pending.clear();
    }

    /// Processes what is pending, or as much of it as comes before a failure.
    fn process(&mut self) -> Answer {
        while let Some(&(kind, _)) = self.pending.front() {
            // Without hooks, events of one type in a row are one run, as far as no metric begins in between.
            let position = self.processed + self.discarded;
            let begins = self.metrics.iter().map(|metric| metric.from).filter(|from| *from > position).min();
            let most = begins.map_or(u64::MAX, |from| from - position);
            let most = match self.reached.checked_sub(position) {
                _ if self.has_hooks() => 1,
                None | Some(0) => most,
                Some(reached) => most.min(reached),
            };
            let alike = self.pending.iter().take_while(|(other, _)| *other == kind).count();
            let length = alike.min(usize::try_from(most).unwrap_or(usize::MAX));
            let run: Vec<_> = self.pending.drain(..length).map(|(_, number)| number).collect();
            let (failed, accepted) = self.apply(kind, position, &run);
            self.processed += run.len() as u64;
            if failed && self.choices.metric_failure == MetricFailurePolicy::FailRecorder {
                // The others have changed, and their hooks say so before the recorder ends.
                let _ = self.announce(accepted);
                self.fail();
                return Err("METRIC_FAILED");
            }
            if let Err(reason) = self.announce(accepted) {
                self.fail();
                return Err(reason);
            }
        }
        Ok(())
    }

    /// Applies a run; whether a metric failed, and how many accepted its first event.
    fn apply(&mut self, kind: u8, position: u64, run: &[u64]) -> (bool, u32) {
        let (mut failed, mut accepted) = (false, 0);
        if kind == 2 {
            return (false, 0);
        }
        for name in 0..=u8::MAX {
            // The newest of that name that takes part.
            let mut metrics = self.metrics.iter_mut().rev();
            let Some(metric) = metrics.find(|metric| metric.name == name && metric.from <= position) else {
                continue;
            };
            for number in run {
                if metric.failed {
                    break;
                }
                if metric.survives == Some(metric.seen.len()) {
                    metric.failed = true;
                    failed = true;
                    break;
                }
                metric.seen.push(*number);
                accepted += 1;
            }
        }
        (failed, accepted)
    }

    fn announce(&mut self, accepted: u32) -> Answer {
        let Some(faults) = &self.choices.hooks else {
            return Ok(());
        };
        for _ in 0..accepted {
            let call = self.changes;
            self.changes += 1;
            if faults.change == Some(call) {
                return Err("UNEXPECTED_ERROR");
            }
        }
        Ok(())
    }

    /// The same in numbers; the recorder must have the very same.
    pub fn assert_equals(&self, stats: &RecorderStats) {
        let ours = (self.accepted, self.processed, self.discarded, self.rejected, self.pending.len() as u64);
        let theirs = (stats.accepted, stats.processed, stats.discarded, stats.rejected, stats.pending);
        assert_eq!(theirs, ours, "accepted, processed, discarded, rejected, pending");
        assert_eq!(stats.dropped_by_type, self.dropped);
        assert_eq!(stats.dropped, self.dropped.values().sum::<u64>());
    }
}
