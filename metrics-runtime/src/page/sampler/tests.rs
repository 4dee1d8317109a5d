//! The sampler with times that the tests choose, and a runtime that it reads.

use std::cell::Cell;

use super::*;
use crate::page::data::{DimensionCard, ProblemKind};
use crate::{
    Breakdown, Counter, Histogram, Mean, Metric, MetricsRecorder, MetricsRuntime, Recent, RecorderOptions,
    Scope, Sum, Top, metric_event,
};

#[metric_event]
struct Worked {
    place: &'static str,
    bytes: u64,
}

/// Work.
#[derive(Metric, Default)]
#[metric(on(Worked))]
struct Work {
    total: Counter,
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
    #[dimension(value = bytes)]
    mean: Mean<u64>,
    #[dimension(value = bytes, buckets = [10, 100])]
    sizes: Histogram<u64>,
    lately: Recent<Counter, 3600>,
    #[dimension(by = place, limit = 20)]
    places: Breakdown<String, Counter>,
    #[dimension(by = place, value = bytes, keep = 4)]
    heaviest: Top<String, Sum<u64>>,
    #[dimension(by = place, value = bytes, limit = 20, buckets = [10, 100])]
    sizes_by_place: Breakdown<String, Histogram<u64>>,
}

/// Reads a runtime, at times that a test chooses.
struct Fake {
    runtime: MetricsRuntime,
    now: Cell<Instant>,
    /// How long each sample takes.
    costs: Cell<[Duration; 2]>,
    /// How many samples were taken, of the metrics and of the recorders.
    reads: Cell<[u32; 2]>,
}

impl Fake {
    fn new() -> Self {
        let runtime = MetricsRuntime::new("sampled").expect("a valid namespace");
        runtime.start().expect("it starts");
        let (costs, reads) = (Cell::new([Duration::ZERO; 2]), Cell::new([0; 2]));
        Self { runtime, now: Cell::new(Instant::now()), costs, reads }
    }

    fn recorder(&self, id: &str) -> MetricsRecorder {
        let recorder = self.runtime.create_recorder(id).expect("the id is free");
        recorder.metric::<Work>().expect("it runs");
        recorder
    }

    fn wait(&self, duration: Duration) {
        self.now.set(self.now.get() + duration);
    }

    fn look(&self, sampler: &mut Sampler, query: &str) -> PageData {
        let (data, _) =
            sampler.look(&PageQuery::parse(query), self, self.now.get()).expect("the runtime runs");
        data
    }

    fn count_read(&self, which: usize) -> Duration {
        let mut reads = self.reads.get();
        reads[which] += 1;
        self.reads.set(reads);
        self.costs.get()[which]
    }
}

impl Source for Fake {
    fn runtimes(&self) -> Vec<(String, MetricsRuntimeState)> {
        vec![("sampled".to_owned(), self.runtime.status())]
    }

    fn read_metrics(&self) -> Result<MetricsReading, MetricsRuntimeError> {
        let cost = self.count_read(0);
        let (totals, _) = self.runtime.inner.timed_totals(Scope::Rollup)?;
        Ok(MetricsReading { totals, skipped: Ok(Vec::new()), read_at: self.now.get(), cost })
    }

    fn read_recorders(&self) -> Result<RecordersReading, MetricsRuntimeError> {
        let cost = self.count_read(1);
        let listings = vec![self.runtime.inner.list_counts()?];
        Ok(RecordersReading { listings, taken_at: Timestamp::now(), read_at: self.now.get(), cost })
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn dimension<'a>(data: &'a PageData, name: &str) -> &'a DimensionCard {
    let card = data.metrics.rows.iter().find(|card| card.name == "work").expect("the metric is shown");
    card.dimensions.iter().find(|dimension| dimension.name == name).expect("the dimension is shown")
}

fn work(recorder: &MetricsRecorder, place: &'static str, bytes: u64, count: u64) {
    (0..count).for_each(|_| recorder.emit(Worked { place, bytes }));
    recorder.flush().wait().expect("it runs");
}

#[test]
fn pg3_looks_within_a_second_share_their_samples() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    fake.recorder("one");
    assert_eq!(fake.look(&mut sampler, "").sample, 1);
    for query in ["", "sort=id", "search=x", "metric_search=y&page=2"] {
        fake.wait(SECOND / 5);
        assert_eq!(fake.look(&mut sampler, query).sample, 1);
    }
    assert_eq!(fake.reads.get(), [1, 1]);
    fake.wait(SECOND / 5);
    assert_eq!(fake.look(&mut sampler, "").sample, 2);
    assert_eq!(fake.reads.get(), [2, 2]);
}

