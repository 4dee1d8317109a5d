//! The encoding of a body: whether a client prefers gzip, and the compression.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use hyper::header::{ACCEPT_ENCODING, HeaderMap};

/// Up to this size a body is not compressed: it fits into one packet as it is.
pub(super) const MAX_PLAIN_SIZE: usize = 1024;

/// Whether the client accepts gzip, and prefers no encoding over it. Several `Accept-Encoding` headers count as one.
pub(super) fn prefers_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut identity, mut any) = (None, None, None);
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for encoding in values.flat_map(|value| value.split(',')) {
        let (name, weight) = weigh(encoding);
        let named = match name.as_str() {
            // Servers treat the old name as the same encoding.
            "gzip" | "x-gzip" => &mut gzip,
            "identity" => &mut identity,
            "*" => &mut any,
            _ => continue,
        };
        // Of several weights the first one counts.
        named.get_or_insert(weight);
    }
    let gzip = gzip.or(any).unwrap_or(0);
    // A client that does not name `identity` accepts it last of all.
    gzip > 0 && gzip >= identity.unwrap_or(0)
}

/// The name of one encoding in lower case, and its weight in thousandths. A weight that is no weight is 0.
fn weigh(encoding: &str) -> (String, u16) {
    let mut parts = encoding.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("q").then(|| thousandths(value.trim()))
    });
    (name, weight.unwrap_or(1_000))
}

fn thousandths(weight: &str) -> u16 {
    match weight.parse::<f64>() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1_000.0).ceil() as u16,
        _ => 0,
    }
}

/// The body compressed, or `None` for a body that is sent as it is.
pub(super) fn compress(plain: &[u8]) -> Option<Bytes> {
    if plain.len() <= MAX_PLAIN_SIZE {
        return None;
    }
    // Series resemble each other so much that more effort gains little.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn gzip_is_for_clients_that_accept_it_and_prefer_nothing_else() {
        let cases: [(&[&str], bool); 21] = [
            (&[], false),
            (&[""], false),
            (&["gzip"], true),
            (&["GZip"], true),
            (&["x-gzip"], true),
            (&["deflate, br;q=1.0, gzip ; q=0.3"], true),
            (&["gzip;q=0"], false),
            (&["gzip;q=0.000"], false),
            (&["gzip;Q=0.001"], true),
            (&["gzip;q=2"], false),
            (&["gzip;q=nonsense"], false),
            (&["gzip;q=NaN"], false),
            (&["*"], true),
            (&["*;q=0"], false),
            (&["*, gzip;q=0"], false),
            (&["gzip, *;q=0"], true),
            (&["identity"], false),
            (&["identity;q=1, gzip;q=0.5"], false),
            (&["identity;q=0.5, gzip;q=0.5"], true),
            (&["deflate", "gzip"], true),
            (&["gzipped, not-gzip, ;;=,"], false),
        ];
        for (values, expected) in cases {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(ACCEPT_ENCODING, HeaderValue::from_str(value).expect("a header's value"));
            }
            assert_eq!(prefers_gzip(&headers), expected, "{values:?}");
        }
    }

    #[test]
    fn a_small_body_is_not_compressed() {
        assert_eq!(compress(&[b'x'; MAX_PLAIN_SIZE]), None);
        let compressed = compress(&[b'x'; MAX_PLAIN_SIZE + 1]).expect("a large body is");
        assert!(compressed.starts_with(&[0x1f, 0x8b]) && compressed.len() < 100, "{compressed:?}");
    }
}
