//! The times at which the loop polls, and whether it polls at all.
//!
//! A timer and a wake-up by a producer cost about the same. So polling pays when at least one event comes between two polls. The
//! loop learns that from the past, for each poll interval:
//!
//! * *Recorders that are polled.* A recorder whose turns follow each other closely keeps its queue awake, and the loop looks at
//!   it once in an interval. The first look without an event ends that. Where many recorders share the timer, a look costs a
//!   small part of what parking and unparking cost: then up to [`MAX_EMPTY_LOOKS`] may find nothing.
//! * *Polling for requests.* All other recorders park when they are drained. If their requests follow each other closely, the
//!   loop takes them once in an interval, and they do not wake it. An interval without a request ends that.
//!
//! Each operation takes the same time for any number of recorders. Recorders with the same interval stand in a list in the order
//! of their times. A runtime has few different intervals.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What the timer adds to a time. It fires at whole milliseconds, and never early.
pub(super) const TIMER_GRANULARITY: Duration = Duration::from_millis(1);

/// Whether events that are this far apart come as often as the timer fires.
pub(super) fn polling_pays(apart: Duration, interval: Duration) -> bool {
    !interval.is_zero() && apart <= interval + TIMER_GRANULARITY
}

/// How many busy and polled recorders make the timer's own cost small for each of them.
pub(super) const MANY_RECORDERS: usize = 64;
/// How many looks cost about as much as parking a queue and unparking it.
pub(super) const MAX_EMPTY_LOOKS: u32 = 16;

/// How many looks in a row may find nothing, for a recorder whose events are this far apart. `None` when it is not polled for
/// the sake of others.
pub(super) fn empty_looks(apart: Duration, interval: Duration, shares_timer: bool) -> Option<u32> {
    let pays = shares_timer && !interval.is_zero() && apart <= MAX_EMPTY_LOOKS * interval;
    pays.then_some(MAX_EMPTY_LOOKS)
}

/// `R` is a recorder.
pub(super) struct PollTimer<R> {
    intervals: Vec<Interval<R>>,
}

/// The recorders with this poll interval.
struct Interval<R> {
    length: Duration,
    /// When the loop last took requests of these recorders.
    last_requests: Instant,
    /// When the loop takes their requests next. `None` when the next request wakes it.
    next_requests: Option<Instant>,
    /// The recorders that are polled, with their times, in order.
    polled: VecDeque<(Instant, R)>,
}

impl<R> Interval<R> {
    fn next(&self) -> Option<Instant> {
        let polled = self.polled.front().map(|(time, _)| *time);
        polled.into_iter().chain(self.next_requests).min()
    }

    /// Whether a request at this time would find polling of no use, as the first request does.
    fn is_forgotten(&self, now: Instant) -> bool {
        self.next().is_none() && !polling_pays(now.saturating_duration_since(self.last_requests), self.length)
    }
}

impl<R> PollTimer<R> {
    pub(super) const fn new() -> Self {
        Self { intervals: Vec::new() }
    }

    /// Notes that the loop takes a request of a recorder with this interval.
    pub(super) fn note_request(&mut self, length: Duration, now: Instant) {
        if length.is_zero() {
            // Such a request always wakes the loop.
            return;
        }
        match self.intervals.iter_mut().find(|interval| interval.length == length) {
            Some(interval) if interval.last_requests == now => {}
            Some(interval) => {
                let apart = now.saturating_duration_since(interval.last_requests);
                interval.last_requests = now;
                interval.next_requests = polling_pays(apart, length).then(|| now + length);
            }
            None => {
                self.add(length, now);
            }
        }
    }

    /// Polls a recorder one interval from now.
    pub(super) fn poll_later(&mut self, recorder: R, length: Duration, now: Instant) {
        let known = self.intervals.iter().position(|interval| interval.length == length);
        let at = known.unwrap_or_else(|| self.add(length, now));
        self.intervals[at].polled.push_back((now + length, recorder));
    }

    /// Adds an interval; returns its place.
    fn add(&mut self, length: Duration, now: Instant) -> usize {
        // The list is as long as there are intervals in use, whatever intervals were in use before.
        self.intervals.retain(|interval| !interval.is_forgotten(now));
        let polled = VecDeque::new();
        self.intervals.push(Interval { length, last_requests: now, next_requests: None, polled });
        self.intervals.len() - 1
    }

    /// Moves the recorders whose time has come to `due`.
    pub(super) fn take_due(&mut self, now: Instant, due: &mut Vec<R>) {
        for interval in &mut self.intervals {
            let count = interval.polled.iter().take_while(|(time, _)| *time <= now).count();
            due.extend(interval.polled.drain(..count).map(|(_, recorder)| recorder));
            interval.next_requests = interval.next_requests.filter(|time| *time > now);
        }
    }

