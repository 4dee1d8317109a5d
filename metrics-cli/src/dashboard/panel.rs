//! Panels, as Grafana reads them.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::text;

/// A panel without its place.
pub(super) struct Draft {
    /// What the panel's id follows from: it stays when other panels come and go.
    pub(super) key: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) view: View,
    /// Grafana's name of the unit.
    pub(super) unit: String,
    pub(super) queries: Vec<Query>,
    /// Width and height.
    pub(super) size: (u32, u32),
}

/// How a panel shows its series.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Row,
    Lines,
    /// Lines on top of each other.
    Stacked,
    HeatMap,
    Table,
}

/// One expression of a panel.
pub(super) struct Query {
    pub(super) expression: String,
    /// The name of a series, with labels in double braces.
    pub(super) legend: String,
}

/// A panel of the dashboard.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Panel {
    id: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    grid_pos: Value,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Draft {
    /// The head of a row of panels.
    pub(super) fn row(key: &str, title: &str) -> Self {
        Self {
            key: format!("row {key}"),
            title: title.to_owned(),
            description: String::new(),
            view: View::Row,
            unit: String::new(),
            queries: Vec::new(),
            size: (super::COLUMNS, 1),
        }
    }

    pub(super) fn place(self, id: u32, x: u32, y: u32) -> Panel {
        let (width, height) = self.size;
        Panel {
            id,
            kind: self.view.kind(),
            grid_pos: json!({ "x": x, "y": y, "w": width, "h": height }),
            rest: self.rest(),
            title: self.title,
            description: self.description,
        }
    }

    fn rest(&self) -> Map<String, Value> {
        let mut rest = Map::new();
        if self.view == View::Row {
            rest.insert("collapsed".to_owned(), json!(false));
            rest.insert("panels".to_owned(), json!([]));
            return rest;
        }
        rest.insert("datasource".to_owned(), datasource());
        rest.insert("fieldConfig".to_owned(), self.view.field_config(&self.unit));
        rest.insert("options".to_owned(), self.view.options(&self.unit));
        let targets = self.queries.iter().enumerate().map(|(index, query)| query.target(index, self.view));
        rest.insert("targets".to_owned(), targets.collect());
        if self.view == View::Table {
            rest.insert("transformations".to_owned(), table_columns(&self.queries));
        }
        rest
    }
}

impl View {
    fn kind(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Lines | Self::Stacked => "timeseries",
            Self::HeatMap => "heatmap",
            Self::Table => "table",
        }
    }

    fn field_config(self, unit: &str) -> Value {
        let defaults = match self {
            Self::Row | Self::HeatMap => json!({}),
            Self::Table => json!({ "unit": unit }),
            Self::Lines | Self::Stacked => {
                let is_stacked = self == Self::Stacked;
                json!({
                    "unit": unit,
                    "custom": {
                        "drawStyle": "line",
                        "fillOpacity": if is_stacked { 30 } else { 10 },
                        "lineWidth": 1,
                        "showPoints": "auto",
                        "spanNulls": false,
                        "stacking": { "group": "A", "mode": if is_stacked { "normal" } else { "none" } },
                    },
                })
            }
        };
        json!({ "defaults": defaults, "overrides": [] })
    }

    fn options(self, unit: &str) -> Value {
        match self {
            Self::Row => json!({}),
            Self::Lines | Self::Stacked => json!({
                "legend": { "calcs": ["lastNotNull"], "displayMode": "list", "placement": "bottom", "showLegend": true },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            Self::HeatMap => json!({
                // The series are buckets already.
                "calculate": false,
                "cellGap": 1,
                "cellValues": { "unit": "short" },
                "color": { "mode": "scheme", "scheme": "Oranges", "scale": "exponential", "exponent": 0.5, "steps": 64 },
                "filterValues": { "le": 1e-9 },
                "legend": { "show": true },
                "rowsFrame": { "layout": "auto" },
                "tooltip": { "mode": "single", "yHistogram": false },
                "yAxis": { "axisPlacement": "left", "unit": unit },
            }),
            Self::Table => json!({
                "cellHeight": "sm",
                "showHeader": true,
                "sortBy": [{ "desc": true, "displayName": VALUE }],
            }),
        }
    }
}

impl Query {
    fn target(&self, index: usize, view: View) -> Value {
        let is_table = view == View::Table;
        json!({
            "refId": ref_id(index),
            "datasource": datasource(),
            "editorMode": "code",
            "expr": self.expression,
            "legendFormat": self.legend,
            "format": match view {
                View::HeatMap => "heatmap",
                View::Table => "table",
                View::Row | View::Lines | View::Stacked => "time_series",
            },
            "instant": is_table,
            "range": !is_table,
        })
    }
}

/// The column of a table that it is sorted by.
const VALUE: &str = "value";

/// One line for each label, with a column for each query. The first one is the value.
fn table_columns(queries: &[Query]) -> Value {
    let columns = queries.iter().enumerate().map(|(index, query)| {
        let name = if index == 0 { VALUE } else { &query.legend };
        (format!("Value #{}", ref_id(index)), Value::from(name))
    });
    let columns: Map<String, Value> = columns.collect();
    json!([
        { "id": "merge", "options": {} },
        { "id": "organize", "options": { "excludeByName": { "Time": true }, "renameByName": columns } },
    ])
}

/// `A`, `B` and so on. No panel has more than a few queries.
fn ref_id(index: usize) -> String {
    let letter = u8::try_from(index).ok().filter(|index| *index < 26).map(|index| char::from(b'A' + index));
    letter.map_or_else(|| format!("Q{index}"), String::from)
}

/// The data source that the reader of the dashboard has chosen.
pub(super) fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// A number above 0 and below 2 to the power of 31, which is always the same for a text (FNV-1a).
pub(super) fn stable_id(text: &str) -> u32 {
    let hash =
        text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash & 0x7fff_ffff).max(1)
}

/// The number to try after one that is in use.
pub(super) fn next_id(id: u32) -> u32 {
    if id == 0x7fff_ffff { 1 } else { id + 1 }
}

/// The description of a panel: a help text as it is, and a sentence about what the panel shows.
pub(super) fn description(help: &str, shown: &str) -> String {
    let help = text::plain(help.trim());
    if help.is_empty() { shown.to_owned() } else { format!("{help}\n\n{shown}") }
}
