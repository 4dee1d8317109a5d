//! The catalogue as a page for people, in the Markdown of GitHub.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::diff::bound_text;
use super::{Catalogue, CatalogueDimension, CatalogueLabel, CatalogueMetric, CatalogueType};
use crate::descriptor::DimensionKind;
use crate::snapshot::{kind_name, number_name, rule_name};

impl Catalogue {
    /// The catalogue as a page for people, in the Markdown of GitHub: a list of the metrics, and for each of them its events, and a table
    /// of its dimensions with their series in Prometheus.
    ///
    /// Names and help texts are shown as they are, whatever they contain: no text becomes markup. Line breaks become spaces.
    ///
    /// ```
    /// use mvx_metrics::{Counter, Metric, catalogue, metric_event};
    ///
    /// #[metric_event]
    /// struct Rang;
    ///
    /// /// What the bell did.
    /// #[derive(Metric, Default)]
    /// #[metric(name = "bell", on(Rang))]
    /// struct Bell {
    ///     /// How often it rang.
    ///     rings: Counter,
    /// }
    ///
    /// let page = catalogue![Bell]?.to_markdown();
    /// assert!(page.contains("## bell\n\nWhat the bell did.\n"));
    /// assert!(page.contains("| rings | counter |  |  | bell_rings_total (counter) | How often it rang. |\n"));
    /// # Ok::<(), mvx_metrics::catalogue::CatalogueError>(())
    /// ```
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut page = String::from("# Metrics\n\n");
        page.push_str(
            "Made from the declarations of the metrics. Every series also has the label `namespace`.\n\n",
        );
        if self.metrics.is_empty() {
            page.push_str("There are no metrics.\n");
            return page;
        }
        let anchors = anchors(&self.metrics);
        push_row(&mut page, &["metric", "dimensions", "help"].map(str::to_owned));
        page.push_str("|---|---|---|\n");
        for (metric, anchor) in self.metrics.iter().zip(&anchors) {
            let link = format!("[{}](#{anchor})", text(&metric.name));
            push_row(&mut page, &[link, metric.dimensions.len().to_string(), text(&metric.help)]);
        }
        for (metric, anchor) in self.metrics.iter().zip(&anchors) {
            push_metric(&mut page, metric, anchor);
        }
        page
    }
}

fn push_metric(page: &mut String, metric: &CatalogueMetric, anchor: &str) {
    // A write to a `String` never fails.
    let _ = write!(page, "\n<a id=\"{anchor}\"></a>\n\n## {}\n\n", text(&metric.name));
    if !metric.help.trim().is_empty() {
        let _ = write!(page, "{}\n\n", paragraph(&metric.help));
    }
    if metric.events.is_empty() {
        page.push_str("It listens to no events.\n");
    } else {
        let _ = writeln!(page, "Events: {}.", texts(&metric.events, ", "));
    }
    if metric.dimensions.is_empty() {
        page.push_str("\nIt has no dimensions.\n");
        return;
    }
    page.push('\n');
    let head = ["dimension", "kind", "unit", "labels", "series in Prometheus", "help"];
    push_row(page, &head.map(str::to_owned));
    page.push_str("|---|---|---|---|---|---|\n");
    for dimension in &metric.dimensions {
        push_row(
            page,
            &[
                text(&dimension.name),
                kind(dimension),
                dimension.unit.as_deref().map(text).unwrap_or_default(),
                labels(dimension),
                series(dimension),
                text(&dimension.help),
            ],
        );
    }
}

