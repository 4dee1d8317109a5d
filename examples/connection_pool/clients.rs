//! The clients: real connections with uneven traffic. Each client counts its requests itself.

use std::io;
use std::net::SocketAddr;
use std::ops::AddAssign;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many connections are open at a time.
const OPEN_AT_A_TIME: usize = 48;

/// What clients have sent and received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    pub requests: u64,
    pub protocol_errors: u64,
    pub sent: u64,
    pub received: u64,
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.protocol_errors += other.protocol_errors;
        self.sent += other.sent;
        self.received += other.received;
    }
}

/// Opens that many connections, one after the other in bunches, and returns what went over all of them.
pub async fn run(connections: u32, server: SocketAddr) -> io::Result<Traffic> {
    let places = Arc::new(Semaphore::new(OPEN_AT_A_TIME));
    let mut clients = JoinSet::new();
    for number in 0..connections {
        let places = Arc::clone(&places);
        clients.spawn(async move {
            let _place = places.acquire_owned().await.map_err(io::Error::other)?;
            talk(number, server).await
        });
    }
    let mut total = Traffic::default();
    while let Some(client) = clients.join_next().await {
        total += client??;
    }
    Ok(total)
}

/// One client: a few connections are busy, most are not, and every seventh request of some breaks the protocol.
async fn talk(number: u32, server: SocketAddr) -> io::Result<Traffic> {
    let mut stream = TcpStream::connect(server).await?;
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader);
    let mut traffic = Traffic::default();
    let mut reply = String::new();
    let requests = if number.is_multiple_of(50) { 400 + number } else { 5 + number % 40 };
    for turn in 0..requests {
        let breaks = number.is_multiple_of(3) && turn % 7 == 6;
        let request = match turn % 3 {
            _ if breaks => format!("SHOUT {turn}\n"),
            0 => format!("ECHO {}\n", "x".repeat((turn % 64) as usize)),
            1 => format!("UPPER client {number} in turn {turn}\n"),
            _ => format!("SUM {number} {turn} -1\n"),
        };
        writer.write_all(request.as_bytes()).await?;
        reply.clear();
        reader.read_line(&mut reply).await?;
        if reply.starts_with("ERR") != breaks {
            return Err(io::Error::other(format!("{request:?} was answered with {reply:?}")));
        }
        traffic += Traffic {
            requests: 1,
            protocol_errors: breaks.into(),
            sent: request.len() as u64,
            received: reply.len() as u64,
        };
    }
    Ok(traffic)
}
