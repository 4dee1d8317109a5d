//! Writing: families as text, in either format.

mod number;

use std::borrow::Cow;

use self::number::{push_float, push_number, push_unsigned};
use super::family::{Family, FamilyType, Sample, type_of};
use super::format::Format;
use super::name::{ENTITY_ID, NAMESPACE, label_names};
use super::scope::Scoped;
use super::totals::Total;
use crate::descriptor::DimensionKind;
use crate::snapshot::{DimensionValue, HistogramSnapshot, Number, in_flight};

pub(super) struct Writer {
    out: Vec<u8>,
    format: Format,
    /// For each scope its labels, ready to be written.
    scopes: Vec<Vec<u8>>,
    /// The labels of the entry of a breakdown that is being written, each after a comma.
    labels: Vec<u8>,
    /// What all buckets of a histogram begin with.
    bucket: Vec<u8>,
    bounds: Bounds,
}

/// The bounds of the histogram before, as they are written.
#[derive(Default)]
struct Bounds {
    of: Vec<Number>,
    /// `None` for a bound whose values are counted at the next one.
    texts: Vec<Option<Vec<u8>>>,
}

impl Writer {
    pub(super) fn new(format: Format, scopes: &[Scoped], families: &[Family<'_>]) -> Self {
        let scopes: Vec<Vec<u8>> = scopes.iter().map(scope_labels).collect();
        let out = Vec::with_capacity(families.iter().map(|family| expected_size(family, &scopes)).sum());
        Self { out, format, scopes, labels: Vec::new(), bucket: Vec::new(), bounds: Bounds::default() }
    }

    pub(super) fn write(&mut self, family: &Family<'_>) {
        self.write_head(family);
        let mut name = family.name.clone().into_bytes();
        if family.kind == FamilyType::Counter {
            name.extend_from_slice(b"_total");
        }
        let mut declared: &[Cow<'static, str>] = &[];
        let mut names: Vec<String> = Vec::new();
        for sample in &family.samples {
            let kind = sample.total.declared.kind;
            self.labels.clear();
            match &sample.total.value {
                Total::Plain(value) => self.write_value(&name, family.kind, kind, sample.scope, value),
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
                        self.write_value(&name, family.kind, kind, sample.scope, &entry.value);
                    }
                }
            }
        }
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.out.extend_from_slice(b"# EOF\n");
        }
        String::from_utf8(self.out)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    fn write_head(&mut self, family: &Family<'_>) {
        let counter = family.kind == FamilyType::Counter && self.format == Format::Prometheus;
        let suffix: &[u8] = if counter { b"_total" } else { b"" };
        let kind: &[u8] = match (family.kind, self.format) {
            (FamilyType::Counter, _) => b"counter",
            (FamilyType::Gauge, _) => b"gauge",
            (FamilyType::Histogram, _) => b"histogram",
            (FamilyType::Unknown, Format::OpenMetrics) => b"unknown",
            (FamilyType::Unknown, Format::Prometheus) => b"untyped",
        };
        let quotes = self.format == Format::OpenMetrics;
        for (word, text) in [(&b"# HELP "[..], None), (b"# TYPE ", Some(kind))] {
            self.out.extend_from_slice(word);
            self.out.extend_from_slice(family.name.as_bytes());
            self.out.extend_from_slice(suffix);
            self.out.push(b' ');
            match text {
                Some(text) => self.out.extend_from_slice(text),
                None => push_escaped(&mut self.out, family.help.trim(), quotes),
            }
            self.out.push(b'\n');
        }
        if let (Some(unit), Format::OpenMetrics) = (&family.unit, self.format) {
            self.out.extend_from_slice(b"# UNIT ");
            self.out.extend_from_slice(family.name.as_bytes());
            self.out.push(b' ');
            self.out.extend_from_slice(unit.as_bytes());
            self.out.push(b'\n');
        }
    }

    fn write_value(
        &mut self,
        name: &[u8],
        family: FamilyType,
        kind: DimensionKind,
        scope: usize,
        value: &DimensionValue,
    ) {
        if type_of(kind, value) != Some(family) {
            // Of another type than the first label of the breakdown.
            return;
        }
        if let DimensionValue::Histogram(histogram) = value {
            self.write_histogram(name, scope, histogram);
            return;
        }
        self.begin(name, b"", scope);
        self.out.extend_from_slice(b"} ");
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

    fn write_histogram(&mut self, name: &[u8], scope: usize, histogram: &HistogramSnapshot<Number>) {
        let mut bounds = std::mem::take(&mut self.bounds);
        bounds.become_those_of(histogram);
        self.bucket.clear();
        let parts = [name, b"_bucket{", &self.scopes[scope], &self.labels, b",le=\""];
        for part in parts {
            self.bucket.extend_from_slice(part);
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
        // A sum that may have fallen is no counter, and OpenMetrics then wants neither sum nor count.
        let ends = [Some(histogram.sum), histogram.min, bounds.of.first().copied()];
        let falls = ends.into_iter().flatten().any(|end| end.as_f64() < 0.0);
        if !(falls && self.format == Format::OpenMetrics) {
            self.begin(name, b"_count", scope);
            self.out.extend_from_slice(b"} ");
            push_unsigned(&mut self.out, count);
            self.out.push(b'\n');
            self.begin(name, b"_sum", scope);
            self.out.extend_from_slice(b"} ");
            push_number(&mut self.out, histogram.sum);
            self.out.push(b'\n');
        }
        self.bounds = bounds;
    }

    fn write_bucket(&mut self, bound: &[u8], count: u64) {
        self.out.extend_from_slice(&self.bucket);
        self.out.extend_from_slice(bound);
        self.out.extend_from_slice(b"\"} ");
        push_unsigned(&mut self.out, count);
        self.out.push(b'\n');
    }

    /// The name and the labels without the closing brace.
    fn begin(&mut self, name: &[u8], suffix: &[u8], scope: usize) {
        self.out.extend_from_slice(name);
        self.out.extend_from_slice(suffix);
        self.out.push(b'{');
        self.out.extend_from_slice(&self.scopes[scope]);
        self.out.extend_from_slice(&self.labels);
    }
}

impl Bounds {
    fn become_those_of(&mut self, histogram: &HistogramSnapshot<Number>) {
        let bounds = || histogram.buckets.iter().filter_map(|bucket| bucket.upper_bound);
        if self.of.iter().copied().eq(bounds()) {
            return;
        }
        self.of = bounds().collect();
        // Whole numbers that are far from 0 may be the same floating-point number, and a series stands once.
        let mut above = f64::INFINITY;
        let texts = self.of.iter().rev().map(|bound| {
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

/// About how long the series of a family are going to be.
fn expected_size(family: &Family<'_>, scopes: &[Vec<u8>]) -> usize {
    /// Braces, a suffix, a number, further labels.
    const REST: usize = 40;
    let lines = |value: &DimensionValue| match value {
        DimensionValue::Histogram(histogram) => histogram.buckets.len() + 2,
        _ => 1,
    };
    let sample = |sample: &Sample<'_>| {
        let lines: usize = match &sample.total.value {
            Total::Plain(value) => lines(value),
            Total::Labelled(labelled) => labelled.entries.iter().map(|entry| lines(&entry.value)).sum(),
        };
        lines * (family.name.len() + scopes[sample.scope].len() + REST)
    };
    family.samples.iter().map(sample).sum()
}

fn scope_labels(scoped: &Scoped) -> Vec<u8> {
    let mut labels = Vec::new();
    push_label(&mut labels, NAMESPACE, &scoped.namespace);
    if let Some(entity_id) = &scoped.entity_id {
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
