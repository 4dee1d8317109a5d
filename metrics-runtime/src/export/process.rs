//! The process: CPU time, memory and files of the whole program, under the names that all clients of Prometheus use. Feature
//! `process`.

use std::borrow::Cow;
use std::time::Duration;

use super::family::Dimension;
use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::snapshot::{DimensionValue, Timestamp};

/// The first part of the names of these families.
const METRIC: &str = "process";

/// One measurement of the process.
pub(super) struct ProcessDimension {
    declared: DimensionDescriptor,
    value: DimensionValue,
    /// When the process started.
    created: Timestamp,
}

impl ProcessDimension {
    /// The dimension in the group with the labels of the process.
    pub(super) fn dimension(&self, group: usize) -> Dimension<'_> {
        let Self { declared, value, created } = self;
        Dimension { group, of_library: true, metric: METRIC, help: "", declared, value, created: *created }
    }
}

/// Reads the process that calls. What the system does not tell is not in the list. The list is empty without the feature, and on other
/// systems than Linux.
pub(super) fn read() -> Vec<ProcessDimension> {
    let Measurements { cpu, started, open_fds, max_fds, virtual_memory, resident_memory, threads } =
        Measurements::take();
    let start = started.map(|started| DimensionValue::Float(started.as_seconds()));
    let whole = |value: Option<u64>| value.map(DimensionValue::Unsigned);
    let dimensions = [
        (DimensionKind::Counter, "cpu", "seconds", CPU, cpu.map(DimensionValue::Duration)),
        (DimensionKind::Gauge, "start_time", "seconds", START_TIME, start),
        (DimensionKind::Gauge, "open_fds", "", OPEN_FDS, whole(open_fds)),
        (DimensionKind::Gauge, "max_fds", "", MAX_FDS, whole(max_fds)),
        (DimensionKind::Gauge, "virtual_memory", "bytes", VIRTUAL_MEMORY, whole(virtual_memory)),
        (DimensionKind::Gauge, "resident_memory", "bytes", RESIDENT_MEMORY, whole(resident_memory)),
        (DimensionKind::Gauge, "threads", "", THREADS, whole(threads)),
    ];
    let measured = dimensions.into_iter().filter_map(|(kind, name, unit, help, value)| {
        let mut declared = DimensionDescriptor::new(name, kind);
        declared.unit = (!unit.is_empty()).then_some(Cow::Borrowed(unit));
        declared.help = Cow::Borrowed(help);
        Some(ProcessDimension { declared, value: value?, created: started.unwrap_or_default() })
    });
    measured.collect()
}

const CPU: &str = "Total user and system CPU time spent in seconds.";
const START_TIME: &str = "Start time of the process since unix epoch in seconds.";
const OPEN_FDS: &str = "Number of open file descriptors.";
const MAX_FDS: &str = "Maximum number of open file descriptors.";
const VIRTUAL_MEMORY: &str = "Virtual memory size in bytes.";
const RESIDENT_MEMORY: &str = "Resident memory size in bytes.";
const THREADS: &str = "Number of OS threads in the process.";

/// What the system tells about the process.
#[derive(Default)]
struct Measurements {
    cpu: Option<Duration>,
    started: Option<Timestamp>,
    open_fds: Option<u64>,
    max_fds: Option<u64>,
    virtual_memory: Option<u64>,
    resident_memory: Option<u64>,
    threads: Option<u64>,
}

#[cfg(all(feature = "process", target_os = "linux"))]
impl Measurements {
    fn take() -> Self {
        use procfs::process::{LimitValue, Process};

        let Ok(process) = Process::myself() else { return Self::default() };
        let max_fds = process.limits().ok().and_then(|limits| match limits.max_open_files.soft_limit {
            LimitValue::Value(limit) => Some(limit),
            LimitValue::Unlimited => None,
        });
        let files = Self {
            open_fds: process.fd_count().ok().and_then(|count| u64::try_from(count).ok()),
            max_fds,
            ..Self::default()
        };
        let Ok(stat) = process.stat() else { return files };
        Self {
            cpu: Some(of_ticks(stat.utime.saturating_add(stat.stime))),
            started: start_of(of_ticks(stat.starttime)),
            virtual_memory: Some(stat.vsize),
            resident_memory: Some(stat.rss.saturating_mul(procfs::page_size())),
            threads: u64::try_from(stat.num_threads).ok(),
            ..files
        }
    }
}

/// A duration in the kernel's unit for the CPU time of a process.
#[cfg(all(feature = "process", target_os = "linux"))]
fn of_ticks(ticks: u64) -> Duration {
    let per_second = procfs::ticks_per_second().max(1);
    let nanos = u128::from(ticks % per_second) * 1_000_000_000 / u128::from(per_second);
    Duration::from_secs(ticks / per_second) + Duration::from_nanos(u64::try_from(nanos).unwrap_or_default())
}

/// The start of a process, from its distance to the start of the system.
///
/// The kernel computes the start of the system anew each time, from a clock that may be set. So the first answer is kept.
#[cfg(all(feature = "process", target_os = "linux"))]
fn start_of(since_boot: Duration) -> Option<Timestamp> {
    static BOOT: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    let boot = if let Some(boot) = BOOT.get() {
        *boot
    } else {
        let boot = procfs::boot_time_secs().ok()?;
        *BOOT.get_or_init(|| boot)
    };
    Some(Timestamp::since_1970(Duration::from_secs(boot) + since_boot))
}

#[cfg(not(all(feature = "process", target_os = "linux")))]
impl Measurements {
    fn take() -> Self {
        Self::default()
    }
}
