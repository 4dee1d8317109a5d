//! Text: the writer spells families in either text format.

mod number;

use std::collections::HashMap;

use self::number::{push_float, push_micros, push_number, push_unsigned};
use super::bounds;
use super::family::{Family, Sample};
use super::family_type::FamilyType;
use super::format::Format;
use super::groups::Group;
use super::labels::{SeriesLabels, push_escaped, push_further};
use super::name::UsedNames;
use super::options::ExpositionOptions;
use super::power_bounds::{self, PowerRange};
use super::series::{QUANTILE, QUANTILES, for_each_series};
use crate::snapshot::{
    Bucket, Buckets, DimensionValue, ExponentialBuckets, HistogramSnapshot, MeanSnapshot, Number, Timestamp,
};

/// All families as one text.
pub(super) fn write(
    options: &ExpositionOptions,
    labels: &SeriesLabels<'_>,
    groups: &[Group<'_>],
    families: &[Family<'_>],
) -> String {
    let mut writer = Writer::new(options, labels.used(), groups, families);
    if let Some(labels) = labels.of_target_info() {
        writer.write_target_info(&labels);
    }
    for family in families {
        writer.write(family);
    }
    writer.finish()
}

struct Writer<'a> {
    out: Vec<u8>,
    /// Whether the format is OpenMetrics, and not that of Prometheus.
    is_open_metrics: bool,
    /// Whether series show since when they count.
    created: bool,
    /// The names that labels of breakdowns do not have.
    used: &'a UsedNames,
    groups: &'a [Group<'a>],
    /// The breakdown labels of the current series, each after a comma.
    labels: Vec<u8>,
    /// The start of every bucket line of the current histogram.
    bucket_start: Vec<u8>,
    bounds: BoundTexts,
    /// The bounds of exponential buckets as text, by their bits. All such histograms have bounds from one set.
    powers: HashMap<u64, Vec<u8>>,
}

/// The bounds of the last histogram as text. Most often the next histogram has the same ones.
#[derive(Default)]
struct BoundTexts {
    bounds: Vec<Number>,
    /// `None` for a bound that has the same text as the next one. Its values are counted there.
    texts: Vec<Option<Vec<u8>>>,
}

impl<'a> Writer<'a> {
    fn new(
        options: &ExpositionOptions,
        used: &'a UsedNames,
        groups: &'a [Group<'a>],
        families: &[Family<'_>],
    ) -> Self {
        let is_open_metrics = options.format == Format::OpenMetrics;
        let created = options.created && is_open_metrics;
        let size = families.iter().map(|family| estimated_size(family, groups, created)).sum();
        Self {
            out: Vec::with_capacity(size),
            is_open_metrics,
            created,
            used,
            groups,
            labels: Vec::new(),
            bucket_start: Vec::new(),
            bounds: BoundTexts::default(),
            powers: HashMap::new(),
        }
    }

    fn write(&mut self, family: &Family<'_>) {
        self.write_head(family);
        for_each_series(family, self.used, |series| {
            self.labels.clear();
            for (name, label) in series.further() {
                push_further(&mut self.labels, name, label);
            }
            self.write_value(family, series.sample, series.value);
        });
    }

