//! The formats of expositions, and which of them a client prefers.

use std::cmp::Reverse;

/// The format of an exposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// The Prometheus text format, version 0.0.4. All scrapers read it.
    #[default]
    Prometheus,
    /// `OpenMetrics` 1.0: the same with units, and with an end mark that shows a broken transfer.
    OpenMetrics,
    /// Messages of the type `io.prometheus.client.MetricFamily` in Protocol Buffers, each after its length. It is no text.
    ///
    /// Only this format shows native histograms of Prometheus: all buckets of a [`Histogram`](crate::Histogram) without declared
    /// bounds. Prometheus asks for it when its native histograms are enabled.
    Protobuf,
}

impl Format {
    const ALL: [Self; 3] = [Self::Prometheus, Self::OpenMetrics, Self::Protobuf];

    /// The format that a client with this `Accept` header prefers: the one to which the header gives the highest weight. The most
    /// specific media range gives a format its weight. Of equal weights the first one wins. Without any weight, it is the
    /// Prometheus format.
    ///
    /// [`Protobuf`](Self::Protobuf) is for clients that name it with its parameters `proto` and `encoding`. Ranges such as
    /// `application/*` stand for a text format.
    ///
    /// ```
    /// use mvx_metrics::export::Format;
    ///
    /// let prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    /// assert_eq!(Format::negotiate(prometheus), Format::OpenMetrics);
    /// let with_native_histograms = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
    ///     application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    /// assert_eq!(Format::negotiate(with_native_histograms), Format::Protobuf);
    /// assert_eq!(Format::negotiate("text/html,*/*;q=0.8"), Format::Prometheus);
    /// assert_eq!(Format::negotiate(""), Format::Prometheus);
    /// ```
    #[must_use]
    pub fn negotiate(accept: &str) -> Self {
        let ranges: Vec<Range<'_>> = split(accept, ',').filter_map(Range::parse).collect();
        // The weight of a format, and the position of the range that gives it.
        let preference = |format: Self| {
            let mut best: Option<(Specificity, u32, usize)> = None;
            for (position, range) in ranges.iter().enumerate() {
                let Some(specificity) = range.matches(format) else { continue };
                // The most specific range decides, and of equal ones the heaviest, then the first.
                if best.is_none_or(|(other, weight, _)| (specificity, range.weight) > (other, weight)) {
                    best = Some((specificity, range.weight, position));
                }
            }
            best.filter(|(_, weight, _)| *weight > 0).map(|(_, weight, position)| (weight, Reverse(position)))
        };
        let mut preferred = (None, Self::default());
        for format in Self::ALL {
            // Of equal weights the first range wins. A range that stands for both text formats stands for the Prometheus format.
            let preference = preference(format);
            if preference > preferred.0 {
                preferred = (preference, format);
            }
        }
        preferred.1
    }

    /// The content type of an exposition in this format.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }
}

/// How closely a media range describes a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Specificity {
    Any,
    Type,
    Media,
}

/// One media range of an `Accept` header.
struct Range<'a> {
    /// In lower case.
    media: String,
    version: Option<&'a str>,
    /// The type of the messages, and how they follow each other.
    proto: Option<&'a str>,
    encoding: Option<&'a str>,
    /// In thousandths.
    weight: u32,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = split(text, ';').map(str::trim);
        let media = parts.next().filter(|media| !media.is_empty())?.to_ascii_lowercase();
        let mut range = Self { media, version: None, proto: None, encoding: None, weight: 1_000 };
        for part in parts {
            let Some((name, value)) = part.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => range.weight = thousandths(value),
                "version" => range.version = Some(value),
                "proto" => range.proto = Some(value),
                "encoding" => range.encoding = Some(value),
                _ => {}
            }
        }
        Some(range)
    }

    fn matches(&self, format: Format) -> Option<Specificity> {
        match (self.media.as_str(), self.version, format) {
            ("*/*", _, Format::Prometheus | Format::OpenMetrics) => Some(Specificity::Any),
            ("text/*", _, Format::Prometheus) | ("application/*", _, Format::OpenMetrics) => {
                Some(Specificity::Type)
            }
            ("text/plain", None | Some("0.0.4"), Format::Prometheus)
            | ("application/openmetrics-text", None | Some("1.0.0" | "0.0.1"), Format::OpenMetrics) => {
                Some(Specificity::Media)
            }
            ("application/vnd.google.protobuf", _, Format::Protobuf) => {
                let is = |parameter: Option<&str>, value| {
                    parameter.is_some_and(|parameter| parameter.eq_ignore_ascii_case(value))
                };
                let is_known =
                    is(self.proto, "io.prometheus.client.MetricFamily") && is(self.encoding, "delimited");
                is_known.then_some(Specificity::Media)
            }
            _ => None,
        }
    }
}

