//! A metric that counts different values, for tests in one process and in several.

use mvx_metrics::{Breakdown, Counter, Distinct, Label, Metric, metric_event};

/// A page of the site.
#[derive(Label, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The first one.
    Home,
    /// The one for searches.
    Search,
    /// The one that no visitor reads.
    Help,
}

/// A visitor has seen a page.
#[metric_event]
#[derive(Debug, Clone)]
pub struct Visited {
    /// The number of the visitor.
    pub visitor: u64,
    /// The name of the visitor.
    pub name: String,
    /// The site that the visitor comes from.
    pub referrer: Option<String>,
    /// The number as bytes.
    pub token: [u8; 16],
    /// The page.
    pub page: Page,
}

/// The visit of the visitor with this number.
pub fn visit(number: u64) -> Visited {
    Visited {
        visitor: number,
        name: format!("visitor-{number}"),
        referrer: number.is_multiple_of(2).then(|| format!("site-{}", number % 100)),
        token: u128::from(number).to_be_bytes(),
        page: if number.is_multiple_of(3) { Page::Home } else { Page::Search },
    }
}

/// Visits of a site.
#[derive(Metric, Debug, Default)]
#[metric(on(Visited))]
pub struct Visits {
    /// All visits.
    pub total: Counter,
    /// Different visitors.
    #[dimension(value = visitor)]
    pub visitors: Distinct,
    /// The same by name.
    #[dimension(value = name)]
    pub names: Distinct,
    /// A value that is sometimes not there.
    #[dimension(value = referrer)]
    pub referrers: Distinct,
    /// A value under a condition.
    #[dimension(value = token, when = |e| e.page == Page::Home)]
    pub tokens: Distinct,
    /// A label as a value.
    #[dimension(value = page)]
    pub pages: Distinct,
    /// A tuple as a value.
    #[dimension(value = |e| (e.page, e.name.as_str()))]
    pub names_and_pages: Distinct,
    /// Visitors by fixed labels.
    #[dimension(by = page, value = visitor)]
    pub visitors_by_page: Breakdown<Page, Distinct>,
    /// Pages by open labels.
    #[dimension(by = name, limit = 3, value = |e| e.page)]
    pub pages_by_name: Breakdown<String, Distinct>,
}
