//! One row of the table: how the recorders are used, and what is measured.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{Counter, Metric, MetricsRecorder, MetricsRuntime, RecorderOptions, metric_event};

use crate::process::{peak_bytes, resident_bytes, wait_until_quiet};

/// How many recorders have an event in each millisecond of a paced row.
const PACE: usize = 20;
/// More than a segment.
const MANY_EVENTS: u64 = 300;

#[metric_event]
struct Used {
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(Used))]
struct Uses {
    total: Counter,
}

/// When the events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// One event for each recorder, as fast as possible.
    Burst,
    /// One event for each recorder, for [`PACE`] of them in each millisecond.
    Paced,
    /// As `Burst`, with [`MANY_EVENTS`].
    Many,
    /// One event for each recorder right after its creation. The last pattern, because its row needs the one before.
    Interleaved,
}

pub const PATTERNS: [Pattern; 4] = [Pattern::Burst, Pattern::Paced, Pattern::Many, Pattern::Interleaved];

impl Pattern {
    fn title(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Paced => "paced",
            Self::Many => "300 events",
            Self::Interleaved => "interleaved",
        }
    }
}

pub struct Case {
    pub pattern: Pattern,
    pub limit: usize,
    pub recorders: usize,
}

/// Bytes and nanoseconds of one recorder.
pub struct Measured {
    /// Resident bytes before it has a metric. `None`, as `before`, if there is no such moment.
    pub created: Option<i64>,
    /// Resident bytes before the first event.
    pub before: Option<i64>,
    /// Resident bytes after the events, on top of `before`.
    pub quiet: i64,
    /// The same after a second round of events.
    pub second: i64,
    pub peak: i64,
    /// How long a call takes that hands over the first event.
    pub first_call: Option<i64>,
    /// How long a call takes that hands over the first event after a pause.
    pub later_call: Option<i64>,
}

impl Case {
    pub fn title(&self) -> String {
        format!("{}, limit {}", self.pattern.title(), self.limit)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let title = parts.next()?;
        let pattern = PATTERNS.into_iter().find(|pattern| pattern.title() == title)?;
        Some(Self { pattern, limit: parts.next()?.parse().ok()?, recorders: parts.next()?.parse().ok()? })
    }

    pub fn measure(&self) -> Measured {
        let runtime = MetricsRuntime::new("memory").expect("a valid namespace");
        runtime.start().expect("it starts");
        // The loop's thread, its lists and the first segment.
        let first = recorder(&runtime, "first", self.limit);
        measure_uses(&first);
        first.emit(Used { bytes: 1 });
        let mut recorders = Vec::with_capacity(self.recorders);
        recorders.resize_with(self.recorders, || None);
        wait_until_quiet();

        let resident = || resident_bytes().expect("Linux tells it");
        let count = i64::try_from(self.recorders).expect("not that many");
        let empty = resident();
        let is_interleaved = self.pattern == Pattern::Interleaved;
        for (number, place) in recorders.iter_mut().enumerate() {
            let recorder = place.insert(recorder(&runtime, &format!("recorder {number}"), self.limit));
            if is_interleaved {
                measure_uses(recorder);
                recorder.emit(Used { bytes: 1 });
            }
        }
        let recorders: Vec<MetricsRecorder> = recorders.into_iter().flatten().collect();
        let created = resident();
        let before = if is_interleaved {
            empty
        } else {
            recorders.iter().for_each(measure_uses);
            resident()
        };
        let first_call = (!is_interleaved).then(|| self.round(&recorders));
        wait_until_quiet();
        let quiet = resident();
        let later_call = self.round(&recorders);
        wait_until_quiet();
        Measured {
            created: (!is_interleaved).then(|| (created - empty) / count),
            before: (!is_interleaved).then(|| (before - empty) / count),
            quiet: (quiet - before) / count,
            second: (resident() - before) / count,
            peak: (peak_bytes().expect("Linux tells it") - before) / count,
            first_call,
            later_call: Some(later_call),
        }
    }

    /// Emits the events of the pattern; returns how many nanoseconds a recorder's first call took: the median.
    fn round(&self, recorders: &[MetricsRecorder]) -> i64 {
        let begin = Instant::now();
        let events = if self.pattern == Pattern::Many { MANY_EVENTS } else { 1 };
        let mut times = Vec::with_capacity(recorders.len());
        for (number, recorder) in recorders.iter().enumerate() {
            if self.pattern == Pattern::Paced && number.is_multiple_of(PACE) {
                let due = begin + Duration::from_millis((number / PACE) as u64);
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            let call = Instant::now();
            recorder.emit(Used { bytes: 1 });
            times.push(call.elapsed());
            (1..events).for_each(|bytes| recorder.emit(Used { bytes }));
        }
        times.sort_unstable();
        i64::try_from(times[times.len() / 2].as_nanos()).expect("a call takes no centuries")
    }
}

fn recorder(runtime: &MetricsRuntime, id: &str, limit: usize) -> MetricsRecorder {
    let options = RecorderOptions::new().queue_max_size(limit);
    runtime.create_recorder_with(id, options).expect("a fresh id")
}

fn measure_uses(recorder: &MetricsRecorder) {
    recorder.register_metric(Uses::default()).expect("it runs");
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.pattern.title(), self.limit, self.recorders)
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quiet, second, peak, .. } = self;
        let known =
            |figure: Option<i64>| figure.map_or_else(|| String::from("-"), |figure| figure.to_string());
        let [created, before] = [self.created, self.before].map(known);
        let [first, later] = [self.first_call, self.later_call].map(known);
        write!(formatter, "{created}:{before}:{quiet}:{second}:{peak}:{first}:{later}")
    }
}

impl Measured {
    pub fn parse(text: &str) -> Option<Self> {
        let figures: Vec<Option<i64>> = text.trim().split(':').map(|figure| figure.parse().ok()).collect();
        let &[created, before, Some(quiet), Some(second), Some(peak), first_call, later_call] =
            figures.as_slice()
        else {
            return None;
        };
        Some(Self { created, before, quiet, second, peak, first_call, later_call })
    }
}
