//! The files of the page. They are part of the library, so a program needs no others.

/// A file that a browser loads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    pub(crate) content_type: &'static str,
    pub(crate) text: &'static str,
}

/// The page. It names the other files, and the data, relative to its own path: a service that is mounted below a prefix works as well.
pub(crate) const HTML: Asset =
    Asset { content_type: "text/html; charset=utf-8", text: include_str!("page.html") };
pub(crate) const SCRIPT: Asset =
    Asset { content_type: "text/javascript; charset=utf-8", text: include_str!("page.js") };
pub(crate) const STYLE: Asset =
    Asset { content_type: "text/css; charset=utf-8", text: include_str!("page.css") };

/// What the page may load: its own files and data, and no script or style that a name of the program could bring in.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
