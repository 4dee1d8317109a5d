//! Totals as requests of OTLP.
//!
//! `families` gives each dimension its name, `form` the kind of its points, and `points` spells them. `wire` puts messages
//! together. `baseline` keeps what deltas count from.

mod baseline;
mod families;
mod form;
mod left_out;
mod name;
mod points;
mod resource;
mod unit;
mod wire;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use mvx_metrics::{BreakdownEntry, DimensionTotals, DimensionValue, Scope, Totals};
use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;
use prost::Message;

pub use self::left_out::LeftOutDimension;

use self::baseline::{Baseline, Delivered, GroupKey, Interval, SeriesKey, Update, has_deltas};
use self::families::{Families, TOO_LARGE};
use self::form::{Form, Shown};
use self::points::{Times, may_fall, push_points};
use self::wire::{Attributes, field_length, push, push_head};
use crate::options::{OtlpOptions, Temporality};

/// Turns totals into requests of OTLP, for a transport of your own. [`OtlpPusher`](crate::OtlpPusher) has one.
///
/// A push consists of one request or of several, each of a bounded size. They are made one after the other, so only one of them is
/// in memory. An encoder gives each name to the dimension that had it first, and knows up to 65,536 dimensions in its life. With [`Temporality::Delta`] it keeps the last
/// delivered value of each series, and forgets it when totals no longer have the series.
///
/// ```
/// use mvx_metrics::{Counter, Metric, MetricsRuntime, Scope, metric_event};
/// use mvx_metrics_otlp::{Encoder, OtlpOptions};
///
/// #[metric_event]
/// struct Greeted;
///
/// #[derive(Metric, Default)]
/// #[metric(on(Greeted))]
/// struct Greetings {
///     total: Counter,
/// }
///
/// # fn send(_body: &[u8]) -> bool {
/// #     true
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let recorder = runtime.create_recorder("greeter")?;
/// recorder.metric::<Greetings>()?;
/// recorder.emit(Greeted);
///
/// let mut encoder = Encoder::new(&OtlpOptions::new());
/// let totals = runtime.totals(Scope::Rollup)?;
/// let mut requests = encoder.requests(&totals);
/// while let Some(request) = requests.next_request() {
///     // `send` is a function of yours: it posts the body as `application/x-protobuf`.
///     if send(&request.body) {
///         requests.delivered(request);
///     }
/// }
/// drop(requests);
/// assert!(encoder.left_out().is_empty());
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Encoder {
    temporality: Temporality,
    max_request_size: usize,
    /// How large requests are made: less than the largest size once a collector has refused one.
    target_size: usize,
    resource: BTreeMap<String, String>,
    families: Families,
    baseline: Baseline,
    /// The number of the push that is made.
    push: u64,
    /// Whether this push has not come to its end.
    is_push_open: bool,
}

/// One request of a push.
#[derive(Debug)]
#[non_exhaustive]
pub struct Request {
    /// The encoded `ExportMetricsServiceRequest`.
    pub body: Vec<u8>,
    /// The number of data points in it.
    pub points: u64,
    updates: Vec<Update>,
    push: u64,
    start: Position,
}

/// The requests of one push, made one after the other.
pub struct Requests<'a> {
    encoder: &'a mut Encoder,
    totals: &'a Totals,
    /// When the totals were read, in nanoseconds since 1970.
    time: u64,
    /// The resource and the scope, encoded.
    resource: Vec<u8>,
    scope: Vec<u8>,
    dimensions: Box<dyn Iterator<Item = DimensionTotals<'a>> + Send + 'a>,
    /// Whether the dimension that comes after all others was taken.
    is_last_taken: bool,
    /// Whether the baseline knows what the totals do not have.
    has_ended: bool,
    current: Option<Current<'a>>,
    position: Position,
    /// Where the last request began.
    last_start: Position,
    /// The group of the last dimension, and the attributes of its points.
    group: Option<GroupKey>,
    /// The group's number in the baseline.
    group_number: u64,
    attributes: Attributes,
    /// The groups with recorders that could not be read.
    stalled: HashSet<GroupKey>,
    is_group_stalled: bool,
}

/// A place between two values of the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Position {
    /// The number of dimensions before it.
    dimensions: usize,
    /// The number of values before it in the dimension after those.
    values: usize,
}

/// The dimension whose points are made.
struct Current<'a> {
    dimension: DimensionTotals<'a>,
    family: usize,
}

/// The request that is made.
struct Draft {
    /// The families with points, in the order of their first ones.
    families: Vec<usize>,
    /// How long the request becomes with the points so far, at most.
    size: usize,
    points: u64,
    updates: Vec<Update>,
}

