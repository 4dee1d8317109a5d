//! Reports options, types and names that do not fit together: each mistake once, on the word to change.

mod arguments;
mod buckets;
mod dimension;
mod event;
mod feeds;
mod label;
mod labels;
mod metric;
mod resolve;
mod role;
