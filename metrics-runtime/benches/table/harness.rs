//! How subjects are measured: rounds, with their threads and bursts.

use std::marker::PhantomData;
use std::thread;
use std::time::{Duration, Instant};

use crate::cpu_time;
use crate::figure::{Figure, as_float, mean, median, nanoseconds, quantile};
use crate::subject::{Counted, Producer, Setup, Subject, numbers};
use crate::syscalls;
use crate::threads::{self, SpinBarrier};
use crate::workload::SaveFinished;

/// The events of one burst; two producers together stay within the pending limit.
pub const BURST: u64 = 4_096;

/// The bursts of one round.
const BURSTS: usize = 60;
/// How long events are produced in one round of sustained traffic.
const SUSTAINED_ROUND: Duration = Duration::from_millis(80);
/// The events of one round at a given pace.
pub const PACED_EVENTS: u64 = 1_000_000;
/// The time between lone events: long enough for a consumer to have finished the one before.
const LONE_GAP: Duration = Duration::from_micros(50);
const LONE_EVENTS: usize = 1_000;

/// The cost of an event after a pause.
#[derive(Debug, Clone, Copy)]
pub struct LoneCost {
    pub median_ns: f64,
    pub p99_ns: f64,
    /// The share of calls that entered the kernel. `None` on systems that do not show it.
    pub with_syscall: Option<f64>,
}

/// A subject with its setup, of any type.
pub trait Participant {
    fn name(&self) -> &'static str;

    fn takes(&self, producers: usize) -> bool;

    /// Nanoseconds per event on a producer's thread: the median burst of a round.
    fn burst_round(&self, producers: usize) -> f64;

    /// Nanoseconds of CPU per event, until all events are applied: of the producers in their bursts, and of all other threads.
    /// NaN on systems without such a clock.
    fn cpu_round(&self, producers: usize) -> f64;

    /// Nanoseconds per event of all producers together, until the last event is applied.
    fn sustained_round(&self, producers: usize) -> f64;

    /// The cost of a call shortly after another one that is done.
    fn lone_round(&self) -> LoneCost;
}

/// Measures the participants in turn, ours between any two peers, because a machine's speed drifts and single runs have
/// modes. Our figure comes first.
pub fn alternate(
    rounds: usize,
    ours: &dyn Participant,
    peers: &[&dyn Participant],
    measure: impl Fn(&dyn Participant) -> f64,
) -> Vec<Figure> {
    let mut our_figure = Figure::new(ours.name());
    let mut figures: Vec<_> = peers.iter().map(|peer| Figure::new(peer.name())).collect();
    for _ in 0..rounds {
        for (peer, figure) in peers.iter().zip(&mut figures) {
            figure.push(measure(*peer));
            our_figure.push(measure(ours));
        }
    }
    figures.insert(0, our_figure);
    figures
}

/// The participant that sets up the subject `S` in the same way for every round.
pub struct Trial<S> {
    name: &'static str,
    setup: Setup,
    subject: PhantomData<fn() -> S>,
}

impl<S: Subject> Trial<S> {
    pub const fn new() -> Self {
        Self { name: S::NAME, setup: Setup::DEFAULT, subject: PhantomData }
    }

    /// The participant under another name and with this many metrics on the event.
    pub fn with_metrics(self, name: &'static str, metrics: usize) -> Self {
        Self { name, setup: Setup { metrics, ..self.setup }, ..self }
    }

    /// Offers events at a given pace, each once; returns how many were refused.
    pub fn paced_round(&self, pace: Duration) -> f64 {
        let subject = self.start(1);
        let refused = threads::on_core(Some(0), || paced_thread(&mut subject.producer(), pace));
        drain(&subject, PACED_EVENTS - refused);
        assert_eq!(subject.finish().total, PACED_EVENTS - refused, "{} counts", S::NAME);
        as_float(refused)
    }

    /// Starts the subject. With one producer, the subject gets another core than the producer.
    fn start(&self, producers: usize) -> S {
        let core = (producers == 1).then_some(1);
        // A burst of all producers finds room.
        let pending_limit = self.setup.pending_limit.max(producers * usize::try_from(BURST).unwrap_or(0));
        threads::on_core(core, || S::start(Setup { pending_limit, ..self.setup }))
    }
}

