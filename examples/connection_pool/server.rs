//! The server: a recorder for each connection, removed when the connection is closed.

use std::error::Error;
use std::sync::Arc;

use mvx_metrics::{Counter, Metric, MetricsRecorder, MetricsRuntime, metric_event};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::protocol::Session;

/// A client was accepted.
#[metric_event(name = "pool.connection_opened")]
struct ConnectionOpened;

/// A connection ended.
#[metric_event(name = "pool.connection_closed")]
struct ConnectionClosed;

/// The connections of a server.
#[derive(Metric, Default)]
#[metric(name = "pool.connections")]
pub struct PoolConnections {
    /// Connections accepted.
    #[dimension(on(ConnectionOpened))]
    opened: Counter,
    /// Connections ended.
    #[dimension(on(ConnectionClosed))]
    closed: Counter,
}

/// Accepts connections as long as it is polled. Each closed connection sends its recorder, which then has its final state.
pub async fn serve(
    listener: TcpListener,
    runtime: Arc<MetricsRuntime>,
    pool: MetricsRecorder,
    closed: mpsc::UnboundedSender<MetricsRecorder>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    for number in 1.. {
        let (stream, _) = listener.accept().await?;
        pool.emit(ConnectionOpened);
        let id = format!("connection-{number:04}");
        let recorder = runtime.create_recorder_async(&id).await?;
        let (runtime, pool, closed) = (Arc::clone(&runtime), pool.clone(), closed.clone());
        tokio::spawn(async move {
            if let Err(error) = talk(stream, recorder).await {
                tracing::warn!(%error, id, "connection broken");
            }
            pool.emit(ConnectionClosed);
            match runtime.stop_and_remove_recorder_async(&id).await {
                // The receiver is gone when the program ends.
                Ok(recorder) => drop(closed.send(recorder)),
                Err(error) => tracing::error!(%error, id, "recorder not stopped"),
            }
        });
    }
    Ok(())
}

async fn talk(mut stream: TcpStream, recorder: MetricsRecorder) -> Result<(), Box<dyn Error + Send + Sync>> {
    let session = Session::new(recorder)?;
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader);
    let mut request = String::new();
    while reader.read_line(&mut request).await? > 0 {
        writer.write_all(session.answer(&request).as_bytes()).await?;
        request.clear();
    }
    Ok(())
}
