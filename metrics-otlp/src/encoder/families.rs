//! Families: which dimension has which name in OTLP, for the life of an encoder.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use mvx_metrics::{DimensionTotals, DimensionValue};
use opentelemetry_proto::tonic::metrics::v1::Metric;
use prost::Message;

use super::form::{Form, Shown};
use super::left_out::LeftOutDimension;
use super::{name, unit};

/// How many families an encoder has.
const MAX_FAMILIES: usize = 65_536;

/// What the names of the library's own families begin with.
const OF_LIBRARY: &str = "mvx_metrics.";

const NO_FORM: &str = "OTLP has no form for texts, lists, truth values and maps";
const NO_FORM_OF_SOME: &str =
    "some of its labels have values without a form in OTLP, or of another one than the first";
const REPEATED: &str = "another dimension of the metric has its name";
const TAKEN_BY_LIBRARY: &str = "the library itself has names that begin with `mvx_metrics.`";
const TOO_MANY: &str = "the encoder has had 65,536 dimensions before";
pub(super) const TOO_LARGE: &str = "a point is larger than the largest request";

/// All families of an encoder.
#[derive(Debug, Default)]
pub(super) struct Families {
    list: Vec<Family>,
    indexes: HashMap<Key, usize>,
    /// The family of each name. Names that differ in case only are one.
    names: HashMap<String, usize>,
    /// The family that was found last.
    last: usize,
    /// The number of the group whose dimensions are looked up.
    group: u64,
    left_out: Vec<LeftOutDimension>,
    /// The families in `left_out`, with the reasons that were given.
    known: HashSet<(usize, &'static str)>,
}

/// All dimensions with this key belong to one family.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    is_of_library: bool,
    metric: String,
    dimension: String,
    unit: Option<String>,
    /// `None` for values without a form.
    form: Option<Form>,
}

/// The points of one name.
#[derive(Debug)]
pub(super) struct Family {
    key: Key,
    /// Name, description and unit, as they stand in each message.
    pub(super) head: Vec<u8>,
    /// The points of the request that is made, each as a field.
    pub(super) points: Vec<u8>,
    /// Why no dimension of this key is shown.
    problem: Option<Cow<'static, str>>,
    /// The labels of the last breakdown as they are declared, and their keys.
    labels: (Vec<Cow<'static, str>>, Vec<String>),
    /// The number of the last group with a dimension of this family.
    group: u64,
    /// The family that came after this one.
    next: usize,
}

impl Family {
    /// The kind of the points. A family that is shown has one.
    pub(super) fn form(&self) -> Form {
        self.key.form.unwrap_or(Form::Gauge)
    }

    /// The keys of the labels of a breakdown, of which one has this number of parts.
    pub(super) fn label_keys(&mut self, declared: &[Cow<'static, str>], parts: usize) -> &[String] {
        if self.labels.1.len() != parts || self.labels.0 != *declared {
            self.labels = (declared.to_vec(), name::label_keys(declared, parts));
        }
        &self.labels.1
    }
}

impl Families {
    /// Begins a push, which leaves out nothing yet.
    pub(super) fn begin(&mut self) {
        self.left_out.clear();
        self.known.clear();
    }

    /// Begins the dimensions of another group.
    pub(super) fn begin_group(&mut self) {
        self.group += 1;
    }

    pub(super) fn left_out(&self) -> &[LeftOutDimension] {
        &self.left_out
    }

    pub(super) fn get(&mut self, family: usize) -> &mut Family {
        &mut self.list[family]
    }

    /// The family of a dimension; `None` when the dimension is empty or left out.
    pub(super) fn find(&mut self, dimension: &DimensionTotals<'_>) -> Option<usize> {
        let (form, has_others) = form_of(dimension)?;
        let index = self.find_or_create(dimension, form)?;
        let (family, group) = (&mut self.list[index], self.group);
        if let Some(problem) = &family.problem {
            let problem = problem.clone();
            self.leave_out(index, "problem", &problem);
            return None;
        }
        if std::mem::replace(&mut family.group, group) == group {
            self.leave_out(index, "repeated", REPEATED);
            return None;
        }
        if has_others {
            self.leave_out(index, "others", NO_FORM_OF_SOME);
        }
        Some(index)
    }

    /// Adds what the totals themselves do not contain.
    pub(super) fn leave_out_of_totals(&mut self, left_out: &mvx_metrics::LeftOut) {
        let (metric, dimension) = (left_out.metric.clone(), left_out.dimension.clone());
        let reason = left_out.reason.clone().into_owned();
        self.left_out.push(LeftOutDimension { metric, dimension, name: String::new(), reason });
    }

