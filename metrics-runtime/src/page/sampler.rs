//! The sampler: the last samples of the runtimes of a service, for all who look.
//!
//! A look takes a new sample only where the last one is old enough: after a second, and after 100 times as long as a sample takes. So all
//! looks together cost about 1% of a core for the metrics, and 1% for the recorders. A sample is slow, too, when other threads keep the
//! processor from it. So the time of a sample is the shorter one of the last two readings.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::card::card;
use super::cut::cut;
use super::data::{Listed, MetricCard, NamespaceRow, PageData, RecorderRow, RuntimeRow};
use super::problems::Problems;
use super::query::{PageQuery, contains};
use super::recorders::{RecorderList, page_of, per_second};
use crate::error::MetricsRuntimeError;
use crate::export::Skipped;
use crate::runtime::Listing;
use crate::snapshot::{MetricSnapshot, Timestamp};
use crate::state::MetricsRuntimeState;
use crate::totals::{GroupTotals, Totals};

const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// A sample is old after so many times as long as it took.
const INTERVAL_FACTOR: u32 = 100;
/// The first sample is old after so many times as long as it took. The second one follows soon, because rates need both, and the first one
/// is slower than later ones.
const FIRST_INTERVAL_FACTOR: u32 = 10;
/// How soon a client may look again: another client may have taken the last sample some time ago.
const MIN_NEXT_LOOK: Duration = Duration::from_millis(250);
/// For how long samples are kept for a next look, or three times as long as they stay new, whichever is longer.
const KEPT: Duration = Duration::from_secs(30);
const MAX_NAMESPACES: usize = 100;
const METRICS_OF_A_PAGE: usize = 24;
/// How many pages of recorders are kept for clients that look again.
const MAX_PAGES: usize = 16;

/// What a sampler reads.
pub(crate) trait Source {
    /// The runtimes with their states.
    fn runtimes(&self) -> Vec<(String, MetricsRuntimeState)>;

    /// The totals of all runtimes.
    fn read_metrics(&self) -> Result<MetricsReading, MetricsRuntimeError>;

    /// The recorders of each runtime.
    fn read_recorders(&self) -> Result<RecordersReading, MetricsRuntimeError>;
}

/// The totals of all runtimes.
pub(crate) struct MetricsReading {
    pub(crate) totals: Totals,
    /// What an exposition skips, or why there is none.
    pub(crate) skipped: Result<Vec<Skipped>, String>,
    pub(crate) read_at: Instant,
    /// For how long a thread worked to read them.
    pub(crate) cost: Duration,
}

/// The recorders of each runtime.
pub(crate) struct RecordersReading {
    pub(crate) listings: Vec<Listing>,
    pub(crate) taken_at: Timestamp,
    pub(crate) read_at: Instant,
    /// For how long a thread worked to read them.
    pub(crate) cost: Duration,
}

/// Keeps the last two samples while somebody looks.
#[derive(Default)]
pub(crate) struct Sampler {
    /// How many samples of the metrics there were.
    count: u64,
    metrics: Option<MetricsSample>,
    recorders: Option<RecordersSample>,
    last_look: Option<Instant>,
}

/// What was read, and when it is old.
struct Pace {
    read_at: Instant,
    /// How long the reading took.
    reading: Duration,
    /// How long the reading before took; unknown for the first one.
    reading_before: Option<Duration>,
    /// How long the cards and pages took that were made of it.
    showing: Duration,
    /// The states of the runtimes before.
    runtimes: Vec<(String, MetricsRuntimeState)>,
}

impl Pace {
    fn new(
        read_at: Instant,
        reading: Duration,
        reading_before: Option<Duration>,
        runtimes: &[(String, MetricsRuntimeState)],
    ) -> Self {
        Self { read_at, reading, reading_before, showing: Duration::ZERO, runtimes: runtimes.to_vec() }
    }

    /// For how long the sample stays new.
    fn interval(&self) -> Duration {
        let factor = if self.reading_before.is_some() { INTERVAL_FACTOR } else { FIRST_INTERVAL_FACTOR };
        (self.cost() * factor).max(MIN_INTERVAL)
    }

