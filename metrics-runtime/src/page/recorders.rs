//! The list of the recorders: their rates between two lists, and one page of them, searched and sorted.

use std::cmp::Ordering;
use std::time::Instant;

use super::cut::cut;
use super::data::{Listed, RecorderRow};
use super::query::{PageQuery, Sort, contains};
use crate::runtime::{ListedRecorder, Listing};
use crate::snapshot::Timestamp;

/// The recorders of all runtimes at one moment, with their rates since the list before.
#[derive(Debug)]
pub(super) struct RecorderList {
    pub(super) read_at: Instant,
    /// The same moment as a time, for the recorders' ages.
    taken_at: Timestamp,
    runtimes: Vec<RuntimeList>,
}

#[derive(Debug)]
struct RuntimeList {
    is_final: bool,
    /// In the order of their numbers.
    recorders: Vec<RatedRecorder>,
}

#[derive(Debug)]
struct RatedRecorder {
    listed: ListedRecorder,
    /// Accepted events per second; `None` for a recorder that was not in the list before.
    rate: Option<f64>,
}

impl RecorderList {
    /// The list of each runtime, with the rates since an earlier list.
    pub(super) fn new(
        listings: Vec<Listing>,
        read_at: Instant,
        taken_at: Timestamp,
        earlier: Option<&RecorderList>,
    ) -> Self {
        let seconds =
            earlier.map_or(0.0, |earlier| read_at.saturating_duration_since(earlier.read_at).as_secs_f64());
        let rated = |(index, listing): (usize, Listing)| {
            let earlier = earlier.and_then(|earlier| earlier.runtimes.get(index));
            // The numbers of a final list are others than those of the lists before.
            let earlier = earlier.filter(|earlier| earlier.is_final == listing.is_final && seconds > 0.0);
            let mut before = earlier.map_or(&[][..], |earlier| &earlier.recorders).iter().peekable();
            let recorders = listing.recorders.into_iter().map(|listed| {
                while before.next_if(|before| before.listed.number < listed.number).is_some() {}
                let before = before.next_if(|before| before.listed.number == listed.number);
                let rate = before.map(|before| per_second(listed.accepted, before.listed.accepted, seconds));
                RatedRecorder { listed, rate }
            });
            RuntimeList { is_final: listing.is_final, recorders: recorders.collect() }
        };
        let runtimes = listings.into_iter().enumerate().map(rated).collect();
        Self { read_at, taken_at, runtimes }
    }

    fn all(&self) -> impl Iterator<Item = &RatedRecorder> {
        self.runtimes.iter().flat_map(|runtime| &runtime.recorders)
    }

    /// The recorders that have failed.
    pub(super) fn failed(&self) -> impl Iterator<Item = &ListedRecorder> {
        self.all().map(|recorder| &recorder.listed).filter(|listed| listed.status.has_failed())
    }

    /// The page that a query asks for.
    ///
    /// Its rows are selected and then sorted; all others are not sorted, so the cost does not grow with the number of a page.
    pub(super) fn page(&self, query: &PageQuery) -> Listed<RecorderRow> {
        let is_asked = |recorder: &&RatedRecorder| {
            let ListedRecorder { id, entity_id, namespace, .. } = &recorder.listed;
            query.has_namespace(namespace)
                && (contains(id, &query.search) || contains(entity_id, &query.search))
        };
        let mut matching: Vec<&RatedRecorder> = self.all().filter(is_asked).collect();
        let (page, range) = page_of(matching.len(), query.page, query.size);
        let order = |left: &&RatedRecorder, right: &&RatedRecorder| compare(left, right, query);
        let mut rest = &mut matching[..];
        let len = range.len();
        if range.start > 0 && range.start < rest.len() {
            rest.select_nth_unstable_by(range.start, order);
            rest = &mut rest[range.start..];
        }
        if len < rest.len() {
            rest.select_nth_unstable_by(len, order);
            rest = &mut rest[..len];
        }
        rest.sort_unstable_by(order);
        let rows = rest.iter().map(|recorder| self.row(recorder)).collect();
        let total = self.runtimes.iter().map(|runtime| runtime.recorders.len()).sum();
        Listed { total, matching: matching.len(), page, size: query.size, rows }
    }

    fn row(&self, recorder: &RatedRecorder) -> RecorderRow {
        let RatedRecorder { listed, rate } = recorder;
        RecorderRow {
            id: cut(&listed.id).into_owned(),
            entity_id: cut(&listed.entity_id).into_owned(),
            namespace: cut(&listed.namespace).into_owned(),
            status: listed.status,
            age: (self.taken_at.as_seconds() - listed.created_at.as_seconds()).max(0.0),
            rate: *rate,
            accepted: listed.accepted,
            pending: listed.pending,
            dropped: listed.dropped,
            rejected: listed.rejected,
            discarded: listed.discarded,
        }
    }
}

/// By how much a count grew per second. A count that fell has grown by nothing.
#[expect(clippy::cast_precision_loss, reason = "a rate is a floating-point number")]
pub(super) fn per_second(later: u64, earlier: u64, seconds: f64) -> f64 {
    later.saturating_sub(earlier) as f64 / seconds
}

/// The number of the page that is shown, and the positions on it.
pub(super) fn page_of(count: usize, page: usize, size: usize) -> (usize, std::ops::Range<usize>) {
    let pages = count.div_ceil(size).max(1);
    let page = page.clamp(1, pages);
    let first = (page - 1) * size;
    (page, first..(first + size).min(count))
}

/// The order of two recorders. Those that are equal stand in the order of their ids, then of their creation.
fn compare(left: &RatedRecorder, right: &RatedRecorder, query: &PageQuery) -> Ordering {
    let loss = |listed: &ListedRecorder| {
        listed.dropped.saturating_add(listed.rejected).saturating_add(listed.discarded)
    };
    // A recorder without a rate comes after those with the rate 0, and before them in ascending order.
    let rate = |recorder: &RatedRecorder| recorder.rate.unwrap_or(-1.0);
    let (one, other) = (&left.listed, &right.listed);
    let order = match query.sort {
        Sort::Rate => rate(left).total_cmp(&rate(right)),
        // The older one is the one that was created earlier.
        Sort::Age => other.created_at.cmp(&one.created_at),
        Sort::Pending => one.pending.cmp(&other.pending),
        Sort::Loss => loss(one).cmp(&loss(other)),
        Sort::Id => one.id.cmp(&other.id),
    };
    let order = if query.descending { order.reverse() } else { order };
    order.then_with(|| one.id.cmp(&other.id)).then_with(|| one.number.cmp(&other.number))
}
