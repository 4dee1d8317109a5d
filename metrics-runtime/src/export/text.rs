//! Text: the writer spells families in either format.

mod number;

use std::borrow::Cow;

use self::number::{push_float, push_number, push_unsigned};
use super::collector::Group;
use super::family::{Family, Sample};
use super::family_type::FamilyType;
use super::format::Format;
use super::name::{ENTITY_ID, NAMESPACE, label_names};
use super::totals::Total;
use crate::descriptor::DimensionKind;
use crate::snapshot::{DimensionValue, HistogramSnapshot, Number, in_flight};

/// All families as one text.
pub(super) fn write(format: Format, groups: &[Group], families: &[Family<'_>]) -> String {
    let mut writer = Writer::new(format, groups, families);
    for family in families {
        writer.write(family);
    }
    writer.finish()
}

struct Writer {
    out: Vec<u8>,
    format: Format,
    /// The labels of each group, ready to be copied.
    group_labels: Vec<Vec<u8>>,
    /// The breakdown labels of the current series, each after a comma.
    labels: Vec<u8>,
    /// The start of every bucket line of the current histogram.
    bucket_start: Vec<u8>,
    bounds: BoundTexts,
}

/// The bounds of the last histogram as text. Most often the next histogram has the same ones.
#[derive(Default)]
struct BoundTexts {
    bounds: Vec<Number>,
    /// `None` for a bound that has the same text as the next one. Its values are counted there.
    texts: Vec<Option<Vec<u8>>>,
}

impl Writer {
    fn new(format: Format, groups: &[Group], families: &[Family<'_>]) -> Self {
        let group_labels: Vec<Vec<u8>> = groups.iter().map(group_labels).collect();
        let size = families.iter().map(|family| estimated_size(family, &group_labels)).sum();
        Self {
            out: Vec::with_capacity(size),
            format,
            group_labels,
            labels: Vec::new(),
            bucket_start: Vec::new(),
            bounds: BoundTexts::default(),
        }
    }

    fn write(&mut self, family: &Family<'_>) {
        self.write_head(family);
        let mut name = family.name.clone().into_bytes();
        if family.family_type() == FamilyType::Counter {
            name.extend_from_slice(b"_total");
        }
        let mut declared: &[Cow<'static, str>] = &[];
        let mut names: Vec<String> = Vec::new();
        for sample in &family.samples {
            let kind = sample.total.declared.kind;
            self.labels.clear();
            match &sample.total.value {
                Total::Plain(value) => {
                    self.write_value(&name, family.family_type(), kind, sample.group, value);
                }
                Total::Labelled(labelled) => {
                    for entry in &labelled.entries {
                        if names.len() != entry.labels.len() || *declared != *sample.total.declared.labels {
                            declared = &sample.total.declared.labels;
                            names = label_names(declared, entry.labels.len());
                        }
                        self.labels.clear();
                        for (name, label) in names.iter().zip(&entry.labels) {
                            self.labels.push(b',');
                            push_label(&mut self.labels, name, label);
                        }
                        self.write_value(&name, family.family_type(), kind, sample.group, &entry.value);
                    }
                }
            }
        }
    }

    fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.out.extend_from_slice(b"# EOF\n");
        }
        String::from_utf8(self.out)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    fn write_head(&mut self, family: &Family<'_>) {
        let name = family.name.as_bytes();
        // In the Prometheus format the name of a counter has its suffix in the head, too.
        let has_suffix = family.family_type() == FamilyType::Counter && self.format == Format::Prometheus;
        let suffix: &[u8] = if has_suffix { b"_total" } else { b"" };
        self.push_all([b"# HELP ", name, suffix, b" "]);
        push_escaped(&mut self.out, family.help.trim(), self.format == Format::OpenMetrics);
        let type_name: &[u8] = match (family.family_type(), self.format) {
            (FamilyType::Counter, _) => b"counter",
            (FamilyType::Gauge, _) => b"gauge",
            (FamilyType::Histogram, _) => b"histogram",
            (FamilyType::Unknown, Format::OpenMetrics) => b"unknown",
            (FamilyType::Unknown, Format::Prometheus) => b"untyped",
        };
        self.push_all([b"\n# TYPE ", name, suffix, b" ", type_name, b"\n"]);
        if let (Some(unit), Format::OpenMetrics) = (&family.unit, self.format) {
            self.push_all([b"# UNIT ", name, b" ", unit.as_bytes(), b"\n"]);
        }
    }

    fn write_value(
        &mut self,
        name: &[u8],
        family_type: FamilyType,
        kind: DimensionKind,
        group: usize,
        value: &DimensionValue,
    ) {
        if FamilyType::of(kind, value) != Some(family_type) {
            // `Skipped` lists values that are not of the type of the family.
            return;
        }
        if let DimensionValue::Histogram(histogram) = value {
            self.write_histogram(name, group, histogram);
            return;
        }
        self.push_series(name, b"", group);
        match value {
            DimensionValue::Unsigned(value) => push_unsigned(&mut self.out, *value),
            DimensionValue::Signed(value) => push_number(&mut self.out, Number::Signed(*value)),
            DimensionValue::InFlight { started, finished } => {
                push_number(&mut self.out, Number::Signed(in_flight(*started, *finished)));
            }
            DimensionValue::Duration(value) => push_number(&mut self.out, Number::Duration(*value)),
            value => push_float(&mut self.out, value.as_f64().unwrap_or(f64::NAN)),
        }
        self.out.push(b'\n');
    }

    fn write_histogram(&mut self, name: &[u8], group: usize, histogram: &HistogramSnapshot<Number>) {
        let mut bounds = std::mem::take(&mut self.bounds);
        bounds.set(histogram);
        self.bucket_start.clear();
        let parts = [name, b"_bucket{", &self.group_labels[group], &self.labels, b",le=\""];
        for part in parts {
            self.bucket_start.extend_from_slice(part);
        }
        let mut count: u64 = 0;
        let mut texts = bounds.texts.iter();
        for bucket in &histogram.buckets {
            count = count.saturating_add(bucket.count);
            let Some(_) = bucket.upper_bound else { continue };
            if let Some(Some(text)) = texts.next() {
                self.write_bucket(text, count);
            }
        }
        self.write_bucket(b"+Inf", count);
        // A sum with negative values may fall. OpenMetrics forbids sum and count then.
        let extremes = [Some(histogram.sum), histogram.min, bounds.bounds.first().copied()];
        let may_fall = extremes.into_iter().flatten().any(|extreme| extreme.as_f64() < 0.0);
        if !(may_fall && self.format == Format::OpenMetrics) {
            self.push_series(name, b"_count", group);
            push_unsigned(&mut self.out, count);
            self.out.push(b'\n');
            self.push_series(name, b"_sum", group);
            push_number(&mut self.out, histogram.sum);
            self.out.push(b'\n');
        }
        self.bounds = bounds;
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
        self.out.extend_from_slice(name);
        self.out.extend_from_slice(suffix);
        self.out.push(b'{');
        self.out.extend_from_slice(&self.group_labels[group]);
        self.out.extend_from_slice(&self.labels);
        self.out.extend_from_slice(b"} ");
    }

    fn push_all<const N: usize>(&mut self, parts: [&[u8]; N]) {
        for part in parts {
            self.out.extend_from_slice(part);
        }
    }
}

impl BoundTexts {
    fn set(&mut self, histogram: &HistogramSnapshot<Number>) {
        let bounds = || histogram.buckets.iter().filter_map(|bucket| bucket.upper_bound);
        if self.bounds.iter().copied().eq(bounds()) {
            return;
        }
        self.bounds = bounds().collect();
        // Large whole numbers may be the same floating-point number, but a series must not appear twice.
        let mut above = f64::INFINITY;
        let texts = self.bounds.iter().rev().map(|bound| {
            let bound = bound.as_f64();
            let distinct = bound.is_finite() && bound < above;
            distinct.then(|| {
                above = bound;
                number::bound(bound).into_bytes()
            })
        });
        self.texts = texts.collect();
        self.texts.reverse();
    }
}

/// The approximate length of the series of a family.
fn estimated_size(family: &Family<'_>, group_labels: &[Vec<u8>]) -> usize {
    /// Braces, a suffix, a number and further labels take about this many bytes.
    const BYTES_PER_LINE: usize = 40;
    let lines = |value: &DimensionValue| match value {
        DimensionValue::Histogram(histogram) => histogram.buckets.len() + 2,
        _ => 1,
    };
    let sample = |sample: &Sample<'_>| {
        let lines: usize = match &sample.total.value {
            Total::Plain(value) => lines(value),
            Total::Labelled(labelled) => labelled.entries.iter().map(|entry| lines(&entry.value)).sum(),
        };
        lines * (family.name.len() + group_labels[sample.group].len() + BYTES_PER_LINE)
    };
    family.samples.iter().map(sample).sum()
}

fn group_labels(group: &Group) -> Vec<u8> {
    let mut labels = Vec::new();
    push_label(&mut labels, NAMESPACE, &group.namespace);
    if let Some(entity_id) = &group.entity_id {
        labels.push(b',');
        push_label(&mut labels, ENTITY_ID, entity_id);
    }
    labels
}

fn push_label(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    push_escaped(out, value, true);
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, text: &str, quotes: bool) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if quotes => out.extend_from_slice(b"\\\""),
            byte => out.push(byte),
        }
    }
}