    /// For how long the samples are kept after the last look. This is long enough for the first sample, too: clients that come after it is
    /// forgotten cost no more than those that stay.
    fn kept_for(&self) -> Duration {
        (self.cost() * INTERVAL_FACTOR * 3).max(KEPT)
    }

    fn cost(&self) -> Duration {
        // On a busy machine a reading may take ten times as long as the one before, with the same work.
        let reading = self.reading_before.map_or(self.reading, |before| before.min(self.reading));
        reading + self.showing
    }

    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.read_at)
    }

    /// Whether a new sample is due. After a change of state the new state is to be shown.
    fn is_old(&self, now: Instant, runtimes: &[(String, MetricsRuntimeState)]) -> bool {
        self.age(now) >= self.interval() || self.runtimes != runtimes
    }

    /// How long it takes until a new sample is due.
    fn remaining(&self, now: Instant) -> Duration {
        self.interval().saturating_sub(self.age(now))
    }
}

struct MetricsSample {
    number: u64,
    pace: Pace,
    totals: IndexedTotals,
    /// The totals of the sample before, and the seconds from there to here.
    earlier: Option<(IndexedTotals, f64)>,
    namespaces: Vec<NamespaceRow>,
    problems: Problems,
    /// The cards in the order of the index. A card is made when it is shown first.
    cards: Vec<Option<MetricCard>>,
}

struct RecordersSample {
    pace: Pace,
    list: RecorderList,
    problems: Problems,
    /// The last pages, so that clients that look again at the same sample do not search and sort it again.
    pages: Vec<(PageQuery, Listed<RecorderRow>)>,
}

impl RecordersSample {
    /// The page that a query asks for. The time that a new one takes counts as a cost of the sample.
    fn page(&mut self, query: &PageQuery) -> Listed<RecorderRow> {
        if let Some((_, page)) = self.pages.iter().find(|(other, _)| other.has_recorders_of(query)) {
            return page.clone();
        }
        let began = Instant::now();
        let page = self.list.page(query);
        self.pace.showing += began.elapsed();
        if self.pages.len() >= MAX_PAGES {
            self.pages.remove(0);
        }
        self.pages.push((query.clone(), page.clone()));
        page
    }
}

impl Sampler {
    /// What a client sees. The second result is how long the call took samples, which have a pace of their own.
    ///
    /// # Errors
    /// Those of the source.
    pub(crate) fn look(
        &mut self,
        query: &PageQuery,
        source: &impl Source,
        now: Instant,
    ) -> Result<(PageData, Duration), MetricsRuntimeError> {
        self.forget_if_old(now);
        self.last_look = Some(now);
        let runtimes = source.runtimes();
        let began = Instant::now();
        if self.metrics.as_ref().is_none_or(|last| last.pace.is_old(now, &runtimes)) {
            self.take_metrics(source.read_metrics()?, &runtimes);
        }
        if self.recorders.as_ref().is_none_or(|last| last.pace.is_old(now, &runtimes)) {
            self.take_recorders(source.read_recorders()?, &runtimes);
        }
        let (Some(metrics), Some(recorders)) = (&mut self.metrics, &mut self.recorders) else {
            unreachable!("both samples were taken just now")
        };
        let sampled = began.elapsed();
        let (cards, cards_cost) = metrics.page(query);
        let rows = recorders.page(query);
        let (problems, problems_total) = metrics.problems.shown(&recorders.problems);
        let latest = now.max(metrics.pace.read_at).max(recorders.pace.read_at);
        let next_look =
            metrics.pace.remaining(latest).min(recorders.pace.remaining(latest)).max(MIN_NEXT_LOOK);
        let data = PageData {
            sample: metrics.number,
            taken_at: metrics.totals.totals.taken_at_seconds(),
            interval: metrics.earlier.as_ref().map(|(_, seconds)| *seconds),
            next_look: next_look.as_secs_f64(),
            runtimes: runtimes
                .into_iter()
                .map(|(namespace, status)| RuntimeRow { namespace: cut(&namespace).into_owned(), status })
                .collect(),
            namespaces: metrics.namespaces.iter().take(MAX_NAMESPACES).cloned().collect(),
            namespaces_total: metrics.namespaces.len(),
            problems,
            problems_total,
            recorders: rows,
            metrics: cards,
        };
        Ok((data, sampled + cards_cost))
    }

