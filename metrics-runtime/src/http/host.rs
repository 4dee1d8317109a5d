//! The host of a request, and whether the service answers to it.

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::header::HOST;
use hyper::{Request, StatusCode, Version};

/// Which hosts a service answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostRule {
    /// To all requests. The server in front has checked them, if it wants to.
    Any,
    /// To all hosts, but the request has to name one as HTTP requires it.
    WellFormed,
    /// To IP addresses, to `localhost` and to allowed names.
    Allowed,
}

/// The host part of `Host` or of a request's target, without the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host<'a> {
    Address,
    Name(&'a str),
}

/// Checks the host of a request. The error is the status of the response.
pub(super) fn check<B>(request: &Request<B>, rule: HostRule, allowed: &[String]) -> Result<(), StatusCode> {
    if rule == HostRule::Any {
        return Ok(());
    }
    match host_of(request) {
        Err(Malformed) => Err(StatusCode::BAD_REQUEST),
        // Browsers always name a host. So a client of HTTP/1.0 that names none is no rebound page.
        Ok(None | Some(Host::Address)) => Ok(()),
        Ok(Some(Host::Name(_))) if rule == HostRule::WellFormed => Ok(()),
        Ok(Some(Host::Name(name))) if is_allowed(name, allowed) => Ok(()),
        Ok(Some(Host::Name(_))) => Err(StatusCode::MISDIRECTED_REQUEST),
    }
}

/// The host of an allowed name as it is compared: without port, in lower case. `None` for a text that names no host.
pub(super) fn normalised(name: &str) -> Option<String> {
    match parse(name)? {
        Host::Address => None,
        Host::Name(name) => Some(without_final_dot(name).to_ascii_lowercase()),
    }
}

fn is_allowed(name: &str, allowed: &[String]) -> bool {
    let name = without_final_dot(name);
    let is_name = |other: &str| name.eq_ignore_ascii_case(other);
    is_name("localhost") || allowed.iter().any(|allowed| is_name(allowed))
}

/// A fully qualified name may end with a dot.
fn without_final_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

struct Malformed;

/// The host that a request is for: that of its target, else that of its header.
fn host_of<B>(request: &Request<B>) -> Result<Option<Host<'_>>, Malformed> {
    let mut headers = request.headers().get_all(HOST).iter();
    let header = match (headers.next(), headers.next()) {
        (Some(header), None) => {
            let header = header.to_str().map_err(|_| Malformed)?;
            Some(parse(header).ok_or(Malformed)?)
        }
        // HTTP/1.1 requires the header beside an absolute target too. HTTP/2 has the target alone.
        (None, _) if request.version() == Version::HTTP_11 => return Err(Malformed),
        (None, _) => None,
        (Some(_), Some(_)) => return Err(Malformed),
    };
    match request.uri().authority() {
        Some(authority) => parse(authority.as_str()).ok_or(Malformed).map(Some),
        None if header.is_none() && request.version() > Version::HTTP_10 => Err(Malformed),
        None => Ok(header),
    }
}

/// Parses `host [":" port]`. A user's name before an `@` is no part of a host.
fn parse(text: &str) -> Option<Host<'_>> {
    if let Some(literal) = text.strip_prefix('[') {
        let (address, port) = literal.split_once(']')?;
        let is_address = address.parse::<Ipv6Addr>().is_ok();
        return (is_address && is_port(port)).then_some(Host::Address);
    }
    let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
    if name.is_empty() || !name.bytes().all(is_name_character) || !is_port(port) {
        return None;
    }
    Some(if name.parse::<Ipv4Addr>().is_ok() { Host::Address } else { Host::Name(name) })
}

/// The characters of a registered name: unreserved, percent-encoded and sub-delimiters.
fn is_name_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)
}