/// The points of one value, before it is known whether the request has room for them.
#[derive(Default)]
struct Made {
    bytes: Vec<u8>,
    points: u64,
    update: Option<Update>,
}

impl Encoder {
    /// An encoder that has sent nothing yet.
    #[must_use]
    pub fn new(options: &OtlpOptions) -> Self {
        Self {
            temporality: options.temporality,
            max_request_size: options.max_request_size,
            target_size: options.max_request_size,
            resource: options.resource.clone(),
            families: Families::default(),
            baseline: Baseline::default(),
            push: 0,
            is_push_open: false,
        }
    }

    /// The requests of one push, made one after the other.
    ///
    /// Totals that were read later come later. Say which requests the collector has taken before the next push begins. An
    /// abandoned push needs no further call.
    pub fn requests<'a>(&'a mut self, totals: &'a Totals) -> Requests<'a> {
        self.push += 1;
        if std::mem::replace(&mut self.is_push_open, true) && self.temporality == Temporality::Delta {
            // Only the end of a push shows what is gone, and while a collector is away none may come to it.
            let group = |dimension: DimensionTotals<'_>| {
                (Arc::clone(dimension.namespace), dimension.entity_id.cloned())
            };
            self.baseline.forget_groups_but(&totals.dimensions().map(group).collect());
        }
        let scope = resource::scope().encode_to_vec();
        let resource = resource::of_totals(totals, &self.resource).encode_to_vec();
        // A rollup shows what it has shown before instead.
        let has_stalled = totals.scope == Scope::PerEntity && self.temporality == Temporality::Delta;
        let recorders = if has_stalled { &*totals.recorders } else { &[] };
        let stalled = recorders
            .iter()
            .filter(|recorder| recorder.stalled)
            .map(|recorder| (Arc::clone(&recorder.namespace), Some(Arc::clone(&recorder.entity_id))));
        let stalled = stalled.collect();
        self.families.begin();
        totals.left_out.iter().for_each(|left_out| self.families.leave_out_of_totals(left_out));
        let mut requests = Requests {
            encoder: self,
            totals,
            time: nanoseconds(totals.taken_at()),
            resource,
            scope,
            dimensions: Box::new(std::iter::empty()),
            is_last_taken: false,
            has_ended: false,
            current: None,
            position: Position::default(),
            last_start: Position::default(),
            group: None,
            group_number: 0,
            attributes: Attributes::default(),
            stalled,
            is_group_stalled: false,
        };
        requests.begin();
        requests
    }

    /// What the requests of the last push do not contain, and why: all of it once the push has ended.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOutDimension] {
        self.families.left_out()
    }

    /// How many series the encoder remembers for the next deltas.
    #[must_use]
    pub fn remembered_series(&self) -> usize {
        self.baseline.len()
    }
}

impl<'a> Requests<'a> {
    /// The next request; `None` at the end of the push.
    pub fn next_request(&mut self) -> Option<Request> {
        self.last_start = self.position;
        let size = envelope_length(self.resource.len(), self.scope.len());
        let mut draft = Draft { families: Vec::new(), size, points: 0, updates: Vec::new() };
        let mut made = Made::default();
        while let Some(family) = self.family() {
            if self.make_points(&mut made) {
                let size = draft.size + made.bytes.len() + self.head_length(family);
                if size > self.encoder.target_size && draft.points > 0 {
                    break;
                }
                if size > self.encoder.max_request_size {
                    self.encoder.families.leave_out(family, "large", TOO_LARGE);
                } else {
                    self.add(&mut draft, family, size, &mut made);
                }
            }
            self.position.values += 1;
        }
        (draft.points > 0).then(|| self.finish(draft))
    }

    /// The collector has taken a request of this push: deltas count from there. What was not delivered is part of the next deltas.
    /// A request of another push changes nothing.
    pub fn delivered(&mut self, request: Request) {
        let push = self.encoder.push;
        if request.push == push {
            request.updates.into_iter().for_each(|update| self.encoder.baseline.update(update, push));
        }
    }

    /// Makes the last request again as several smaller ones, after a collector has refused it because of its size.
    ///
    /// Later requests of the encoder are no larger than half of it. Returns `false`, and changes nothing, for a request that has a
    /// single point, and for another one than the last.
    pub fn divide(&mut self, request: &Request) -> bool {
        if request.points < 2 || request.push != self.encoder.push || request.start != self.last_start {
            return false;
        }
        self.encoder.target_size = request.body.len().div_ceil(2);
        self.begin();
        // The groups of dimensions that were in earlier requests are entered again, so that repeated ones are noticed.
        while self.position.dimensions < self.last_start.dimensions {
            let Some(dimension) = self.next_dimension() else { break };
            self.enter(&dimension);
            self.position.dimensions += 1;
        }
        self.position = self.last_start;
        true
    }

