//! The time between two events of one id: `begin`, `end` and `at`.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mvx_metrics::feed::{EventId, IdHasher};
use mvx_metrics::{Counter, HandleEvent, Histogram, InFlight, Merge, Metric, Sum, TypedMetric, metric_event};
use mvx_metrics_tests::running_runtime;
use proptest::prelude::*;

#[metric_event]
struct Started {
    id: Option<u32>,
    name: &'static str,
    since: Instant,
}

#[metric_event]
struct Ended {
    id: u64,
    name: String,
    now: Option<Instant>,
    is_final: bool,
}

#[derive(Metric, Default)]
struct Requests {
    #[dimension(on(Started, begin = id, at = since), on(Ended, end = id, at = now), limit = 3)]
    latency: Histogram<Duration>,
    #[dimension(on(Started, add), on(Ended, sub))]
    open: InFlight,
}

/// A moment so many milliseconds after a fixed one.
fn after(start: Instant, millis: u64) -> Instant {
    start + Duration::from_millis(millis)
}

fn started(id: u32, since: Instant) -> Started {
    Started { id: Some(id), name: "", since }
}

fn ended(id: u64, now: Instant) -> Ended {
    Ended { id, name: String::new(), now: Some(now), is_final: true }
}

/// Count, sum in milliseconds, and what could not be recorded.
fn latency(requests: &Requests) -> (u64, u128, u64) {
    let snapshot = requests.typed_snapshot();
    (snapshot.latency.count, snapshot.latency.sum.as_millis(), snapshot.invalid)
}

#[test]
fn dl4_the_time_between_two_events_of_one_id_is_that_of_their_instants() {
    let (mut requests, start) = (Requests::default(), Instant::now());
    assert!(requests.handle(&started(7, after(start, 1_000))));
    assert!(requests.handle(&started(8, after(start, 1_500))));
    assert!(requests.handle(&ended(8, after(start, 1_600))));
    assert_eq!(latency(&requests), (1, 100, 0));
    assert!(requests.handle(&ended(7, after(start, 11_000))));
    assert_eq!(latency(&requests), (2, 10_100, 0));
    assert_eq!(requests.typed_snapshot().latency.max.known(), Some(Duration::from_secs(10)));
}

#[test]
fn dl4_a_snapshot_forgets_no_open_id_and_open_ids_are_no_part_of_it() {
    let (mut requests, start) = (Requests::default(), Instant::now());
    requests.handle(&started(7, start));
    let mut merged = requests.typed_snapshot();
    assert_eq!(merged.latency, Requests::default().typed_snapshot().latency);
    merged.merge(&requests.typed_snapshot());
    requests.handle(&ended(7, after(start, 5)));
    assert_eq!(latency(&requests), (1, 5, 0));
}

#[test]
fn dl4_the_oldest_id_gives_way_at_the_limit_and_is_counted() {
    let (mut requests, start) = (Requests::default(), Instant::now());
    for id in 0..5 {
        requests.handle(&started(id, start));
    }
    assert_eq!(latency(&requests), (0, 0, 2));
    for id in 0..5 {
        requests.handle(&ended(id, after(start, 10)));
    }
    // 0 and 1 have no begin any more: their ends count, too.
    assert_eq!(latency(&requests), (3, 30, 4));
}

#[test]
fn dl4_an_id_that_begins_again_is_counted_and_begins_anew() {
    let (mut requests, start) = (Requests::default(), Instant::now());
    requests.handle(&started(1, start));
    requests.handle(&started(2, start));
    requests.handle(&started(1, after(start, 50)));
    assert_eq!(latency(&requests), (0, 0, 1));
    requests.handle(&started(3, start));
    // The oldest one is 2 now.
    requests.handle(&started(4, start));
    assert_eq!(latency(&requests), (0, 0, 2));
    requests.handle(&ended(1, after(start, 60)));
    assert_eq!(latency(&requests), (1, 10, 2));
}

#[test]
fn dl4_an_end_without_a_begin_is_counted() {
    let (mut requests, start) = (Requests::default(), Instant::now());
    assert!(requests.handle(&ended(1, start)));
    assert_eq!(latency(&requests), (0, 0, 1));
    requests.handle(&started(1, start));
    requests.handle(&ended(1, start));
    requests.handle(&ended(1, start));
    assert_eq!(latency(&requests), (1, 0, 2));
    let json = serde_json::to_value(requests.snapshot()).expect("it is written");
    assert_eq!(json["invalid"], 2);
}

