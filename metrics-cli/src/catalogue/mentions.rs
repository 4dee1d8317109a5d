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

/// A line that uses a series.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mention {
    line: usize,
    /// The series that the line has.
    series: String,
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

/// The keys that name what they stand in, in rules and in dashboards.
const OWNERS: [(&str, &str); 3] = [("alert", "alert"), ("record", "record"), ("title", "panel")];

impl fmt::Display for Mention {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: ", self.place.path, self.line)?;
        match &self.place.owner {
            Some(Owner { kind: "record", name }) => write!(formatter, "recording rule {name}")?,
            Some(Owner { kind, name }) => write!(formatter, "{kind} {name}")?,
            None => formatter.write_str("text")?,
        }
        write!(formatter, " uses {}", self.series)
    }
}

impl Text {
    pub(super) fn new(path: String, text: String) -> Self {
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
        let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| Owner { kind, name: value.to_owned() })
    }
}

/// All mentions of series, by file and line.
pub(super) fn of(series: &[String], texts: &[Text]) -> Vec<Mention> {
    let mut wanted: Vec<String> = series.to_vec();
    let mut known: HashSet<String> = series.iter().cloned().collect();
    let mut mentions = Vec::new();
    // It grows while recording rules are found.
    while let Some(series) = wanted.pop() {
        for text in texts {
            for (index, line) in text.lines.iter().enumerate() {
                if !has_token(&line.text, &series) {
                    continue;
                }
                let owner = text.owner(index);
                let is_own_name =
                    owner.as_ref().is_some_and(|(_, owner)| owner.kind == "record" && owner.name == series);
                if is_own_name {
                    continue;
                }
                if let Some((_, Owner { kind: "record", name })) = &owner
                    && known.insert(name.clone())
                {
                    wanted.push(name.clone());
                }
                let (first, owner) = owner.map_or((index, None), |(first, owner)| (first, Some(owner)));
                let place = Place { path: text.path.clone(), line: first + 1, owner };
                mentions.push(Mention { line: index + 1, series: series.clone(), place });
            }
        }
    }
    let order = |mention: &Mention| texts.iter().position(|text| text.path == mention.place.path);
    mentions.sort_by_key(|mention| (order(mention), mention.line));
    mentions
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
        of(&series, &[Text::new(path.to_owned(), text.to_owned())]).iter().map(ToString::to_string).collect()
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
                "r.yml:6: recording rule namespace:orders:rate5m uses orders_total",
                "r.yml:8: alert Slow uses namespace:orders:rate5m",
                "r.yml:12: alert Many uses orders_total",
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
            ["d.json:6: panel Orders uses orders_total", "d.json:15: panel Others uses orders_total"]
        );
    }

    #[test]
    fn any_text_has_lines() {
        assert_eq!(
            found("runbook.md", "# Orders\n\nLook at `orders_total`.\n", &["orders_total"]),
            ["runbook.md:3: text uses orders_total"]
        );
    }
}
