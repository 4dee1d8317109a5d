//! The routes of the page: its files, and its data.

use std::sync::LazyLock;

use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

use super::super::body::ResponseBody;
use super::super::encoding::compress;
use super::super::renderer::Rendering;
use super::body;
use crate::page;

/// What belongs to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Part {
    Html,
    Script,
    Style,
    Data,
}

/// The files of the page, compressed once for all clients.
static HTML: LazyLock<Rendering> = LazyLock::new(|| compressed(&page::HTML));
static SCRIPT: LazyLock<Rendering> = LazyLock::new(|| compressed(&page::SCRIPT));
static STYLE: LazyLock<Rendering> = LazyLock::new(|| compressed(&page::STYLE));

fn compressed(asset: &page::Asset) -> Rendering {
    let plain = Bytes::from_static(asset.text.as_bytes());
    Rendering { gzip: compress(&plain), plain }
}

impl Part {
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Html),
            "/page/page.js" => Some(Self::Script),
            "/page/page.css" => Some(Self::Style),
            "/page/data" => Some(Self::Data),
            _ => None,
        }
    }

    /// The response with a file. `None` for the data, which is rendered.
    pub(in crate::http) fn asset(self, gzip: bool) -> Option<Response<ResponseBody>> {
        let (asset, rendering) = match self {
            Self::Html => (page::HTML, &HTML),
            Self::Script => (page::SCRIPT, &SCRIPT),
            Self::Style => (page::STYLE, &STYLE),
            Self::Data => return None,
        };
        Some(with_headers(body(gzip, asset.content_type, Rendering::clone(rendering))))
    }
}

/// The response with headers by which a browser takes it for nothing else, and loads nothing from elsewhere.
pub(super) fn with_headers(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(page::CONTENT_SECURITY_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
