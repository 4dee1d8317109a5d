//! The engine: everything between the handles, which import it, and the queue, dispatch and snapshots, which it imports.
//!
//! From the bottom to the top; a file imports only files above it in this list, except that a recorder spawns its task:
//!
//! | file | content |
//! |---|---|
//! | `settings` | the settings of a recorder |
//! | `completion` | the end of an operation, for all waiters |
//! | `loss`, `stats` | the events that a full queue has dropped, and their log; the counts of a recorder's events |
//! | `room` | the line of producers that wait for room in the queue |
//! | `stall`, `fair_lock` | the rule by which a waiting thread gives up; the lock of the metrics |
//! | `lifecycle`, `published_state` | the state of a recorder, guarded by the lifecycle lock; its copy for producers |
//! | `drain` | the metrics and the consumer, guarded by the metrics lock; the one way to drain a queue |
//! | `scheduler` | the event loop and its run queue |
//! | `placement` | where a recorder's events are processed |
//! | `recorder_inner`, `turn` | the shared part of a recorder; turns, and giving up after a failure |
//! | `handoff`, `per_thread` | the queue, or the rings of a recorder that has one for each thread |
//! | `registering` | registering an event |
//! | `hook_calls` | calls of a recorder's hooks |
//! | `task` | the task of a recorder that was created directly or has hooks |
//! | `metric_source` | where the handle of a metric reads it |
//! | `read` | reading, registering metrics, the one way to wait |
//! | `handle` | the public handle of an operation |
//! | `wait_for_room` | registering an event that waits for room |

mod completion;
mod drain;
mod fair_lock;
mod handle;
mod handoff;
mod hook_calls;
mod lifecycle;
mod loss;
mod metric_source;
mod per_thread;
mod placement;
mod published_state;
mod read;
mod recorder_inner;
mod registering;
mod room;
mod scheduler;
mod settings;
mod stall;
mod stats;
mod task;
mod turn;
mod wait_for_room;

#[cfg(all(test, not(mvx_loom)))]
mod preemption_tests;
#[cfg(all(test, not(mvx_loom)))]
mod tests;

pub use self::handle::LifecycleHandle;
pub use self::read::Registered;
pub use self::settings::{Handoff, MetricFailurePolicy, QueueOverflowPolicy};

pub(crate) use self::completion::Completion;
pub(crate) use self::fair_lock::{FairGuard, FairLock};
pub(crate) use self::metric_source::MetricSource;
pub(crate) use self::placement::Placement;
pub(crate) use self::read::Observation;
pub(crate) use self::recorder_inner::RecorderInner;
pub(crate) use self::scheduler::EventLoop;
pub(crate) use self::settings::{
    DEFAULT_QUEUE_MAX_SIZE, DEFAULT_SHUTDOWN_TIMEOUT, Settings, check_poll_interval, check_queue_max_size,
};
