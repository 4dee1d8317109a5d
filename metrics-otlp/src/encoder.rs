//! Totals as requests of OTLP. Branch `encode` writes this file and those below `encoder/`.

use mvx_metrics::Totals;

use crate::options::OtlpOptions;

/// Turns totals into requests.
#[derive(Debug)]
pub struct Encoder {}

/// One request of a push.
#[derive(Debug)]
pub struct Request {
    /// The encoded `ExportMetricsServiceRequest`.
    pub body: Vec<u8>,
    /// The number of data points in it.
    pub points: u64,
}

impl Encoder {
    /// An encoder that has sent nothing yet.
    pub fn new(_options: &OtlpOptions) -> Self {
        unimplemented!("branch encode")
    }

    /// The requests of one push, made one after the other.
    pub fn requests<'a>(&'a mut self, _totals: &'a Totals) -> Requests<'a> {
        unimplemented!("branch encode")
    }

    /// The collector has taken a request: deltas count from there.
    pub fn delivered(&mut self, _request: &Request) {
        unimplemented!("branch encode")
    }
}

/// The requests of one push.
#[derive(Debug)]
pub struct Requests<'a>(std::marker::PhantomData<&'a mut Encoder>);

impl Requests<'_> {
    /// The next request; `None` at the end. (A lending form, so that `delivered` can be called in between: `encode` decides.)
    pub fn next_request(&mut self) -> Option<Request> {
        unimplemented!("branch encode")
    }

    /// The collector has taken a request of this push.
    pub fn delivered(&mut self, _request: &Request) {
        unimplemented!("branch encode")
    }
}
