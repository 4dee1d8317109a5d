//! `mvx-metrics dashboard`.

mod health;
mod metric;
mod panel;
mod text;
mod unit;

use std::collections::HashSet;
use std::process::ExitCode;

use clap::Args;
use mvx_metrics::catalogue::Catalogue;
use serde::Serialize;
use serde_json::{Value, json};

use self::panel::{Draft, Panel};
use crate::file::FileError;
use crate::generation::Generation;
use crate::promql::Selection;

/// The version of the dashboard's JSON, which Grafana 12 writes. Older ones read it, too.
const SCHEMA_VERSION: u32 = 41;
/// Grafana has 24 columns.
const COLUMNS: u32 = 24;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The dashboard's title.
    #[arg(long, default_value = "Metrics", value_parser = title)]
    title: String,
    /// The dashboard's id in addresses: up to 40 letters, digits, `-` and `_`. By default it follows from the title.
    #[arg(long, value_parser = uid)]
    uid: Option<String>,
    #[command(flatten)]
    generation: Generation,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, FileError> {
    options.generation.run(|catalogue| {
        let json = serde_json::to_string_pretty(&Dashboard::new(catalogue, options));
        Ok(json.map_err(|error| FileError::Output(error.into()))? + "\n")
    })
}

/// A title that Grafana takes.
fn title(text: &str) -> Result<String, &'static str> {
    let is_empty = text.trim().is_empty();
    (!is_empty).then(|| text.to_owned()).ok_or("Grafana takes no dashboard without a title")
}

/// A valid id of a dashboard.
fn uid(text: &str) -> Result<String, &'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_valid = (1..=40).contains(&text.len()) && text.bytes().all(is_allowed);
    is_valid.then(|| text.to_owned()).ok_or("an id has 1 to 40 letters, digits, `-` and `_`")
}

/// A dashboard in the order in which people read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dashboard {
    id: Option<u32>,
    uid: String,
    title: String,
    description: String,
    tags: [&'static str; 1],
    editable: bool,
    graph_tooltip: u32,
    refresh: &'static str,
    schema_version: u32,
    time: Value,
    timezone: &'static str,
    annotations: Value,
    links: [Value; 0],
    templating: Value,
    panels: Vec<Panel>,
}

impl Dashboard {
    fn new(catalogue: &Catalogue, options: &Options) -> Self {
        let selection = Selection {
            namespace: options.generation.namespace_label.clone(),
            filter: format!("{}=~\"$namespace\"", options.generation.namespace_label),
            window: "$__rate_interval".to_owned(),
        };
        let uid = options.uid.clone();
        let title = text::plain(&options.title);
        Self {
            id: None,
            uid: uid.unwrap_or_else(|| format!("mvx-metrics-{:08x}", panel::stable_id(&options.title))),
            title,
            description: "Written by `mvx-metrics dashboard`, which replaces what is changed here."
                .to_owned(),
            tags: ["mvx-metrics"],
            editable: true,
            // The crosshair is common to all panels.
            graph_tooltip: 1,
            refresh: "30s",
            schema_version: SCHEMA_VERSION,
            time: json!({ "from": "now-1h", "to": "now" }),
            timezone: "browser",
            annotations: json!({ "list": [] }),
            links: [],
            templating: json!({ "list": variables(&selection) }),
            panels: panels(catalogue, &selection),
        }
    }
}

/// The data source, and the namespaces that it knows.
fn variables(selection: &Selection) -> [Value; 2] {
    let query = format!("label_values(mvx_metrics_events_accepted_total, {})", selection.namespace);
    [
        json!({
            "name": "datasource",
            "label": "Data source",
            "type": "datasource",
            "query": "prometheus",
            "regex": "",
            "refresh": 1,
            "hide": 0,
            "includeAll": false,
            "multi": false,
            "current": {},
            "options": [],
        }),
        json!({
            "name": "namespace",
            "label": "Namespace",
            "type": "query",
            "datasource": panel::datasource(),
            "definition": query,
            "query": { "qryType": 1, "query": query, "refId": "namespaces" },
            "regex": "",
            // When the time range changes.
            "refresh": 2,
            "sort": 1,
            "hide": 0,
            "includeAll": true,
            "allValue": ".*",
            "multi": true,
            "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
            "options": [],
        }),
    ]
}

/// All rows with their panels, from top to bottom.
fn panels(catalogue: &Catalogue, selection: &Selection) -> Vec<Panel> {
    let mut rows = vec![(Draft::row("mvx_metrics", "Health of the measurement"), health::panels(selection))];
    for metric in &catalogue.metrics {
        let panels = metric::panels(metric, selection);
        if !panels.is_empty() {
            rows.push((Draft::row(&metric.name, &metric::row_title(metric)), panels));
        }
    }
    let (mut placed, mut ids, mut y) = (Vec::new(), HashSet::new(), 0);
    for (row, drafts) in rows {
        y += place(vec![row], y, &mut ids, &mut placed);
        y += place(drafts, y, &mut ids, &mut placed);
    }
    placed
}

/// Places panels from left to right, in as many lines as they need. Returns the height of all lines.
fn place(drafts: Vec<Draft>, top: u32, ids: &mut HashSet<u32>, placed: &mut Vec<Panel>) -> u32 {
    let (mut x, mut y, mut height) = (0, top, 0);
    for draft in drafts {
        let (width, tall) = draft.size;
        if x + width > COLUMNS {
            (x, y, height) = (0, y + height, 0);
        }
        let mut id = panel::stable_id(&draft.key);
        while !ids.insert(id) {
            id = panel::next_id(id);
        }
        placed.push(draft.place(id, x, y));
        (x, height) = (x + width, height.max(tall));
    }
    y + height - top
}