    /// Forgets the samples that nobody has looked at for long. Returns in how long the others are to be forgotten; `None` when there
    /// are none.
    pub(crate) fn forget_if_old(&mut self, now: Instant) -> Option<Duration> {
        let last_look = self.last_look?;
        let metrics = self.metrics.as_ref().map(|sample| sample.pace.kept_for());
        let recorders = self.recorders.as_ref().map(|sample| sample.pace.kept_for());
        let rest = metrics.max(recorders)?.saturating_sub(now.saturating_duration_since(last_look));
        if rest.is_zero() {
            (self.metrics, self.recorders) = (None, None);
            return None;
        }
        Some(rest)
    }

    fn take_metrics(&mut self, reading: MetricsReading, runtimes: &[(String, MetricsRuntimeState)]) {
        let began = Instant::now();
        let MetricsReading { totals, skipped, read_at, cost } = reading;
        self.count += 1;
        let before = self.metrics.take();
        let reading_before = before.as_ref().map(|before| before.pace.reading);
        let earlier = before.and_then(|earlier| {
            let seconds = read_at.saturating_duration_since(earlier.pace.read_at).as_secs_f64();
            (seconds > 0.0).then_some((earlier.totals, seconds))
        });
        let totals = IndexedTotals::new(totals);
        let namespaces =
            namespace_rows(&totals.totals, earlier.as_ref().map(|(earlier, seconds)| (earlier, *seconds)));
        let problems = Problems::of_metrics(&totals.totals, &skipped);
        let cards = totals.metrics.iter().map(|_| None).collect();
        let cost = cost + began.elapsed();
        let pace = Pace::new(read_at, cost, reading_before, runtimes);
        self.metrics =
            Some(MetricsSample { number: self.count, pace, totals, earlier, namespaces, problems, cards });
    }

    fn take_recorders(&mut self, reading: RecordersReading, runtimes: &[(String, MetricsRuntimeState)]) {
        let began = Instant::now();
        let RecordersReading { listings, taken_at, read_at, cost } = reading;
        let before = self.recorders.take();
        let reading_before = before.as_ref().map(|before| before.pace.reading);
        let earlier = before.map(|earlier| earlier.list);
        let list = RecorderList::new(listings, read_at, taken_at, earlier.as_ref());
        drop(earlier);
        let problems = Problems::of_recorders(&list);
        let cost = cost + began.elapsed();
        let pace = Pace::new(read_at, cost, reading_before, runtimes);
        self.recorders = Some(RecordersSample { pace, list, problems, pages: Vec::new() });
    }
}

impl MetricsSample {
    /// The cards that a query asks for. The time that new ones take counts as a cost of the sample.
    fn page(&mut self, query: &PageQuery) -> (Listed<MetricCard>, Duration) {
        let is_asked = |place: &(usize, usize)| {
            let (group, metric) = self.totals.at(*place);
            query.has_namespace(&group.namespace) && contains(&metric.name, &query.metric_search)
        };
        let places = self.totals.metrics.iter().enumerate();
        let matching: Vec<usize> =
            places.filter(|(_, place)| is_asked(place)).map(|(position, _)| position).collect();
        let (page, range) = page_of(matching.len(), query.metric_page, METRICS_OF_A_PAGE);
        let mut cost = Duration::ZERO;
        let mut rows = Vec::new();
        for position in &matching[range] {
            let made = self.cards[*position].take();
            let card = made.unwrap_or_else(|| {
                let began = Instant::now();
                let card = self.card(self.totals.metrics[*position]);
                cost += began.elapsed();
                card
            });
            rows.push(card.clone());
            self.cards[*position] = Some(card);
        }
        self.pace.showing += cost;
        let (total, matching) = (self.totals.metrics.len(), matching.len());
        (Listed { total, matching, page, size: METRICS_OF_A_PAGE, rows }, cost)
    }

