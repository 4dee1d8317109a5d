//! How a connection begins: the host's addresses, TCP, and TLS.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::deadline::Deadline;
use crate::endpoint::Endpoint;
use crate::error::OtlpError;

/// A connection of TCP, or of TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + 'static> Stream for S {}

type Addresses = io::Result<Vec<SocketAddr>>;

/// Opens connections to one endpoint.
pub(super) struct Connector {
    /// A question to the system's resolver that is not answered yet. The resolver decides how long it takes, so there is one
    /// question at a time.
    question: Option<JoinHandle<Addresses>>,
    #[cfg(feature = "tls")]
    tls: Option<super::tls::Tls>,
}

impl Connector {
    #[cfg_attr(
        not(feature = "tls"),
        expect(clippy::unnecessary_wraps, unused_variables, reason = "only TLS can fail")
    )]
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, OtlpError> {
        Ok(Self {
            question: None,
            #[cfg(feature = "tls")]
            tls: if endpoint.is_secure { Some(super::tls::Tls::new(&endpoint.host)?) } else { None },
        })
    }

    /// A connection to the first address of the host that answers; `None` when none did in time.
    pub(super) async fn connect(
        &mut self,
        endpoint: &Endpoint,
        deadline: &mut Deadline<'_>,
    ) -> Result<Option<Pin<Box<dyn Stream>>>, OtlpError> {
        let unreachable =
            |error: io::Error| OtlpError::Unreachable { address: endpoint.address(), cause: Arc::new(error) };
        let Some(addresses) = deadline.bound(self.addresses(endpoint)).await else { return Ok(None) };
        let addresses = addresses.map_err(unreachable)?;
        let mut last_error = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        let mut parts = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        for address in addresses {
            // An address that swallows packets leaves time for the others.
            match deadline.bound_share(parts, TcpStream::connect(address)).await {
                Some(Ok(stream)) => {
                    // Without it the system may hold the end of a request back.
                    let _ = stream.set_nodelay(true);
                    return self.secure(stream, deadline).await.map_err(unreachable);
                }
                Some(Err(error)) => last_error = error,
                None if parts == 1 => return Ok(None),
                None => {}
            }
            parts -= 1;
        }
        Err(unreachable(last_error))
    }

    async fn addresses(&mut self, endpoint: &Endpoint) -> Addresses {
        if let Ok(address) = endpoint.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, endpoint.port)]);
        }
        let question = self.question.get_or_insert_with(|| {
            let name = (endpoint.host.clone(), endpoint.port);
            spawn_blocking(move || Ok(name.to_socket_addrs()?.collect()))
        });
        let answer = question.await;
        self.question = None;
        answer.map_err(io::Error::other)?
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_async, reason = "TLS needs it")]
    async fn secure(
        &self,
        stream: TcpStream,
        _: &mut Deadline<'_>,
    ) -> io::Result<Option<Pin<Box<dyn Stream>>>> {
        Ok(Some(Box::pin(stream)))
    }

    #[cfg(feature = "tls")]
    async fn secure(
        &self,
        stream: TcpStream,
        deadline: &mut Deadline<'_>,
    ) -> io::Result<Option<Pin<Box<dyn Stream>>>> {
        let Some(tls) = &self.tls else { return Ok(Some(Box::pin(stream))) };
        match deadline.bound(tls.handshake(stream)).await {
            Some(stream) => Ok(Some(Box::pin(stream?))),
            None => Ok(None),
        }
    }
}