    /// Begins with the first dimension.
    fn begin(&mut self) {
        self.dimensions = Box::new(self.totals.dimensions());
        (self.is_last_taken, self.has_ended) = (false, false);
        (self.current, self.group) = (None, None);
        self.position = Position::default();
    }

    /// The family of the next value; `None` at the end of the push.
    fn family(&mut self) -> Option<usize> {
        loop {
            let values = self.position.values;
            if let Some(current) = &self.current
                && current.value(values).is_some()
            {
                return Some(current.family);
            }
            if self.current.take().is_some() {
                self.position = Position { dimensions: self.position.dimensions + 1, values: 0 };
            }
            let Some(dimension) = self.next_dimension() else {
                if !std::mem::replace(&mut self.has_ended, true) {
                    self.encoder.is_push_open = false;
                    self.encoder.baseline.forget_unseen(self.encoder.push);
                }
                return None;
            };
            match self.enter(&dimension) {
                Some(family) => self.current = Some(Current { dimension, family }),
                None => self.position.dimensions += 1,
            }
        }
    }

    /// The next dimension. The last one says how many dimensions were left out.
    fn next_dimension(&mut self) -> Option<DimensionTotals<'a>> {
        if let Some(dimension) = self.dimensions.next() {
            return Some(dimension);
        }
        let is_last_taken = std::mem::replace(&mut self.is_last_taken, true);
        let count = self.encoder.families.left_out().len();
        (!is_last_taken).then(|| self.totals.left_out_by_exporter(count))
    }

    /// Prepares for a dimension, and for its group if that is another one. Returns the family, unless there is nothing to show.
    fn enter(&mut self, dimension: &DimensionTotals<'a>) -> Option<usize> {
        let is_same = self.group.as_ref().is_some_and(|(namespace, entity_id)| {
            namespace == dimension.namespace && entity_id.as_ref() == dimension.entity_id
        });
        if !is_same {
            let group = (Arc::clone(dimension.namespace), dimension.entity_id.cloned());
            self.encoder.families.begin_group();
            self.attributes.clear();
            self.attributes.push(name::NAMESPACE, &group.0);
            if let Some(entity_id) = &group.1 {
                self.attributes.push(name::ENTITY_ID, entity_id);
            }
            if self.encoder.temporality == Temporality::Delta {
                let push = self.encoder.push;
                self.group_number = self.encoder.baseline.group(&group, push);
                self.is_group_stalled = self.stalled.contains(&group);
                if self.is_group_stalled {
                    self.encoder.baseline.keep(self.group_number);
                }
            }
            self.group = Some(group);
        }
        self.encoder.families.find(dimension)
    }

    /// Makes the points of the next value. Returns whether there are any.
    fn make_points(&mut self, made: &mut Made) -> bool {
        let Some(current) = &self.current else { return false };
        let Some((labels, value)) = current.value(self.position.values) else { return false };
        let declared = current.dimension.declared();
        let family = self.encoder.families.get(current.family);
        let form = family.form();
        if Shown::of(declared, value) != Shown::As(form) {
            return false;
        }
        let created = current.dimension.counting_since().map_or(0, nanoseconds);
        // Gauges have no beginning.
        let mut times = Times { start: if form == Form::Gauge { 0 } else { created }, time: self.time };
        let may_fall = matches!(value, DimensionValue::Histogram(histogram) if may_fall(histogram));
        let mut value = Cow::Borrowed(value);
        made.update = None;
        if self.encoder.temporality == Temporality::Delta && has_deltas(form) {
            if self.is_group_stalled {
                return false;
            }
            let (group, family) = (self.group_number, current.family);
            let series = SeriesKey { group, family, labels: labels.to_vec() };
            let baseline = &mut self.encoder.baseline;
            let Some(interval) = baseline.interval(&series, &value, created, self.encoder.push) else {
                return false;
            };
            let delivered = Delivered::new(&value, created, self.time);
            made.update = Some(Update { series, delivered });
            let Interval { value: counted, start } = interval;
            (value, times.start) = (Cow::Owned(counted), start);
        }
        // The clock may have been set back meanwhile.
        times.start = times.start.min(times.time);
        let of_group = self.attributes.len();
        for (key, label) in family.label_keys(&declared.labels, labels.len()).iter().zip(labels) {
            self.attributes.push(key, label);
        }
        made.bytes.clear();
        made.points = push_points(&mut made.bytes, form, &mut self.attributes, &value, times, may_fall);
        self.attributes.truncate(of_group);
        made.points > 0
    }

    /// The length of what a family adds to a request beside its points.
    fn head_length(&mut self, family: usize) -> usize {
        let family = self.encoder.families.get(family);
        if family.points.is_empty() { family.head.len() + METRIC_LENGTH } else { 0 }
    }

    /// Adds points to a request, which has this size then.
    fn add(&mut self, draft: &mut Draft, index: usize, size: usize, made: &mut Made) {
        let family = self.encoder.families.get(index);
        if family.points.is_empty() {
            draft.families.push(index);
        }
        family.points.extend_from_slice(&made.bytes);
        draft.size = size;
        draft.points += made.points;
        draft.updates.extend(made.update.take());
    }

    /// Puts the message of a request together.
    fn finish(&mut self, draft: Draft) -> Request {
        let Draft { families, points, updates, .. } = draft;
        let temporality = self.encoder.temporality;
        let mut length = field_length(self.scope.len());
        for index in &families {
            let family = self.encoder.families.get(*index);
            let (_, tail) = data_of(family.form(), temporality);
            let data = field_length(family.points.len() + tail.len());
            length += field_length(family.head.len() + data);
        }
        let of_resource = field_length(self.resource.len()) + field_length(length);
        let mut body = Vec::with_capacity(field_length(of_resource));
        // `ExportMetricsServiceRequest { 1: ResourceMetrics { 1: resource, 2: ScopeMetrics { 1: scope, 2: metrics } } }`
        push_head(&mut body, 1, of_resource);
        push(&mut body, 1, &[&self.resource]);
        push_head(&mut body, 2, length);
        push(&mut body, 1, &[&self.scope]);
        for index in families {
            let family = self.encoder.families.get(index);
            let (field, tail) = data_of(family.form(), temporality);
            let data = family.points.len() + tail.len();
            push_head(&mut body, 2, family.head.len() + field_length(data));
            body.extend_from_slice(&family.head);
            push(&mut body, field, &[&family.points, tail]);
            family.points.clear();
        }
        Request { body, points, updates, push: self.encoder.push, start: self.last_start }
    }
}