    /// The next time at which the loop must look. `None` when it sleeps until it is woken.
    pub(super) fn next(&self) -> Option<Instant> {
        self.intervals.iter().filter_map(Interval::next).min()
    }

    /// Removes all recorders.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = R> {
        self.intervals.drain(..).flat_map(|interval| interval.polled).map(|(_, recorder)| recorder)
    }

    /// How many recorders are polled.
    pub(super) fn polled(&self) -> usize {
        self.intervals.iter().map(|interval| interval.polled.len()).sum()
    }
}

#[cfg(all(test, not(mvx_loom)))]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn due(timer: &mut PollTimer<u32>, now: Instant) -> Vec<u32> {
        let mut due = Vec::new();
        timer.take_due(now, &mut due);
        due
    }

    #[test]
    fn a_polled_recorder_is_due_after_its_interval_whatever_others_have() {
        let began = Instant::now();
        let mut timer = PollTimer::new();
        for (recorder, milliseconds) in [(0, 5), (1, 1), (2, 900), (3, 5), (4, 1)] {
            timer.poll_later(recorder, Duration::from_millis(milliseconds), began);
        }
        let mut order = Vec::new();
        while let Some(next) = timer.next() {
            let just_before = began + (next - began).saturating_sub(Duration::from_nanos(1));
            assert!(due(&mut timer, just_before).is_empty(), "nothing is early");
            order.push((next - began, due(&mut timer, next)));
        }
        let expected = [(1, vec![1, 4]), (5, vec![0, 3]), (900, vec![2])];
        assert_eq!(order, expected.map(|(milliseconds, due)| (Duration::from_millis(milliseconds), due)));
    }

    #[test]
    fn the_loop_takes_requests_on_the_timer_while_they_are_no_further_apart_than_the_timer_fires() {
        let length = 10 * MILLISECOND;
        let began = Instant::now();
        for (apart, polls) in [(MILLISECOND, true), (11 * MILLISECOND, true), (12 * MILLISECOND, false)] {
            let mut timer = PollTimer::<u32>::new();
            timer.note_request(length, began);
            assert_eq!(timer.next(), None, "the first request says nothing");
            // More requests of the same round change nothing.
            timer.note_request(length, began);
            assert_eq!(timer.next(), None);
            timer.note_request(length, began + apart);
            assert_eq!(timer.next(), polls.then(|| began + apart + length), "{apart:?}");
            assert!(due(&mut timer, began + apart + length).is_empty());
            assert_eq!(timer.next(), None, "no request has come");
        }
    }

    #[test]
    fn many_recorders_are_looked_at_a_few_times_in_vain_and_one_is_not() {
        let looks =
            |milliseconds, shares| empty_looks(Duration::from_millis(milliseconds), MILLISECOND, shares);
        assert_eq!([looks(1, true), looks(16, true)], [Some(MAX_EMPTY_LOOKS); 2]);
        assert_eq!([looks(17, true), looks(1, false)], [None; 2]);
        assert_eq!(
            empty_looks(Duration::ZERO, Duration::ZERO, true),
            None,
            "such a recorder is never polled"
        );
    }

    #[test]
    fn requests_of_one_interval_say_nothing_about_another() {
        let began = Instant::now();
        let mut timer = PollTimer::<u32>::new();
        for round in 0..10 {
            let now = began + round * 100 * MILLISECOND;
            timer.note_request(MILLISECOND, now);
            timer.note_request(1_000 * MILLISECOND, now);
            assert_eq!(timer.next(), (round > 0).then(|| now + 1_000 * MILLISECOND));
        }
    }

    #[test]
    fn requests_without_an_interval_set_no_timer() {
        let mut timer = PollTimer::<u32>::new();
        let now = Instant::now();
        (0..3).for_each(|_| timer.note_request(Duration::ZERO, now));
        assert!(timer.next().is_none() && timer.intervals.is_empty());
        assert!(!polling_pays(Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn intervals_that_are_no_longer_in_use_are_forgotten() {
        let began = Instant::now();
        let mut timer = PollTimer::new();
        timer.poll_later(0, 5_000 * MILLISECOND, began);
        for number in 1..=1_000 {
            timer.note_request(number * Duration::from_micros(1), began + 10 * number * MILLISECOND);
        }
        assert_eq!(timer.intervals.len(), 2, "the polled recorder's, and the last one");
        assert_eq!(timer.drain().collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn a_look_costs_the_same_for_any_number_of_recorders() {
        let began = Instant::now();
        let mut timer = PollTimer::new();
        for recorder in 0..10_000 {
            timer.poll_later(recorder, MILLISECOND, began + recorder * MILLISECOND);
        }
        assert_eq!(timer.intervals.len(), 1, "one list, in the order of its times");
        for recorder in 0..10_000 {
            let now = began + (recorder + 1) * MILLISECOND;
            assert_eq!(due(&mut timer, now), [recorder]);
        }
    }
}
