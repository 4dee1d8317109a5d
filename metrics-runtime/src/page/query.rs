//! The query of a look: what the page asks for.

use super::cut::{MAX_CHARS, cut};

const DEFAULT_SIZE: usize = 25;
const MAX_SIZE: usize = 200;

/// What one look asks for. [`PageData`](super::PageData) has the parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageQuery {
    /// As the answers spell it.
    pub(super) namespace: Option<String>,
    /// In lower case.
    pub(super) search: String,
    pub(super) sort: Sort,
    pub(super) descending: bool,
    pub(super) page: usize,
    pub(super) size: usize,
    /// In lower case.
    pub(super) metric_search: String,
    pub(super) metric_page: usize,
}

/// By what recorders are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Rate,
    Age,
    Pending,
    Loss,
    Id,
}

impl PageQuery {
    /// Reads the query of a URL. No text is an error.
    pub(crate) fn parse(query: &str) -> Self {
        let parameters: Vec<(String, String)> = query.split('&').map(parameter).collect();
        // Of several values the first one counts.
        let get = |name: &str| parameters.iter().find(|(other, _)| other == name).map(|(_, value)| &**value);
        let number =
            |name: &str| get(name).and_then(|value| value.parse::<usize>().ok()).filter(|number| *number > 0);
        let text = |name: &str| get(name).unwrap_or_default().chars().take(MAX_CHARS).collect::<String>();
        let sort = match get("sort") {
            Some("age") => Sort::Age,
            Some("pending") => Sort::Pending,
            Some("loss") => Sort::Loss,
            Some("id") => Sort::Id,
            _ => Sort::Rate,
        };
        let descending = match get("order") {
            Some("asc") => false,
            Some("desc") => true,
            _ => sort != Sort::Id,
        };
        Self {
            namespace: get("namespace").filter(|name| !name.is_empty()).map(|name| cut(name).into_owned()),
            search: text("search").to_lowercase(),
            sort,
            descending,
            page: number("page").unwrap_or(1),
            size: number("size").unwrap_or(DEFAULT_SIZE).min(MAX_SIZE),
            metric_search: text("metric_search").to_lowercase(),
            metric_page: number("metric_page").unwrap_or(1),
        }
    }

    /// Whether both ask for the same page of the recorders.
    pub(super) fn has_recorders_of(&self, other: &Self) -> bool {
        let of = |query: &Self| (query.sort, query.descending, query.page, query.size);
        of(self) == of(other) && self.namespace == other.namespace && self.search == other.search
    }

    /// Whether the query asks for this namespace.
    pub(super) fn has_namespace(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|asked| asked == namespace || asked == cut(namespace))
    }
}

/// Whether a text contains another one that is in lower case.
pub(super) fn contains(text: &str, lower: &str) -> bool {
    if lower.is_empty() {
        return true;
    }
    if !text.is_ascii() {
        return text.to_lowercase().contains(lower);
    }
    // Without an allocation: it is called for each recorder.
    let lower = lower.as_bytes();
    text.as_bytes()
        .windows(lower.len())
        .any(|window| window[0].to_ascii_lowercase() == lower[0] && window.eq_ignore_ascii_case(lower))
}

/// The name and the value of one parameter.
fn parameter(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decoded(name), decoded(value))
}

/// A text without its percent-encoding. What is not encoded well stays as it is.
fn decoded(text: &str) -> String {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let encoded = match (first, others) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        match (encoded, first) {
            (Some(byte), _) => {
                bytes.push(byte);
                rest = &others[2..];
                continue;
            }
            (None, b'+') => bytes.push(b' '),
            (None, byte) => bytes.push(*byte),
        }
        rest = others;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pg1_a_query_is_read_with_its_defaults() {
        let default = PageQuery::parse("");
        assert_eq!((default.sort, default.descending, default.page, default.size), (Sort::Rate, true, 1, 25));
        assert_eq!((&default.namespace, &*default.search, default.metric_page), (&None, "", 1));
        let query = PageQuery::parse(
            "namespace=a%20b&search=Caf%C3%A9+X&sort=id&page=3&size=7&metric_search=HTTP&metric_page=2&what=ever",
        );
        assert_eq!(query.namespace.as_deref(), Some("a b"));
        assert_eq!((&*query.search, &*query.metric_search), ("café x", "http"));
        assert_eq!(
            (query.sort, query.descending, query.page, query.size, query.metric_page),
            (Sort::Id, false, 3, 7, 2)
        );
        assert!(PageQuery::parse("sort=id&order=desc").descending);
        assert!(!PageQuery::parse("sort=loss&order=asc").descending);
    }

    #[test]
    fn pg1_a_broken_query_falls_back_to_the_defaults() {
        for broken in [
            "page=0&size=0&metric_page=0",
            "page=-1&size=x&metric_page=1e9",
            "page=99999999999999999999999&sort=up&order=sideways&namespace=",
            "&&&===&%&%%&page",
        ] {
            assert_eq!(PageQuery::parse(broken), PageQuery::parse(""), "{broken}");
        }
        assert_eq!(PageQuery::parse("size=1000").size, 200);
        assert_eq!(PageQuery::parse("page=2&page=3").page, 2);
    }

    #[test]
    fn pg1_broken_percent_encoding_stays_as_it_is() {
        let search = |text: &str| PageQuery::parse(&format!("search={text}")).search;
        assert_eq!(search("100%"), "100%");
        assert_eq!(search("%4"), "%4");
        assert_eq!(search("%zz%41"), "%zza");
        assert_eq!(search("%+1"), "% 1");
        assert_eq!(search("%ff"), "\u{fffd}");
        assert_eq!(search("%3Cimg%20src%3Dx%3E"), "<img src=x>");
        assert_eq!(search("%00"), "\0");
    }

    #[test]
    fn pg1_texts_of_a_query_have_at_most_256_characters() {
        let long = "ä".repeat(10_000);
        assert_eq!(PageQuery::parse(&format!("search={long}")).search.chars().count(), 256);
        // A namespace is spelled as the answers spell it.
        let query = PageQuery::parse(&format!("namespace={long}"));
        assert!(query.has_namespace(&long) && !query.has_namespace("ä"));
    }

    #[test]
    fn pg1_a_search_ignores_case() {
        assert!(contains("Connection-7", "connection-7") && contains("x", ""));
        assert!(contains("GRÖSSE", "größe") == "GRÖSSE".to_lowercase().contains("größe"));
        assert!(contains("ÄRGER", "ärger") && !contains("abc", "abcd") && !contains("", "a"));
    }
}