fn push_row(page: &mut String, cells: &[String]) {
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

/// The kind, and all that it is declared with.
fn kind(dimension: &CatalogueDimension) -> String {
    let mut kind = kind_name(dimension.kind).replace('_', " ");
    if let Some(number) = dimension.number.filter(|_| dimension.kind != DimensionKind::Counter) {
        let _ = write!(kind, " of {}", number_name(number));
    }
    if let Some(seconds) = dimension.window {
        let _ = write!(kind, ", of the last {seconds} s");
    }
    if !dimension.buckets.is_empty() {
        let bounds: Vec<String> = dimension.buckets.iter().map(|bound| text(&bound_text(*bound))).collect();
        let _ = write!(kind, ", buckets up to {}", bounds.join(", "));
    }
    if let Some(buckets) = dimension.max_buckets {
        let _ = write!(kind, ", at most {buckets} exponential buckets");
    }
    match (dimension.kind, dimension.merge) {
        (_, None) => kind.push_str(", in no totals"),
        (DimensionKind::Gauge | DimensionKind::Custom, Some(merge)) => {
            let _ = write!(kind, ", merges by {}", rule_name(merge));
        }
        _ => {}
    }
    kind
}

fn labels(dimension: &CatalogueDimension) -> String {
    let label = |label: &CatalogueLabel| {
        let name = if label.name.is_empty() { "(without a name)".to_owned() } else { text(&label.name) };
        if label.values.is_empty() { name } else { format!("{name}: {}", texts(&label.values, ", ")) }
    };
    let mut labels: Vec<String> = dimension.labels.iter().map(label).collect();
    labels.extend(dimension.limit.map(|limit| format!("at most {limit} and `other`")));
    labels.extend(dimension.keep.map(|keep| format!("the largest {keep}")));
    labels.join("; ")
}

fn series(dimension: &CatalogueDimension) -> String {
    let family = |family: &super::CatalogueFamily| {
        let family_type = match family.family_type {
            CatalogueType::Counter => "counter",
            CatalogueType::Gauge => "gauge",
            CatalogueType::Histogram => "histogram",
            CatalogueType::Summary => "summary",
            CatalogueType::Unknown => "untyped",
        };
        let mut shown = format!("{} ({family_type}", text(&family.name));
        if !family.labels.is_empty() {
            let _ = write!(shown, " by {}", texts(&family.labels, ", "));
        }
        shown + ")"
    };
    let families: Vec<String> = dimension.families.iter().map(family).collect();
    if families.is_empty() { "none".to_owned() } else { families.join("; ") }
}

fn texts(list: &[String], separator: &str) -> String {
    list.iter().map(|one| text(one)).collect::<Vec<_>>().join(separator)
}

/// A text of the user's within a line, without any markup.
fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !escaped.is_empty() {
            escaped.push(' ');
        }
        let mut before = ' ';
        let mut characters = word.chars().peekable();
        while let Some(character) = characters.next() {
            // Within a word `_` is no markup, and names are full of it.
            let is_within = |other: char| other.is_ascii_alphanumeric();
            if character == '_' && is_within(before) && characters.peek().copied().is_some_and(is_within) {
                escaped.push('_');
            } else {
                push_escaped(&mut escaped, character);
            }
            before = character;
        }
    }
    escaped
}

fn push_escaped(out: &mut String, character: char) {
    match character {
        // Backslashes do not escape these everywhere: in cells of tables, and where a program shows HTML as it is.
        '<' | '>' | '&' | '|' | '`' | '@' => {
            let _ = write!(out, "&#{};", u32::from(character));
        }
        '\\' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '~' | '!' | '$' | '^' => {
            out.extend(['\\', character]);
        }
        // Some of them turn the direction of the text that follows.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
        character if character.is_control() => out.push('\u{fffd}'),
        character => out.push(character),
    }
}

/// The same as a paragraph of its own, which a first character may make a list or a line.
fn paragraph(paragraph: &str) -> String {
    let escaped = text(paragraph);
    let mut characters = escaped.chars();
    match characters.next() {
        Some(first) if first.is_ascii_digit() || "-+=:".contains(first) => {
            format!("&#{};{}", u32::from(first), characters.as_str())
        }
        _ => escaped,
    }
}

/// A name for each metric to which a link leads. All differ.
fn anchors(metrics: &[CatalogueMetric]) -> Vec<String> {
    const MAX_CHARACTERS: usize = 100;
    let mut used = HashSet::new();
    let anchors = metrics.iter().map(|metric| {
        let spelled = metric.name.chars().take(MAX_CHARACTERS);
        let spelled =
            spelled.map(|one| if one.is_ascii_alphanumeric() { one.to_ascii_lowercase() } else { '-' });
        let name = format!("metric-{}", spelled.collect::<String>());
        let mut anchor = name.clone();
        let mut number = 1;
        while !used.insert(anchor.clone()) {
            number += 1;
            anchor = format!("{name}-{number}");
        }
        anchor
    });
    anchors.collect()
}
