//! The two text formats, and which of them a client prefers.

/// A text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// The Prometheus text format, version 0.0.4. All scrapers read it.
    #[default]
    Prometheus,
    /// `OpenMetrics` 1.0: the same with units, and with an end mark that shows a broken transfer.
    OpenMetrics,
}

impl Format {
    /// The format that a client with this `Accept` header prefers: OpenMetrics 1.0 if the header names it with the highest
    /// weight, else the Prometheus format.
    ///
    /// ```
    /// use mvx_metrics::export::Format;
    ///
    /// let prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    /// assert_eq!(Format::negotiate(prometheus), Format::OpenMetrics);
    /// assert_eq!(Format::negotiate("text/html,*/*;q=0.8"), Format::Prometheus);
    /// assert_eq!(Format::negotiate(""), Format::Prometheus);
    /// ```
    #[must_use]
    pub fn negotiate(accept: &str) -> Self {
        let mut best = (0, Self::Prometheus);
        for range in accept.split(',') {
            let (weight, format) = weigh(range);
            // Of equal weights the first one wins. A weight of 0 never wins.
            if weight > best.0 {
                best = (weight, format.unwrap_or_default());
            }
        }
        best.1
    }

    /// The content type of an exposition in this format.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The weight of one media range in thousandths, and its format. The weight of other media is 0.
fn weigh(range: &str) -> (u32, Option<Format>) {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let mut weight = 1_000;
    let mut version = None;
    for part in parts {
        let Some((name, value)) = part.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => weight = thousandths(value),
            "version" => version = Some(value),
            _ => {}
        }
    }
    match (media.as_str(), version) {
        ("application/openmetrics-text", None | Some("1.0.0" | "0.0.1")) => {
            (weight, Some(Format::OpenMetrics))
        }
        ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", _) => (weight, Some(Format::Prometheus)),
        _ => (0, None),
    }
}

fn thousandths(weight: &str) -> u32 {
    match weight.parse::<f64>() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1_000.0) as u32,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_known_range_decides() {
        let cases = [
            ("application/openmetrics-text", Format::OpenMetrics),
            ("application/openmetrics-text; version=0.0.1", Format::OpenMetrics),
            ("application/openmetrics-text; version=2.0.0", Format::Prometheus),
            ("application/openmetrics-text;q=0, */*;q=0.1", Format::Prometheus),
            ("application/openmetrics-text;q=0.1, text/plain;q=0.9", Format::Prometheus),
            ("text/plain;q=0.1, APPLICATION/OpenMetrics-Text;Q=0.9;version=\"1.0.0\"", Format::OpenMetrics),
            ("application/openmetrics-text;q=nonsense", Format::Prometheus),
            (";;;,,,=;q=7,/", Format::Prometheus),
            // The headers of Prometheus 2 and 3, and one with Protobuf first.
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
                 text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,\
                 application/openmetrics-text;version=1.0.0;q=0.3,*/*;q=0.1",
                Format::Prometheus,
            ),
        ];
        for (accept, expected) in cases {
            assert_eq!(Format::negotiate(accept), expected, "{accept}");
        }
    }
}