#[test]
fn dl4_an_event_without_an_id_or_without_a_time_does_nothing() {
    #[derive(Metric, Default)]
    struct Only {
        #[dimension(on(Started, begin = id, at = since), on(Ended, end = id, at = now), limit = 3)]
        latency: Histogram<Duration>,
    }

    let (mut only, start) = (Only::default(), Instant::now());
    assert!(!only.handle(&Started { id: None, name: "", since: start }));
    assert!(only.handle(&started(1, start)));
    assert!(!only.handle(&Ended { now: None, ..ended(1, start) }));
    assert!(!only.handle(&Ended { now: None, ..ended(9, start) }));
    assert_eq!(only.typed_snapshot().invalid, 0);
    assert!(only.handle(&ended(1, after(start, 3))));
    assert_eq!(only.latency.sum(), Duration::from_millis(3));
}

#[test]
fn dl4_an_end_before_its_begin_is_no_time_at_all() {
    let (mut requests, start) = (Requests::default(), Instant::now());
    requests.handle(&started(1, after(start, 10)));
    requests.handle(&ended(1, start));
    assert_eq!(latency(&requests), (1, 0, 0));
}

#[test]
#[cfg_attr(miri, ignore = "1,000 ids take minutes")]
fn dl4_an_id_that_never_ends_blocks_no_other_one() {
    let (mut requests, start) = (Requests::default(), Instant::now());
    for id in 0..1_000_u32 {
        // Three of four never end.
        requests.handle(&started(id, start));
        if id % 4 == 3 {
            requests.handle(&ended(id.into(), after(start, 1)));
        }
    }
    let (count, sum, _) = latency(&requests);
    assert_eq!((count, sum), (250, 250));
}

/// Two sorts of id, conditions, sources of all kinds and declared buckets.
#[derive(Metric, Default)]
struct Forms {
    #[dimension(
        on(Started, begin = name, at = |e| e.since),
        on(Ended, end = |e| Arc::<str>::from(&*e.name), at = Ended::now, when = |e| e.is_final),
        limit = MAX_OPEN,
        buckets = [0.001, 1],
    )]
    names: Histogram<Duration>,
    #[dimension(
        on(Started, begin = |e| (e.name, NonZeroU64::new(7)), at = since, when = |e| e.id != Some(0)),
        on(Ended, end = |e| (&e.name, 7_u8), at = now),
        limit = 10,
        max_buckets = 4
    )]
    tuples: Histogram<Duration>,
    #[dimension(on(Started, begin = RequestId::of, at = |e| tokio::time::Instant::from_std(e.since)), on(Ended, end = id, at = now), limit = 10)]
    own_types: Latency,
}

type Latency = Histogram<Duration>;

const MAX_OPEN: usize = 2;

impl Ended {
    fn now(&self) -> Option<Instant> {
        self.now
    }
}

struct RequestId(u16);

impl RequestId {
    fn of(event: &Started) -> Option<Self> {
        u16::try_from(event.id?).ok().map(Self)
    }
}

impl EventId for RequestId {
    type Like = u64;

    fn hash_id(&self, hasher: &mut IdHasher) -> bool {
        self.0.hash_id(hasher)
    }
}

#[test]
fn dl4_ids_are_equal_whatever_their_types_and_all_sources_and_buckets_work() {
    let (mut forms, start) = (Forms::default(), Instant::now());
    forms.handle(&Started { id: Some(0), name: "a", since: start });
    forms.handle(&Started { id: Some(1), name: "b", since: start });
    let end = |name: &str, id, is_final, millis| Ended {
        id,
        name: name.to_owned(),
        now: Some(after(start, millis)),
        is_final,
    };
    forms.handle(&end("a", 0, false, 1_500));
    forms.handle(&end("b", 1, true, 20));
    forms.handle(&end("a", 9, true, 2_500));
    let snapshot = forms.typed_snapshot();
    let buckets = snapshot.names.buckets.explicit().unwrap_or_default();
    assert_eq!(buckets.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!((snapshot.tuples.count, snapshot.tuples.sum), (1, Duration::from_millis(20)));
    assert_eq!((snapshot.own_types.count, snapshot.own_types.sum), (2, Duration::from_millis(1_520)));
    // Two ends of `a` have no begin with an `id` that is not 0, and the id 9 has none.
    assert_eq!(snapshot.invalid, 3);
    let descriptor = forms.descriptor();
    let limits: Vec<_> = descriptor.dimensions.iter().map(|dimension| dimension.limit).collect();
    assert_eq!(limits, [None; 3], "the limit of a descriptor is that of labels");
    assert_eq!(descriptor.dimensions[1].max_buckets, Some(4));
}

#[test]
fn dl4_declared_buckets_are_there_before_the_first_end() {
    let (mut forms, start) = (Forms::default(), Instant::now());
    let bounds = |forms: &Forms| forms.typed_snapshot().names.buckets.explicit().map(<[_]>::len);
    assert_eq!(bounds(&forms), Some(3));
    forms.handle(&Started { id: None, name: "a", since: start });
    assert_eq!(bounds(&forms), Some(3));
}

#[metric_event]
enum Job {
    Queued { id: u64, at: Instant },
    Started { id: u64, at: Instant },
    Ended(u64, Instant),
    Failed(u64, Instant),
}

/// Several events begin and end, in one enum.
#[derive(Metric, Default)]
struct Jobs {
    #[dimension(on(Job::Queued, begin = id, at = at), on(Job::Started, end = id, at = at), limit = 100)]
    waiting: Histogram<Duration>,
    #[dimension(
        on(Job::Started, begin = id, at = at),
        on(Job::Ended, end = 0, at = 1),
        on(Job::Failed, end = 0, at = 1),
        limit = 100
    )]
    running: Histogram<Duration>,
    #[dimension(on(Job::Queued, add), on(Job::Ended, sub), on(Job::Failed, sub))]
    open: InFlight,
}

