//! The query of a look at the endpoint.

use std::fmt::Write as _;

use clap::ValueEnum;

/// By what recorders are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum SortKey {
    /// Accepted events per second.
    #[default]
    Rate,
    /// The time since the creation.
    Age,
    /// Accepted events that are not processed yet.
    Pending,
    /// Dropped, rejected and discarded events.
    Loss,
    /// The id.
    Id,
}

impl SortKey {
    pub(super) const ALL: [Self; 5] = [Self::Rate, Self::Age, Self::Pending, Self::Loss, Self::Id];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Age => "age",
            Self::Pending => "pending",
            Self::Loss => "loss",
            Self::Id => "id",
        }
    }

    /// The key after this one.
    pub(super) fn next(self) -> Self {
        let index = Self::ALL.iter().position(|key| *key == self).map_or(0, |index| index + 1);
        Self::ALL[index % Self::ALL.len()]
    }
}

/// What a look at the endpoint is to contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    /// The recorders and the metrics of this namespace alone.
    pub(super) namespace: Option<String>,
    pub(super) search: String,
    pub(super) sort: SortKey,
    /// Whether the usual order of the key is reversed: the largest numbers last, ids from z to a.
    pub(super) is_reversed: bool,
    pub(super) page: usize,
    /// How many recorders a page has.
    pub(super) size: usize,
    pub(super) metric_search: String,
    pub(super) metric_page: usize,
}

impl Query {
    pub(super) fn new(size: usize) -> Self {
        Self {
            namespace: None,
            search: String::new(),
            sort: SortKey::default(),
            is_reversed: false,
            page: 1,
            size,
            metric_search: String::new(),
            metric_page: 1,
        }
    }

    /// Whether the smallest comes first.
    pub(super) fn is_ascending(&self) -> bool {
        (self.sort == SortKey::Id) != self.is_reversed
    }

    /// The query as a URL has it.
    pub(super) fn encoded(&self) -> String {
        let order = if self.is_ascending() { "asc" } else { "desc" };
        let Self { page, size, metric_page, .. } = self;
        let mut text = format!(
            "sort={}&order={order}&page={page}&size={size}&metric_page={metric_page}",
            self.sort.name()
        );
        let texts = [
            ("namespace", self.namespace.as_deref()),
            ("search", Some(&*self.search).filter(|text| !text.is_empty())),
            ("metric_search", Some(&*self.metric_search).filter(|text| !text.is_empty())),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                let _ = write!(text, "&{name}={}", percent_encoded(value));
            }
        }
        text
    }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_percent_encoded() {
        let query = Query::new(25);
        assert_eq!(query.encoded(), "sort=rate&order=desc&page=1&size=25&metric_page=1");
        let query = Query {
            namespace: Some(String::new()),
            search: "a b&c=d%\n".to_owned(),
            sort: SortKey::Id,
            metric_search: "größe+".to_owned(),
            ..query
        };
        assert_eq!(
            query.encoded(),
            "sort=id&order=asc&page=1&size=25&metric_page=1&namespace=&search=a%20b%26c%3Dd%25%0A&metric_search=gr%C3%B6%C3%9Fe%2B"
        );
    }

    #[test]
    fn ids_rise_and_numbers_fall_unless_reversed() {
        let orders = SortKey::ALL.map(|sort| Query { sort, ..Query::new(1) }.is_ascending());
        assert_eq!(orders, [false, false, false, false, true]);
        let reversed =
            SortKey::ALL.map(|sort| Query { sort, is_reversed: true, ..Query::new(1) }.is_ascending());
        assert_eq!(reversed, [true, true, true, true, false]);
        assert_eq!((SortKey::Rate.next(), SortKey::Id.next()), (SortKey::Age, SortKey::Rate));
    }
}
