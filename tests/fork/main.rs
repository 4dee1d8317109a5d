//! A process that is forked from a running one has none of its threads but one: waits there end all the same.
//! Covers HX6. A program of its own, because no other thread may be inside of the library when the process is forked.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "`fork` is a call of the C library")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{MetricsRecorder, MetricsRuntime, RecorderOptions};
use mvx_metrics_tests::{HooksAndListener, Script, Step, Steps, eventually};

/// Longer than any wait in a child takes.
const DEADLINE: Duration = Duration::from_secs(20);

struct Child {
    name: &'static str,
    pid: libc::pid_t,
}

impl Child {
    /// Forks this process. The new one runs `code` and ends.
    fn run(name: &'static str, code: impl FnOnce()) -> Self {
        // SAFETY: the child has this thread only. No other thread of this program holds a lock that the child needs:
        // the event loop sleeps, and the harness waits for this test. The C library takes care of its allocator.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "the process cannot be forked");
        if pid == 0 {
            let ended = catch_unwind(AssertUnwindSafe(code));
            // SAFETY: it ends the process at once, and runs nothing of what the parent has registered for its end.
            unsafe { libc::_exit(i32::from(ended.is_err())) };
        }
        Self { name, pid }
    }

    /// Waits until the process has ended. It must have ended by itself, without a panic.
    fn check(self, deadline: Instant) {
        let mut status = 0;
        loop {
            // SAFETY: `status` outlives the call.
            let ended = unsafe { libc::waitpid(self.pid, &raw mut status, libc::WNOHANG) };
            if ended == self.pid {
                break;
            }
            if Instant::now() > deadline {
                // SAFETY: it is a child of this process that has not been waited for.
                unsafe { libc::kill(self.pid, libc::SIGKILL) };
                panic!("`{}` hangs in a forked process", self.name);
            }
            thread::sleep(Duration::from_millis(10));
        }
        assert!(libc::WIFEXITED(status), "`{}`: {status}", self.name);
        assert_eq!(libc::WEXITSTATUS(status), 0, "`{}` panicked", self.name);
    }
}

fn reason<T>(answer: Result<T, mvx_metrics::MetricsRecorderError>) -> &'static str {
    answer.map_or_else(|error| error.reason(), |_| "ok")
}

/// A recorder whose events the parent's event loop has processed, and which is idle.
fn idle_recorder(runtime: &MetricsRuntime, id: &str, options: RecorderOptions) -> MetricsRecorder {
    let options = options.poll_interval(Duration::ZERO);
    let recorder = runtime.create_recorder_with(id, options).expect("creates");
    recorder.register_metric(Steps::default()).expect("registers");
    recorder.emit(Step(1));
    recorder.flush().wait().expect("flushes");
    recorder
}

/// The state of the thread of this name, as the system shows it: `S` for one that sleeps.
fn state_of(name: &str) -> Option<char> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("there are threads");
    let mut stats = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok());
    stats.find_map(|stat| stat.split_once(&format!("({name}) "))?.1.chars().next())
}

#[test]
fn hx6_waits_in_a_forked_process_end() {
    let runtime = MetricsRuntime::builder("fork").shutdown_timeout(Duration::from_secs(1)).build();
    let runtime = runtime.expect("valid");
    runtime.start().expect("starts");
    let recorder = idle_recorder(&runtime, "plain", RecorderOptions::new());
    let hooked = idle_recorder(&runtime, "hooked", RecorderOptions::new().hooks_and_listener(Script::new()));
    let small = idle_recorder(&runtime, "small", RecorderOptions::new().queue_max_size(4));
    eventually("the event loop goes to sleep", || state_of("fork.metrics_ru") == Some('S'));

    let children = [
        Child::run("flush", || {
            recorder.emit(Step(1));
            assert_eq!(reason(recorder.flush().wait()), "ok");
            assert_eq!(Steps::total(&recorder), 2);
        }),
        Child::run("stop", || {
            recorder.emit(Step(1));
            assert_eq!(reason(recorder.stop().wait()), "ok");
            assert_eq!(Steps::total(&recorder), 2);
        }),
        Child::run("metric_snapshots", || {
            recorder.emit(Step(1));
            assert_eq!(Steps::total(&recorder), 2);
        }),
        Child::run("flush with hooks", || {
            hooked.emit(Step(1));
            assert_eq!(reason(hooked.flush().wait()), "STALLED");
        }),
        Child::run("stop with hooks", || {
            hooked.emit(Step(1));
            assert_eq!(reason(hooked.stop().wait()), "STALLED");
        }),
        Child::run("metric_snapshots with hooks", || {
            hooked.emit(Step(1));
            assert_eq!(reason(hooked.metric_snapshots()), "STALLED");
        }),
        Child::run("register_event_blocking", || {
            let timeout = Duration::from_millis(100);
            let mut refused = (0..5).filter_map(|_| small.register_event_blocking(Step(1), timeout).err());
            assert_eq!(refused.next().map(|refused| refused.reason()), Some("QUEUE_OVERFLOW"));
            assert_eq!(small.stats().accepted, 5);
        }),
        Child::run("snapshot", || {
            recorder.emit(Step(1));
            runtime.snapshot().expect("it shows the recorders as they are");
        }),
        Child::run("shutdown", || {
            recorder.emit(Step(1));
            let error = runtime.shutdown().expect_err("its thread does not exist");
            assert_eq!(error.reason(), "SHUTDOWN_ERROR");
        }),
    ];
    let deadline = Instant::now() + DEADLINE;
    for child in children {
        child.check(deadline);
    }

    // The parent goes on.
    recorder.emit(Step(1));
    assert_eq!(Steps::total(&recorder), 2);
    runtime.shutdown().expect("shuts down");
}