/// Whether a text is empty, or a colon with the digits of a port. The port may be left out after the colon.
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else { return text.is_empty() };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    digits && (port.is_empty() || port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn request(version: Version, target: &str, hosts: &[&[u8]]) -> Request<()> {
        let mut request = Request::builder().version(version).uri(target).body(()).expect("a request");
        for host in hosts {
            let host = HeaderValue::from_bytes(host).expect("a header's value");
            request.headers_mut().append(HOST, host);
        }
        request
    }

    fn status(version: Version, target: &str, hosts: &[&[u8]], rule: HostRule) -> u16 {
        let allowed = ["metrics.internal".to_owned()];
        let checked = check(&request(version, target, hosts), rule, &allowed);
        checked.err().map_or(200, |status| status.as_u16())
    }

    #[test]
    fn addresses_localhost_and_allowed_names_are_answered() {
        let hosts = [
            "localhost",
            "LocalHost:9464",
            "localhost.",
            "localhost.:80",
            "localhost:",
            "127.0.0.1",
            "127.0.0.1:9464",
            "192.0.2.7",
            "[::1]",
            "[::1]:9464",
            "[2001:DB8::7]",
            "[::ffff:127.0.0.1]",
            "metrics.internal",
            "METRICS.internal.:1",
        ];
        for host in hosts {
            let of = |rule| status(Version::HTTP_11, "/metrics", &[host.as_bytes()], rule);
            assert_eq!([HostRule::Allowed, HostRule::WellFormed, HostRule::Any].map(of), [200; 3], "{host}");
        }
    }

    #[test]
    fn foreign_names_are_misdirected() {
        let long = "localhost.".repeat(800);
        let hosts = [
            "attacker.example",
            "localhost.attacker.example",
            "attacker.localhost",
            "127.0.0.1.attacker.example",
            "127.0.0.1.",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "127.0.0.01",
            "localhost..",
            ".localhost",
            ".",
            "local%68ost",
            "localhost,attacker.example",
            "notlocalhost",
            "metrics.internal.attacker.example",
            &long,
        ];
        for host in hosts {
            let of = |rule| status(Version::HTTP_11, "/metrics", &[host.as_bytes()], rule);
            let statuses = [HostRule::Allowed, HostRule::WellFormed, HostRule::Any].map(of);
            assert_eq!(statuses, [421, 200, 200], "{host}");
        }
    }

    #[test]
    fn a_host_that_is_none_is_a_bad_request() {
        let hosts: [&[u8]; 22] = [
            b"",
            b":80",
            b"localhost@attacker.example",
            b"attacker@localhost",
            b"user:pass@localhost",
            b"localhost:80x",
            b"localhost:+80",
            b"localhost:-1",
            b"localhost:65536",
            b"localhost:80:80",
            b"localhost: 80",
            b"::1",
            b"[::1",
            b"[::1]x",
            b"[::1]]",
            b"[]",
            b"[localhost]",
            b"[fe80::1%25lo]",
            b"localhost/metrics",
            b"local host",
            b"local\thost",
            b"localh\xf6st",
        ];
        for host in hosts {
            let of = |rule| status(Version::HTTP_11, "/metrics", &[host], rule);
            let statuses = [HostRule::Allowed, HostRule::WellFormed, HostRule::Any].map(of);
            assert_eq!(statuses, [400, 400, 200], "{}", host.escape_ascii());
        }
    }

    #[test]
    fn http_1_1_needs_one_host_and_the_target_counts() {
        let (one, two) = (Version::HTTP_11, Version::HTTP_2);
        let cases: [(Version, &str, &[&[u8]], u16); 15] = [
            (one, "/metrics", &[], 400),
            (one, "/metrics", &[b"localhost", b"localhost"], 400),
            (one, "/metrics", &[b"localhost", b"attacker.example"], 400),
            (one, "http://localhost/metrics", &[], 400),
            (one, "http://localhost/metrics", &[b"localhost", b"localhost"], 400),
            (one, "http://localhost/metrics", &[b"attacker.example"], 200),
            (one, "http://attacker.example/metrics", &[b"localhost"], 421),
            (one, "http://localhost@attacker.example/metrics", &[b"localhost"], 400),
            (Version::HTTP_10, "/metrics", &[], 200),
            (Version::HTTP_10, "/metrics", &[b"attacker.example"], 421),
            (Version::HTTP_10, "/metrics", &[b"localhost", b"localhost"], 400),
            (two, "https://localhost/metrics", &[], 200),
            (two, "https://attacker.example/metrics", &[], 421),
            (two, "https://attacker.example/metrics", &[b"localhost"], 421),
            (two, "/metrics", &[], 400),
        ];
        for (version, target, hosts, expected) in cases {
            let named = hosts.iter().map(|host| host.escape_ascii().to_string()).collect::<Vec<_>>();
            let status = status(version, target, hosts, HostRule::Allowed);
            assert_eq!(status, expected, "{version:?} {target} {named:?}");
        }
    }

    #[test]
    fn an_allowed_name_is_compared_without_case_port_and_final_dot() {
        assert_eq!(normalised("Metrics.Internal.:9464").as_deref(), Some("metrics.internal"));
        // Addresses are answered anyway, and a URL names no host.
        for other in ["", "127.0.0.1", "http://metrics.internal", "user@metrics.internal"] {
            assert_eq!(normalised(other), None, "{other}");
        }
    }
}