impl<S: Subject> Participant for Trial<S> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn takes(&self, producers: usize) -> bool {
        producers <= S::MAX_PRODUCERS
    }

    fn burst_round(&self, producers: usize) -> f64 {
        let subject = self.start(producers);
        let barrier = SpinBarrier::new(producers);
        let threads = in_parallel(producers, |index| burst_thread(&subject, &barrier, index));
        check(subject, &vec![BURSTS as u64 * BURST; producers]);
        let bursts = BURSTS / 5..BURSTS;
        median(bursts.map(|burst| mean(threads.iter().map(|times| times[burst]))).collect())
    }

    fn cpu_round(&self, producers: usize) -> f64 {
        let subject = self.start(producers);
        let barrier = SpinBarrier::new(producers);
        let cpu_times = || Some((cpu_time::of_process()?, cpu_time::of_thread()?));
        let before = cpu_times();
        let threads = in_parallel(producers, |index| cpu_thread(&subject, &barrier, index));
        let after = cpu_times();
        check(subject, &vec![BURSTS as u64 * BURST; producers]);
        let (Some((process_before, main_before)), Some((process, main))) = (before, after) else {
            return f64::NAN;
        };
        let in_bursts: Duration = threads.iter().map(|thread| thread.0).sum();
        let of_producers: Duration = threads.iter().map(|thread| thread.1).sum();
        let of_others = process
            .saturating_sub(process_before)
            .saturating_sub(main.saturating_sub(main_before) + of_producers);
        nanoseconds(in_bursts + of_others) / as_float(BURSTS as u64 * BURST * producers as u64)
    }

    fn sustained_round(&self, producers: usize) -> f64 {
        let subject = self.start(producers);
        let barrier = SpinBarrier::new(producers);
        let rounds = in_parallel(producers, |index| sustained_thread(&subject, &barrier, index));
        let finished = Instant::now();
        let started = rounds.iter().map(|(started, _)| *started).min().unwrap_or(finished);
        let handed_over: Vec<u64> = rounds.iter().map(|(_, count)| *count).collect();
        drain(&subject, handed_over.iter().sum());
        let elapsed = nanoseconds(started.elapsed());
        let events = handed_over.iter().sum::<u64>();
        check(subject, &handed_over);
        elapsed / as_float(events)
    }

    fn lone_round(&self) -> LoneCost {
        let subject = self.start(1);
        let (times, with_syscall) = threads::on_core(Some(0), || lone_thread(&mut subject.producer()));
        let handed_over = 2 * LONE_EVENTS as u64;
        drain(&subject, handed_over);
        check(subject, &[handed_over]);
        let clock = clock_cost();
        LoneCost {
            median_ns: quantile(times.clone(), 0.5) - clock,
            p99_ns: quantile(times, 0.99) - clock,
            with_syscall,
        }
    }
}

/// Runs `action` on this many threads, each on a core of its own.
fn in_parallel<T: Send>(count: usize, action: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let action = &action;
    let run = |index| {
        move || {
            threads::pin(index);
            action(index)
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|index| scope.spawn(run(index))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a producer panicked")).collect()
    })
}

/// Produces bursts, which are drained in between. Returns the nanoseconds per event of each burst.
fn burst_thread<S: Subject>(subject: &S, barrier: &SpinBarrier, index: usize) -> Vec<f64> {
    let mut producer = subject.producer();
    let mut times = Vec::with_capacity(BURSTS);
    for first in (0..BURSTS as u64).map(|burst| burst * BURST) {
        barrier.wait();
        times.push(burst(&mut producer, numbers(index, first, BURST)));
        barrier.wait();
        if index == 0 {
            drain(subject, (first + BURST) * barrier.threads() as u64);
            subject.upkeep();
        }
    }
    times
}

