//! Where series are used: whole names in rules, dashboards and any other text.
//!
//! A recording rule that is made of a series that is gone takes its own series along, so those are looked for, too.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use crate::file::one_line;

/// A file in which names are looked for.
pub(super) struct Text {
    path: String,
    lines: Vec<Line>,
    blocks: Vec<Block>,
    /// The lines that have a word: what could be the name of a series.
    words: HashMap<String, Vec<usize>>,
}

struct Line {
    text: String,
    /// The index of the block that the line stands in.
    block: usize,
}

/// Lines whose keys belong together: an item of a list, or what stands between two braces.
struct Block {
    /// How far the keys are indented, counted with the dash of a list.
    indentation: usize,
    /// The block around this one.
    parent: Option<usize>,
    /// The key that names the block, and its line.
    owner: Option<(usize, Owner)>,
}

/// A place that uses series.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mention {
    /// The first line that has one of them.
    line: usize,
    series: BTreeSet<String>,
    pub(super) place: Place,
}

/// What a change breaks: an alert, a recording rule, a panel, or a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    path: String,
    /// The first line of what has a name, else the line itself.
    line: usize,
    /// Such as `alert OrdersFailing`.
    owner: Option<Owner>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Owner {
    kind: &'static str,
    name: String,
}

const ALERT: &str = "alert";
const RECORDING_RULE: &str = "recording rule";
const PANEL: &str = "panel";

/// The keys that name what they stand in, in rules and in dashboards.
const OWNERS: [(&str, &str); 3] = [("alert", ALERT), ("record", RECORDING_RULE), ("title", PANEL)];

/// How many places of each kind there are, such as `3 places: 2 alerts, 1 panel`.
pub(super) fn counts(places: &HashSet<Place>) -> String {
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let kinds = [Some(ALERT), Some(RECORDING_RULE), Some(PANEL), None];
    let of_kind = kinds.into_iter().filter_map(|kind| {
        let is_of_kind = |place: &&Place| place.owner.as_ref().map(|owner| owner.kind) == kind;
        let count = places.iter().filter(is_of_kind).count();
        (count > 0).then(|| counted(count, kind.unwrap_or("other line")))
    });
    let of_kind: Vec<String> = of_kind.collect();
    let colon = if of_kind.is_empty() { "" } else { ": " };
    format!("{}{colon}{}", counted(places.len(), "place"), of_kind.join(", "))
}

impl fmt::Display for Mention {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let series: Vec<&str> = self.series.iter().map(String::as_str).collect();
        let mut text = format!("{}:{}: ", self.place.path, self.line);
        if let Some(Owner { kind, name }) = &self.place.owner {
            text.extend([kind, " ", name, ": "]);
        }
        formatter.write_str(&one_line(&(text + &series.join(", "))))
    }
}

impl Text {
    pub(super) fn new(path: String, text: &str) -> Self {
        let is_yaml = [".yml", ".yaml"].iter().any(|end| path.ends_with(end));
        let lines = text.lines().map(|line| if is_yaml { without_comment(line) } else { line });
        let mut text = Self { path, lines: Vec::new(), blocks: Vec::new(), words: HashMap::new() };
        let mut open = None;
        for line in lines {
            text.add(line, &mut open);
        }
        text
    }

    /// Adds a line. `open` is the block of the line before.
    fn add(&mut self, text: &str, open: &mut Option<usize>) {
        let index = self.lines.len();
        if !text.trim().is_empty() {
            let (begin, indentation) = indentation(text);
            let owner = text.get(indentation..).and_then(Owner::of);
            // A line with less before it ends a block, and so does the dash of the next item.
            while let Some(block) = open.map(|open| &self.blocks[open])
                && begin < block.indentation
            {
                *open = block.parent;
            }
            let current = open.map(|open| &self.blocks[open]);
            let is_inner = current.is_none_or(|block| block.indentation < indentation);
            // Without anything between them, a second name begins another block.
            let is_named_twice = owner.is_some() && current.is_some_and(|block| block.owner.is_some());
            if is_inner || is_named_twice {
                let parent = if is_inner { *open } else { current.and_then(|block| block.parent) };
                self.blocks.push(Block { indentation, parent, owner: None });
                *open = Some(self.blocks.len() - 1);
            }
            if let (Some(open), Some(owner)) = (*open, owner) {
                self.blocks[open].owner = Some((index, owner));
            }
        }
        for word in words(text) {
            let lines = self.words.entry(word.to_owned()).or_default();
            if lines.last() != Some(&index) {
                lines.push(index);
            }
        }
        self.lines.push(Line { text: text.to_owned(), block: open.unwrap_or_default() });
    }