impl fmt::Debug for Requests<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Requests").field("position", &self.position).finish_non_exhaustive()
    }
}

impl Current<'_> {
    /// The value at this place with its labels: the only one of a dimension that is no breakdown has none.
    fn value(&self, at: usize) -> Option<(&[Cow<'static, str>], &DimensionValue)> {
        match self.dimension.value() {
            DimensionValue::Breakdown(entries) => {
                entries.get(at).map(|BreakdownEntry { labels, value }| (&**labels, value))
            }
            value => (at == 0).then_some((&[], value)),
        }
    }
}

/// The most that tag and length of a field take.
const FIELD_LENGTH: usize = 1 + 10;
/// The most that a metric takes beside its head and its points.
const METRIC_LENGTH: usize = 2 * FIELD_LENGTH + 4;

/// The most that a request without metrics takes.
fn envelope_length(resource: usize, scope: usize) -> usize {
    4 * FIELD_LENGTH + resource + scope
}

/// The field of a metric that has the points, and what stands after them: temporality and monotonicity.
fn data_of(form: Form, temporality: Temporality) -> (u8, &'static [u8]) {
    // The fields 2 and 3 are numbers.
    match (form, temporality) {
        (Form::Gauge, _) => (5, &[]),
        (Form::Sum, _) => (7, &[0x10, CUMULATIVE]),
        (Form::MonotonicSum, Temporality::Cumulative) => (7, &[0x10, CUMULATIVE, 0x18, 1]),
        (Form::MonotonicSum, Temporality::Delta) => (7, &[0x10, DELTA, 0x18, 1]),
        (Form::Histogram, Temporality::Cumulative) => (9, &[0x10, CUMULATIVE]),
        (Form::Histogram, Temporality::Delta) => (9, &[0x10, DELTA]),
        (Form::ExponentialHistogram, Temporality::Cumulative) => (10, &[0x10, CUMULATIVE]),
        (Form::ExponentialHistogram, Temporality::Delta) => (10, &[0x10, DELTA]),
    }
}

const CUMULATIVE: u8 = AggregationTemporality::Cumulative as u8;
const DELTA: u8 = AggregationTemporality::Delta as u8;

/// Nanoseconds since 1970.
fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
