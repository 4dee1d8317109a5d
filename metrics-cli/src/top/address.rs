//! The address of an endpoint, as people type it.

use std::net::Ipv6Addr;

use hyper::Uri;
use hyper::header::HeaderValue;
use thiserror::Error;

use super::text::escaped;

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// A name or an address, without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    /// The header `Host`.
    pub(super) authority: HeaderValue,
    /// What stands before the path of the page, without a slash at its end.
    prefix: String,
}

/// Why a text is no address.
#[derive(Debug, Error)]
#[error("invalid URL `{url}`: {problem}")]
pub(super) struct InvalidAddress {
    url: String,
    problem: &'static str,
}

const EXAMPLE: &str = "it is not a URL such as http://127.0.0.1:9464";

impl Address {
    /// Parses a URL. The scheme may be missing.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let invalid = |problem| {
            // A password may stand between `//` and `@`.
            let url = if text.contains('@') { "..@..".to_owned() } else { escaped(text) };
            InvalidAddress { url, problem }
        };
        let rest = match text.split_once("://") {
            None => text,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err(invalid(
                    "this command speaks http:// alone; a tunnel such as `ssh -L` encrypts it",
                ));
            }
            Some(_) => return Err(invalid("it must begin with http://")),
        };
        if rest.contains('@') {
            return Err(invalid("it must have no user name"));
        }
        if rest.contains(['?', '#']) {
            return Err(invalid("it must have no query and no fragment"));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err(invalid("it has no host"));
        }
        if authority.parse::<Ipv6Addr>().is_ok()
            || authority.matches(':').count() > 1 && !authority.starts_with('[')
        {
            return Err(invalid("an IPv6 address stands in brackets: http://[::1]:9464"));
        }
        let uri: Uri = format!("http://{authority}{path}").parse().map_err(|_| invalid(EXAMPLE))?;
        let host = uri.host().ok_or_else(|| invalid(EXAMPLE))?;
        let is_name = |host: &str| {
            host.bytes().all(|byte| byte.is_ascii_alphanumeric() || [b'.', b'-', b'_'].contains(&byte))
        };
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) if address.parse::<Ipv6Addr>().is_ok() => address,
            None if is_name(host) && !host.is_empty() => host,
            _ => return Err(invalid(EXAMPLE)),
        };
        let port = match uri.port_u16() {
            Some(port) => Some(port).filter(|port| *port != 0),
            // The host may be followed by a port that is too large, or by a colon alone.
            None => Some(80).filter(|_| authority.trim_end_matches(']').ends_with(host)),
        };
        let port = port.ok_or_else(|| invalid("a port is a number from 1 to 65535"))?;
        let value = HeaderValue::from_str(authority).map_err(|_| invalid(EXAMPLE))?;
        Ok(Self {
            host: host.to_owned(),
            port,
            authority: value,
            prefix: path.trim_end_matches('/').to_owned(),
        })
    }

    /// The path of the page's data with a query.
    pub(super) fn data(&self, query: &str) -> Option<Uri> {
        format!("{}/page/data?{query}", self.prefix).parse().ok()
    }

    /// The whole URL, for people.
    pub(super) fn url(&self) -> String {
        format!("http://{}{}", self.authority.to_str().unwrap_or_default(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_lack_the_scheme_and_have_a_path() {
        let cases = [
            ("http://127.0.0.1:9464", ("127.0.0.1", 9464), "/page/data?a=b"),
            ("127.0.0.1:9464", ("127.0.0.1", 9464), "/page/data?a=b"),
            (" localhost:9464/ ", ("localhost", 9464), "/page/data?a=b"),
            ("HTTP://shop.example", ("shop.example", 80), "/page/data?a=b"),
            ("shop", ("shop", 80), "/page/data?a=b"),
            ("http://shop:80/inner/metrics/", ("shop", 80), "/inner/metrics/page/data?a=b"),
            ("[::1]:9464", ("::1", 9464), "/page/data?a=b"),
            ("http://[::1]/a", ("::1", 80), "/a/page/data?a=b"),
            ("my_host-1:1", ("my_host-1", 1), "/page/data?a=b"),
        ];
        for (text, (host, port), path) in cases {
            let address = Address::parse(text).expect(text);
            assert_eq!((&*address.host, address.port), (host, port), "{text}");
            assert_eq!(address.data("a=b").expect("a path").to_string(), path);
        }
        let address = Address::parse("[::1]:9464/a").expect("an address");
        assert_eq!(
            (address.authority.to_str().ok(), &*address.url()),
            (Some("[::1]:9464"), "http://[::1]:9464/a")
        );
    }

    #[test]
    fn what_is_no_address_says_why() {
        let brackets = "an IPv6 address stands in brackets: http://[::1]:9464";
        let port = "a port is a number from 1 to 65535";
        let cases = [
            ("", "it has no host"),
            ("http://", "it has no host"),
            ("/page", "it has no host"),
            ("https://a", "this command speaks http:// alone; a tunnel such as `ssh -L` encrypts it"),
            ("ftp://a", "it must begin with http://"),
            ("http://a?b", "it must have no query and no fragment"),
            ("a#b", "it must have no query and no fragment"),
            ("::1", brackets),
            ("::1:9464", brackets),
            ("fe80::1", brackets),
            ("[::1", EXAMPLE),
            ("[x]:1", EXAMPLE),
            ("http://a b", EXAMPLE),
            ("http://größe", EXAMPLE),
            ("http://a\\b", EXAMPLE),
            ("a:0", port),
            ("a:99999", port),
            ("a:", port),
            ("a:b", port),
        ];
        for (text, problem) in cases {
            let error = Address::parse(text).expect_err(text).to_string();
            assert_eq!(error, format!("invalid URL `{text}`: {problem}"));
        }
        let error = Address::parse("http://user:secret@a").expect_err("a user").to_string();
        assert_eq!(error, "invalid URL `..@..`: it must have no user name");
        let error = Address::parse("http://\u{1b}[2J").expect_err("no address").to_string();
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }
}
