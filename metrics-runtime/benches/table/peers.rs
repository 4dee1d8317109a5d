//! The peers: other ways to count the same events.

mod atomics;
mod metrics_macros;
mod port;
mod prometheus_client;
mod sharded;
mod spsc;

pub use atomics::SharedAtomics;
pub use metrics_macros::MetricsMacros;
pub use port::PortLoop;
pub use prometheus_client::{CachedHandles, FamilyLookup};
pub use sharded::ShardedCounters;
pub use spsc::SpscRing;