/// One job of which each step takes a second.
fn job(id: u64, start: Instant) -> [Job; 3] {
    let at = |seconds| start + Duration::from_secs(seconds);
    let end = if id.is_multiple_of(2) { Job::Ended(id, at(3)) } else { Job::Failed(id, at(3)) };
    [Job::Queued { id, at: at(0) }, Job::Started { id, at: at(1) }, end]
}

#[test]
fn dl4_variants_of_one_enum_begin_and_end() {
    let (mut jobs, start) = (Jobs::default(), Instant::now());
    for event in (0..10).flat_map(|id| job(id, start)) {
        assert!(jobs.handle(&event));
    }
    let snapshot = jobs.typed_snapshot();
    assert_eq!((snapshot.waiting.count, snapshot.waiting.sum), (10, Duration::from_secs(10)));
    assert_eq!((snapshot.running.count, snapshot.running.sum), (10, Duration::from_secs(20)));
    assert_eq!((snapshot.invalid, snapshot.open.current()), (0, 0));
}

#[derive(Metric, Default)]
#[metric(on(Job))]
struct Flattened {
    events: Counter,
    #[dimension(flatten(prefix = "jobs_"))]
    jobs: Jobs,
    #[dimension(on(Job::Ended, value = 0))]
    ids: Sum<u64>,
}

#[test]
#[cfg_attr(miri, ignore = "a runtime with several threads")]
fn dl4_a_recorder_measures_events_of_several_threads_also_in_a_flattened_metric() {
    let runtime = running_runtime("test.between");
    let recorder = runtime.create_recorder("jobs").expect("it is created");
    recorder.metric::<Flattened>().expect("it is registered");
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let recorder = &recorder;
            scope.spawn(move || {
                (0..25).flat_map(|id| job(thread * 25 + id, start)).for_each(|event| recorder.emit(event));
            });
        }
    });
    let snapshot = recorder.metric_snapshot::<Flattened>().expect("it is read").expect("it is registered");
    assert_eq!((snapshot.events, snapshot.invalid), (300, 0));
    assert_eq!((snapshot.jobs.running.count, snapshot.jobs.running.sum), (100, Duration::from_secs(200)));
}

#[derive(Metric)]
struct Generic<T: EventId + Send + 'static, const N: usize> {
    #[dimension(on(Step<T>::Began, begin = 0, at = 1), on(Step<T>::Ended, end = 0, at = 1), limit = N)]
    latency: Histogram<Duration>,
    #[dimension(skip)]
    id: std::marker::PhantomData<T>,
}

#[metric_event]
enum Step<T: Send + 'static> {
    Began(T, Instant),
    Ended(T, Instant),
}

#[test]
fn dl4_ids_of_generic_events_and_limits_of_generic_metrics_work() {
    let mut steps = Generic::<String, 1> { latency: Histogram::default(), id: std::marker::PhantomData };
    let start = Instant::now();
    for id in ["a", "b"] {
        steps.handle(&Step::Began(id.to_owned(), start));
    }
    steps.handle(&Step::Ended("b".to_owned(), after(start, 2)));
    assert_eq!((steps.latency.count(), steps.typed_snapshot().invalid), (1, 1));
}

