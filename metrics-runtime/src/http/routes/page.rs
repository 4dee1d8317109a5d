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
    /// The file with this index.
    File(usize),
    Data,
}

/// The files of the page, compressed once for all clients.
static FILES: LazyLock<Vec<Rendering>> = LazyLock::new(|| {
    let plain = page::ASSETS.iter().map(|asset| Bytes::from_static(asset.text.as_bytes()));
    plain.map(|plain| Rendering { gzip: compress(&plain), plain }).collect()
});

impl Part {
    pub(super) fn of(path: &str) -> Option<Self> {
        if path == page::DATA_PATH {
            return Some(Self::Data);
        }
        page::ASSETS.iter().position(|asset| asset.path == path).map(Self::File)
    }

    /// The response with a file. `None` for the data, which is rendered.
    pub(in crate::http) fn file(self, gzip: bool) -> Option<Response<ResponseBody>> {
        let Self::File(index) = self else { return None };
        let (asset, rendering) = page::ASSETS.get(index).zip(FILES.get(index))?;
        Some(with_headers(body(gzip, asset.content_type, rendering.clone())))
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
