//! Routes: from a request to its response.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, VARY};
use hyper::{Method, Request, Response, StatusCode};

use super::renderer::{Renderer, View};
use crate::export::Format;
use crate::state::MetricsRuntimeState;

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

pub(super) async fn respond<B>(request: &Request<B>, renderer: &Renderer) -> Response<FullBody> {
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
            let format = accepted_format(request.headers());
            view(renderer, View::Exposition(format), format.content_type()).await
        }
        "/snapshot" => view(renderer, View::Snapshot, "application/json").await,
        _ => {
            let state = renderer.runtime_state();
            let status = match state {
                MetricsRuntimeState::Running => StatusCode::OK,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            text(status, format!("{state}\n"))
        }
    }
}

async fn view(renderer: &Renderer, view: View, content_type: &'static str) -> Response<FullBody> {
    match renderer.request(view).await {
        Ok(bytes) => response(StatusCode::OK, content_type, bytes),
        Err(problem) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
    }
}

/// The format that the client prefers; several `Accept` headers count as one.
fn accepted_format(headers: &HeaderMap) -> Format {
    let accept: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    Format::negotiate(&accept.join(","))
}

fn text(status: StatusCode, text: String) -> Response<FullBody> {
    response(status, PLAIN_TEXT, text.into())
}

fn response(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<FullBody> {
    let mut response = Response::new(FullBody(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    response
}

/// The body of a response in one piece. Responses to several clients share the bytes.
pub(super) struct FullBody(Bytes);

impl Body for FullBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::mem::take(&mut self.0);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}