#[metric_event]
struct Named {
    id: String,
    begins: bool,
    at: Instant,
}

#[derive(Metric, Default)]
struct Hostile {
    #[dimension(
        on(Begin, begin = |e| &e.0.id, at = |e| e.0.at),
        on(End, end = |e| &e.0.id, at = |e| e.0.at),
        limit = 20_000
    )]
    latency: Histogram<Duration>,
}

#[metric_event]
struct Begin(Named);

#[metric_event]
struct End(Named);

#[test]
#[cfg_attr(miri, ignore = "10,000 ids take minutes")]
fn dl4_ids_that_are_long_or_nearly_equal_are_told_apart() {
    let (mut hostile, at) = (Hostile::default(), Instant::now());
    let long = "x".repeat(10_000);
    let ids = (0..10_000).map(|index: u32| match index % 4 {
        0 => format!("{index}"),
        1 => format!("\0{}", "\0".repeat(index as usize / 40)),
        2 => format!("{long}{index}"),
        _ => format!("{index}\0"),
    });
    let ids: std::collections::BTreeSet<_> = ids.collect();
    let named = |id: &String, begins| Named { id: id.clone(), begins, at };
    for id in &ids {
        assert!(hostile.handle(&Begin(named(id, true))));
    }
    for id in &ids {
        assert!(hostile.handle(&End(named(id, false))));
    }
    assert_eq!((hostile.latency.count(), hostile.typed_snapshot().invalid), (ids.len() as u64, 0));
}

/// What a plain list of the open ids does.
#[derive(Default)]
struct Model {
    /// From the oldest to the newest.
    open: Vec<(u64, u64)>,
    times: Vec<u64>,
    invalid: u64,
}

impl Model {
    fn begin(&mut self, id: u64, at: u64, limit: usize) {
        let before = self.open.len();
        self.open.retain(|(open, _)| *open != id);
        self.invalid += (before - self.open.len()) as u64;
        if self.open.len() == limit {
            self.open.remove(0);
            self.invalid += 1;
        }
        self.open.push((id, at));
    }

    fn end(&mut self, id: u64, at: u64) {
        match self.open.iter().position(|(open, _)| *open == id) {
            Some(position) => self.times.push(at.saturating_sub(self.open.remove(position).1)),
            None => self.invalid += 1,
        }
    }
}

/// A metric with this limit, and the same calls of the model.
macro_rules! agrees {
    ($limit:literal, $calls:expr) => {{
        #[derive(Metric, Default)]
        struct Limited {
            #[dimension(on(Job::Queued, begin = id, at = at), on(Job::Ended, end = 0, at = 1), limit = $limit)]
            latency: Histogram<Duration>,
        }

        let (mut metric, mut model, start) = (Limited::default(), Model::default(), Instant::now());
        for (begins, id, millis) in $calls {
            let at = after(start, *millis);
            if *begins {
                model.begin(*id, *millis, $limit);
                metric.handle(&Job::Queued { id: *id, at });
            } else {
                model.end(*id, *millis);
                metric.handle(&Job::Ended(*id, at));
            }
            let mut expected = Histogram::default();
            model.times.iter().for_each(|millis| expected.record(Duration::from_millis(*millis)));
            let snapshot = metric.typed_snapshot();
            prop_assert_eq!(snapshot.latency, mvx_metrics::Dimension::read(&expected));
            prop_assert_eq!(snapshot.invalid, model.invalid);
        }
    }};
}

proptest! {
    #[test]
    fn dl4_any_begins_and_ends_agree_with_a_plain_list(
        calls in prop::collection::vec((any::<bool>(), 0..6_u64, 0..1_000_u64), 0..60)
    ) {
        agrees!(1, &calls);
        agrees!(3, &calls);
        agrees!(100, &calls);
    }
}

/// Begins and ends that are one event.
#[derive(Metric, Default)]
struct OfOneEvent {
    #[dimension(
        on(Named, begin = id, at = at, when = |e| e.begins),
        on(Named, end = id, at = at, when = |e| !e.begins),
        limit = 10
    )]
    latency: Histogram<Duration>,
}

#[test]
fn dl4_conditions_tell_a_begin_from_an_end_of_one_event_type() {
    let (mut metric, start) = (OfOneEvent::default(), Instant::now());
    for (begins, millis) in [(true, 0), (false, 30)] {
        assert!(metric.handle(&Named { id: "a".to_owned(), begins, at: after(start, millis) }));
    }
    assert_eq!((metric.latency.sum(), metric.typed_snapshot().invalid), (Duration::from_millis(30), 0));
}