    fn finish(mut self) -> String {
        if self.is_open_metrics {
            self.out.extend_from_slice(b"# EOF\n");
        }
        String::from_utf8(self.out)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Writes the labels of the process, in front of all families.
    fn write_target_info(&mut self, labels: &[u8]) {
        let (family, family_type): (&[u8], &[u8]) =
            if self.is_open_metrics { (b"target", b"info") } else { (b"target_info", b"gauge") };
        self.push_all([
            b"# HELP ",
            family,
            b" The labels of the process.\n# TYPE ",
            family,
            b" ",
            family_type,
        ]);
        self.push_all([b"\ntarget_info{", labels, b"} 1\n"]);
    }

    fn write_head(&mut self, family: &Family<'_>) {
        let name = family.name.as_bytes();
        // In the Prometheus format the name of a counter has its suffix in the head, too.
        let suffix = if self.is_open_metrics { "" } else { family.family_type().head_suffix() };
        let suffix = suffix.as_bytes();
        self.push_all([b"# HELP ", name, suffix, b" "]);
        push_escaped(&mut self.out, family.help.trim(), self.is_open_metrics);
        let type_name: &[u8] = match (family.family_type(), self.is_open_metrics) {
            (FamilyType::Counter, _) => b"counter",
            (FamilyType::Gauge, _) => b"gauge",
            (FamilyType::Histogram, _) => b"histogram",
            (FamilyType::Summary, _) => b"summary",
            (FamilyType::Unknown, true) => b"unknown",
            (FamilyType::Unknown, false) => b"untyped",
        };
        self.push_all([b"\n# TYPE ", name, suffix, b" ", type_name, b"\n"]);
        if let (Some(unit), true) = (&family.unit, self.is_open_metrics) {
            self.push_all([b"# UNIT ", name, b" ", unit.as_bytes(), b"\n"]);
        }
    }

    fn write_value(&mut self, family: &Family<'_>, sample: &Sample<'_>, value: &DimensionValue) {
        let (name, family_type, group) = (family.name.as_bytes(), family.family_type(), sample.group);
        match (family_type, value) {
            (FamilyType::Gauge, DimensionValue::Histogram(histogram)) => {
                self.write_quantiles(name, group, histogram);
            }
            (_, DimensionValue::Histogram(histogram)) => {
                self.write_histogram(name, group, histogram, family.powers);
            }
            (FamilyType::Summary, DimensionValue::Mean(mean)) => self.write_summary(name, group, mean),
            _ => {
                let suffix: &[u8] = if family_type == FamilyType::Counter { b"_total" } else { b"" };
                self.push_series(name, suffix, group);
                match value {
                    DimensionValue::Unsigned(value) => push_unsigned(&mut self.out, *value),
                    DimensionValue::Signed(value) => push_number(&mut self.out, Number::Signed(*value)),
                    DimensionValue::InFlight(in_flight) => {
                        push_number(&mut self.out, Number::Signed(in_flight.current()));
                    }
                    DimensionValue::Duration(value) => push_number(&mut self.out, Number::Duration(*value)),
                    DimensionValue::Distinct(distinct) => push_unsigned(&mut self.out, distinct.estimate()),
                    value => push_float(&mut self.out, value.as_f64().unwrap_or(f64::NAN)),
                }
                self.out.push(b'\n');
            }
        }
        if self.created
            && sample.declared.window.is_none()
            && matches!(family_type, FamilyType::Counter | FamilyType::Histogram | FamilyType::Summary)
        {
            self.write_created(name, group, sample.created);
        }
    }

    /// Writes since when a series counts.
    fn write_created(&mut self, name: &[u8], group: usize, created: Timestamp) {
        if !created.is_unknown() {
            self.push_series(name, b"_created", group);
            push_micros(&mut self.out, created.as_micros());
            self.out.push(b'\n');
        }
    }

    fn write_summary(&mut self, name: &[u8], group: usize, mean: &MeanSnapshot<Number>) {
        self.push_series(name, b"_count", group);
        push_unsigned(&mut self.out, mean.count);
        self.out.push(b'\n');
        self.push_series(name, b"_sum", group);
        push_number(&mut self.out, mean.sum);
        self.out.push(b'\n');
    }

    /// Writes the quantiles of a window.
    fn write_quantiles(&mut self, name: &[u8], group: usize, histogram: &HistogramSnapshot<Number>) {
        let labels = self.labels.len();
        for (quantile, text) in QUANTILES {
            let Some(value) = histogram.quantile(quantile) else { continue };
            push_further(&mut self.labels, QUANTILE, text);
            self.push_series(name, b"", group);
            push_float(&mut self.out, value);
            self.out.push(b'\n');
            self.labels.truncate(labels);
        }
    }

    fn write_histogram(
        &mut self,
        name: &[u8],
        group: usize,
        histogram: &HistogramSnapshot<Number>,
        powers: PowerRange,
    ) {
        self.bucket_start.clear();
        let (of_group, further) = self.labels_of(group);
        let comma: &[u8] = if of_group.is_empty() && further.is_empty() { b"" } else { b"," };
        let start = [name, b"_bucket{", of_group, further, comma, b"le=\""].concat();
        self.bucket_start.extend_from_slice(&start);
        let lowest = match &histogram.buckets {
            Buckets::Explicit(buckets) => self.write_explicit_buckets(buckets),
            Buckets::Exponential(buckets) => self.write_exponential_buckets(buckets, powers),
        };
        let count = histogram.buckets.count();
        self.write_bucket(b"+Inf", count);
        // A sum with negative values may fall. OpenMetrics forbids sum and count then.
        let values = [Some(histogram.sum), histogram.min.known()];
        let values = values.into_iter().flatten().map(|value| value.as_f64());
        let may_fall = values.chain(lowest).any(|value| value < 0.0);
        if !(may_fall && self.is_open_metrics) {
            self.push_series(name, b"_count", group);
            push_unsigned(&mut self.out, count);
            self.out.push(b'\n');
            self.push_series(name, b"_sum", group);
            push_number(&mut self.out, histogram.sum);
            self.out.push(b'\n');
        }
    }

    /// Writes the buckets that have bounds. Returns the lowest bound.
    fn write_explicit_buckets(&mut self, buckets: &[Bucket<Number>]) -> Option<f64> {
        let mut bounds = std::mem::take(&mut self.bounds);
        bounds.set(buckets);
        let mut count: u64 = 0;
        let mut texts = bounds.texts.iter();
        for bucket in buckets {
            count = count.saturating_add(bucket.count);
            let Some(_) = bucket.upper_bound else { continue };
            if let Some(Some(text)) = texts.next() {
                self.write_bucket(text, count);
            }
        }
        let lowest = bounds.bounds.first().map(Number::as_f64);
        self.bounds = bounds;
        lowest
    }

    /// Writes the counts at powers of two. Returns the lowest bound.
    fn write_exponential_buckets(&mut self, buckets: &ExponentialBuckets, range: PowerRange) -> Option<f64> {
        let bounds = power_bounds::cumulative(buckets, range);
        let mut powers = std::mem::take(&mut self.powers);
        for (bound, count) in &bounds {
            let text = powers.entry(bound.to_bits()).or_insert_with(|| number::bound(*bound).into_bytes());
            self.write_bucket(text, *count);
        }
        self.powers = powers;
        bounds.first().map(|(bound, _)| *bound)
    }

    fn write_bucket(&mut self, bound: &[u8], count: u64) {
        self.out.extend_from_slice(&self.bucket_start);
        self.out.extend_from_slice(bound);
        self.out.extend_from_slice(b"\"} ");
        push_unsigned(&mut self.out, count);
        self.out.push(b'\n');
    }

    /// Pushes the name and all labels, up to the value.
    fn push_series(&mut self, name: &[u8], suffix: &[u8], group: usize) {
        self.push_all([name, suffix]);
        let mut out = std::mem::take(&mut self.out);
        match self.labels_of(group) {
            ([], []) => {}
            (of_group, further) => {
                out.push(b'{');
                out.extend_from_slice(of_group);
                out.extend_from_slice(further);
                out.push(b'}');
            }
        }
        self.out = out;
        self.out.push(b' ');
    }

    /// The labels of the current series: those of the group, and the further ones.
    fn labels_of(&self, group: usize) -> (&[u8], &[u8]) {
        let of_group = &*self.groups[group].labels;
        // The first label stands after no comma.
        let start = usize::from(of_group.is_empty());
        (of_group, self.labels.get(start..).unwrap_or_default())
    }

    fn push_all<const N: usize>(&mut self, parts: [&[u8]; N]) {
        for part in parts {
            self.out.extend_from_slice(part);
        }
    }
}

impl BoundTexts {
    fn set(&mut self, buckets: &[Bucket<Number>]) {
        let bounds = || buckets.iter().filter_map(|bucket| bucket.upper_bound);
        if self.bounds.iter().copied().eq(bounds()) {
            return;
        }
        self.bounds = bounds().collect();
        let texts = bounds::distinct(self.bounds.iter().copied()).into_iter();
        self.texts = texts.map(|bound| Some(number::bound(bound?).into_bytes())).collect();
    }
}

/// The approximate length of the series of a family.
fn estimated_size(family: &Family<'_>, groups: &[Group<'_>], created: bool) -> usize {
    /// Braces, a suffix, a number and further labels take about this many bytes.
    const BYTES_PER_LINE: usize = 40;
    let lines = |value: &DimensionValue| {
        let lines = match value {
            DimensionValue::Histogram(histogram) => {
                histogram.buckets.explicit().map_or(family.powers.len() + 1, <[_]>::len) + 2
            }
            DimensionValue::Mean(_) => 2,
            _ => 1,
        };
        lines + usize::from(created)
    };
    let sample = |sample: &Sample<'_>| {
        let lines: usize = match sample.value {
            DimensionValue::Breakdown(entries) => entries.iter().map(|entry| lines(&entry.value)).sum(),
            value => lines(value),
        };
        lines * (family.name.len() + groups[sample.group].labels.len() + BYTES_PER_LINE)
    };
    family.samples.iter().map(sample).sum()
}
