//! TLS, with the certificates of the operating system.

use std::io;
use std::sync::Arc;

use mvx_metrics::SharedError;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::{OtlpError, invalid};

/// Secures connections to one host.
pub(super) struct Tls {
    connector: TlsConnector,
    host: ServerName<'static>,
}

impl Tls {
    /// Reads the certificates: those of the operating system, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    pub(super) fn new(host: &str) -> Result<Self, OtlpError> {
        let unusable = |cause: SharedError| OtlpError::Certificates { cause };
        let host = ServerName::try_from(host.to_owned())
            .map_err(|_| invalid("endpoint", host, "must be a name of DNS or an address, for TLS"))?;
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // Systems have certificates that rustls cannot read. They are no reason to trust none of the others.
        let (usable, _) = roots.add_parsable_certificates(found.certs);
        if usable == 0 {
            let cause: SharedError = match found.errors.into_iter().next() {
                Some(error) => Arc::new(error),
                None => Arc::new(io::Error::new(io::ErrorKind::NotFound, "no certificate was found")),
            };
            return Err(unusable(cause));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(Arc::new(error)))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), host })
    }

    pub(super) async fn handshake(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.host.clone(), stream).await
    }
}
