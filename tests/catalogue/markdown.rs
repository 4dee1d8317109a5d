//! Markdown: a page for people, which no text breaks.

use mvx_metrics::DimensionKind;
use mvx_metrics::catalogue::Catalogue;

use crate::program::program;

#[test]
fn the_page_shows_each_metric_with_its_dimensions() {
    let page = program().catalogue().to_markdown();
    for line in [
        "| [downloads](#metric-downloads) | 2 |  |",
        "| [uploads](#metric-uploads) | 11 | Uploads to the store. |",
        "<a id=\"metric-uploads\"></a>",
        "## uploads",
        "Events: upload_started, upload_ended.",
        "| by_outcome | counter |  | outcome: success, failure | uploads_by_outcome_total (counter by outcome) |  |",
        "| by_route | counter |  | route; method; at most 10 and `other` | uploads_by_route_total (counter by route, method) |  |",
        "| took | histogram of duration, buckets up to 0.1 s, 1 s | seconds |  | uploads_took_seconds (histogram) |  |",
        "| sizes | histogram of u64, at most 160 exponential buckets |  |  | uploads_sizes (histogram) |  |",
        "| open | gauge of i64, merges by sum |  |  | uploads_open (gauge) |  |",
        "| busiest | top of u64 |  | route; the largest 20 | uploads_busiest (gauge by route); uploads_busiest_error (gauge by route) |  |",
        "| slowest | max of duration, of the last 60 s | seconds |  | uploads_slowest_seconds (gauge) |  |",
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line} in\n{page}");
    }
}

#[test]
fn a_page_without_metrics_says_so() {
    let page = Catalogue::builder().build().expect("no names clash").to_markdown();
    assert!(page.ends_with("There are no metrics.\n"), "{page}");
}

#[test]
fn no_text_becomes_markup() {
    let hostile = "</script><b>|`*_[x](y)#@ \\| &lt; $a$ ~~b~~ ![c](d)\n\n# x\n| a |\n\t\u{202e}\u{0}";
    let mut catalogue = program().catalogue();
    let plain = catalogue.to_markdown();
    let metric = &mut catalogue.metrics[1];
    metric.help = format!("- {hostile}");
    metric.events.push(hostile.to_owned());
    for dimension in &mut metric.dimensions {
        dimension.name.push_str(hostile);
        dimension.help = hostile.to_owned();
        dimension.unit = Some(hostile.to_owned());
        dimension.kind = DimensionKind::Gauge;
        for label in &mut dimension.labels {
            label.name.push_str(hostile);
            label.values.push(hostile.to_owned());
        }
        for family in &mut dimension.families {
            family.labels.push(hostile.to_owned());
        }
    }
    let page = catalogue.to_markdown();
    assert_eq!(page.lines().count(), plain.lines().count(), "a line break breaks the page\n{page}");
    for (shown, plain) in page.lines().zip(plain.lines()) {
        let cells = |line: &str| line.matches('|').count();
        assert_eq!(cells(shown), cells(plain), "{shown}");
        assert_eq!(shown.starts_with('#'), plain.starts_with('#'), "{shown}");
        assert!(!shown.starts_with('-'), "a help text is no list: {shown}");
    }
    let without_anchors = page.replace("<a id=\"metric-", "").replace("</a>", "");
    for markup in ["<", "script>", "[x](y)", "**", "~~b", "$a$", "@", "\u{202e}", "\u{0}", "&lt;", "![c"] {
        assert!(!without_anchors.contains(markup), "{markup:?} in\n{page}");
    }
}

#[test]
fn links_of_metrics_lead_to_one_place_each() {
    let mut catalogue = program().catalogue();
    let mut other = catalogue.metrics[0].clone();
    for name in ["down.loads", "down-loads", &"x".repeat(10_000), &"x".repeat(9_999)] {
        name.clone_into(&mut other.name);
        catalogue.metrics.push(other.clone());
    }
    let page = catalogue.to_markdown();
    let mut anchors: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("<a id=\"")?.strip_suffix("\"></a>")).collect();
    assert_eq!(anchors.len(), catalogue.metrics.len());
    assert!(anchors.iter().all(|anchor| page.contains(&format!("](#{anchor})"))), "{anchors:?}");
    anchors.sort_unstable();
    anchors.dedup();
    assert_eq!(anchors.len(), catalogue.metrics.len());
}
