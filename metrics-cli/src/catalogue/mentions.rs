//! Where series are used: whole names in rules, dashboards and any other text.
//!
//! A recording rule that is made of a series that is gone takes its own series along, so those are looked for, too.

use std::collections::HashSet;
use std::fmt;

/// A file in which names are looked for.
pub(super) struct Text {
    path: String,
    lines: Vec<Line>,
}

struct Line {
    text: String,
    /// How far the line's first key is indented, counted with the dash of a list.
    indentation: usize,
    /// Where the dash of a list stands.
    dash: Option<usize>,
}

/// A place that uses series.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mention {
    /// The first line that has one of them.
    line: usize,
    series: Vec<String>,
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
        write!(formatter, "{}:{}: ", self.place.path, self.line)?;
        if let Some(Owner { kind, name }) = &self.place.owner {
            // A terminal would obey what a file has.
            write!(formatter, "{kind} {}: ", name.replace(char::is_control, "\u{fffd}"))?;
        }
        formatter.write_str(&self.series.join(", "))
    }
}

impl Text {
    pub(super) fn new(path: String, text: &str) -> Self {
        let is_yaml = [".yml", ".yaml"].iter().any(|end| path.ends_with(end));
        let line = |text: &str| {
            // What YAML does not read breaks nothing.
            let text = if is_yaml && text.trim_start().starts_with('#') { "" } else { text };
            let spaces = text.len() - text.trim_start().len();
            let rest = &text[spaces..];
            let inner = rest.strip_prefix('-').filter(|inner| inner.starts_with(' '));
            let inner_spaces = inner.map(|inner| rest.len() - inner.trim_start().len());
            Line {
                text: text.to_owned(),
                indentation: spaces + inner_spaces.unwrap_or(0),
                dash: inner.map(|_| spaces),
            }
        };
        Self { lines: text.lines().map(line).collect(), path }
    }

    /// What the line at `index` belongs to: the nearest key around it that is a name.
    fn owner(&self, index: usize) -> Option<(usize, Owner)> {
        let own = self.lines[index].owner().map(|owner| (index, owner, self.lines[index].indentation));
        let before = self.owner_before(index);
        let after = self.owner_after(index);
        // Of several ones the innermost.
        let all = [own, before, after].into_iter().flatten();
        all.max_by_key(|(_, _, indentation)| *indentation).map(|(index, owner, _)| (index, owner))
    }

    fn owner_before(&self, index: usize) -> Option<(usize, Owner, usize)> {
        let from = &self.lines[index];
        let mut level = from.dash.unwrap_or(from.indentation);
        let mut is_in_item = from.dash.is_some();
        for (index, line) in self.lines[..index].iter().enumerate().rev() {
            let begin = line.dash.unwrap_or(line.indentation);
            // An item of a list ends where the next one begins.
            let is_earlier_item = is_in_item && line.dash == Some(level);
            if line.text.trim().is_empty() || begin > level || is_earlier_item {
                continue;
            }
            // A key beside the line, or beside what the line stands in.
            if let Some(owner) = line.owner() {
                return Some((index, owner, line.indentation));
            }
            level = begin;
            is_in_item = line.dash.is_some();
        }
        None
    }

    fn owner_after(&self, index: usize) -> Option<(usize, Owner, usize)> {
        let mut level = self.lines[index].indentation;
        for (index, line) in self.lines.iter().enumerate().skip(index + 1) {
            if line.text.trim().is_empty() {
                continue;
            }
            if let Some(dash) = line.dash.filter(|dash| *dash < level) {
                // The next item of a list: nothing in it is around the line.
                level = dash;
                continue;
            }
            if line.indentation > level || line.dash.is_some() {
                continue;
            }
            if let Some(owner) = line.owner() {
                return Some((index, owner, line.indentation));
            }
            level = line.indentation;
        }
        None
    }
}

impl Line {
    /// The name in a line such as `- alert: OrdersFailing` or `"title": "Orders",`.
    fn owner(&self) -> Option<Owner> {
        let text = self.text.get(self.indentation..)?;
        let (key, value) = text.split_once(':')?;
        let key = key.trim().trim_matches(['"', '\'']);
        let (_, kind) = OWNERS.iter().find(|(owner, _)| *owner == key)?;
        // A generated title has characters that nobody sees.
        let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']).replace('\u{2060}', "");
        (!value.is_empty()).then_some(Owner { kind, name: value })
    }
}

/// The series of the library that has a label with the event type.
const BY_EVENT: &str = "mvx_metrics_events_dropped_total";

/// All places that use series, by file and line. The series with the dropped events goes on for all types but the lost ones.
pub(super) fn of(series: &[String], lost_events: &[String], texts: &[Text]) -> Vec<Mention> {
    let uses = |line: &str, series: &str| {
        let is_of_lost_event = || lost_events.iter().any(|event| has_token(line, event));
        has_token(line, series) && (series != BY_EVENT || is_of_lost_event())
    };
    let mut wanted: Vec<String> = series.to_vec();
    let mut known: HashSet<String> = series.iter().cloned().collect();
    let mut mentions: Vec<Mention> = Vec::new();
    // It grows while recording rules are found.
    while let Some(series) = wanted.pop() {
        for text in texts {
            let lines = text.lines.iter().enumerate().filter(|(_, line)| uses(&line.text, &series));
            for (index, _) in lines {
                let (first, owner) = text.owner(index).unzip();
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
                let line = first.unwrap_or(index) + 1;
                let place = Place { path: text.path.clone(), line, owner };
                add(&mut mentions, Mention { line: index + 1, series: vec![series.clone()], place });
            }
        }
    }
    let order = |mention: &Mention| texts.iter().position(|text| text.path == mention.place.path);
    mentions.sort_by_key(|mention| (order(mention), mention.line));
    for mention in &mut mentions {
        mention.series.sort();
    }
    mentions
}

/// Adds what a line uses to what else its place uses.
fn add(mentions: &mut Vec<Mention>, mention: Mention) {
    let Some(known) = mentions.iter_mut().find(|known| known.place == mention.place) else {
        mentions.push(mention);
        return;
    };
    known.line = known.line.min(mention.line);
    known.series.extend(
        mention.series.into_iter().filter(|series| !known.series.contains(series)).collect::<Vec<_>>(),
    );
}

/// Whether a line has a name that is not a part of a longer one.
fn has_token(line: &str, name: &str) -> bool {
    let is_part = |character: char| character == '_' || character == ':' || character.is_ascii_alphanumeric();
    // The key of YAML or JSON that follows a name is no part of it, and neither is a colon at a name's end.
    let begins = |rest: &str| match rest.strip_prefix(':') {
        Some(rest) => rest.starts_with(is_part),
        None => rest.starts_with(is_part),
    };
    line.match_indices(name)
        .any(|(start, _)| !line[..start].ends_with(is_part) && !begins(&line[start + name.len()..]))
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
    fn nothing_in_a_file_commands_a_terminal() {
        let rules = "- alert: \"a\x1b[31m\"\n  expr: orders_total\n";
        assert_eq!(found("r.yml", rules, &["orders_total"]), ["r.yml:2: alert a\u{fffd}[31m: orders_total"]);
    }

    #[test]
    fn any_text_has_lines() {
        assert_eq!(
            found("runbook.md", "# Orders\n\nLook at `orders_total`.\n", &["orders_total"]),
            ["runbook.md:3: orders_total"]
        );
    }
}
