//! What the answers of a collector mean.
//!
//! The rules are those of [OTLP over HTTP](https://opentelemetry.io/docs/specs/otlp/#otlphttp-response).

use std::time::{Duration, SystemTime};

use hyper::header::HeaderValue;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;

/// A collector that asks for a longer pause gets this one.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_mins(5);
/// The pause before the first retry; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// How much of a collector's message is kept.
const MAX_MESSAGE_LENGTH: usize = 256;

/// What a status means for the request that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The collector has taken the request. Only its body tells whether it rejected points.
    Taken,
    /// The same request may be taken later.
    Retry,
    /// Smaller requests may be taken.
    TooLarge,
    /// This request is wrong for the collector; others may be right.
    Invalid,
    /// No request will be taken now, such as without authorisation.
    Refused,
}

impl Verdict {
    /// 400 and 413 are about one request. Redirects are not followed, because headers may have secrets.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Taken,
            429 | 502 | 503 | 504 => Self::Retry,
            413 => Self::TooLarge,
            400 => Self::Invalid,
            _ => Self::Refused,
        }
    }
}

/// The pause that the header `Retry-After` asks for, in seconds or as a date; `None` when it is neither. At most
/// [`MAX_RETRY_AFTER`].
pub(crate) fn retry_after(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    let pause = if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) {
        // A number that no integer holds is a long pause, too.
        text.parse().map_or(Duration::MAX, Duration::from_secs)
    } else {
        httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(pause.min(MAX_RETRY_AFTER))
}

/// The pause before a retry, where the collector asks for none. `random` spreads it over its second half, so that programs that
/// lost their collector together do not come back together.
pub(crate) fn pause_before(retry: u32, random: u64) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(retry).unwrap_or(u32::MAX)).min(MAX_PAUSE);
    let half = pause / 2;
    let share = u32::try_from(random % 1_001).unwrap_or_default();
    half + half * share / 1_000
}

/// What the body of a taken request says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PartialSuccess {
    /// The points that the collector did not take.
    pub(crate) rejected: u64,
    /// Why; also a warning about points that it has taken.
    pub(crate) message: String,
}

/// Reads the body of a taken request. `None` when it is not the message of the specification.
pub(crate) fn partial_success(body: &[u8]) -> Option<PartialSuccess> {
    let Some(partial) = ExportMetricsServiceResponse::decode(body).ok()?.partial_success else {
        return Some(PartialSuccess::default());
    };
    let rejected = u64::try_from(partial.rejected_data_points).unwrap_or_default();
    Some(PartialSuccess { rejected, message: shortened(&partial.error_message) })
}

/// What the body of a refused request says: the message of a `Status`, or a text.
pub(crate) fn refusal(body: &[u8]) -> String {
    let decoded = Status::decode(body).ok().filter(|status| !status.message.is_empty());
    let message = decoded.map_or_else(|| String::from_utf8_lossy(body).into_owned(), |status| status.message);
    shortened(&message)
}

/// A text from outside as one line of bounded length.
fn shortened(text: &str) -> String {
    let printable = |character: char| if character.is_control() { ' ' } else { character };
    text.trim().chars().take(MAX_MESSAGE_LENGTH).map(printable).collect()
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess;

    use super::*;

    #[test]
    fn ot3_every_status_has_one_meaning() {
        for status in 100..1_000 {
            let expected = match status {
                200..300 => Verdict::Taken,
                429 | 502 | 503 | 504 => Verdict::Retry,
                413 => Verdict::TooLarge,
                400 => Verdict::Invalid,
                _ => Verdict::Refused,
            };
            assert_eq!(Verdict::of(status), expected, "{status}");
        }
    }

    #[test]
    fn ot3_retry_after_is_read_in_seconds_and_as_a_date_within_bounds() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 30);
        let cases = [
            ("0", Some(0)),
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("301", Some(300)),
            ("99999999999999999999999999", Some(300)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
            ("Sun Nov  6 08:49:37 1994", Some(30)),
            ("Sun, 06 Nov 1994 08:40:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(300)),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
            ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ];
        for (text, seconds) in cases {
            let value = HeaderValue::from_str(text).expect("a header");
            assert_eq!(retry_after(&value, now), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderValue::from_bytes(b"\xff").expect("a header"), now), None);
    }

    #[test]
    fn ot3_pauses_double_up_to_a_limit_and_are_spread() {
        let milliseconds = |retry, random| pause_before(retry, random).as_millis();
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 6].map(|retry| milliseconds(retry, 1_000)),
            [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
        );
        assert_eq!([0, 1, 5].map(|retry| milliseconds(retry, 0)), [500, 1_000, 15_000]);
        assert_eq!(milliseconds(u32::MAX, 1_000), 30_000);
        for random in [1, 77, 500, u64::MAX] {
            assert!((500..=1_000).contains(&milliseconds(0, random)), "{random}");
        }
    }

    #[test]
    fn ot3_bodies_of_taken_requests_say_what_was_rejected() {
        let body = ExportMetricsServiceResponse {
            partial_success: Some(ExportMetricsPartialSuccess {
                rejected_data_points: 3,
                error_message: "too\nold".to_owned(),
            }),
        };
        let said = partial_success(&body.encode_to_vec()).expect("a message");
        assert_eq!(said, PartialSuccess { rejected: 3, message: "too old".to_owned() });
        assert_eq!(partial_success(b""), Some(PartialSuccess::default()));
        assert_eq!(partial_success(b"<html>nothing here</html>"), None);
        let negative = ExportMetricsPartialSuccess { rejected_data_points: -5, error_message: String::new() };
        let body = ExportMetricsServiceResponse { partial_success: Some(negative) }.encode_to_vec();
        assert_eq!(partial_success(&body), Some(PartialSuccess::default()));
    }

    #[test]
    fn ot3_refusals_are_one_line_of_bounded_length() {
        let status = Status { code: 3, message: "no such metric".to_owned() };
        assert_eq!(refusal(&status.encode_to_vec()), "no such metric");
        assert_eq!(refusal(b" 404 page\r\n not found\n"), "404 page   not found");
        assert_eq!(refusal(b""), "");
        assert_eq!(refusal(&[b'x'; 10_000]).len(), MAX_MESSAGE_LENGTH);
        assert!(!refusal(&(0..=255).collect::<Vec<u8>>()).contains(char::is_control));
    }
}