/// The parts of a header between separators that are not inside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        let is_end = character == separator && !quoted;
        quoted ^= character == '"' && !escaped;
        escaped = character == '\\' && quoted && !escaped;
        is_end
    })
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
            // Separators inside of quotes separate nothing.
            ("application/openmetrics-text;charset=\"utf-8, x\";q=0.1, text/plain;q=0.2", Format::Prometheus),
            ("text/plain;note=\"a;q=0.1,b\", application/openmetrics-text;q=0.9", Format::Prometheus),
            ("text/plain;note=\"\\\",application/openmetrics-text\";q=0.5", Format::Prometheus),
            ("text/plain;q=0.5;note=\"not closed, application/openmetrics-text", Format::Prometheus),
            // The most specific range decides about a format.
            ("text/plain;q=0, */*", Format::OpenMetrics),
            ("text/*;q=0, */*;q=0.1", Format::OpenMetrics),
            ("*/*, application/openmetrics-text;q=0.1", Format::Prometheus),
            ("application/*", Format::OpenMetrics),
            ("*/*;q=0", Format::Prometheus),
            ("application/openmetrics-text, text/plain", Format::OpenMetrics),
            ("text/plain, application/openmetrics-text", Format::Prometheus),
            ("*/*, application/openmetrics-text", Format::Prometheus),
            // The headers of Prometheus 2 and 3.
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
        ];
        for (accept, expected) in cases {
            assert_eq!(Format::negotiate(accept), expected, "{accept}");
        }
    }

    #[test]
    fn ed8_protobuf_is_for_those_who_ask_for_it() {
        let protobuf =
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
        let cases = [
            // With native histograms: Prometheus 2.42, 2.50 and 3. Then Prometheus 1, and Telegraf.
            (
                ",application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::Protobuf,
            ),
            (
                ";q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,\
                 application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                Format::Protobuf,
            ),
            (
                ";escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                Format::Protobuf,
            ),
            (";q=0.7,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", Format::Protobuf),
            // Weights and positions count as those of texts.
            ("", Format::Protobuf),
            (", text/plain", Format::Protobuf),
            (", */*", Format::Protobuf),
            (";q=0.001", Format::Protobuf),
            (";q=0.1, text/plain;q=0.2", Format::Prometheus),
            (";q=0.1, application/openmetrics-text;q=0.2", Format::OpenMetrics),
            (";q=0", Format::Prometheus),
            (";q=0, application/*;q=0.1", Format::OpenMetrics),
            (";q=nonsense, */*;q=0.1", Format::Prometheus),
        ];
        for (rest, expected) in cases {
            let accept = format!("{protobuf}{rest}");
            assert_eq!(Format::negotiate(&accept), expected, "{accept}");
            assert_eq!(Format::negotiate(&accept.to_ascii_uppercase()), expected, "{accept}");
        }
        let after_text = format!("text/plain, {protobuf}");
        assert_eq!(Format::negotiate(&after_text), Format::Prometheus, "the first of equal weights");
        assert_eq!(Format::negotiate(&after_text.replace("plain", "plain;q=0.9")), Format::Protobuf);
        let quoted = "Application/Vnd.Google.Protobuf; Encoding=\"Delimited\"; Proto=\"io.prometheus.client.MetricFamily\"";
        assert_eq!(Format::negotiate(quoted), Format::Protobuf);
        let others = [
            "application/vnd.google.protobuf",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily",
            "application/vnd.google.protobuf;encoding=delimited",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=compact-text",
            "application/vnd.google.protobuf;proto=io.prometheus.write.v2.Request;encoding=delimited",
            "application/x-protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
            "application/vnd.*",
        ];
        for accept in others {
            assert_eq!(Format::negotiate(accept), Format::Prometheus, "{accept}");
        }
    }
}
