//! What each option means, for editors. The tables of the documentation have the same sentences.

/// The meaning of an option. `place` is the attribute, or the option around it. `None` for an option that does not exist.
pub fn meaning(place: &str, option: &str) -> Option<&'static str> {
    let meaning = match (place, option) {
        ("metric_event", "name") => "The name of the event type; by default the type's name in snake case.",
        ("metric", "name") => "The name of the metric; by default the type's name in snake case.",
        ("metric", "on") => "An event that the fields listen to; may be repeated.",
        ("metric", "when") => {
            "The whole metric ignores an event unless the condition holds; outside of `on(..)` only where the metric has one event."
        }
        ("metric", "by") => "The labels of each dimension without a `by` of its own, for each event.",
        ("metric", "limit") => {
            "The largest number of labels in a breakdown that has the labels of the metric."
        }
        ("metric", "keep") => "How many labels a `Top` keeps that has the labels of the metric.",
        ("metric", "rename_all") => "Another case for the names of dimensions without a `name`.",
        ("on", "with") => {
            "A handler of your own, `fn(&mut Self, &Event) -> bool`, is called with the event. A field listens to it only with an `on` of its own."
        }
        ("dimension", "on") => {
            "The field listens to this event, and not to those of the struct; may be repeated."
        }
        ("dimension" | "on", "value") => "The value to record.",
        ("dimension" | "on", "from") => {
            "The unit of a number that is recorded as a `Duration`: `nanoseconds`, `microseconds`, `milliseconds` or `seconds`."
        }
        ("on", "when") => "The event is ignored unless the condition holds.",
        ("dimension", "when") => "The field ignores an event unless the condition holds.",
        ("dimension" | "on", "by") => {
            "The label of an event in a `Breakdown` or `Top`, of one to four parts."
        }
        ("dimension" | "on", "add") => "The amount to add; 1 by default.",
        ("dimension" | "on", "sub") => "The amount to subtract; 1 by default.",
        ("dimension" | "on", "set") => "The new value of a gauge.",
        ("dimension" | "on", "begin") => {
            "The id that begins with this event; its `end` records the time between both."
        }
        ("dimension" | "on", "end") => "The id that ends with this event.",
        ("dimension" | "on", "at") => "The `Instant` of an event with `begin` or `end`.",
        ("dimension", "name") => "The name of the dimension; by default the field's name.",
        ("dimension" | "on", "limit") => {
            "The largest number of labels in a breakdown; further labels are counted under `other`. With `begin`, the most ids that are open at once."
        }
        ("dimension" | "on", "keep") => "How many labels a `Top` keeps, the largest ones; from 1 to 65,536.",
        ("dimension" | "on", "buckets") => {
            "The upper bounds of a histogram: an ascending list, a constant, or `exponential(start, factor, n)`."
        }
        ("dimension" | "on", "max_buckets") => {
            "How many exponential buckets a histogram without `buckets` may have: 160 by default, 4 to 1,024."
        }
        ("dimension", "unit") => {
            "The unit of the values: `bytes`, `\"requests\"`; for durations the unit in JSON."
        }
        ("dimension", "merge") => {
            "How a gauge is combined with that of another recorder: `sum`, `min` or `max`; `sum` by default. Also for a dimension of your own that shows a number or a map of numbers."
        }
        ("dimension", "zeros") => "A breakdown shows a label only after its first event.",
        ("dimension", "flatten") => "The field is a metric; its dimensions become part of this one.",
        ("dimension", "skip") => "The field is not a dimension.",
        ("dimension", "manual") => "Only a `with` handler changes the field.",
        ("flatten", "prefix") => "The text in front of the names of the flattened dimensions.",
        ("label", "name") => {
            "Of a variant: the text of the label; by default the variant's name in snake case."
        }
        ("label", "rename_all") => "Of the enum: another case for all texts without a `name`.",
        _ => return None,
    };
    Some(meaning)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::{
        ALSO_INSIDE_ON, EventOptions, FeedOptions, FieldOptions, FlattenOptions, LabelOptions, ListenOptions,
        MetricOptions, OptionSet, VariantOptions,
    };
    use super::meaning;

    /// Each option there is has a row in the guide, with its meaning and a link to an example on the same page.
    #[test]
    fn each_option_is_documented_with_an_example() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../metrics-runtime/src");
        if !folder.exists() {
            // The published package is alone.
            return;
        }
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        let tables =
            ["events", "metrics", "fields", "labels"].map(|of| read(&format!("docs/options_of_{of}.md")));
        let (tables, examples) = (tables.concat(), read("guide/language_examples.md"));
        let places = [
            ("metric", MetricOptions::KEYS),
            ("metric", &["on"]),
            ("on", ListenOptions::KEYS),
            ("on", FeedOptions::KEYS),
            ("on", &ALSO_INSIDE_ON),
            ("dimension", FeedOptions::KEYS),
            ("dimension", FieldOptions::KEYS),
            ("dimension", &["on"]),
            ("flatten", FlattenOptions::KEYS),
            ("label", LabelOptions::KEYS),
            ("label", VariantOptions::KEYS),
            ("metric_event", EventOptions::KEYS),
        ];
        let options = places.iter().flat_map(|(place, keys)| keys.iter().map(move |key| (*place, *key)));
        let options: Vec<_> = options.filter(|(_, key)| *key != "crate").collect();
        assert!(options.len() > 30, "{options:?}");
        for (place, key) in options {
            let meaning =
                meaning(place, key).unwrap_or_else(|| panic!("`{key}` of `{place}` has no meaning"));
            let row = tables.lines().find(|line| {
                line.starts_with(&format!("| [`{key}")) && line.ends_with(&format!(" | {meaning} |"))
            });
            let row = row.unwrap_or_else(|| panic!("no row of `{key}` says: {meaning}"));
            let (_, link) =
                row.split_once("](crate::guide::language#").unwrap_or_else(|| panic!("no link: {row}"));
            let (anchor, _) = link.split_once(')').unwrap();
            let heading = examples.split("\n## ").skip(1).find(|section| anchor_of(section) == anchor);
            let section = heading.unwrap_or_else(|| panic!("no heading `{anchor}`"));
            assert!(section.contains("```") && section.contains(key), "`{anchor}` has no example of `{key}`");
        }
    }

    /// The anchor that rustdoc gives to the heading of a section.
    fn anchor_of(section: &str) -> String {
        let heading = section.lines().next().unwrap_or_default().to_lowercase();
        heading.replace(' ', "-").replace('`', "")
    }
}