    /// The lines that have a name.
    fn lines_with(&self, name: &str) -> Vec<usize> {
        if words(name).next() == Some(name) {
            return self.words.get(name).cloned().unwrap_or_default();
        }
        // Only a file that people have edited has such a name.
        (0..self.lines.len()).filter(|index| has_token(&self.lines[*index].text, name)).collect()
    }

    /// What the line at `index` belongs to: the key with a name in the innermost block that has one.
    fn owner(&self, index: usize) -> Option<&(usize, Owner)> {
        let innermost = self.blocks.get(self.lines[index].block);
        let mut around = std::iter::successors(innermost, |block| Some(&self.blocks[block.parent?]));
        around.find_map(|block| block.owner.as_ref())
    }
}

/// A line of YAML or `PromQL` without its comment, which breaks nothing. A quote that stays open keeps the rest of its line.
fn without_comment(line: &str) -> &str {
    let (mut quote, mut before, mut is_escaped) = (None, ' ', false);
    for (index, character) in line.char_indices() {
        match (quote, character) {
            (None, '#') if matches!(before, ' ' | '\t') => return &line[..index],
            (None, '"' | '\'' | '`') => quote = Some(character),
            (Some('"'), _) if is_escaped => is_escaped = false,
            (Some('"'), '\\') => is_escaped = true,
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
        before = character;
    }
    line
}

/// Where a line begins, and where its first key does, which may stand behind the dash of a list.
fn indentation(line: &str) -> (usize, usize) {
    let begin = line.len() - line.trim_start().len();
    let rest = &line[begin..];
    let item = rest.strip_prefix('-').filter(|item| item.starts_with(' '));
    (begin, begin + item.map_or(0, |item| rest.len() - item.trim_start().len()))
}

impl Owner {
    /// The name in the text of a line such as `alert: OrdersFailing` or `"title": "Orders",`.
    fn of(text: &str) -> Option<Self> {
        let (key, value) = text.split_once(':')?;
        let key = key.trim().trim_matches(['"', '\'']);
        let (_, kind) = OWNERS.iter().find(|(owner, _)| *owner == key)?;
        // A generated title has characters that nobody sees.
        let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']).replace('\u{2060}', "");
        (!value.is_empty()).then_some(Self { kind, name: value })
    }
}

/// The series of the library that has a label with the event type.
const BY_EVENT: &str = "mvx_metrics_events_dropped_total";

/// All places that use series, by file and line. The series with the dropped events goes on for all types but the lost ones.
pub(super) fn of(series: &[String], lost_events: &[String], texts: &[Text]) -> Vec<Mention> {
    // A server with native histograms has them by the name of their family.
    let families = series.iter().filter_map(|name| name.strip_suffix("_bucket"));
    let families = families.filter(|family| series.contains(&format!("{family}_count")));
    let mut wanted: Vec<String> =
        series.iter().map(String::as_str).chain(families).map(str::to_owned).collect();
    let mut known: HashSet<String> = wanted.iter().cloned().collect();
    let mut mentions: HashMap<(usize, Place), Mention> = HashMap::new();
    // It grows while recording rules are found.
    while let Some(series) = wanted.pop() {
        for (position, text) in texts.iter().enumerate() {
            let lost = (series == BY_EVENT).then(|| LostEvents::of(lost_events, text));
            for index in text.lines_with(&series) {
                if lost.as_ref().is_some_and(|lost| !lost.are_at(index, text)) {
                    continue;
                }
                let (first, owner) = text.owner(index).cloned().unzip();
                let rule = owner.as_ref().filter(|owner| owner.kind == RECORDING_RULE);
                if let Some(rule) = rule {
                    // The line that names the rule uses nothing.
                    if rule.name == series {
                        continue;
                    }
                    if known.insert(rule.name.clone()) {
                        wanted.push(rule.name.clone());
                    }
                }
                let place = Place { path: text.path.clone(), line: first.unwrap_or(index) + 1, owner };
                let mention = mentions.entry((position, place.clone()));
                let mention =
                    mention.or_insert_with(|| Mention { line: index + 1, series: BTreeSet::new(), place });
                mention.line = mention.line.min(index + 1);
                mention.series.insert(series.clone());
            }
        }
    }
    let mut mentions: Vec<_> = mentions.into_iter().collect();
    mentions.sort_by_key(|((position, _), mention)| (*position, mention.line));
    mentions.into_iter().map(|(_, mention)| mention).collect()
}

/// Where a text has the types of lost events.
struct LostEvents {
    lines: HashSet<usize>,
    /// The first lines of the rules and panels.
    owners: HashSet<usize>,
}

impl LostEvents {
    fn of(events: &[String], text: &Text) -> Self {
        let lines: HashSet<usize> = events.iter().flat_map(|event| text.lines_with(event)).collect();
        let owners = lines.iter().filter_map(|index| text.owner(*index)).map(|(first, _)| *first).collect();
        Self { lines, owners }
    }

    /// Whether a query at a line may have one: in that line, or in another line of the same rule or panel.
    fn are_at(&self, index: usize, text: &Text) -> bool {
        self.lines.contains(&index) || text.owner(index).is_some_and(|(first, _)| self.owners.contains(first))
    }
}

/// Whether a character is a part of the names of series and recording rules.
fn is_part(character: char) -> bool {
    character == '_' || character == ':' || character.is_ascii_alphanumeric()
}

/// All that could be a name in a line. A colon at a name's end may be that of a key of YAML or JSON, so such a word is there without
/// it.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|character| !is_part(character)).filter(|word| !word.is_empty());
    words.map(|word| word.strip_suffix(':').unwrap_or(word))
}