/// Produces bursts, which are drained in between. Returns the thread's CPU time in the bursts, and all of it.
fn cpu_thread<S: Subject>(subject: &S, barrier: &SpinBarrier, index: usize) -> (Duration, Duration) {
    let now = || cpu_time::of_thread().unwrap_or_default();
    let mut producer = subject.producer();
    let mut in_bursts = Duration::ZERO;
    for first in (0..BURSTS as u64).map(|burst| burst * BURST) {
        barrier.wait();
        let before = now();
        burst(&mut producer, numbers(index, first, BURST));
        in_bursts += now().saturating_sub(before);
        barrier.wait();
        if index == 0 {
            drain(subject, (first + BURST) * barrier.threads() as u64);
            subject.upkeep();
        }
    }
    (in_bursts, now())
}

/// Hands over a burst and returns its nanoseconds per event.
fn burst(producer: &mut impl Producer, numbers: std::ops::Range<u64>) -> f64 {
    let mut refused = 0_u64;
    let started = Instant::now();
    for number in numbers {
        refused += u64::from(producer.hand_over(SaveFinished::number(number)).is_err());
    }
    let elapsed = nanoseconds(started.elapsed());
    assert_eq!(refused, 0, "a burst within the limit was refused");
    elapsed / as_float(BURST)
}

/// Produces as fast as the subject accepts, for the time of a round. Returns the start and the number of events.
fn sustained_thread<S: Subject>(subject: &S, barrier: &SpinBarrier, index: usize) -> (Instant, u64) {
    let mut producer = subject.producer();
    barrier.wait();
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < SUSTAINED_ROUND {
        for number in numbers(index, count, BURST) {
            let mut event = SaveFinished::number(number);
            while let Err(refused) = producer.hand_over(event) {
                event = refused;
                thread::yield_now();
            }
        }
        count += BURST;
    }
    (started, count)
}

/// Offers small bursts of events, as many as are due by the clock.
fn paced_thread(producer: &mut impl Producer, pace: Duration) -> u64 {
    const BURST_SIZE: u64 = 16;
    let started = Instant::now();
    let mut refused = 0;
    for first in (0..PACED_EVENTS).step_by(usize::try_from(BURST_SIZE).unwrap_or(1)) {
        let due = pace * u32::try_from(first).unwrap_or(u32::MAX);
        while started.elapsed() < due {
            std::hint::spin_loop();
        }
        for number in first..PACED_EVENTS.min(first + BURST_SIZE) {
            refused += u64::from(producer.hand_over(SaveFinished::number(number)).is_err());
        }
    }
    refused
}

/// Produces lone events, first to time them and then again to see their system calls.
fn lone_thread(producer: &mut impl Producer) -> (Vec<f64>, Option<f64>) {
    let mut hand_over = |number| assert!(producer.hand_over(SaveFinished::number(number)).is_ok());
    let mut times = Vec::with_capacity(LONE_EVENTS);
    for number in numbers(0, 0, LONE_EVENTS as u64) {
        pause(LONE_GAP);
        let started = Instant::now();
        hand_over(number);
        times.push(nanoseconds(started.elapsed()));
    }
    times.drain(..LONE_EVENTS / 5);
    (
        times,
        syscalls::watch(|watch| {
            for number in numbers(0, LONE_EVENTS as u64, LONE_EVENTS as u64) {
                pause(LONE_GAP);
                watch.call(|| hand_over(number));
            }
        })
        .map(|calls| as_float(calls) / as_float(LONE_EVENTS as u64)),
    )
}

/// Waits without giving up the core.
pub fn pause(time: Duration) {
    let started = Instant::now();
    while started.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// The cost of reading the clock twice, in nanoseconds.
fn clock_cost() -> f64 {
    median((0..1_000).map(|_| nanoseconds(Instant::now().elapsed())).collect())
}

/// Waits until the subject has applied that many events.
pub fn drain(subject: &impl Subject, events: u64) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while subject.processed().is_some_and(|processed| processed < events) {
        assert!(Instant::now() < deadline, "{:?} of {events} events processed", subject.processed());
        thread::sleep(Duration::from_micros(50));
    }
}

fn check<S: Subject>(subject: S, handed_over: &[u64]) {
    assert_eq!(subject.finish(), Counted::expected(handed_over), "{} counts", S::NAME);
}
