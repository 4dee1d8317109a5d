//! Over a collector: the workers push deltas as OTLP, and this sink adds up what arrives.
//!
//! With deltas the sum of all requests is the sum of all processes, so a collector needs no memory of processes that have ended. The
//! sink keeps a tally for each `service.instance.id` all the same, because the example compares them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Metric, number_data_point};
use prost::Message;

use crate::Failure;
use crate::jobs::Tally;

type Tallies = BTreeMap<u64, Tally>;

pub struct Collector {
    address: SocketAddr,
    tallies: Arc<Mutex<Tallies>>,
    ends: Arc<AtomicBool>,
    listens: JoinHandle<Result<(), Failure>>,
}

impl Collector {
    pub fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let tallies = Arc::<Mutex<Tallies>>::default();
        let ends = Arc::new(AtomicBool::new(false));
        let (shared, is_ending) = (Arc::clone(&tallies), Arc::clone(&ends));
        let listens = thread::spawn(move || {
            let mut connections = Vec::new();
            for stream in listener.incoming() {
                let stream = stream?;
                // Relaxed: the connection that `finish` makes comes after its store.
                if is_ending.load(Ordering::Relaxed) {
                    break;
                }
                let tallies = Arc::clone(&shared);
                connections.push(thread::spawn(move || serve(&stream, &tallies)));
            }
            connections
                .into_iter()
                .try_for_each(|connection| connection.join().map_err(|_| "a connection panicked")?)
        });
        Ok(Self { address, tallies, ends, listens })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads everything that the workers have sent, and returns what arrived, by worker. To be called when all workers have ended.
    pub fn finish(self) -> Result<Tallies, Failure> {
        self.ends.store(true, Ordering::Relaxed);
        // The connections of the workers are in the queue before this one.
        drop(TcpStream::connect_timeout(&self.address, Duration::from_secs(5))?);
        self.listens.join().map_err(|_| "the collector panicked")??;
        Ok(std::mem::take(&mut *self.tallies.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Answers the requests of a connection until it ends.
fn serve(stream: &TcpStream, tallies: &Mutex<Tallies>) -> Result<(), Failure> {
    let mut reader = BufReader::new(stream);
    // A worker may be killed in the middle of a request: what was not sent as a whole has not arrived.
    while let Some(body) = read_request(&mut reader) {
        let request = ExportMetricsServiceRequest::decode(&*body)?;
        let mut tallies = tallies.lock().unwrap_or_else(PoisonError::into_inner);
        for resource in &request.resource_metrics {
            let attributes = resource.resource.as_ref().map_or(&[][..], |resource| &resource.attributes);
            let worker = text(attributes, "service.instance.id").ok_or("no service.instance.id")?.parse()?;
            let metrics = resource.scope_metrics.iter().flat_map(|scope| &scope.metrics);
            let tally: &mut Tally = tallies.entry(worker).or_default();
            metrics.for_each(|metric| add(tally, metric));
        }
        drop(tallies);
        let answered = (&*stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        if answered.is_err() {
            break;
        }
    }
    Ok(())
}

/// The body of the next request; `None` when the connection ends before its end.
fn read_request(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

/// Adds a delta to a tally.
fn add(tally: &mut Tally, metric: &Metric) {
    match (&*metric.name, &metric.data) {
        ("jobs.ended", Some(Data::Sum(sum))) => {
            for point in &sum.data_points {
                let Some(number_data_point::Value::AsInt(count)) = point.value else { continue };
                let count = u64::try_from(count).unwrap_or_default();
                match text(&point.attributes, "outcome") {
                    Some("done") => tally.done += count,
                    Some("failed") => tally.failed += count,
                    _ => {}
                }
            }
        }
        ("jobs.time", Some(Data::Histogram(histogram))) => {
            for point in &histogram.data_points {
                // The conversion rounds to whole nanoseconds, so the sums of deltas are exact.
                tally.time += Duration::try_from_secs_f64(point.sum.unwrap_or_default()).unwrap_or_default();
                for (count, more) in tally.buckets.iter_mut().zip(&point.bucket_counts) {
                    *count += more;
                }
            }
        }
        // The estimates of several processes cannot be added up, and the library's own metrics are not compared.
        _ => {}
    }
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text),
        _ => None,
    }
}