#[test]
fn pg3_a_sample_that_took_long_is_taken_more_rarely() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    fake.recorder("one");
    // One sample of the metrics in 5 s, and one of the recorders in 2 s.
    fake.costs.set([SECOND / 20, SECOND / 50]);
    for _ in 0..100 {
        let data = fake.look(&mut sampler, "");
        assert!(data.next_look <= 2.1, "{}", data.next_look);
        fake.wait(SECOND);
    }
    let [metrics, recorders] = fake.reads.get();
    assert!((16..=20).contains(&metrics), "{metrics} samples of the metrics");
    assert!((33..=50).contains(&recorders), "{recorders} lists of the recorders");
}

/// Clients that come again after the samples are forgotten do not make first samples without end.
#[test]
fn pg3_a_slow_first_sample_is_kept_for_long() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    fake.costs.set([SECOND, SECOND]);
    fake.look(&mut sampler, "");
    let rest = sampler.forget_if_old(fake.now.get());
    assert!(rest.is_some_and(|rest| rest >= SECOND * 300), "{rest:?}");
}

/// Other threads may keep the processor from the renderer while it takes a sample.
#[test]
fn pg3_one_slow_sample_makes_no_long_pause() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    fake.recorder("one");
    let mut next_look = |sample: u64, cost: Duration| {
        fake.costs.set([cost; 2]);
        let data = fake.look(&mut sampler, "");
        assert_eq!(data.sample, sample);
        fake.wait(SECOND * 3);
        data.next_look
    };
    // The first one, a usual one, and one on a busy machine.
    for (sample, cost) in [(1, SECOND / 5), (2, SECOND / 50), (3, SECOND / 5)] {
        let pause = next_look(sample, cost);
        assert!(pause < 2.5, "{pause} s after sample {sample}");
    }
    // A second slow one in a row says that the work is more now.
    let pause = next_look(4, SECOND / 5);
    assert!(pause > 19.0, "{pause} s");
}

#[test]
fn pg3_the_next_look_is_when_a_sample_is_due() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    fake.costs.set([SECOND / 10, SECOND / 25]);
    fake.look(&mut sampler, "");
    fake.wait(SECOND * 2);
    let first = fake.look(&mut sampler, "").next_look;
    assert!((3.9..4.5).contains(&first), "{first}");
    fake.wait(SECOND * 3);
    let second = fake.look(&mut sampler, "").next_look;
    assert!((0.9..1.5).contains(&second), "{second}");
    // Never at once.
    fake.wait(Duration::from_millis(1_100));
    assert!(fake.look(&mut sampler, "").next_look >= 0.25);
}

#[test]
fn pg1_the_first_look_has_no_rates() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    work(&fake.recorder("one"), "here", 50, 3);
    let data = fake.look(&mut sampler, "");
    assert_eq!((data.sample, data.interval), (1, None));
    assert_eq!((data.namespaces[0].rate, data.recorders.rows[0].rate), (None, None));
    let sizes = dimension(&data, "sizes");
    let distribution = sizes.distribution.as_ref().expect("a histogram");
    assert_eq!((sizes.rate, distribution.count, distribution.recent.len()), (None, 3, 0));
    assert_eq!(distribution.bounds, [None, Some(10.0), Some(100.0), None]);
    assert_eq!(dimension(&data, "total").value, Some(3.0));
}

#[test]
fn pg1_rates_are_those_between_the_last_two_samples() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    let recorder = fake.recorder("one");
    work(&recorder, "here", 50, 100);
    fake.look(&mut sampler, "");
    fake.wait(SECOND * 2);
    work(&recorder, "here", 5, 6);
    work(&recorder, "there", 500, 2);
    let data = fake.look(&mut sampler, "");
    assert_eq!(data.interval, Some(2.0));
    assert_eq!((data.namespaces[0].rate, data.recorders.rows[0].rate), (Some(4.0), Some(4.0)));
    let rates = ["total", "bytes", "mean", "sizes", "lately"].map(|name| dimension(&data, name).rate);
    assert_eq!(rates, [Some(4.0), Some(515.0), Some(4.0), Some(4.0), None]);
    let sizes = dimension(&data, "sizes").distribution.as_ref().expect("a histogram");
    assert_eq!((sizes.count, &*sizes.recent), (108, &[6, 0, 2][..]));
    let by_place = dimension(&data, "sizes_by_place").distribution.as_ref().expect("histograms");
    assert_eq!((by_place.count, &*by_place.recent), (108, &[6, 0, 2][..]));
    let places = dimension(&data, "places").labels.as_ref().expect("labels");
    let rows: Vec<_> = places.rows.iter().map(|row| (&*row.label[0], row.value, row.rate)).collect();
    assert_eq!(rows, [("here", Some(106.0), Some(3.0)), ("there", Some(2.0), Some(1.0))]);
    assert_eq!((&places.names[..], places.total), (&["place".to_owned()][..], 2));
    let heaviest = dimension(&data, "heaviest");
    let rows: Vec<_> = heaviest.labels.as_ref().expect("labels").rows.iter().map(|row| row.rate).collect();
    assert_eq!((heaviest.value, rows), (Some(5_030.0), vec![Some(15.0), None]));
    // The same sample has the same rates.
    assert_eq!(fake.look(&mut sampler, "").metrics, data.metrics);
    fake.wait(SECOND);
    let quiet = fake.look(&mut sampler, "");
    assert_eq!((quiet.interval, dimension(&quiet, "total").rate), (Some(1.0), Some(0.0)));
    assert_eq!(quiet.recorders.rows[0].rate, Some(0.0));
}