/// Whether a line has a text that is not a part of a longer name.
fn has_token(line: &str, text: &str) -> bool {
    let begins = |rest: &str| rest.strip_prefix(':').unwrap_or(rest).starts_with(is_part);
    line.match_indices(text)
        .any(|(start, _)| !line[..start].ends_with(is_part) && !begins(&line[start + text.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str, series: &[&str]) -> Vec<String> {
        let series: Vec<String> = series.iter().map(|&name| name.to_owned()).collect();
        of(&series, &["lost".to_owned()], &[Text::new(path.to_owned(), text)])
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_name_is_found_whole() {
        for line in
            ["a_total", "rate(a_total[5m])", "x{__name__=\"a_total\"}", "a_total{b=\"c\"}", "a_total: gone"]
        {
            assert!(has_token(line, "a_total"), "{line}");
        }
        for line in ["a_total_x", "ba_total", "a_totals", "level:a_total:rate5m", "a_total:rate5m", ""] {
            assert!(!has_token(line, "a_total"), "{line}");
        }
    }

    const RULES: &str = "\
groups:
  - name: orders
    rules:
      # orders_total in a comment
      - record: namespace:orders:rate5m
        expr: sum(rate(orders_total[5m]))
      - alert: Slow
        expr: namespace:orders:rate5m < 1
        annotations:
          summary: few orders
      - expr: |
          orders_total > 5
        alert: Many
      - alert: Other
        expr: up == 0
";

    #[test]
    fn alerts_and_recording_rules_are_named_and_followed() {
        assert_eq!(
            found("r.yml", RULES, &["orders_total"]),
            [
                "r.yml:6: recording rule namespace:orders:rate5m: orders_total",
                "r.yml:8: alert Slow: namespace:orders:rate5m",
                "r.yml:12: alert Many: orders_total",
            ]
        );
    }

    #[test]
    fn a_panel_is_named_wherever_its_title_stands() {
        let dashboard = r#"{
  "panels": [
    {
      "targets": [
        {
          "expr": "orders_total"
        }
      ],
      "title": "Orders"
    },
    {
      "title": "Others",
      "targets": [
        {
          "expr": "orders_total > 1"
        }
      ]
    },
    {
      "targets": []
    }
  ],
  "title": "All"
}"#;
        assert_eq!(
            found("d.json", dashboard, &["orders_total"]),
            ["d.json:6: panel Orders: orders_total", "d.json:15: panel Others: orders_total"]
        );
    }

    #[test]
    fn dropped_events_of_other_types_go_on() {
        let rules = "\
- alert: Any
  expr: increase(mvx_metrics_events_dropped_total[5m]) > 0
- alert: Lost
  expr: increase(mvx_metrics_events_dropped_total{event_type=\"lost\"}[5m]) > 0
- alert: Kept
  expr: increase(mvx_metrics_events_dropped_total{event_type=\"kept\"}[5m]) > 0
";
        assert_eq!(
            found("r.yml", rules, &[BY_EVENT]),
            ["r.yml:4: alert Lost: mvx_metrics_events_dropped_total"]
        );
    }

    #[test]
    fn a_query_for_dropped_events_may_take_several_lines() {
        let rules = "\
- alert: Kept
  expr: |
    increase(mvx_metrics_events_dropped_total{
      event_type=\"kept\"
    }[5m]) > 0
- alert: Lost
  expr: |
    increase(mvx_metrics_events_dropped_total{
      event_type=\"lost\"
    }[5m]) > 0
";
        assert_eq!(
            found("r.yml", rules, &[BY_EVENT]),
            ["r.yml:8: alert Lost: mvx_metrics_events_dropped_total"]
        );
    }

    #[test]
    fn a_comment_uses_nothing() {
        for (line, rest) in [
            ("# a", ""),
            ("  # a", "  "),
            ("expr: a # b", "expr: a "),
            ("expr: a#b", "expr: a#b"),
            ("expr: 'a # b' # c", "expr: 'a # b' "),
            (r#"expr: "a\" # b" # c"#, r#"expr: "a\" # b" "#),
            (r#"expr: "a\\" # b"#, r#"expr: "a\\" "#),
            (r"expr: 'a\' # b", r"expr: 'a\' "),
            ("summary: it's # a", "summary: it's # a"),
        ] {
            assert_eq!(without_comment(line), rest);
        }
        let rules = "- alert: A\n  expr: up # not a_total\n";
        assert_eq!(found("r.yml", rules, &["a_total"]), [""; 0]);
        // Other texts have no comments that are known.
        assert_eq!(found("r.md", rules, &["a_total"]), ["r.md:2: alert A: a_total"]);
    }

    #[test]
    fn the_innermost_name_around_a_line_counts() {
        let rules = "\
rules:
- alert: First
  annotations:
    title: a_total
  expr: a_total
- record: b
  expr:
    sum(a_total)
---
- expr: a_total
  alert: Last
";
        assert_eq!(
            found("r.yaml", rules, &["a_total"]),
            [
                "r.yaml:4: panel a_total: a_total",
                "r.yaml:5: alert First: a_total",
                "r.yaml:8: recording rule b: a_total",
                "r.yaml:10: alert Last: a_total",
            ]
        );
        let two = "alert: First\nexpr: a_total\nalert: Second\nexpr: a_total";
        assert_eq!(
            found("two.txt", two, &["a_total"]),
            ["two.txt:2: alert First: a_total", "two.txt:4: alert Second: a_total"]
        );
    }

    #[test]
    fn a_native_histogram_is_found_by_the_name_of_its_family() {
        let query = "expr: histogram_quantile(0.9, rate(a[5m]))";
        assert_eq!(found("r.txt", query, &["a_bucket", "a_sum", "a_count"]), ["r.txt:1: a"]);
        // Other buckets alone take no series away.
        assert_eq!(found("r.txt", query, &["a_bucket"]), [""; 0]);
    }

    #[test]
    fn no_text_steers_the_terminal() {
        let rules = "- alert: \"a\u{1b}[31m\"\n  expr: a_total";
        assert_eq!(found("r.yml", rules, &["a_total"]), ["r.yml:2: alert a\\u{1b}[31m: a_total"]);
    }

    #[test]
    fn any_text_has_lines() {
        assert_eq!(
            found("runbook.md", "# Orders\n\nLook at `orders_total`.\n", &["orders_total"]),
            ["runbook.md:3: orders_total"]
        );
    }
}
