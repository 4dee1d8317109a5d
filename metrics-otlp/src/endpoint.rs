//! The URL of a collector, checked.

use hyper::Uri;
use hyper::header::HeaderValue;

use crate::error::{OtlpError, invalid};

/// Where requests go.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Whether the connection uses TLS.
    pub(crate) is_secure: bool,
    /// A name or an address, without the brackets of IPv6.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The header `Host`.
    pub(crate) authority: HeaderValue,
    /// The path with its query.
    pub(crate) path: Uri,
}

impl Endpoint {
    /// Parses a URL and appends a path to its own.
    pub(crate) fn parse(option: &'static str, url: &str, appended: &str) -> Result<Self, OtlpError> {
        let url = url.trim();
        let problem = |problem| invalid(option, shown(url), problem);
        let uri: Uri = url.parse().map_err(|_| problem("must be a URL such as http://localhost:4318"))?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(problem("must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| problem("must have a host"))?;
        if authority.as_str().contains('@') {
            return Err(problem("must have no user name; `header` can set `Authorization`"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(problem("must have a host"));
        }
        let port = match authority.port() {
            Some(port) => Some(port.as_u16()).filter(|port| *port != 0),
            None if authority.as_str().len() > authority.host().len() => None,
            None => Some(if is_secure { 443 } else { 80 }),
        };
        let port = port.ok_or_else(|| problem("must have a port from 1 to 65535, or none"))?;
        let (path, query) = (uri.path(), uri.query());
        if query.is_some() && !appended.is_empty() {
            return Err(problem("must have no query; `metrics_endpoint` may have one"));
        }
        let path_without_end = path.trim_end_matches('/');
        if !appended.is_empty() && path_without_end.ends_with(appended) {
            return Err(problem(
                "must have no path `/v1/metrics`, which is appended; `metrics_endpoint` is used as it is",
            ));
        }
        let path = match (appended, query) {
            ("", Some(query)) => format!("{path}?{query}"),
            _ if appended.is_empty() => path.to_owned(),
            _ => format!("{path_without_end}{appended}"),
        };
        let path = path.parse().map_err(|_| problem("must have a path of HTTP"))?;
        let authority =
            HeaderValue::from_str(authority.as_str()).map_err(|_| problem("must have a host in ASCII"))?;
        Ok(Self { is_secure, host, port, authority, path })
    }

    /// Host and port, for messages.
    pub(crate) fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The whole URL, for messages.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}{}", self.address(), self.path)
    }
}

/// A URL as messages show it. A password may stand between `//` and `@`.
pub(crate) fn shown(url: &str) -> &str {
    if url.contains('@') { "..@.." } else { url }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ot3_urls_are_parsed_and_get_the_path_of_metrics() {
        let cases = [
            ("http://localhost:4318", "/v1/metrics", "http://localhost:4318/v1/metrics"),
            ("http://localhost:4318/", "/v1/metrics", "http://localhost:4318/v1/metrics"),
            (" http://a/b/ ", "/v1/metrics", "http://a:80/b/v1/metrics"),
            ("https://a.example/x?y=1", "", "https://a.example:443/x?y=1"),
            ("http://a.example", "", "http://a.example:80/"),
            ("http://[::1]:4318", "/v1/metrics", "http://[::1]:4318/v1/metrics"),
            ("http://[::1]", "/v1/metrics", "http://[::1]:80/v1/metrics"),
        ];
        for (url, appended, expected) in cases {
            let endpoint = Endpoint::parse("endpoint", url, appended).expect(url);
            assert_eq!(endpoint.url(), expected);
        }
        let endpoint = Endpoint::parse("endpoint", "http://[::1]:4318", "").expect("an address");
        assert_eq!((&*endpoint.host, endpoint.authority.to_str().ok()), ("::1", Some("[::1]:4318")));
    }

    #[test]
    fn ot3_invalid_urls_are_errors_that_name_option_and_value() {
        let cases = [
            ("", "must be a URL such as http://localhost:4318"),
            ("localhost:4318", "must begin with http:// or https://"),
            ("localhost", "must begin with http:// or https://"),
            ("ftp://localhost", "must begin with http:// or https://"),
            ("http://", "must be a URL such as http://localhost:4318"),
            ("http://a b", "must be a URL such as http://localhost:4318"),
            ("http://localhost:99999", "must have a port from 1 to 65535, or none"),
            ("http://localhost:0", "must have a port from 1 to 65535, or none"),
            ("http://localhost:", "must have a port from 1 to 65535, or none"),
            ("http://localhost:port", "must have a port from 1 to 65535, or none"),
            ("/v1/metrics", "must begin with http:// or https://"),
            ("http://localhost/?a=b", "must have no query; `metrics_endpoint` may have one"),
            (
                "http://localhost:4318/v1/metrics/",
                "must have no path `/v1/metrics`, which is appended; `metrics_endpoint` is used as it is",
            ),
        ];
        for (url, expected) in cases {
            let error = Endpoint::parse("endpoint", url, "/v1/metrics").expect_err(url).to_string();
            assert_eq!(error, format!("invalid endpoint `{url}`: {expected}"));
        }
        let error =
            Endpoint::parse("endpoint", "http://user:secret@host", "").expect_err("a user").to_string();
        assert!(error.contains("`..@..`") && !error.contains("secret"), "{error}");
    }
}