    fn card(&self, place: (usize, usize)) -> MetricCard {
        let (group, metric) = self.totals.at(place);
        let earlier = self
            .earlier
            .as_ref()
            .and_then(|(earlier, seconds)| Some((earlier.find(&group.namespace, &metric.name)?, *seconds)));
        let failed = group.failed.get(&metric.name).copied().unwrap_or(0);
        card(&group.namespace, metric, failed, earlier)
    }
}

/// Totals in which metrics are found by namespace and name.
struct IndexedTotals {
    totals: Totals,
    /// The positions of the group and of the metric in it, by namespace and name.
    metrics: Vec<(usize, usize)>,
    /// The positions of the groups by namespace.
    groups: Vec<usize>,
}

impl IndexedTotals {
    fn new(totals: Totals) -> Self {
        let mut groups: Vec<usize> = (0..totals.groups.len()).collect();
        groups.sort_by(|left, right| totals.groups[*left].namespace.cmp(&totals.groups[*right].namespace));
        let mut metrics = Vec::new();
        for group in &groups {
            let begin = metrics.len();
            let names: Vec<&str> = totals.groups[*group].metrics.iter().map(|metric| &*metric.name).collect();
            metrics.extend((0..names.len()).map(|metric| (*group, metric)));
            metrics[begin..].sort_by_key(|(_, metric)| names[*metric]);
        }
        Self { totals, metrics, groups }
    }

    fn at(&self, (group, metric): (usize, usize)) -> (&GroupTotals, &MetricSnapshot) {
        let group = &self.totals.groups[group];
        (group, &group.metrics.iter().as_slice()[metric])
    }

    fn find_group(&self, namespace: &str) -> Option<&GroupTotals> {
        let groups = &self.totals.groups;
        let found = self.groups.binary_search_by(|group| (*groups[*group].namespace).cmp(namespace));
        found.ok().map(|position| &groups[self.groups[position]])
    }

    fn find(&self, namespace: &str, name: &str) -> Option<&MetricSnapshot> {
        let found = self.metrics.binary_search_by(|place| {
            let (group, metric) = self.at(*place);
            (*group.namespace).cmp(namespace).then_with(|| (*metric.name).cmp(name))
        });
        found.ok().map(|position| self.at(self.metrics[position]).1)
    }
}

/// The namespaces by name, with their rates since an earlier sample.
fn namespace_rows(totals: &Totals, earlier: Option<(&IndexedTotals, f64)>) -> Vec<NamespaceRow> {
    let mut rows: BTreeMap<&str, NamespaceRow> = BTreeMap::new();
    for recorders in &totals.namespaces {
        let by_state = recorders.by_state.iter().filter(|(_, count)| **count > 0);
        let row = NamespaceRow {
            namespace: cut(&recorders.namespace).into_owned(),
            recorders: by_state.map(|(state, count)| (*state, *count)).collect(),
            removed: recorders.removed,
            stalled: recorders.stalled.saturating_add(recorders.unread),
            accepted: 0,
            rate: None,
            pending: 0,
            dropped: 0,
            rejected: 0,
            discarded: 0,
        };
        rows.insert(&recorders.namespace, row);
    }
    for group in &totals.groups {
        let Some(row) = rows.get_mut(&*group.namespace) else { continue };
        let stats = &group.stats;
        (row.accepted, row.pending, row.dropped) = (stats.accepted, stats.pending, stats.dropped);
        (row.rejected, row.discarded) = (stats.rejected, stats.discarded);
        row.rate = earlier.and_then(|(earlier, seconds)| {
            let before = earlier.find_group(&group.namespace)?;
            Some(per_second(stats.accepted, before.stats.accepted, seconds))
        });
    }
    rows.into_values().collect()
}

#[cfg(test)]
mod tests;