#[test]
fn pg1_what_is_in_one_sample_only_has_no_rate() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    work(&fake.recorder("old"), "here", 50, 1);
    fake.look(&mut sampler, "");
    fake.wait(SECOND);
    let options = RecorderOptions::new().namespace("new");
    let recorder = fake.runtime.create_recorder_with("young", options).expect("the id is free");
    recorder.metric::<Work>().expect("it runs");
    work(&recorder, "here", 50, 5);
    let data = fake.look(&mut sampler, "sort=id");
    let rates: Vec<_> = data.recorders.rows.iter().map(|row| (&*row.id, row.rate)).collect();
    assert_eq!(rates, [("old", Some(0.0)), ("young", None)]);
    let rates: Vec<_> = data.namespaces.iter().map(|row| (&*row.namespace, row.rate)).collect();
    assert_eq!(rates, [("new", None), ("sampled", Some(0.0))]);
    let rates: Vec<_> = data.metrics.rows.iter().map(|card| card.dimensions[0].rate).collect();
    assert_eq!(rates, [None, Some(0.0)]);
}

#[test]
fn pg1_a_recorder_with_the_id_of_a_removed_one_has_no_rate() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    work(&fake.recorder("one"), "here", 50, 9);
    fake.look(&mut sampler, "");
    fake.runtime.stop_and_remove_recorder("one").expect("it ends");
    work(&fake.recorder("one"), "here", 50, 2);
    fake.wait(SECOND);
    let data = fake.look(&mut sampler, "");
    assert_eq!((data.recorders.rows[0].accepted, data.recorders.rows[0].rate), (2, None));
    // The namespace counts on.
    assert_eq!((data.namespaces[0].accepted, data.namespaces[0].rate), (11, Some(2.0)));
    assert_eq!(dimension(&data, "total").rate, Some(2.0));
}

#[test]
fn pg1_a_replaced_metric_has_no_negative_rate() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    let recorder = fake.recorder("one");
    work(&recorder, "here", 50, 9);
    fake.look(&mut sampler, "");
    fake.wait(SECOND);
    recorder.register_metric(Work::default()).expect("it runs");
    work(&recorder, "here", 50, 4);
    let data = fake.look(&mut sampler, "");
    let all = data.metrics.rows.iter().flat_map(|card| &card.dimensions);
    for dimension in all {
        assert!(dimension.rate.is_none_or(|rate| rate >= 0.0), "{dimension:?}");
        let rows = dimension.labels.iter().flat_map(|labels| &labels.rows);
        assert!(rows.filter_map(|row| row.rate).all(|rate| rate >= 0.0), "{dimension:?}");
    }
    // A rollup keeps what the replaced one has counted.
    assert_eq!((dimension(&data, "total").value, dimension(&data, "total").rate), (Some(13.0), Some(4.0)));
}

#[test]
fn pg1_a_change_of_state_is_shown_at_once() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    let recorder = fake.recorder("one");
    fake.costs.set([SECOND; 2]);
    fake.look(&mut sampler, "");
    work(&recorder, "here", 50, 4);
    fake.runtime.shutdown().expect("it ends");
    fake.wait(SECOND / 10);
    let data = fake.look(&mut sampler, "");
    assert_eq!((data.sample, dimension(&data, "total").value), (2, Some(4.0)));
    assert_eq!(data.runtimes[0].status, MetricsRuntimeState::Closed);
    // The numbers of the recorders in the final list are others, so they tell no rate.
    assert_eq!((data.recorders.rows[0].accepted, data.recorders.rows[0].rate), (4, None));
    fake.wait(SECOND * 200);
    assert_eq!(fake.look(&mut sampler, "").recorders.rows[0].accepted, 4);
}

