//! Routes: from a request to a response.

use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, VARY};
use hyper::{Method, Request, Response, StatusCode};

use super::body::Shown;
use super::renderer::{Renderer, View};
use crate::export::Format;
use crate::runtime::MetricsRuntimeState;

const TEXT: &str = "text/plain; charset=utf-8";

pub(super) async fn respond<B>(request: &Request<B>, renderer: &Renderer) -> Response<Shown> {
    let path = request.uri().path();
    if !matches!(path, "/metrics" | "/snapshot" | "/healthz") {
        return text(StatusCode::NOT_FOUND, "there are /metrics, /snapshot and /healthz\n".to_owned());
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "use GET or HEAD\n".to_owned());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match path {
        "/metrics" => {
            let format = wanted(request.headers());
            rendered(renderer, View::Exposition(format), format.content_type()).await
        }
        "/snapshot" => rendered(renderer, View::Snapshot, "application/json").await,
        _ => {
            let status = renderer.status();
            let code = match status {
                MetricsRuntimeState::Running => StatusCode::OK,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            text(code, format!("{status}\n"))
        }
    }
}

async fn rendered(renderer: &Renderer, view: View, content_type: &'static str) -> Response<Shown> {
    match renderer.render(view).await {
        Ok(bytes) => response(StatusCode::OK, content_type, Shown::new(bytes)),
        Err(problem) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
    }
}

/// The format the client likes best; several headers count as one.
fn wanted(headers: &HeaderMap) -> Format {
    let accept: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    Format::negotiate(&accept.join(","))
}

fn text(status: StatusCode, text: String) -> Response<Shown> {
    response(status, TEXT, Shown::new(text))
}

fn response(status: StatusCode, content_type: &'static str, body: Shown) -> Response<Shown> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    response
}
