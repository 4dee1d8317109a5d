//! Tests of the encoder: OT1 and OT2. All of them decode the requests with prost.

mod decode;
mod deltas;
mod fixtures;
mod hostile;
mod numbers;
mod random_runs;
mod requests;