#[test]
fn pg3_samples_that_nobody_looks_at_are_forgotten() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    fake.recorder("one");
    assert_eq!(sampler.forget_if_old(fake.now.get()), None);
    fake.look(&mut sampler, "");
    fake.wait(SECOND * 10);
    assert_eq!(sampler.forget_if_old(fake.now.get()), Some(SECOND * 20));
    fake.look(&mut sampler, "");
    fake.wait(SECOND * 29);
    assert!(sampler.forget_if_old(fake.now.get()).is_some() && sampler.metrics.is_some());
    fake.wait(SECOND);
    assert_eq!(sampler.forget_if_old(fake.now.get()), None);
    assert!(sampler.metrics.is_none() && sampler.recorders.is_none());
    // The next client begins anew, with a number that no client has seen.
    let data = fake.look(&mut sampler, "");
    assert_eq!((data.sample, data.interval), (3, None));
}

#[test]
fn pg3_samples_that_took_long_are_kept_for_longer() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    fake.costs.set([SECOND / 5, Duration::ZERO]);
    fake.look(&mut sampler, "");
    fake.wait(SECOND * 40);
    let data = fake.look(&mut sampler, "");
    assert_eq!(data.interval, Some(40.0));
}

#[test]
fn pg1_before_the_start_there_is_an_error_and_then_the_data() {
    let runtime = MetricsRuntime::new("virgin").expect("a valid namespace");
    let fake = Fake { runtime, ..Fake::new() };
    let mut sampler = Sampler::default();
    let query = PageQuery::parse("");
    let error = sampler.look(&query, &fake, fake.now.get()).expect_err("it was not started");
    assert!(matches!(error, MetricsRuntimeError::InvalidState { .. }), "{error}");
    fake.runtime.start().expect("it starts");
    assert_eq!(fake.look(&mut sampler, "").sample, 1);
}

#[test]
fn pg1_what_the_exposition_skips_is_a_problem() {
    struct Skips(Fake, Result<Vec<Skipped>, String>);

    impl Source for Skips {
        fn runtimes(&self) -> Vec<(String, MetricsRuntimeState)> {
            self.0.runtimes()
        }

        fn read_metrics(&self) -> Result<MetricsReading, MetricsRuntimeError> {
            Ok(MetricsReading { skipped: self.1.clone(), ..self.0.read_metrics()? })
        }

        fn read_recorders(&self) -> Result<RecordersReading, MetricsRuntimeError> {
            self.0.read_recorders()
        }
    }

    let (metric, dimension) = ("jobs".to_owned(), "done".to_owned());
    let skipped = Skipped { metric, dimension, family: "jobs_done".to_owned(), reason: "taken".to_owned() };
    for (skipped, subject, detail) in [
        (Ok(vec![skipped]), "jobs.done", "taken"),
        (Err("a bad label".to_owned()), "/metrics", "a bad label"),
    ] {
        let source = Skips(Fake::new(), skipped);
        let (data, _) =
            Sampler::default().look(&PageQuery::parse(""), &source, source.0.now.get()).expect("it runs");
        let [problem] = &data.problems[..] else { panic!("{:?}", data.problems) };
        assert_eq!((problem.kind, &*problem.subject), (ProblemKind::LeftOutDimension, subject));
        assert_eq!((&*problem.detail, data.problems_total), (detail, 1));
    }
}

#[test]
fn pg3_clients_that_look_again_at_a_sample_do_not_search_it_again() {
    let (fake, mut sampler) = (Fake::new(), Sampler::default());
    (0..50).for_each(|number| drop(fake.recorder(&format!("recorder-{number:02}"))));
    fake.costs.set([SECOND; 2]);
    let page = |sampler: &mut Sampler, query: &str| fake.look(sampler, query).recorders;
    let first = page(&mut sampler, "sort=id&size=3");
    assert_eq!(page(&mut sampler, "sort=id&size=3&metric_page=2"), first);
    let kept = |sampler: &Sampler| sampler.recorders.as_ref().map_or(0, |sample| sample.pages.len());
    assert_eq!(kept(&sampler), 1);
    // Each part of the query is told apart.
    let others = [
        "sort=id&size=4",
        "sort=id&size=3&page=2",
        "sort=id&size=3&order=desc",
        "sort=age&order=asc&size=3",
        "sort=id&size=3&search=1",
        "sort=id&size=3&namespace=x",
    ];
    for (query, pages) in others.into_iter().zip(2..) {
        assert_ne!(page(&mut sampler, query), first, "{query}");
        assert_eq!(kept(&sampler), pages);
    }
    for size in 5..100 {
        assert_eq!(page(&mut sampler, &format!("size={size}")).size, size);
    }
    assert_eq!(kept(&sampler), MAX_PAGES);
}