    /// Adds a dimension of a family to those that are left out, once for each kind of reason.
    pub(super) fn leave_out(&mut self, family: usize, kind: &'static str, reason: &str) {
        if self.known.insert((family, kind)) {
            let Key { metric, dimension, .. } = &self.list[family].key;
            let name = name::of_dimension(metric, dimension);
            let (metric, dimension) = (metric.clone(), dimension.clone());
            self.left_out.push(LeftOutDimension { metric, dimension, name, reason: reason.to_owned() });
        }
    }

    fn find_or_create(&mut self, dimension: &DimensionTotals<'_>, form: Option<Form>) -> Option<usize> {
        let (metric, declared) = (dimension.metric, dimension.declared());
        // Most often the dimensions of a group come in the order of the group before.
        let guess = self.list.get(self.last).map_or(0, |last| last.next);
        let is_same = |key: &Key| {
            key.form == form
                && key.is_of_library == dimension.is_of_library
                && key.dimension == *declared.name
                && key.metric == metric
                && key.unit.as_deref() == declared.base_unit()
        };
        if self.list.get(guess).is_some_and(|family| is_same(&family.key)) {
            self.last = guess;
            return Some(guess);
        }
        let key = Key {
            is_of_library: dimension.is_of_library,
            metric: metric.to_owned(),
            dimension: declared.name.to_string(),
            unit: declared.base_unit().map(str::to_owned),
            form,
        };
        let index = match self.indexes.get(&key) {
            Some(index) => *index,
            None if self.list.len() >= MAX_FAMILIES => {
                // It has no family, so it cannot be told from others of this kind.
                if self.known.insert((usize::MAX, "")) {
                    let (metric, dimension) = (key.metric, key.dimension);
                    let (name, reason) = (name::of_dimension(&metric, &dimension), TOO_MANY.to_owned());
                    self.left_out.push(LeftOutDimension { metric, dimension, name, reason });
                }
                return None;
            }
            None => self.create(dimension, key),
        };
        if let Some(last) = self.list.get_mut(self.last) {
            last.next = index;
        }
        self.last = index;
        Some(index)
    }

    fn create(&mut self, dimension: &DimensionTotals<'_>, key: Key) -> usize {
        let index = self.list.len();
        let name = name::of_dimension(&key.metric, &key.dimension);
        let lower_case = name.to_ascii_lowercase();
        let problem = if key.form.is_none() {
            Some(Cow::Borrowed(NO_FORM))
        } else if !key.is_of_library && lower_case.starts_with(OF_LIBRARY) {
            Some(Cow::Borrowed(TAKEN_BY_LIBRARY))
        } else if let Some(other) = self.names.get(&lower_case) {
            let Key { metric, dimension, .. } = &self.list[*other].key;
            let same = (metric, dimension) == (&key.metric, &key.dimension);
            Some(if same {
                Cow::Borrowed("its values have another unit or kind than the first ones of this name")
            } else {
                Cow::Owned(format!("`{name}` belongs to `{dimension}` of the metric `{metric}`"))
            })
        } else {
            self.names.insert(lower_case, index);
            None
        };
        let help = [&*dimension.declared().help, dimension.metric_help];
        let description = help.into_iter().map(str::trim).find(|help| !help.is_empty()).unwrap_or_default();
        let head = Metric {
            name,
            description: description.to_owned(),
            unit: key.unit.as_deref().map(unit::code).unwrap_or_default(),
            ..Metric::default()
        };
        self.indexes.insert(key.clone(), index);
        self.list.push(Family {
            key,
            head: head.encode_to_vec(),
            points: Vec::new(),
            problem,
            labels: (Vec::new(), Vec::new()),
            group: 0,
            next: index + 1,
        });
        index
    }
}

/// The kind of the points of a dimension, and whether some labels have values of another one. The kind is `None` for values
/// without a form, and the result is `None` when there is nothing to show.
fn form_of(dimension: &DimensionTotals<'_>) -> Option<(Option<Form>, bool)> {
    let form = |value: &DimensionValue| match Shown::of(dimension.declared(), value) {
        Shown::As(form) => Some(Some(form)),
        Shown::Never => Some(None),
        Shown::Nothing => None,
    };
    let DimensionValue::Breakdown(entries) = dimension.value() else {
        return Some((form(dimension.value())?, false));
    };
    let mut forms = entries.iter().filter_map(|entry| form(&entry.value));
    let first = forms.next()?;
    let mut others = forms.filter(|other| *other != first).peekable();
    let has_others = others.peek().is_some();
    // The first one that can be shown, if there is one.
    Some((first.or_else(|| others.flatten().next()), has_others))
}
