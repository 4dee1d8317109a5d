//! Routes: from the head of a request to its response.

use std::sync::Arc;

use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue,
    VARY,
};
use hyper::{Method, Request, Response, StatusCode};

use super::body::ResponseBody;
use super::options::ServiceOptions;
use super::renderer::{Rendered, Rendering, View};
use crate::export::Format;
use crate::runtime::RuntimeInner;
use crate::state::MetricsRuntimeState;

#[cfg(feature = "page")]
pub(super) mod page;

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Metrics,
    Snapshot,
    Health,
    #[cfg(feature = "page")]
    Page(page::Part),
}

impl Route {
    /// The route of a path, for a service with routes.
    pub(super) fn of(path: &str, options: &ServiceOptions) -> Option<Self> {
        match path {
            "/metrics" => Some(Self::Metrics),
            "/snapshot" if options.snapshot => Some(Self::Snapshot),
            "/healthz" => Some(Self::Health),
            #[cfg(feature = "page")]
            path if options.page => page::Part::of(path).map(Self::Page),
            _ => None,
        }
    }
}

pub(super) fn not_found(options: &ServiceOptions) -> Response<ResponseBody> {
    let page = if options.page { "/, " } else { "" };
    let paths = if options.snapshot { "/metrics, /snapshot and /healthz" } else { "/metrics and /healthz" };
    text(StatusCode::NOT_FOUND, format!("there are {page}{paths}\n"))
}

pub(super) fn refused_host(status: StatusCode) -> Response<ResponseBody> {
    let problem = match status {
        StatusCode::MISDIRECTED_REQUEST => {
            "this host name is not allowed here: see `ServiceOptions::allowed_hosts`"
        }
        _ => "the request needs one valid host",
    };
    text(status, format!("{problem}\n"))
}

/// The refusal of a method that does not only read.
pub(super) fn refused_method<B>(request: &Request<B>) -> Option<Response<ResponseBody>> {
    if [Method::GET, Method::HEAD].contains(request.method()) {
        return None;
    }
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "use GET or HEAD\n".to_owned());
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    Some(response)
}

/// Whether all runtimes run. The text has the state of one runtime, or a line for each of several.
pub(super) fn health(runtimes: &[Arc<RuntimeInner>]) -> Response<ResponseBody> {
    let states: Vec<MetricsRuntimeState> = runtimes.iter().map(|runtime| runtime.status()).collect();
    let all_run = states.iter().all(|state| *state == MetricsRuntimeState::Running);
    let code = if all_run { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    if let [state] = &*states {
        return text(code, format!("{state}\n"));
    }
    let lines = runtimes.iter().zip(states);
    let lines: Vec<String> =
        lines.map(|(runtime, state)| format!("{} {state}\n", runtime.namespace().escape_debug())).collect();
    text(code, lines.concat())
}

/// The format that the client prefers; several `Accept` headers count as one.
pub(super) fn accepted_format(headers: &HeaderMap) -> Format {
    let accept: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    Format::negotiate(&accept.join(","))
}

/// The response with a view, compressed if the client prefers that.
pub(super) fn view(view: &View, gzip: bool, rendered: Rendered) -> Response<ResponseBody> {
    let content_type = match view {
        View::Exposition(format) => format.content_type(),
        View::Snapshot => "application/json",
        #[cfg(feature = "page")]
        View::Page(_) => "application/json",
    };
    let response = match rendered {
        Ok(rendering) => body(gzip, content_type, rendering),
        Err(error) => text(error.status, format!("{}\n", error.problem)),
    };
    match view {
        #[cfg(feature = "page")]
        View::Page(_) => page::with_headers(response),
        _ => response,
    }
}

/// The response with bytes, compressed if the client prefers that and they are worth it.
pub(super) fn body(gzip: bool, content_type: &'static str, rendering: Rendering) -> Response<ResponseBody> {
    match rendering.gzip.filter(|_| gzip) {
        None => response(StatusCode::OK, content_type, rendering.plain),
        Some(compressed) => {
            let mut response = response(StatusCode::OK, content_type, compressed);
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
    }
}

fn text(status: StatusCode, text: String) -> Response<ResponseBody> {
    response(status, PLAIN_TEXT, text.into())
}

fn response(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<ResponseBody> {
    let length = body.len();
    let mut response = Response::new(ResponseBody::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // The response to a HEAD request has the length of a body that it lacks.
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
    response
}
